"""The proof: the last backup is restored, and holds what the live database held a moment ago."""

from __future__ import annotations

import time

from . import archive, figures
from .backup import own
from .engine import BackupError, Engine

# Younger rows may belong to transactions that are still open.
SETTLED = "select now() - interval '1 minute'"
DIGEST = """
select (select version_num from alembic_version), count(*),
  coalesce(sum(hashtextextended(id || ' ' || text, 0)::numeric), 0)
from messages where created_at < '{before}'
"""


def run(engine: Engine) -> str:
    """Restore the last backup and what is archived after it; return what was proven. Raise BackupError."""
    began = time.time()
    made = own(engine)
    if not made:
        raise BackupError("There is no backup to restore.")
    place, database = engine.primary(), engine.settings["database"]
    digest = DIGEST.format(before=engine.ask(place, SETTLED))
    live = engine.ask(place, digest, database)
    point = f"drill-{began:.0f}"
    segment = engine.ask(place, f"select pg_walfile_name(pg_create_restore_point('{point}'))")
    engine.ask(place, "select pg_switch_wal()")
    archive.wait(engine, place, segment)
    told = engine.inside("drill", database, point, volume="", writes=True, given=digest.encode())
    restored, _, blocks = told.decode().strip().partition("\n")
    if restored != live:
        raise BackupError(
            f"The restored data are not the live ones: {restored} in place of {live} (revision|messages|sum)."
        )
    if not blocks.strip().isdigit() or int(blocks) == 0:
        raise BackupError(f"No block of the restored data could be checked: {blocks}")
    messages = int(live.split("|")[1])
    taken = time.time() - began
    figures.write(
        engine.settings["figures"],
        "drill",
        {
            "drill_last_success_timestamp_seconds": began,
            "drill_duration_seconds": taken,
            "drill_messages": messages,
        },
    )
    return (
        f"Restored {made[-1].label} and the log after it in {taken:.0f} s: {messages} messages are those"
        f" of the live database, {blocks.strip()} blocks have the right checksum."
    )
