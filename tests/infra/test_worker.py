"""The worker and the relay: a message's way from the table to the log."""
# ruff: noqa: S608 - identities are of our own making

from __future__ import annotations

import json
import time

import pytest

from tests.infra.http_requests import to
from tests.infra.message import Messages, wait_for_more_tasks
from tests.infra.target import Target, wait_for

BACK_WITHIN = 60  # seconds


@pytest.fixture(scope="module")
def line(messages: Messages) -> str:
    """The worker's line about the message."""
    assert messages.logged
    found = [line for line in messages.log_lines() if "Received message: " in line]
    assert len(found) == 1, f"{len(found)} lines"
    return found[0]


def test_it_logs_the_message_as_one_line_of_json(line: str, messages: Messages) -> None:
    assert json.loads(line)["message"] == f"Received message: {messages.mark} {messages.text}"


def test_letters_are_logged_as_they_are_and_control_characters_escaped(line: str) -> None:
    assert "Grüße, 猫 🐙" in line
    assert "\\nand \\u0007" in line
    assert "\x07" not in line


def test_it_counts_the_task(messages: Messages, target: Target) -> None:
    before = messages.tasks_before
    assert messages.logged
    wait_for_more_tasks(target, before)


def test_the_relay_counts_too(messages: Messages, target: Target) -> None:
    assert messages.logged
    page = target.ask(to(target.one("relay").addresses["messaging"], 9000, "/metrics"))[0].body
    values = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    assert float(values["octopus_relay_published_total"]) >= 1
    assert {"octopus_outbox_pending", "octopus_outbox_oldest_seconds", "octopus_relay_errors_total"} <= set(
        values
    )


def test_nothing_is_left_in_the_outbox(messages: Messages, target: Target) -> None:
    identity, database = messages.logged["id"], target.settings["postgres_database"]
    assert not target.rows(target.primary, f"select id from outbox where message_id = {identity}", database)


def test_there_are_as_many_as_asked_for(target: Target) -> None:
    assert len(target.service("worker")) == target.settings["worker_replicas"]
    assert len(target.service("relay")) == 1


def test_they_have_no_key_to_the_api(target: Target) -> None:
    for service in ("worker", "relay"):
        assert not [name for name in target.one(service).environment if name.startswith("API_KEY")]
        assert target.execute(service, "test", "-e", "/run/secrets/API_KEY").rc == 1


@pytest.mark.disruptive
def test_a_task_whose_worker_is_killed_is_done_again(messages: Messages, target: Target) -> None:
    """A lock on the row holds the task up; with an early acknowledgement it would be gone with its worker."""
    workers = " ".join(worker.name for worker in target.service("worker"))
    database, place = target.settings["postgres_database"], target.one(target.primary).name
    target.run(f"docker pause {workers}")
    try:
        identity = messages.send("to a worker that is killed")["id"]
        lock = (
            f"begin; select id from messages where id = {identity} for update; select pg_sleep(6); rollback"
        )
        command = "nohup docker exec %s psql --username=postgres --dbname=%s --command=%s >/dev/null 2>&1 &"
        target.run(command, place, database, lock)
    finally:
        target.run(f"docker unpause {workers}")
    held = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%FOR UPDATE%'"
    wait_for("the task waits for the row", lambda: target.rows(target.primary, held), 6)
    target.run(f"docker kill {workers}")
    time.sleep(0.5)
    target.run(f"docker start {workers}")
    assert messages.wait_until_logged(identity, BACK_WITHIN)["logged_at"]
