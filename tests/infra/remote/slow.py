"""Runs on the host under test: clients that take their time. Prints after how many seconds each was cut off.

With `hold`, it keeps many requests open whose body does not come, and says what one more request is told.
"""

from __future__ import annotations

import contextlib
import json
import re
import select
import socket
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PATIENCE = 30.0  # seconds after which nobody will come any more
HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "
# To the page, whose requests no limit of writing counts.
BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\nx"
# As many answers as one connection may have: more than the buffers on the way hold.
MANY = b"GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000


def connect(address: str, port: int, tls: bool, buffer: int = 0) -> socket.socket:
    plain = socket.socket()
    if buffer:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    plain.settimeout(10)
    plain.connect((address, port))
    context = ssl._create_unverified_context()  # noqa: S323
    return context.wrap_socket(plain, server_hostname="localhost") if tls else plain


def until_cut(stream: socket.socket, drip: bytes) -> None:
    """Return when the other side ends it; send a drop each second until then."""
    end = time.monotonic() + PATIENCE
    stream.settimeout(1)
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while time.monotonic() < end:
            with contextlib.suppress(TimeoutError):
                if not stream.recv(4096):
                    return
            stream.sendall(drip)


def unread_until_cut(stream: socket.socket) -> None:
    """Return when the connection is reset, without having read anything."""
    waiting = select.poll()
    waiting.register(stream, 0)
    waiting.poll(PATIENCE * 1000)


def seconds(address: str, port: int, case: str) -> float:
    begun = time.monotonic()
    if case == "reader":
        with connect(address, port, True, buffer=4096) as stream:
            stream.setblocking(False)
            with contextlib.suppress(ssl.SSLWantWriteError):
                stream.send(MANY)
            unread_until_cut(stream)
    else:
        sent, drip = {"handshake": (b"", b""), "header": (HEAD, b"x"), "body": (BODY, b"")}[case]
        with connect(address, port, case != "handshake") as stream:
            stream.sendall(sent)
            until_cut(stream, drip)
    return round(time.monotonic() - begun, 1)


def status_of(stream: socket.socket) -> int:
    """Return an answer's status, 0 where none comes."""
    stream.settimeout(1.5)
    with contextlib.suppress(OSError):
        found = re.match(rb"HTTP/1.1 (\d{3}) ", stream.recv(4096))
        return int(found[1]) if found else 0
    return 0


def hold(address: str, port: int, bodies: int, headers: int) -> dict[str, Any]:
    """Keep requests open, with and without their headers through, and count what was refused."""
    with ThreadPoolExecutor(16) as pool:
        streams = list(pool.map(lambda _: connect(address, port, True), range(bodies + headers)))
        for stream, text in zip(streams, [BODY] * bodies + [HEAD] * headers, strict=True):
            stream.sendall(text)
        statuses = list(pool.map(status_of, streams[:bodies]))
    return {"refused": statuses.count(429), "held": statuses.count(0)}


def main(job: dict[str, Any]) -> Any:
    where = job["address"], job["port"]
    if "hold" in job:
        return hold(*where, **job["hold"])
    with ThreadPoolExecutor(len(job["cases"])) as pool:
        return dict(
            zip(job["cases"], pool.map(lambda case: seconds(*where, case), job["cases"]), strict=True)
        )


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
