"""Access to PostgreSQL in transactions: writing on the primary, reading on whichever server lives."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import Connection, Engine, exc, text

from octopus.breaker import Breaker
from octopus.connections import engine
from octopus.deadline import deadline
from octopus.settings import DatabaseSettings

READ_ONLY = "25006"  # SQLSTATE of a write on a server that only reads
PAUSE = 0.25  # seconds in which a server that failed is left alone: a switchover is not to last longer for it
READ_LIMIT = 1.5  # seconds for the primary to answer a question that other servers can answer, too

log = logging.getLogger(__name__)
T = TypeVar("T")


class DatabaseUnavailable(Exception):
    """No server does what was asked, in time."""


def _sqlstate(error: exc.SQLAlchemyError) -> str | None:
    return getattr(getattr(error, "orig", None), "pgcode", None)


def _is_outage(error: exc.SQLAlchemyError) -> bool:
    """Whether the server is at fault and not the statement."""
    if isinstance(
        error, exc.OperationalError | exc.InterfaceError | exc.TimeoutError | exc.InvalidatePoolError
    ):
        return True
    # The pool gives up with an InvalidRequestError when its connections stay dead.
    return type(error) is exc.InvalidRequestError or _sqlstate(error) == READ_ONLY


def _is_lasting(error: exc.SQLAlchemyError) -> bool:
    """Whether the next try would meet the same, as when the server is gone (but not after a deadlock)."""
    state = _sqlstate(error)
    return state is None or state == READ_ONLY or state[:3] in {"57P", "080"}


class Database:
    """The two pools of a process."""

    def __init__(self, settings: DatabaseSettings, pool_size: int) -> None:
        self._writer = engine(settings, "read-write", pool_size)
        # It is asked where the primary does not answer: whoever is named last is asked first.
        self._reader = engine(replace(settings, hosts=settings.hosts[::-1]), "any", pool_size)
        self._breaker = Breaker(PAUSE)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a transaction on the primary, committed at the end. Raise DatabaseUnavailable."""
        if not self._breaker.allows():
            raise DatabaseUnavailable("no database server accepts writes")
        try:
            with self._writer.begin() as connection:
                yield connection
        except exc.SQLAlchemyError as error:
            if not _is_outage(error):
                self._breaker.succeeded()
                raise
            self._note_outage(error)
            raise DatabaseUnavailable(str(getattr(error, "orig", error)).strip()) from error
        except Exception:  # the caller's own
            self._breaker.succeeded()
            raise
        self._breaker.succeeded()

    def _note_outage(self, error: exc.SQLAlchemyError) -> None:
        if _is_lasting(error):
            self._breaker.failed()
        else:
            self._breaker.succeeded()
        if _sqlstate(error) == READ_ONLY:
            self._writer.dispose()

    def read(self, query: Callable[[Connection], T]) -> T:
        """Return what `query` finds on the primary, without one on any server. Raise DatabaseUnavailable."""
        try:
            with deadline(READ_LIMIT), self.write() as connection:
                return query(connection)
        except DatabaseUnavailable as error:
            log.debug("reading elsewhere", extra={"reason": str(error)})
        return self._read_any(self._reader, query)

    @staticmethod
    def _read_any(reader: Engine, query: Callable[[Connection], T]) -> T:
        try:
            with reader.connect() as connection:
                return query(connection)
        except exc.SQLAlchemyError as error:
            if not _is_outage(error):
                raise
            raise DatabaseUnavailable(str(getattr(error, "orig", error)).strip()) from error

    def is_writable(self) -> bool:
        """Whether a server that accepts writes answers."""
        try:
            with self.write() as connection:
                return bool(connection.execute(text("SHOW transaction_read_only")).scalar_one() == "off")
        except DatabaseUnavailable:
            return False
