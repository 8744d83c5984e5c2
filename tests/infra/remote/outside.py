"""Runs on the host under test: tries, from within containers, a socket of this host and addresses elsewhere.

The argument lists the containers' process ids. What is printed maps each to the addresses of the host that
took a connection, to how many were tried, and to how connections to elsewhere ended, after how many
seconds: at once, where they are stopped here.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import Any

WAIT = 2.0  # seconds
# Stands for the internet, and is kept for documentation: no network routes it. Where clouds answer machines
# that ask who they are.
ELSEWHERE = (("203.0.113.1", 443), ("169.254.169.254", 80))

PROGRAM = f"""
import json, socket, sys, time
from concurrent.futures import ThreadPoolExecutor
def timed(pair):
    start = time.monotonic()
    return [ending(pair), time.monotonic() - start]
def ending(pair):
    try:
        socket.create_connection(pair, timeout={WAIT}).close()
        return "open"
    except OSError as error:
        return type(error).__name__ if error.errno is None else error.strerror
host = [(address, int(sys.argv[1])) for address in json.loads(sys.argv[2])]
# First and one by one: a host sends only so many refusals at once, and the others would look like silence.
outside = {{pair[0]: timed(pair) for pair in {ELSEWHERE}}}
with ThreadPoolExecutor(len(host)) as pool:
    found = list(pool.map(ending, host))
reached = [address for (address, _), end in zip(host, found) if end == "open"]
print(json.dumps({{"host": reached, "tried": len(host), "outside": outside}}))
"""


def own_addresses() -> list[str]:
    told = subprocess.run(["hostname", "-I"], check=True, capture_output=True, text=True).stdout.split()
    return [address for address in told if ":" not in address]


def main(pids: list[int]) -> dict[str, Any]:
    with socket.create_server(("0.0.0.0", 0), backlog=500) as listener:  # noqa: S104
        port, addresses = str(listener.getsockname()[1]), json.dumps(own_addresses())
        running = {
            str(pid): subprocess.Popen(
                ["nsenter", "--target", str(pid), "--net", sys.executable, "-c", PROGRAM, port, addresses],
                stdout=subprocess.PIPE,
            )
            for pid in pids
        }
        return {pid: json.loads(process.communicate()[0]) for pid, process in running.items()}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
