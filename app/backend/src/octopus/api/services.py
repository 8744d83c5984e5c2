"""What the views work with."""

from dataclasses import dataclass, field

from flask import Flask, current_app

from octopus.cache import Cache
from octopus.database import Database

EXTENSION = "octopus"


@dataclass(frozen=True)
class Services:
    """The application's connections, and the key that guards writing."""

    database: Database
    cache: Cache
    api_key: str = field(repr=False)


def install(app: Flask, services: Services) -> None:
    """Hand the services to an application."""
    app.extensions[EXTENSION] = services


def services() -> Services:
    """Return the services of the application that answers the current request."""
    found: Services = current_app.extensions[EXTENSION]
    return found
