"""People who write all the time, and a ledger of what was accepted, when."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
import uuid
from types import TracebackType

import requests

from tests.infra.target import PSQL
from tests.reconfigure.platform import Platform

WRITERS = 4
PAUSE = 0.05  # seconds, of each after an answer


class Writing:
    """`with Writing(platform) as writing:` posts meanwhile; then `longest_gap()` and `lost()`."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.mark, self.over = (
            platform,
            f"octopus-writing-{uuid.uuid4().hex[:12]}",
            threading.Event(),
        )
        self.accepted: dict[int, str] = {}
        self.times: list[float] = []
        self.refused = 0
        self.writers = [threading.Thread(target=self.write, daemon=True) for _ in range(WRITERS)]

    def write(self) -> None:
        # One connection each.
        with requests.Session() as session:
            session.headers["X-API-Key"] = self.platform.secrets()["API_KEY"]
            while not self.over.wait(PAUSE):
                self.post(session, f"{self.mark} {uuid.uuid4()}")

    def post(self, session: requests.Session, text: str) -> None:
        with contextlib.suppress(requests.RequestException):
            url = f"{self.platform.url}/api/messages"
            answer = session.post(url, json={"text": text}, timeout=10, verify=False)
            if answer.status_code == 201:
                self.accepted[answer.json()["id"]] = text
                self.times.append(time.monotonic())
                return
        self.refused += 1

    def __enter__(self) -> Writing:
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        for writer in self.writers:
            writer.join()

    def longest_gap(self) -> float:
        """Return the longest time without an accepted message, in seconds."""
        times = sorted(self.times)
        return max(after - before for before, after in itertools.pairwise(times))

    def lost(self) -> list[str]:
        """Return what was accepted and is not in the primary's database; whichever place that is."""
        query = f"select id from messages where text like '{self.mark} %'"  # noqa: S608
        database = self.platform.settings["postgres_database"]
        found = {int(line) for line in psql(self.platform, primary(self.platform), query, database).split()}
        return [text for identity, text in self.accepted.items() if identity not in found]

    def __str__(self) -> str:
        gap = self.longest_gap()
        return f"{len(self.accepted)} accepted, {self.refused} refused, {gap:.2f} s without an accepted one"


def psql(platform: Platform, place: str, query: str, database: str = "postgres") -> str:
    """Return what a query prints in a place; fail where it does not answer."""
    call = f"timeout 10 docker exec %s {PSQL} --dbname=%s --command=%s"
    return platform.target.run(call, f"{platform.settings.name}-{place}", database, query).strip()


def primary(platform: Platform) -> str:
    """Return the one place that says it is primary."""
    [found] = [place for place, standby in standings(platform).items() if standby is False]
    return found


def standings(platform: Platform) -> dict[str, bool | None]:
    """Place -> whether it is a standby; None where it does not answer."""
    said: dict[str, bool | None] = {}
    for place in ("pg-primary", "pg-replica"):
        try:
            said[place] = {"t": True, "f": False}[psql(platform, place, "select pg_is_in_recovery()")]
        except AssertionError:
            said[place] = None
    return said
