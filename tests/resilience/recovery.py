"""How long it takes until a container is well again, and a message written then is logged."""

from __future__ import annotations

import contextlib
import time
import uuid

import requests

from tests.infra.target import wait_for
from tests.reconfigure.platform import Platform


def is_well(platform: Platform, container: str) -> bool:
    """Whether a container passes its own health check now, without waiting for the engine's next turn."""
    state = platform.inspect(container)
    test = state["Config"]["Healthcheck"]["Test"][1:]
    # What ends a hanging process counts the engine's own checks, not ours.
    check = test[2:] if test[0] == "or-end" else test
    if state["State"]["Status"] != "running":
        return False
    words = " ".join(["%s"] * len(check))
    return bool(platform.run(f"timeout 5 docker exec %s {words}", state["Name"].lstrip("/"), *check).rc == 0)


def is_written_and_logged(platform: Platform, seconds: float) -> bool:
    """Write a message; return whether it is logged in time."""
    with contextlib.suppress(requests.RequestException):
        answer = platform.request(
            "POST", "/api/messages", json={"text": f"octopus-recovery {uuid.uuid4()}"}, timeout=6
        )
        if answer.status_code == requests.codes.created:
            path = f"/api/messages/{answer.json()['id']}"
            return bool(wait_for("it is logged", lambda: status(platform, path) == "logged", seconds))
    return False


def status(platform: Platform, path: str) -> str:
    with contextlib.suppress(requests.RequestException, ValueError):
        return str(platform.request("GET", path, timeout=6).json().get("status"))
    return ""


def recovered(platform: Platform, containers: list[str], since: float, limit: float) -> float:
    """Wait until the containers are well and a message that is written then is logged; return after how long.

    `since` is a time of time.monotonic, `limit` is in seconds.
    """
    for container in containers:
        wait_for(f"{container} is well", lambda container=container: is_well(platform, container), limit)  # type: ignore[misc]
    wait_for("a message is written and logged", lambda: is_written_and_logged(platform, limit), limit)
    taken = time.monotonic() - since
    assert taken <= limit, f"well again after {taken:.1f} s, {limit:g} s are allowed"
    return taken
