"""Runs in a container of the application: tries commands of Redis, prints the kind of error of each.

Commands that the user may not give carry an argument that would make them fail if it might.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def tried(user: str | None, password: str | None, command: list[str]) -> str:
    """Return the error's kind, nothing for success; each try has a connection of its own."""
    client: Any = redis.Redis(
        os.environ["REDIS_HOST"],
        username=user,
        password=password,
        socket_timeout=5,
        retry=Retry(NoBackoff(), 0),
        single_connection_client=False,
    )
    try:
        client.execute_command(*command)
    except redis.RedisError as error:
        return type(error).__name__
    finally:
        client.close()
    return ""


if __name__ == "__main__":
    own = (os.environ["REDIS_USER"], Path(os.environ["REDIS_PASSWORD_FILE"]).read_text().strip())
    found = {
        "nobody": tried(None, None, ["PING"]),
        "default": tried("default", "not the password", ["PING"]),
        "wrong": tried(own[0], "not the password", ["PING"]),
        "own": tried(*own, ["PING"]),
        "commands": [tried(*own, command) for command in json.loads(sys.argv[1])["commands"]],
    }
    print(json.dumps(found))
