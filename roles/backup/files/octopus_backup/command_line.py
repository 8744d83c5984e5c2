"""The commands, and what each is for."""

from __future__ import annotations

import argparse


def parser() -> argparse.ArgumentParser:
    """Return the commands with their arguments."""
    made = argparse.ArgumentParser(
        prog="NAME-backup", description="Backups of the platform: see docs/backups.md."
    )
    made.add_argument("settings", help=argparse.SUPPRESS)
    commands = made.add_subparsers(dest="command", required=True)
    for name, words in {
        "full": "back everything up",
        "diff": "back up what has changed since the last full backup",
        "nightly": "make the backup that is due, and hold a drill; what the schedule runs",
        "drill": "restore the last backup into a throw-away container and compare it with the live data",
        "list": "list the backups",
        "begin": "make the repository and the first backup where they are missing",
    }.items():
        commands.add_parser(name, help=words)
    one = commands.add_parser("covers", help="say which backup a restore to a moment would begin with")
    one.add_argument("target", help="latest, or a moment such as '2026-01-31 14:05:00' (UTC)")
    one = commands.add_parser("restore", help="restore into a volume of its own, beside what runs")
    one.add_argument("target", help="latest, or a moment")
    commands.add_parser("look", help="psql in what was restored beside")
    one = commands.add_parser("prepare", help="for playbooks/restore.yml: restore in the primary's volume")
    one.add_argument("target", help="latest, or a moment")
    for name in ("swap", "finish"):
        commands.add_parser(name, help="for playbooks/restore.yml").add_argument("place")
    one = commands.add_parser("extract", help="print what was saved beside a backup")
    one.add_argument("label")
    one.add_argument("name", choices=["broker.json", "redis.rdb"])
    commands.add_parser(
        "keep-key", help="before the password changes: the new one is on standard input"
    ).add_argument("repository")
    return made
