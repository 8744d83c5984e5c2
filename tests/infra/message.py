"""The one message that a check posts: looked at by many tests, then removed."""
# ruff: noqa: S608 - marks and identities are of our own making

from __future__ import annotations

import time
import uuid
from functools import cached_property
from typing import Any

from tests.infra.http_requests import post
from tests.infra.target import Response, Target, wait_for

LOGGED_WITHIN = 5  # seconds


class Messages:
    """Messages whose text carries a mark of this run."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.mark = f"octopus-verify-{uuid.uuid4().hex[:12]}"
        self.key_file = f"{target.settings['platform_root']}/backend/secrets/API_KEY"

    def request(self, text: str, key: str = "") -> dict[str, Any]:
        headers = {"Idempotency-Key": f"{self.mark}-{key}"} if key else {}
        return post(self.key_file, {"text": f"{self.mark} {text}"}, headers)

    def send(self, text: str) -> dict[str, Any]:
        """Store a further message; for tests that change things anyway."""
        response = self.target.ask(self.request(text))[0]
        assert response.status == 201, response
        return dict(response.json())

    @cached_property
    def text(self) -> str:
        """Letters beyond ASCII, a line end and a control character: all have to come through."""
        return "Posted by playbooks/verify.yml, which removes it. Grüße, 猫 🐙\nand \x07."

    @cached_property
    def tasks_before(self) -> float:
        return succeeded_tasks(self.target)

    @cached_property
    def answers(self) -> list[Response]:
        """The first answer, that to the same request again, and that to another body with the same key."""
        assert self.tasks_before >= 0
        same = self.request(self.text, key="once")
        return self.target.ask(same, same, self.request("another text", key="once"))

    @cached_property
    def accepted(self) -> dict[str, Any]:
        assert self.answers[0].status == 201, self.answers[0]
        return dict(self.answers[0].json())

    @cached_property
    def logged(self) -> dict[str, Any]:
        """The message once the worker has marked it as logged."""
        return self.wait_until_logged(self.accepted["id"], LOGGED_WITHIN)

    def wait_until_logged(self, identity: int, seconds: float) -> dict[str, Any]:
        def logged() -> Any:
            response = self.target.get(f"/api/messages/{identity}")
            return (
                response.json() if response.status == 200 and response.json()["status"] == "logged" else None
            )

        return dict(wait_for(f"message {identity} is logged", logged, seconds))

    def log_lines(self) -> list[str]:
        """The workers' lines that carry the mark."""
        logs = [f"docker logs --since 10m {worker.name} 2>&1" for worker in self.target.service("worker")]
        return self.target.run("{ " + "; ".join(logs) + "; } | grep -F %s || true", self.mark).splitlines()

    def remove(self) -> None:
        """Remove what this run has stored: its messages, and the answer kept for its Idempotency-Key."""
        target = self.target
        database = target.settings["postgres_database"]
        removal = (
            f"begin; delete from messages where text like '{self.mark} %' returning id;"
            f" delete from idempotency_keys where key like '{self.mark}-%'; commit"
        )
        result = target.psql(target.primary, removal, database)
        assert result.rc == 0, result.stderr
        copies = "import sys; from octopus.cache import Cache; from octopus.settings import Settings\n"
        copies += "for identity in sys.argv[1:]: Cache(Settings().cache).changed(int(identity))"
        if identities := result.stdout.split():
            target.execute("backend", "python3", "-c", copies, *identities)


def succeeded_tasks(target: Target) -> float:
    """Return how many tasks the workers have counted as successful."""
    from tests.infra.http_requests import to

    requests = [to(worker.addresses["messaging"], 9000, "/metrics") for worker in target.service("worker")]
    lines = [line for response in target.ask(*requests) for line in response.body.splitlines()]
    counts = [
        line for line in lines if line.startswith("octopus_worker_tasks_total{") and 'state="success"' in line
    ]
    assert counts, "the workers count no tasks"
    return sum(float(line.rsplit(" ", 1)[1]) for line in counts)


def wait_for_more_tasks(target: Target, before: float) -> None:
    end = time.monotonic() + LOGGED_WITHIN
    while succeeded_tasks(target) <= before:
        assert time.monotonic() < end, "the workers' counter of tasks stands still"
        time.sleep(0.2)
