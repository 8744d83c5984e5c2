"""Load while the platform is deployed again: a steady rate of requests, and a ledger of what was accepted."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
import uuid
from types import TracebackType

from tests.infra.target import wait_for
from tests.reconfigure.client import Client, Counts, Orders
from tests.reconfigure.platform import Platform

EACH = 5  # requests a second of one client, on a connection that it keeps
TIMEOUT = 30  # seconds
SENT, RESENT = 0.95, 0.05  # of what was wanted at least, of what was sent at most
LOGGED_WITHIN = 120  # seconds
# What it needs of the deployment: all clients have one address.
VARIABLES = {"proxy_write_rate": 1000, "proxy_write_burst": 1000}


class Load:
    """`with Load(platform, 200) as load:` sends requests meanwhile; `load.counts` has what became of them."""

    def __init__(self, platform: Platform, rate: int) -> None:
        self.platform, self.rate, self.counts = platform, rate, Counts()
        self.mark, self.over = f"octopus-load-{uuid.uuid4().hex[:12]}", threading.Event()
        # tests/infra/test_tls.py looks at the certificate.
        self.context = ssl._create_unverified_context()  # noqa: S323
        key = platform.secrets()["API_KEY"]
        orders = Orders(self.connect, self.mark, key, 1 / EACH, self.over)
        self.clients = [Client(number, number / rate, orders) for number in range(rate // EACH)]

    def connect(self) -> http.client.HTTPSConnection:
        address, port = self.platform.address, self.platform.settings["proxy_https_port"]
        return http.client.HTTPSConnection(address, port, timeout=TIMEOUT, context=self.context)

    def __enter__(self) -> Load:
        self.began = time.monotonic()
        for client in self.clients:
            client.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        for client in self.clients:
            client.join()
            self.counts.add(client.counts)
        self.counts.seconds = time.monotonic() - self.began

    def rows(self, what: str, condition: str = "true") -> list[str]:
        """Return something of each of this load's messages in the database."""
        target = self.platform.target
        query = f"select {what} value from messages where text like '{self.mark} %' and {condition}"  # noqa: S608
        found = target.rows(target.primary, query, target.settings["postgres_database"])
        return [str(row["value"]) for row in found]

    def judge(self) -> None:
        """At its rate nothing failed; what was accepted is there, nothing twice, and logged before long."""
        assert not self.counts.failed, f"{self.counts}: {self.counts.failed.most_common(5)}"
        assert self.counts.sent >= SENT * self.rate * self.counts.seconds, f"too slow: {self.counts}"
        assert self.counts.resent <= RESENT * self.counts.sent, f"too often again: {self.counts}"
        texts = self.rows("text")
        assert len(texts) == len(set(texts)), "a message was stored twice"
        lost = {f"{identity} {text}" for identity, text in self.counts.acknowledged.items()} - set(
            self.rows("id || ' ' || text")
        )
        assert not lost, f"{len(lost)} accepted messages are missing: {sorted(lost)[:3]}"
        wait_for("all messages are logged", lambda: not self.rows("id", "status <> 'logged'"), LOGGED_WITHIN)

    def remove(self) -> None:
        """Take its messages out of the database, and the answers kept for their Idempotency-Keys."""
        target = self.platform.target
        removal = (
            f"delete from messages where text like '{self.mark} %';"  # noqa: S608
            f" delete from idempotency_keys where key like '{self.mark}-%'"
        )
        assert target.psql(target.primary, removal, target.settings["postgres_database"]).rc == 0
