"""Waits for PostgreSQL to say that there is something in the outbox."""

import select
import threading
from collections.abc import Callable
from contextlib import suppress

import psycopg2
from psycopg2 import extensions

from octopus.store import CHANNEL


class Listener:
    """A connection that listens. What it misses while it is away, the next poll finds."""

    def __init__(self, connect: Callable[[], extensions.connection], stop: threading.Event) -> None:
        self._connect, self._stop = connect, stop
        self._connection: extensions.connection | None = None

    def wait(self, seconds: float) -> None:
        """Return when notified, and after `seconds` at the latest."""
        try:
            if self._connection is None:
                self._listen()
                return  # something may have come in before
            self._wait(self._connection, seconds)
        except (psycopg2.Error, OSError):
            self.close()
            self._stop.wait(seconds)

    def _listen(self) -> None:
        connection = self._connect()
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        self._connection = connection

    @staticmethod
    def _wait(connection: extensions.connection, seconds: float) -> None:
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN)
        if poller.poll(seconds * 1000):
            connection.poll()
            connection.notifies.clear()

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
            self._connection = None
