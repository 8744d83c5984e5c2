"""The primary's log on its way into the archive."""

from __future__ import annotations

import time

from .engine import BackupError, Engine

SECONDS = 120
FAILED = "select coalesce('last failed: ' || last_failed_wal, '') from pg_stat_archiver"


def wait(engine: Engine, place: str, segment: str) -> None:
    """Wait until a segment of log is in the archive. Raise BackupError after two minutes."""
    end = time.monotonic() + SECONDS
    while (
        last := engine.ask(place, "select coalesce(last_archived_wal, '') from pg_stat_archiver")
    ) < segment:
        if time.monotonic() > end:
            raise BackupError(
                f"The log of {place} does not get into the archive: {segment} is not there after {SECONDS} s,"
                f" the last one is {last or 'none'} {engine.ask(place, FAILED)}."
                f" See docker logs {engine.settings['platform']}-{place}."
            )
        time.sleep(0.5)


def flush(engine: Engine, place: str) -> None:
    """Have everything that is committed now in the archive, and something later than that after it."""
    # A recovery ends at the first commit after its target: without one it would find no end.
    engine.ask(place, "select pg_current_xact_id()")
    # The parts of one statement may be done in any order.
    segment = engine.ask(place, "select pg_walfile_name(pg_current_wal_insert_lsn())")
    engine.ask(place, "select pg_switch_wal()")
    wait(engine, place, segment)
