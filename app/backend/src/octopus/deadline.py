"""A client-side limit on waiting for PostgreSQL.

A server that is paused still acknowledges packets, so no timeout of TCP or of the server ever ends the
wait. psycopg2 lets a callback do the waiting: ours gives up when the thread's deadline has passed, and
psycopg2 then closes that connection.
"""

import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2 import extensions

UNLIMITED_WAIT = 10.0  # seconds for one answer where nobody set a deadline
_local = threading.local()


class DeadlineExceeded(psycopg2.OperationalError):
    """The server did not answer in time."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Have all that this thread asks of PostgreSQL inside end within `seconds`; nesting only shortens."""
    outer: float | None = getattr(_local, "until", None)
    until = time.monotonic() + seconds
    _local.until = until if outer is None else min(outer, until)
    try:
        yield
    finally:
        _local.until = outer


def _wait(connection: extensions.connection) -> None:
    until: float | None = getattr(_local, "until", None)
    if until is None:
        until = time.monotonic() + UNLIMITED_WAIT
    while (state := connection.poll()) != extensions.POLL_OK:
        left = until - time.monotonic()
        events = select.POLLIN if state == extensions.POLL_READ else select.POLLOUT
        poller = select.poll()
        poller.register(connection.fileno(), events)
        if left <= 0 or not poller.poll(left * 1000):
            raise DeadlineExceeded("the database server did not answer in time")


def install() -> None:
    """Make psycopg2 wait with a deadline in this process."""
    extensions.set_wait_callback(_wait)
