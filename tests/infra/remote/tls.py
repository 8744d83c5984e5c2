"""Runs in a container of the application: how logins to PostgreSQL end, with this TLS setting and that.

The argument maps names to libpq's settings; what is printed maps them to what was said, empty for success.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import psycopg2


def said(**settings: str) -> str:
    given: dict[str, Any] = {
        "user": os.environ["POSTGRES_APP_USER"],
        "password": Path(os.environ["POSTGRES_APP_PASSWORD_FILE"]).read_text().strip(),
        "dbname": os.environ["POSTGRES_DB"],
        "connect_timeout": "5",
        "sslrootcert": os.environ["POSTGRES_SSLROOTCERT"],
    }
    try:
        psycopg2.connect(**(given | settings)).close()
    except psycopg2.OperationalError as error:
        return str(error).strip()
    return ""


def application(host: str) -> str:
    """How the application's own way to a server ends there."""
    from octopus.connections import connector  # type: ignore[import-untyped]
    from octopus.settings import Settings  # type: ignore[import-untyped]

    os.environ["POSTGRES_HOSTS"] = host
    try:
        connector(Settings().database, "any")().close()
    except psycopg2.OperationalError as error:
        return str(error).strip()
    return ""


if __name__ == "__main__":
    job = json.loads(sys.argv[1])
    print(
        json.dumps(
            {
                "logins": {name: said(**settings) for name, settings in job["logins"].items()},
                "application": {host: application(host) for host in job["hosts"]},
            }
        )
    )
