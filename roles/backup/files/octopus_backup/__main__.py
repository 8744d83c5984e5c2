"""The command line: one backup, one drill or one restore at a time."""

from __future__ import annotations

import argparse
import fcntl
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import backup, drill, figures, restore
from .command_line import parser
from .engine import BackupError, Engine

WAIT = 1800  # seconds for the one before


def watched(engine: Engine, name: str, work: Callable[[], str]) -> str:
    """Do work, and have Prometheus told whether it failed."""
    try:
        done = work()
    except BackupError:
        figures.write(engine.settings["figures"], f"{name}_result", {f"{name}_failed": 1})
        raise
    figures.write(engine.settings["figures"], f"{name}_result", {f"{name}_failed": 0})
    return done


def make(engine: Engine, kind: str) -> str:
    """Make a backup; return it in words."""
    return watched(engine, "last", lambda: f"Made {backup.make(engine, kind)}")


def prove(engine: Engine) -> str:
    """Hold a drill; return what it has shown."""
    return watched(engine, "drill", lambda: drill.run(engine))


def nightly(engine: Engine) -> str:
    """Make the backup that is due, and prove that it can be restored."""
    return make(engine, backup.due(engine)) + "\n" + prove(engine)


def keep_key(engine: Engine, repository: str) -> str:
    """Have the password on standard input open what there is; it is about to become the present one."""
    engine.inside("keep_key", repository, given=sys.stdin.buffer.read())
    return f"the new password opens the repository {engine.settings['repository']}, too"


def extract(engine: Engine, label: str, name: str) -> str:
    """Print what was saved beside a backup."""
    repository = next((one.repository for one in backup.backups(engine) if one.label == label), None)
    if repository is None:
        raise BackupError(f"There is no backup {label}.")
    sys.stdout.buffer.write(engine.inside("get", repository, label, name))
    return ""


def look(engine: Engine) -> str:
    """Let the caller ask what was restored beside."""
    volume = f"{engine.settings['platform']}-restored-data"
    if engine.attached("look", engine.settings["database"], volume=volume):
        raise BackupError(f"{volume} holds nothing that could be looked at: restore beside first.")
    return ""


def run(engine: Engine, given: argparse.Namespace) -> str:
    """Do what the command line says; return what to print."""
    commands: dict[str, Callable[[], str]] = {
        "full": lambda: make(engine, "full"),
        "diff": lambda: make(engine, "diff"),
        "nightly": lambda: nightly(engine),
        "drill": lambda: prove(engine),
        "list": lambda: "\n".join(map(str, backup.backups(engine))) or "There is no backup yet.",
        "begin": lambda: backup.begin(engine),
        "covers": lambda: str(restore.choose(engine, given.target)),
        "restore": lambda: restore.beside(engine, given.target),
        "look": lambda: look(engine),
        "prepare": lambda: restore.prepare(engine, given.target),
        "swap": lambda: restore.swap(engine, given.place, "swap"),
        "finish": lambda: restore.swap(engine, given.place, "finish"),
        "extract": lambda: extract(engine, given.label, given.name),
        "keep-key": lambda: keep_key(engine, given.repository),
    }
    return commands[given.command]()


def alone(path: Path) -> object:
    """Return a lock that nobody else holds. Raise BackupError where the one before goes on and on."""
    lock = path.open("w")
    end = time.monotonic() + WAIT
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > end:
                raise BackupError(
                    f"Another backup, drill or restore has been running for {WAIT} s."
                ) from None
            time.sleep(1)


def main() -> int:
    """Run one command; return the exit code."""
    given = parser().parse_args()
    settings = Path(given.settings)
    try:
        held = alone(settings.parent.with_name("lock"))
        said = run(Engine(json.loads(settings.read_text(encoding="utf-8"))), given)
        del held
    except BackupError as failure:
        print(failure, file=sys.stderr)
        return 1
    if said:
        print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
