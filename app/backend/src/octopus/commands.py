"""The console scripts. Each checks its settings first, so that a missing one is named at once."""

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

from octopus import logs
from octopus.settings import SettingError, Settings

MULTIPROC_DIR = "PROMETHEUS_MULTIPROC_DIR"


def _check(*names: str) -> Settings:
    """Return the settings after reading the named ones; leave with one sentence if one is missing."""
    settings = Settings()
    try:
        for name in ("log_level", *names):
            getattr(settings, name)
    except SettingError as error:
        sys.exit(str(error))
    logs.configure(settings.log_level)
    return settings


def _empty_metrics(default: str) -> None:
    """Remove the numbers of an earlier run: they would be added to this one's."""
    directory = Path(os.environ.setdefault(MULTIPROC_DIR, default))
    directory.mkdir(parents=True, exist_ok=True)
    for file in directory.glob("*.db"):
        file.unlink()


def _become(module: str, *arguments: str) -> NoReturn:
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - no shell wanted


def backend() -> None:
    """Run the API under gunicorn."""
    _check("database", "cache", "api_key", "backend_workers", "backend_threads", "backend_port")
    _empty_metrics("/tmp/metrics")  # noqa: S108 - the container's own tmpfs
    _become("gunicorn", "--config", "python:octopus.gunicorn_conf", "octopus.wsgi:app")


def worker() -> None:
    """Run the Celery worker."""
    settings = _check(
        "database", "cache", "broker", "worker_concurrency", "worker_max_retries", "metrics_port"
    )
    _empty_metrics("/tmp/metrics")  # noqa: S108 - the container's own tmpfs
    _become(
        "celery", "--quiet", "--app", "octopus.worker.app", "worker",
        "--concurrency", str(settings.worker_concurrency),
        "--loglevel", settings.log_level, "--without-gossip", "--without-mingle", "--without-heartbeat",
    )  # fmt: skip


def relay() -> None:
    """Run the relay."""
    settings = _check("database", "broker", "metrics_port")
    os.environ.pop(MULTIPROC_DIR, None)  # one process needs no shared files
    from octopus.relay.main import run  # noqa: PLC0415 - imports what the line above decides about

    run(settings)


def migrate() -> None:
    """Bring the database up to date and say so in one line."""
    settings = _check("migration_database", "app_role")
    from octopus.migrate import MigrationError  # noqa: PLC0415 - the other commands need no Alembic
    from octopus.migrate import migrate as apply  # noqa: PLC0415

    log = logging.getLogger("octopus.migrate")
    try:
        before, after = apply(settings)
    except MigrationError as error:
        log.error("the migration did not run: %s", error)
        sys.exit(1)
    log.info("the database is at revision %s (was %s)", after, before or "empty")


def _letter(word: str) -> int | None:
    return None if word == "all" else int(word)


def dead_letters() -> None:
    """List, replay or drop messages that were given up."""
    parser = argparse.ArgumentParser(prog="octopus-dead-letters", description=dead_letters.__doc__)
    parser.add_argument("action", choices=["list", "replay", "drop"])
    parser.add_argument("ids", nargs="*", type=_letter, metavar="ID", help="ids of messages, or: all")
    given = parser.parse_args()
    if not given.ids and given.action != "list":
        parser.error(f"{given.action} what? Name ids that list shows, or: all")
    settings = _check("database", "cache")
    from octopus import dead_letters as letters  # noqa: PLC0415 - the other commands do not need it
    from octopus.cache import Cache  # noqa: PLC0415
    from octopus.database import Database, DatabaseUnavailable  # noqa: PLC0415

    ids = None if None in given.ids or not given.ids else given.ids
    try:
        lines = letters.act(Database(settings.database, 1), Cache(settings.cache), given.action, ids)
    except (letters.NoSuchLetters, DatabaseUnavailable) as error:
        sys.exit(f"Nothing was changed: {error}")
    sys.stdout.writelines(f"{line}\n" for line in lines)
