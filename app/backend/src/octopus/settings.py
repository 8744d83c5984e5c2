"""The one place that reads settings: from the variable NAME, or from the file that NAME_FILE points at.

Each section is read when it is first asked for, so that a process needs only what it uses.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from environs import EnvError, FileAwareEnv


class SettingError(Exception):
    """A setting is missing or unusable; the text is one sentence that names it."""


@dataclass(frozen=True)
class DatabaseSettings:
    """Where PostgreSQL is, and as whom to log in."""

    hosts: tuple[str, ...]
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    root_certificate: str = ""  # file with the authority; without it, servers are not verified


@dataclass(frozen=True)
class ServerSettings:
    """Address and login of Redis or RabbitMQ; vhost is RabbitMQ's alone."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    vhost: str = ""


class Settings:
    """The settings of one process."""

    def __init__(self) -> None:
        self._env = FileAwareEnv(strip_whitespace=True)

    def _text(self, name: str, default: str | None = None) -> str:
        value = self._read("str", name, default)
        if not value:
            raise SettingError(
                f"The setting {name} is missing: set {name}, or {name}_FILE to a file with it."
            )
        return str(value)

    def _number(self, name: str, default: int, least: int = 1, most: int = 65535) -> int:
        value = int(self._read("int", name, default))
        if not least <= value <= most:
            raise SettingError(f"The setting {name} has to be from {least} to {most}.")
        return value

    def _read(self, kind: str, name: str, default: Any) -> Any:
        try:
            return getattr(self._env, kind)(name, default)
        except (EnvError, ValueError) as error:
            raise SettingError(f"The setting {name} cannot be used: {error}") from None

    def _database(self, role: str, user: str) -> DatabaseSettings:
        hosts = tuple(host.strip() for host in self._text("POSTGRES_HOSTS").split(",") if host.strip())
        return DatabaseSettings(
            hosts=hosts,
            port=self._number("POSTGRES_PORT", 5432),
            name=self._text("POSTGRES_DB", "octopus"),
            user=self._text(f"POSTGRES_{role}_USER", user),
            password=self._text(f"POSTGRES_{role}_PASSWORD"),
            root_certificate=str(self._read("str", "POSTGRES_SSLROOTCERT", "")),
        )

    def _server(self, prefix: str, host: str, port: int, vhost: str = "") -> ServerSettings:
        return ServerSettings(
            host=self._text(f"{prefix}_HOST", host),
            port=self._number(f"{prefix}_PORT", port),
            user=self._text(f"{prefix}_USER", "octopus_app"),
            password=self._text(f"{prefix}_PASSWORD"),
            vhost=self._text(f"{prefix}_VHOST", vhost) if vhost else "",
        )

    @cached_property
    def database(self) -> DatabaseSettings:
        """The database as the application sees it."""
        return self._database("APP", "octopus_app")

    @cached_property
    def migration_database(self) -> DatabaseSettings:
        """The database as the owner of the tables sees it."""
        return self._database("MIGRATION", "octopus_migration")

    @cached_property
    def app_role(self) -> str:
        """The role that the migration grants rights to."""
        return self._text("POSTGRES_APP_USER", "octopus_app")

    @cached_property
    def cache(self) -> ServerSettings:
        """Redis."""
        return self._server("REDIS", "redis", 6379)

    @cached_property
    def broker(self) -> ServerSettings:
        """RabbitMQ."""
        return self._server("RABBITMQ", "broker", 5672, vhost="octopus")

    @cached_property
    def api_key(self) -> str:
        """The key that guards writing."""
        return self._text("API_KEY")

    @cached_property
    def log_level(self) -> str:
        """The least severe level that is logged."""
        level = self._text("LOG_LEVEL", "INFO").upper()
        if level not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
            raise SettingError("The setting LOG_LEVEL has to be DEBUG, INFO, WARNING, ERROR or CRITICAL.")
        return level

    @cached_property
    def backend_workers(self) -> int:
        """Processes of the API."""
        return self._number("BACKEND_WORKERS", 2, most=64)

    @cached_property
    def backend_threads(self) -> int:
        """Threads of each of the API's processes."""
        return self._number("BACKEND_THREADS", 4, most=64)

    @cached_property
    def backend_port(self) -> int:
        """The API's port."""
        return self._number("BACKEND_PORT", 8000)

    @cached_property
    def worker_concurrency(self) -> int:
        """Processes that run tasks."""
        return self._number("WORKER_CONCURRENCY", 2, most=64)

    @cached_property
    def worker_max_retries(self) -> int:
        """How often a task is tried again before it is given up (20 are about a quarter of an hour)."""
        return self._number("WORKER_MAX_RETRIES", 20, least=0, most=1000)

    @cached_property
    def metrics_port(self) -> int:
        """The port of the relay's and the worker's metrics."""
        return self._number("METRICS_PORT", 9000)

    @cached_property
    def heartbeat_file(self) -> str:
        """The file whose age says whether the relay or the worker is at work."""
        return self._text("HEARTBEAT_FILE", "/tmp/heartbeat")  # noqa: S108 - the container's own tmpfs
