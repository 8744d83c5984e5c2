"""What the tests share. Integration tests take the services' addresses from the application's settings."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

# Before anything imports prometheus_client: it decides then where the numbers go.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="octopus-tests-")

import pytest
from flask import Flask

from octopus.api import create_app
from octopus.api.services import Services
from octopus.cache import Cache
from octopus.connections import connector
from octopus.database import Database
from octopus.settings import Settings

KEY = "the-key-of-the-tests"


@pytest.fixture
def database() -> MagicMock:
    """A database that answers nothing by itself."""
    return MagicMock(spec=Database)


@pytest.fixture
def cache() -> MagicMock:
    """A cache without Redis."""
    fake = MagicMock(spec=Cache)
    fake.get_message.return_value = None
    fake.get_list.return_value = (None, None)
    return fake


@pytest.fixture
def app(database: MagicMock, cache: MagicMock) -> Flask:
    """The application on these stand-ins."""
    return create_app(Settings(), Services(database, cache, KEY))


@pytest.fixture
def client(app: Flask):
    """A client of that application."""
    return app.test_client()


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The settings of the real services."""
    if not (os.environ.get("POSTGRES_HOSTS")):
        pytest.skip("POSTGRES_HOSTS is not set: no real services to test against")
    return Settings()


@pytest.fixture(scope="session")
def migrated(settings: Settings) -> Settings:
    """The settings, after the migration where its password is known."""
    if "POSTGRES_MIGRATION_PASSWORD" in os.environ or "POSTGRES_MIGRATION_PASSWORD_FILE" in os.environ:
        from octopus.migrate import migrate

        migrate(settings)
        assert migrate(settings)[0] == migrate(settings)[1] is not None
    return settings


@pytest.fixture
def real_app(migrated: Settings) -> Flask:
    """The application on the real services."""
    services = Services(Database(migrated.database, 4), Cache(migrated.cache), KEY)
    return create_app(migrated, services)


@pytest.fixture
def sql(migrated: Settings) -> Iterator[Any]:
    """A connection of the application's own role; each statement commits."""
    connection = connector(migrated.database)()
    connection.autocommit = True
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


@pytest.fixture(scope="session")
def commands() -> Path:
    """Where the console scripts are."""
    import sys

    return Path(sys.executable).parent
