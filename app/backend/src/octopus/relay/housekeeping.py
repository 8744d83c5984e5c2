"""What the relay does now and then: count what waits, forget old idempotency keys."""

import time

from octopus import store
from octopus.database import Database
from octopus.relay import numbers

COUNT_EVERY = 5.0  # seconds
PURGE_EVERY = 300.0


class Housekeeping:
    """Remembers when each of its tasks is due."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._count_at = self._purge_at = time.monotonic()

    def run(self) -> None:
        """Do what is due. Raise DatabaseUnavailable."""
        now = time.monotonic()
        if now >= self._count_at:
            with self._database.write() as connection:
                pending, oldest = store.outbox_size(connection)
            numbers.PENDING.set(pending)
            numbers.OLDEST.set(oldest)
            self._count_at = now + COUNT_EVERY
        if now >= self._purge_at:
            with self._database.write() as connection:
                store.purge_keys(connection)
            self._purge_at = now + PURGE_EVERY
