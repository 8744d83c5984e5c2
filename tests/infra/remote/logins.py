"""Runs in a container of the application: tries logins to PostgreSQL and statements as its user.

Prints {"logins": [what the server said, empty for success], "statements": [SQLSTATE, empty for success]}.
Nothing that a statement does is kept.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import psycopg2


def login(host: str, user: str, database: str, password: str = "not the password") -> str:
    options: dict[str, Any] = {"host": host, "user": user, "password": password, "connect_timeout": 5}
    if database == "replication":
        options["replication"] = "true"
    else:
        options["dbname"] = database
    try:
        psycopg2.connect(**options).close()
    except psycopg2.OperationalError as error:
        return str(error).strip()
    return ""


def state_of(host: str, statement: str) -> str:
    connection = psycopg2.connect(
        host=host,
        user=os.environ["POSTGRES_APP_USER"],
        password=Path(os.environ["POSTGRES_APP_PASSWORD_FILE"]).read_text().strip(),
        dbname=os.environ["POSTGRES_DB"],
        connect_timeout=5,
    )
    try:
        connection.cursor().execute(statement)
    except psycopg2.Error as error:
        return str(error.pgcode)
    finally:
        connection.rollback()
        connection.close()
    return ""


if __name__ == "__main__":
    job = json.loads(sys.argv[1])
    print(
        json.dumps(
            {
                "logins": [login(*attempt) for attempt in job["logins"]],
                "statements": [state_of(job["host"], statement) for statement in job["statements"]],
            }
        )
    )
