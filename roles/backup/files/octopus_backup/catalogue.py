"""Which backups there are, and which of them a restore to a moment begins with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .engine import BackupError

LATEST = "latest"


@dataclass(frozen=True)
class Backup:
    """A backup in a repository; times are seconds since 1970, sizes bytes."""

    repository: str
    label: str
    kind: str
    start: int
    stop: int
    size: int
    stored: int

    def __str__(self) -> str:
        """Say it for people."""
        ended = datetime.fromtimestamp(self.stop, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return (
            f"{self.label} {self.kind:4}  ended {ended} after {self.stop - self.start} s,"
            f" {self.size / 2**20:.1f} MiB, stored in {self.stored / 2**20:.1f} MiB"
            f" of repository {self.repository}"
        )


def backup_of(repository: str, told: dict[str, Any]) -> Backup:
    """Return a backup from what pgBackRest says of it."""
    times, sizes = told["timestamp"], told["info"]
    stored = sizes["repository"].get("delta", 0)
    return Backup(
        repository, told["label"], told["type"], times["start"], times["stop"], sizes["size"], stored
    )


def read(told: str) -> list[Backup]:
    """Return all whole backups, oldest first, from `catalogue` of files/inside."""
    found = []
    for line in told.splitlines():
        repository, _, info = line.partition(" ")
        for stanza in json.loads(info):
            found += [backup_of(repository, one) for one in stanza["backup"] if not one.get("error")]
    return sorted(found, key=lambda one: one.stop)


def moment(target: str) -> datetime | None:
    """Return the moment that is meant, UTC where it names no zone; None for the latest."""
    if target == LATEST:
        return None
    try:
        found = datetime.fromisoformat(target.removesuffix("UTC").strip())
    except ValueError as error:
        raise BackupError(
            f"{target} is no moment: write it as '2026-01-31 14:05:00' (UTC), or as latest."
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def covering(backups: list[Backup], target: str, now: datetime) -> Backup:
    """Return the backup that a restore to a target begins with. Raise BackupError where none does."""
    if not backups:
        raise BackupError("There is no backup yet.")
    wanted = moment(target)
    if wanted is None:
        return backups[-1]
    if wanted > now:
        raise BackupError(f"{target} is still to come: it is {now:%Y-%m-%d %H:%M:%S} UTC.")
    before = [one for one in backups if one.stop <= wanted.timestamp()]
    if not before:
        first = datetime.fromtimestamp(backups[0].stop, UTC)
        raise BackupError(f"No backup covers {target}: the oldest one ended {first:%Y-%m-%d %H:%M:%S} UTC.")
    return before[-1]


def arguments(backup: Backup, target: str) -> list[str]:
    """Return pgBackRest's arguments for a restore of a backup up to a target."""
    wanted = moment(target)
    chosen = [f"--set={backup.label}"]
    if wanted is None:
        return [*chosen, "--type=default"]
    written = wanted.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00")
    return [*chosen, "--type=time", f"--target={written}", "--target-action=promote"]
