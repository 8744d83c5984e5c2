"""A steady load of writes and reads, with a ledger of what was accepted: an id and its text for each 201."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

import requests

from tests.infra.target import wait_for
from tests.reconfigure.platform import Platform
from tests.resilience.places import primary, psql, standby

WRITERS, READERS = 6, 4
PAUSE = 0.2  # seconds of a client after an answer: some 25 writes and 20 reads a second
PATIENCE = 6  # seconds; whoever has no answer by then has none
LOGGED_WITHIN = 90  # seconds; a task that failed meanwhile waits for its next try


@dataclass
class Answers:
    """What became of the requests of one kind."""

    good: list[float] = field(default_factory=list)  # when each came, in seconds of time.monotonic
    failed: Counter[str] = field(default_factory=Counter)
    slowest_refusal: float = 0  # seconds until a 503 came

    def gap(self, since: float, until: float) -> float:
        """Return the longest time without a good answer, in seconds."""
        times = [since, *sorted(moment for moment in self.good if since < moment < until), until]
        return max(after - before for before, after in itertools.pairwise(times))

    @property
    def failures(self) -> int:
        return self.failed.total()


class Ledger:
    """`with Ledger(platform) as ledger:` writes and reads meanwhile; judge() holds the ledger against all."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.over = platform, threading.Event()
        self.mark = f"octopus-ledger-{uuid.uuid4().hex[:12]}"
        self.accepted: dict[int, str] = {}
        self.writes, self.reads = Answers(), Answers()
        self.key = platform.secrets()["API_KEY"]
        self.clients = [threading.Thread(target=self.write, daemon=True) for _ in range(WRITERS)]
        self.clients += [threading.Thread(target=self.read, daemon=True) for _ in range(READERS)]
        self.began = self.ended = time.monotonic()

    # The clients. What fails is sent again with the same Idempotency-Key, as people should.

    def write(self) -> None:
        with requests.Session() as session:
            text = self.text()
            while not self.over.wait(PAUSE):
                headers = {"X-API-Key": self.key, "Idempotency-Key": text.replace(" ", "-")}
                answer = self.ask(self.writes, session, "POST", json={"text": text}, headers=headers)
                if answer is not None:
                    self.accepted[answer.json()["id"]] = text
                    text = self.text()

    def read(self) -> None:
        with requests.Session() as session:
            while not self.over.wait(PAUSE):
                # Lists of so many lengths are hardly ever in the cache.
                self.ask(self.reads, session, "GET", params={"limit": random.randint(1, 100)})  # noqa: S311 - no secret

    def ask(
        self, answers: Answers, session: requests.Session, method: str, **more: object
    ) -> requests.Response | None:
        """Send a request; return its answer if it is a good one, and note how it ended."""
        began = time.monotonic()
        try:
            url = f"{self.platform.url}/api/messages"
            answer = session.request(method, url, timeout=PATIENCE, verify=False, **more)  # type: ignore[arg-type]
        except requests.RequestException as error:
            answers.failed[type(error).__name__] += 1
            return None
        if answer.ok:
            answers.good.append(time.monotonic())
            return answer
        answers.failed[str(answer.status_code)] += 1
        if answer.status_code == requests.codes.unavailable:
            answers.slowest_refusal = max(answers.slowest_refusal, time.monotonic() - began)
        return None

    def text(self) -> str:
        return f"{self.mark} {uuid.uuid4()}"

    def __enter__(self) -> Ledger:
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
        self.ended = time.monotonic()

    # The judgement

    def rows(self, place: str, what: str, condition: str = "true") -> list[str]:
        """Return something of each of this ledger's messages, as a place has them."""
        query = f"select {what} from messages where text like '{self.mark} %' and {condition}"  # noqa: S608
        return psql(self.platform, place, query, self.platform.settings["postgres_database"]).splitlines()

    def missing(self, place: str) -> set[str]:
        """Return what was accepted and is not in a place's database, as it was accepted."""
        return {f"{identity} {text}" for identity, text in self.accepted.items()} - set(
            self.rows(place, "id || ' ' || text")
        )

    def log_lines(self) -> Counter[int]:
        """Return how often the workers have logged each of this ledger's messages."""
        names = [worker.name for worker in self.platform.target.service("worker")]
        logs = "; ".join(f"docker logs {name} 2>&1" for name in names)
        lines = self.platform.target.run(f"{{ {logs}; }} | grep -F %s || true", self.mark).splitlines()
        # A line that was cut off when its writer was killed is no JSON, and was not logged.
        return Counter(json.loads(line)["message_id"] for line in lines if line.endswith("}"))

    def judge(self, same_worker: bool = True) -> int:
        """Fail where anything is missing or there twice; return how many lines of the log are there twice.

        The worker logs before it commits: whoever is killed in between has it logged once more. Where its
        container is another one by now, the log is its own, and the rows alone are judged.
        """
        target = self.platform.target
        target.refresh()
        place = primary(self.platform)
        assert self.accepted, "nothing was accepted at all"
        lost = self.missing(place)
        assert not lost, f"{len(lost)} accepted messages are missing: {sorted(lost)[:3]}"
        texts = self.rows(place, "text")
        assert len(texts) == len(set(texts)), "a message is stored twice"
        wait_for("all is logged", lambda: not self.rows(place, "id", "status <> 'logged'"), LOGGED_WITHIN)
        wait_for("the standby has all of it", lambda: not self.missing(standby(self.platform)), 30)
        logged = self.log_lines()
        silent = self.accepted.keys() - logged.keys() if same_worker else set()
        assert not silent, f"{len(silent)} messages are in no worker's log: {sorted(silent)[:3]}"
        return sum(times - 1 for times in logged.values())

    def remove(self) -> None:
        """Take its messages out of the database, and the answers kept for their keys."""
        removal = (
            f"delete from messages where text like '{self.mark} %';"  # noqa: S608
            f" delete from idempotency_keys where key like '{self.mark}-%'"
        )
        psql(self.platform, primary(self.platform), removal, self.platform.settings["postgres_database"])
