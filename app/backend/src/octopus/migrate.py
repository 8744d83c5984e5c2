"""Brings the database's tables up to date."""

import time
from pathlib import Path

import psycopg2
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from psycopg2 import extensions
from sqlalchemy import create_engine, pool

from octopus.connections import connector
from octopus.deadline import deadline
from octopus.settings import DatabaseSettings, Settings

# The application's rights, given after every migration: its role may be another one by now.
# SELECT ... FOR UPDATE asks for the right to update at least one column, even where nothing is updated.
GRANTS = """
GRANT SELECT, INSERT (text), UPDATE (status, logged_at, dead_reason) ON messages TO {role};
GRANT SELECT, INSERT (message_id), UPDATE (created_at), DELETE ON outbox TO {role};
GRANT SELECT, INSERT (key, body_hash, response), DELETE ON idempotency_keys TO {role};
GRANT EXECUTE ON FUNCTION drop_dead_letters TO {role};
"""
WAIT = 60.0  # seconds for a server that accepts writes
LIMIT = 600.0  # seconds for all migrations


class MigrationError(Exception):
    """The migration could not run; the text says why."""


def _connect(settings: DatabaseSettings, wait: float) -> extensions.connection:
    open_connection = connector(settings, statement_limit_ms=0)
    until = time.monotonic() + wait
    while True:
        try:
            return open_connection()
        except psycopg2.OperationalError as error:
            if time.monotonic() > until:
                raise MigrationError(f"no database server accepts writes: {error}") from error
            time.sleep(1)


def migrate(settings: Settings, wait: float = WAIT) -> tuple[str | None, str | None]:
    """Apply what is missing, give the application its rights; return the revisions before and after.

    Raise MigrationError when no server accepts writes for `wait` seconds.
    """
    first = _connect(settings.migration_database, wait)
    engine = create_engine("postgresql+psycopg2://", creator=lambda: first, poolclass=pool.StaticPool)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with deadline(LIMIT), engine.connect() as connection:
        before = MigrationContext.configure(connection).get_current_revision()
        connection.rollback()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        role = engine.dialect.identifier_preparer.quote(settings.app_role)
        connection.exec_driver_sql(GRANTS.format(role=role))
        connection.commit()
        after = MigrationContext.configure(connection).get_current_revision()
    return before, after
