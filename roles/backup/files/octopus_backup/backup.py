"""Makes backups: PostgreSQL's by pgBackRest, and what other stores hold beside it."""

from __future__ import annotations

import json
import time

from . import catalogue, figures
from .catalogue import Backup
from .engine import BackupError, Engine

DAY = 24 * 3600
# Full backups begin at about the same time of the day.
SLACK = 6 * 3600


def backups(engine: Engine) -> list[Backup]:
    """Return all backups, oldest first."""
    return catalogue.read(engine.inside("catalogue").decode())


def own(engine: Engine, kinds: tuple[str, ...] = ("full", "diff")) -> list[Backup]:
    """Return those of the present password."""
    return [
        one
        for one in backups(engine)
        if one.repository == engine.settings["repository"] and one.kind in kinds
    ]


def due(engine: Engine) -> str:
    """Return what tonight's backup is."""
    last = own(engine, ("full",))
    days = engine.settings["full_days"]
    return "diff" if last and time.time() - last[-1].start < days * DAY - SLACK else "full"


def make(engine: Engine, kind: str) -> Backup:
    """Make a full or diff backup; return it. Raise BackupError, also where another store was not saved."""
    place = engine.primary()
    began = time.time()
    command = (
        "pgbackrest",
        "backup",
        f"--type={kind}",
        f"--repo1-retention-full={engine.settings['keep_full']}",
    )
    engine.inside(*command, volume=engine.volume(place), alone=False)
    made = own(engine)[-1]
    if made.stop < began - 60:
        raise BackupError(f"pgBackRest made no backup: the last one is {made}.")
    missed = save_stores(engine, made.label)
    figures.write(
        engine.settings["figures"],
        f"backup_{made.kind}",
        {
            f'last_success_timestamp_seconds{{type="{made.kind}"}}': made.stop,
            f'duration_seconds{{type="{made.kind}"}}': time.time() - began,
            f'stored_bytes{{type="{made.kind}"}}': made.stored,
        },
    )
    if len(own(engine, ("full",))) >= engine.settings["keep_full"]:
        engine.inside("forget")
    if missed:
        raise BackupError(f"The backup {made.label} was made, but without {' and without '.join(missed)}")
    return made


def save_stores(engine: Engine, label: str) -> list[str]:
    """Save the broker's definitions and Redis' snapshot; return what could not be had, and why."""
    stores = {
        "broker.json": ("broker", "rabbitmqctl", "--quiet", "export_definitions", "-"),
        # The cache saves itself now and then; it may not have begun to.
        "redis.rdb": ("redis", "bash", "-c", "if [[ -e dump.rdb ]]; then cat dump.rdb; fi"),
    }
    missed = []
    for name, (service, *command) in stores.items():
        try:
            content = engine.execute(service, *command)
            if name == "broker.json":
                json.loads(content)
            engine.inside("put", label, name, given=content)
        except (BackupError, ValueError) as error:
            missed.append(f"{name} ({error})")
    engine.inside("expire")
    return missed


def begin(engine: Engine) -> str:
    """Make what is missing of the repository, and its first backup; return what was done, in words."""
    done = []
    state = engine.inside("state").decode().strip()
    if state == "missing":
        engine.inside("pgbackrest", "stanza-create", volume=engine.volume(engine.primary()), alone=False)
        done.append(f"made the repository {engine.settings['repository']}")
    if state != "full":
        done.append(f"made the first backup {make(engine, 'full')}")
    return "\n".join(done)
