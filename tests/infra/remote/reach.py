"""Runs on the host under test: tries TCP connections from within the containers' network namespaces.

The argument maps a container's process id to the [address, port] pairs that are tried from there; what is
printed maps it to those that took the connection.
"""

from __future__ import annotations

import json
import subprocess
import sys

WAIT = 3.0  # seconds until an address counts as out of reach; busy hosts answer late

PROGRAM = f"""
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def reaches(pair):
    try:
        socket.create_connection(pair, timeout={WAIT}).close()
        return True
    except OSError:
        return False
pairs = [tuple(pair) for pair in json.loads(sys.argv[1])]
with ThreadPoolExecutor(max(1, len(pairs))) as pool:
    print(json.dumps([pair for pair, open in zip(pairs, pool.map(reaches, pairs)) if open]))
"""


def main(tries: dict[str, list[tuple[str, int]]]) -> dict[str, list[tuple[str, int]]]:
    running = {
        pid: subprocess.Popen(
            ["nsenter", "--target", pid, "--net", sys.executable, "-c", PROGRAM, json.dumps(pairs)],
            stdout=subprocess.PIPE,
        )
        for pid, pairs in tries.items()
    }
    return {pid: json.loads(process.communicate()[0]) for pid, process in running.items()}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
