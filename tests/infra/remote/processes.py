"""Runs on the host under test: prints every process of the containers, found by their namespaces.

Looks twice: the engine's own process is in the container for the moment in which it starts a health check.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

PAUSE = 0.5  # seconds


def describe(directory: Path) -> dict[str, Any]:
    status = dict(
        line.split(":\t", 1) for line in (directory / "status").read_text().splitlines() if ":\t" in line
    )
    return {
        "command": status["Name"],
        "uids": sorted({int(uid) for uid in status["Uid"].split()}),
        "gids": sorted({int(gid) for gid in status["Gid"].split()}),
        "groups": [int(group) for group in status["Groups"].split()],
        "capabilities": int(status["CapEff"], 16) | int(status["CapPrm"], 16) | int(status["CapBnd"], 16),
        "no_new_privileges": status["NoNewPrivs"] == "1",
    }


def pids() -> set[str]:
    return {name for name in os.listdir("/proc") if name.isdigit()}


def main(containers: dict[str, int]) -> dict[str, list[dict[str, Any]]]:
    running = {name: f"/proc/{pid}/ns/pid" for name, pid in containers.items() if pid}
    namespaces = {os.readlink(link): name for name, link in running.items() if os.path.lexists(link)}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in containers}
    before = pids()
    time.sleep(PAUSE)
    for pid in sorted(before & pids()):
        directory = Path("/proc", pid)
        try:
            name = namespaces.get(os.readlink(directory / "ns/pid"))
            if name:
                found[name].append(describe(directory))
        except OSError:
            continue  # It has ended meanwhile.
    return found


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
