"""One of the people who use the platform under load.

The standard library's client in a thread: it tells apart a connection that the server has closed before a
single byte of the answer came.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

# A kept connection that the server has closed, as it may at any time (RFC 9112, 9.3.1). Clients may then send
# again by themselves what can be sent twice without harm (RFC 9110, 9.2.2): GET, and a POST that has an
# Idempotency-Key, as ours has. Without one a message may be stored twice: whoever posts it has to decide.
CLOSED = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError, ssl.SSLEOFError)
# One in twelve writes: each of those is also relayed, delivered and logged, by the same two cores.
KINDS = ("post", *["messages", "data", "data"] * 3, "messages", "data")


@dataclass
class Counts:
    """What became of the requests."""

    sent: int = 0
    resent: int = 0
    resent_posts: int = 0  # of those
    slowest: float = 0
    seconds: float = 0
    failed: Counter[str] = field(default_factory=Counter)
    # What was answered with 201: id -> text
    acknowledged: dict[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        rate = self.sent / (self.seconds or 1)
        return (
            f"{self.sent:,} requests ({rate:.0f} a second), {sum(self.failed.values())} failed,"
            f" {self.resent} sent again ({self.resent_posts} of them POST),"
            f" {len(self.acknowledged):,} messages accepted, slowest answer {self.slowest:.1f} s"
        )

    def add(self, other: Counts) -> None:
        self.sent += other.sent
        self.resent += other.resent
        self.resent_posts += other.resent_posts
        self.slowest = max(self.slowest, other.slowest)
        self.failed += other.failed
        self.acknowledged |= other.acknowledged


@dataclass(frozen=True)
class Orders:
    """What all clients share."""

    connect: Callable[[], http.client.HTTPConnection]
    mark: str
    key: str
    interval: float  # seconds between two requests of one client
    over: threading.Event


class Client(threading.Thread):
    """A request at each interval, or as soon as the last one has its answer."""

    def __init__(self, number: int, delay: float, orders: Orders) -> None:
        super().__init__(daemon=True)
        self.number, self.delay, self.orders, self.counts = number, delay, orders, Counts()
        # Every fourth opens a connection for each request.
        self.keeps = number % 4 < 3
        self.connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        due, turn = time.monotonic() + self.delay, self.number
        while not self.orders.over.wait(max(0.0, due - time.monotonic())):
            self.one(KINDS[turn % len(KINDS)])
            # What was missed in a pause does not come all at once.
            turn, due = turn + 1, max(due + self.orders.interval, time.monotonic() - 1)
        self.close()

    def one(self, kind: str) -> None:
        """Send a request of a kind, and note how it ended."""
        text = f"{self.orders.mark} {uuid.uuid4()}"
        began = time.monotonic()
        self.counts.sent += 1
        try:
            status, body = self.ask(kind, text)
            if status != (201 if kind == "post" else 200):
                self.fail(f"{kind}: {status} {body[:200]!r}")
            elif kind == "post":
                self.counts.acknowledged[json.loads(body)["id"]] = text
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.fail(f"{kind}: {error!r}")
        self.counts.slowest = max(self.counts.slowest, time.monotonic() - began)

    def fail(self, why: str) -> None:
        self.counts.failed[why] += 1
        self.close()

    def ask(self, kind: str, text: str) -> tuple[int, bytes]:
        """Return status and body; send once more on a new connection where the kept one was closed."""
        try:
            answer = self.send(kind, text)
        except CLOSED:
            if not self.reused:
                raise
            self.counts.resent += 1
            if kind == "post":
                self.counts.resent_posts += 1
            self.close()
            answer = self.send(kind, text)
        body = answer.read()
        if not self.keeps or answer.will_close:
            self.close()
        return answer.status, body

    def send(self, kind: str, text: str) -> http.client.HTTPResponse:
        self.reused = self.connection is not None
        self.connection = self.connection or self.orders.connect()
        headers = {"Connection": "keep-alive" if self.keeps else "close"}
        if kind == "post":
            headers |= {"Content-Type": "application/json", "X-API-Key": self.orders.key}
            # No text is sent by two requests. A key has no spaces.
            headers["Idempotency-Key"] = text.replace(" ", "-")
            self.connection.request("POST", "/api/messages", json.dumps({"text": text}), headers)
        else:
            self.connection.request("GET", f"/api/{kind}", headers=headers)
        return self.connection.getresponse()

    def close(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None
