"""Restores into a directory of a volume, beside what runs."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from . import archive, catalogue
from .backup import backups
from .catalogue import Backup
from .engine import PGDATA_VOLUME, BackupError, Engine


def choose(engine: Engine, target: str) -> Backup:
    """Return the backup that a restore to a target begins with. Raise BackupError where none does."""
    return catalogue.covering(backups(engine), target, datetime.now(UTC))


# Accepted and not logged: their entries may have been taken since. The worker takes a message once.
QUEUED = """
do $$ begin
  if to_regclass('outbox') is not null then
    insert into outbox (message_id) select id from messages
    where status = 'queued' and not exists (select from outbox where message_id = messages.id) order by id;
  end if;
end $$
"""


def restore(engine: Engine, target: str, volume: str, directory: str, statements: str = "") -> str:
    """Restore to `latest` or a moment into a directory of a volume, and run SQL in it; say what is there."""
    chosen = choose(engine, target)
    flush(engine)
    path = f"{PGDATA_VOLUME}/{directory}"
    command = ["recover", chosen.repository, path, engine.settings["database"]]
    command += catalogue.arguments(chosen, target)
    engine.inside(*command, volume=volume, writes=True, given=statements.encode())
    return f"Restored to {target}, from {chosen}: directory {directory} of volume {volume}"


def flush(engine: Engine) -> None:
    """Have the newest log archived where that can be; else what is archived has to do."""
    place = answering(engine)
    try:
        if place:
            archive.flush(engine, place)
    except BackupError as error:
        print(f"{error} The restore goes on with what is in the archive.", file=sys.stderr)


def answering(engine: Engine) -> str:
    """Return the primary's place, nothing where there is none."""
    try:
        return engine.primary()
    except BackupError:
        return ""


def beside(engine: Engine, target: str) -> str:
    """Restore into a volume of its own; return what is there, and how to look at it."""
    name = engine.settings["platform"]
    done = restore(engine, target, f"{name}-restored-data", "data")
    return f"{done}\nTo look at it: {name}-backup look    To remove it: docker volume rm {name}-restored-data"


def prepare(engine: Engine, target: str) -> str:
    """Restore beside the primary's data, in its volume; return its place.

    Where a swap was begun, that is finished first: nothing is restored.
    """
    found: dict[str, list[str]] = {
        place: engine.inside("progress", volume=engine.volume(place)).decode().split()
        for place in engine.settings["places"]
    }
    for place, (step, whose) in found.items():
        if step == "begun" and whose == "standby":
            raise BackupError(
                f"{place} is a standby by now, and keeps what was there before an earlier restore: nothing"
                f" was changed. {engine.name} finish {place} removes that; then run this again."
            )
        if step == "begun":
            return place
    place = answering(engine) or holder(found)
    restore(engine, target, engine.volume(place), "data.restored", QUEUED)
    return place


def holder(found: dict[str, list[str]]) -> str:
    """Return the place of the primary by what the volumes hold, where no server answers that it is."""
    whose = {place: told[1] for place, told in found.items()}
    primaries = [place for place in whose if whose[place] == "primary"]
    if len(primaries) == 1:
        return primaries[0]
    if set(whose.values()) == {"nobody"}:
        return next(iter(whose))
    raise BackupError(
        "No place of PostgreSQL answers as the primary, and the volumes do not say which one is: nothing was"
        " changed. Start it (site.yml), or choose one by failover.yml, and run this again."
    )


def swap(engine: Engine, place: str, step: str) -> str:
    """Have what was restored take the place of the data, or (`finish`) forget what was there before."""
    engine.inside(step, volume=engine.volume(place), writes=True)
    return f"{step}: {place}"
