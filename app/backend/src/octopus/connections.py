"""The one place that opens connections: to PostgreSQL, to Redis and (as a URL) to RabbitMQ."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import psycopg2
import redis
from psycopg2 import extensions
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine, create_engine, event, exc

from octopus import deadline
from octopus.settings import DatabaseSettings, ServerSettings

CONNECT_LIMIT = 1.0  # seconds for one server to let us in
PING_LIMIT = 1.0  # seconds for a pooled connection to answer
FRESH = 1.0  # seconds after its last use in which a connection is not pinged
STATEMENT_LIMIT_MS = 3000
REDIS_LIMIT = 0.3  # seconds to connect, and for each answer

deadline.install()


class Connector:
    """Opens connections to the first server that fits, the last good one being asked first.

    libpq could walk through the hosts itself, but counts whole seconds per host and not at all when the
    waiting is ours, so that a paused first server would hide a good second one.
    """

    def __init__(self, settings: DatabaseSettings, session: str, statement_limit_ms: int) -> None:
        """`session` is libpq's target_session_attrs: read-write or any."""
        self._hosts = list(settings.hosts)
        self._parameters: dict[str, Any] = {
            "port": settings.port,
            "dbname": settings.name,
            "user": settings.user,
            "password": settings.password,
            "target_session_attrs": session,
            "connect_timeout": 2,
            "application_name": "octopus",
            "options": f"-c timezone=UTC -c statement_timeout={statement_limit_ms}"
            " -c idle_in_transaction_session_timeout=60000",
        }
        if settings.root_certificate:
            self._parameters |= {"sslmode": "verify-full", "sslrootcert": settings.root_certificate}

    def __call__(self) -> extensions.connection:
        """Return a new connection. Raise psycopg2.OperationalError when no server fits."""
        reasons = []
        for host in list(self._hosts):
            try:
                with deadline.deadline(CONNECT_LIMIT):
                    connection: extensions.connection = psycopg2.connect(host=host, **self._parameters)
            except psycopg2.OperationalError as error:
                reasons.append(f"{host}: {str(error).strip()}")
                continue
            self._hosts.sort(key=lambda other, good=host: other != good)  # type: ignore[misc]
            return connection
        raise psycopg2.OperationalError("; ".join(reasons))


def connector(
    settings: DatabaseSettings, session: str = "read-write", statement_limit_ms: int = STATEMENT_LIMIT_MS
) -> Callable[[], extensions.connection]:
    """Return what opens connections to the server that accepts writes (`any`: to whichever lives)."""
    return Connector(settings, session, statement_limit_ms)


def engine(settings: DatabaseSettings, session: str, pool_size: int) -> Engine:
    """Return a small pool of such connections; a connection that has rested is pinged before its use."""
    made = create_engine(
        "postgresql+psycopg2://",
        creator=connector(settings, session),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=1,
        pool_recycle=600,
        pool_use_lifo=True,
    )
    event.listen(made, "connect", _note_use)
    event.listen(made, "checkin", _note_use)
    event.listen(made, "checkout", _ping)
    return made


def _note_use(_connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _ping(connection: extensions.connection, record: Any, _proxy: Any) -> None:
    """Like SQLAlchemy's pool_pre_ping, but with a limit of its own and not for connections in steady use."""
    if time.monotonic() - record.info["used"] < FRESH:
        return
    try:
        with deadline.deadline(PING_LIMIT):
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            connection.autocommit = False
    except psycopg2.Error as error:
        raise exc.InvalidatePoolError(str(error)) from error


def redis_client(settings: ServerSettings) -> redis.Redis:
    """Return a client that gives up quickly and never retries: the cache may be away."""
    return redis.Redis(
        host=settings.host,
        port=settings.port,
        username=settings.user,
        password=settings.password,
        protocol=2,
        socket_connect_timeout=REDIS_LIMIT,
        socket_timeout=REDIS_LIMIT,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,
    )


def broker_url(settings: ServerSettings) -> str:
    """Return RabbitMQ's URL, password included."""
    login = f"{quote(settings.user, safe='')}:{quote(settings.password, safe='')}"
    return f"amqp://{login}@{settings.host}:{settings.port}/{quote(settings.vhost, safe='')}"
