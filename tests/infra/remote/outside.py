"""Runs on the host under test: tries, from within containers, sockets of this host and addresses elsewhere.

The argument lists the containers' process ids. What is printed maps each to the sockets of the host that it
reached (`tcp ADDRESS`, `udp ADDRESS`), to how many were tried, and to how connections to elsewhere ended,
after how many seconds: at once, where they are stopped here. `here` are those that the host itself reaches.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
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
def echoes(pair):
    family = socket.AF_INET6 if ":" in pair[0] else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.settimeout({WAIT})
            asking.sendto(b"verify", pair)
            return asking.recv(10) == b"verify"
    except OSError:
        return False
def reached(try_):
    kind, address, port = try_
    return ending((address, port)) == "open" if kind == "tcp" else echoes((address, port))
elsewhere, tries = json.loads(sys.argv[1])
# First and one by one: a host sends only so many refusals at once, and the others would look like silence.
outside = {{pair[0]: timed(tuple(pair)) for pair in elsewhere}}
with ThreadPoolExecutor(len(tries)) as pool:
    found = list(pool.map(reached, tries))
open_ = [" ".join(one[:2]) for one, is_open in zip(tries, found) if is_open]
print(json.dumps({{"host": open_, "tried": len(tries), "outside": outside}}))
"""


def own_addresses() -> list[str]:
    return subprocess.run(["hostname", "-I"], check=True, capture_output=True, text=True).stdout.split()


def listen(kind: socket.SocketKind) -> socket.socket:
    """A socket at all of this host's addresses, of both families where there are two."""
    both = socket.has_dualstack_ipv6()
    listener = socket.socket(socket.AF_INET6 if both else socket.AF_INET, kind)
    if both:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("", 0))
    if kind == socket.SOCK_STREAM:
        listener.listen(500)
    return listener


def echo(listener: socket.socket) -> None:
    while True:
        with contextlib.suppress(OSError):
            data, client = listener.recvfrom(10)
            listener.sendto(data, client)


def start(way: list[str], job: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*way, sys.executable, "-c", PROGRAM, json.dumps(job)], stdout=subprocess.PIPE)


def main(pids: list[int]) -> dict[str, Any]:
    listeners = {"tcp": listen(socket.SOCK_STREAM), "udp": listen(socket.SOCK_DGRAM)}
    threading.Thread(target=echo, args=(listeners["udp"],), daemon=True).start()
    tries = [
        (kind, address, listener.getsockname()[1])
        for kind, listener in listeners.items()
        for address in own_addresses()
    ]
    running = {
        str(pid): start(["nsenter", "--target", str(pid), "--net"], [ELSEWHERE, tries]) for pid in pids
    }
    running["here"] = start([], [[], tries])
    return {name: json.loads(process.communicate()[0]) for name, process in running.items()}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
