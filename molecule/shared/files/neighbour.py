"""Runs in a container beside a test host: takes that host for the router to its containers, and knocks there.

Usage: neighbour.py ROUTER, with JSON on standard input:
{"networks": [subnet, ...], "doors": [[address, port], ...]}.
Prints JSON: the doors that took a connection, and how many tries ended in which way.
"""

from __future__ import annotations

import collections
import json
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

WAIT = 2.0  # seconds
AT_ONCE = 50


def knock(door: list[str | int]) -> str:
    """Return how a connection ends."""
    try:
        socket.create_connection((str(door[0]), int(door[1])), timeout=WAIT).close()
    except OSError as error:
        return error.strerror or "silence"
    return "open"


def main(router: str) -> None:
    """Lay the routes, then try every door."""
    job = json.load(sys.stdin)
    for network in job["networks"]:
        subprocess.run(["ip", "route", "add", network, "via", router], check=True)  # noqa: S603, S607
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(knock, job["doors"]))
    opened = [door for door, end in zip(job["doors"], ends, strict=True) if end == "open"]
    print(json.dumps({"open": opened, "ends": collections.Counter(ends)}))


if __name__ == "__main__":
    main(sys.argv[1])
