"""Somebody who reads and somebody who writes all the time: for how long they go without a good answer."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from functools import partial
from types import TracebackType

import requests

from tests.reconfigure.platform import Platform

INTERVAL = 0.05  # seconds


class Probe(threading.Thread):
    """Sends one request after the other, each on a connection of its own."""

    def __init__(self, send: Callable[[], requests.Response], good: int, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.send, self.good, self.over = send, good, over
        self.gap, self.answered, self.failed = 0.0, 0, Counter[str]()

    def run(self) -> None:
        last = time.monotonic()
        while not self.over.wait(INTERVAL):
            if self.is_answered():
                self.gap, last = max(self.gap, time.monotonic() - last), time.monotonic()
        # What has not come back by now is no short gap.
        self.gap = max(self.gap, time.monotonic() - last)

    def is_answered(self) -> bool:
        """Send one; count how it ended."""
        try:
            status = self.send().status_code
        except requests.RequestException as error:
            self.failed[type(error).__name__] += 1
            return False
        if status == self.good:
            self.answered += 1
            return True
        self.failed[str(status)] += 1
        return False

    def __str__(self) -> str:
        failed = ", ".join(f"{count} of {what}" for what, count in self.failed.most_common()) or "none"
        return f"at most {self.gap:.1f} s without an answer ({self.answered:,} good ones; others: {failed})"


class Prober:
    """`with Prober(platform) as prober:` asks meanwhile; then `reading` and `writing` have what was seen."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.over = platform, threading.Event()
        self.mark = f"octopus-probe-{uuid.uuid4().hex[:12]}"
        read = partial(platform.request, "GET", "/api/messages?limit=1")
        write = partial(platform.request, "POST", "/api/messages", json={"text": self.mark})
        self.reading, self.writing = Probe(read, 200, self.over), Probe(write, 201, self.over)

    def __enter__(self) -> Prober:
        self.reading.start()
        self.writing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.reading.join()
        self.writing.join()

    def stored(self, place: str) -> dict[str, int]:
        """Return how many of its messages a place of PostgreSQL has, and how many of them are logged."""
        query = f"""select count(*) stored, count(*) filter (where status = 'logged') logged
            from messages where text = '{self.mark}'"""  # noqa: S608
        found = self.platform.target.rows(place, query, self.platform.settings["postgres_database"])
        return dict(found[0])

    def remove(self) -> None:
        """Take its messages out of the database."""
        target, database = self.platform.target, self.platform.settings["postgres_database"]
        done = target.psql(target.primary, f"delete from messages where text = '{self.mark}'", database)  # noqa: S608
        assert done.rc == 0, done.stderr
