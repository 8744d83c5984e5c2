"""The way of a message: relay and worker as processes of their own, on the real services.

They would compete with a relay and a worker that are deployed: set OCTOPUS_DEPLOYED=1 to skip these tests.
"""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from octopus import store
from octopus.broker import DEAD_QUEUE, MESSAGES_QUEUE, TASK, declare, make_celery
from octopus.connections import connector
from octopus.database import Database
from octopus.migrate import migrate
from octopus.relay.outbox import Outbox
from octopus.relay.publisher import BrokerUnavailable, Publisher
from octopus.settings import Settings

from .frozen import Forwarder

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(bool(os.environ.get("OCTOPUS_DEPLOYED")), reason="a relay and a worker are deployed"),
]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class Process:
    """A command of ours, its log and its metrics."""

    def __init__(self, command: Path, folder: Path, **settings: str) -> None:
        folder.mkdir(parents=True)
        self.port = _free_port()
        self.heartbeat = folder / "heartbeat"
        self._log = folder / "log"
        own = {
            "METRICS_PORT": str(self.port),
            "HEARTBEAT_FILE": str(self.heartbeat),
            "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen([command], env={**os.environ, **own, **settings}, stdout=log)
        wait(self.heartbeat.exists, 30, f"{command.name} has no heartbeat")

    def lines(self) -> list[dict[str, Any]]:
        """Return what it has logged; every line has to be JSON."""
        return [json.loads(line) for line in self._log.read_text("utf-8").splitlines()]

    def count(self, message: str) -> int:
        """Return how often it has logged a message."""
        return sum(line["message"] == message for line in self.lines())

    def metrics(self) -> str:
        """Return its metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            text: str = answer.read().decode()
            return text

    def stop(self, limit: float = 20) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(limit)


def wait(true: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Wait until something holds."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, otherwise
        time.sleep(0.1)


@pytest.fixture(scope="module")
def database(settings: Settings) -> Database:
    migrate(settings)
    with Database(settings.database, 1).write() as connection:
        connection.exec_driver_sql("DELETE FROM outbox")
    celery = make_celery(settings.broker)
    with celery.connection_for_write() as connection:
        declare(connection)
        for queue in (MESSAGES_QUEUE, DEAD_QUEUE):
            queue(connection.default_channel).purge()
    return Database(settings.database, 2)


@pytest.fixture
def relay(database: Database, commands: Path, tmp_path: Path) -> Iterator[Process]:
    process = Process(commands / "octopus-relay", tmp_path / "relay")
    yield process
    assert process.stop() == 0


@pytest.fixture
def worker(database: Database, commands: Path, tmp_path: Path) -> Iterator[Process]:
    process = Process(commands / "octopus-worker", tmp_path / "worker", WORKER_MAX_RETRIES="3")
    yield process
    assert process.stop() == 0


def accept(database: Database, text: str | None = None) -> int:
    with database.write() as connection:
        return int(store.add_message(connection, text or str(uuid.uuid4()))["id"])


def message(database: Database, identity: int) -> dict[str, Any]:
    found = database.read(lambda connection: store.get_message(connection, identity))
    assert found is not None
    return found


def has_status(database: Database, identity: int, status: str) -> Callable[[], bool]:
    return lambda: message(database, identity)["status"] == status


def test_message_is_logged_once_and_marked(database: Database, relay: Process, worker: Process) -> None:
    text = f"Привет 🐙 \x1b\n\u2028 %s {uuid.uuid4()}"
    identity = accept(database, text)
    wait(has_status(database, identity, "logged"), 15, "not logged")
    assert message(database, identity)["logged_at"] is not None
    time.sleep(0.5)
    assert worker.count(f"Received message: {text}") == 1
    counted = f'octopus_worker_tasks_total{{state="success",task="{TASK}"}} 1.0'
    wait(lambda: counted in worker.metrics(), 5, "the task is not counted")
    assert "octopus_relay_published_total 1.0" in relay.metrics()
    wait(lambda: "octopus_outbox_pending 0.0" in relay.metrics(), 10, "the outbox is not empty")


def test_notification_makes_it_quick(database: Database, relay: Process, worker: Process) -> None:
    wait(has_status(database, accept(database), "logged"), 15, "not logged")
    times = []
    for _ in range(5):
        began = time.monotonic()
        wait(has_status(database, accept(database), "logged"), 5, "not logged")
        times.append(time.monotonic() - began)
    assert sorted(times)[2] < 0.6


def test_task_sent_twice_is_logged_once(database: Database, relay: Process, worker: Process) -> None:
    text = str(uuid.uuid4())
    with database.write() as connection:
        identity = store.add_message(connection, text)["id"]
        connection.exec_driver_sql("INSERT INTO outbox (message_id) VALUES (%s)", (identity,))
    wait(lambda: "octopus_relay_published_total 2.0" in relay.metrics(), 15, "not published")
    wait(has_status(database, identity, "logged"), 15, "not logged")
    time.sleep(1)
    assert worker.count(f"Received message: {text}") == 1


def test_failing_task_is_tried_again_and_succeeds(
    settings: Settings, database: Database, relay: Process, worker: Process
) -> None:
    """A lock that lasts longer than the statement's limit fails it three times."""
    identity = accept_locked(
        settings, database, hold=lambda: f'retry",task="{TASK}"}} 3.0' in worker.metrics()
    )
    wait(has_status(database, identity, "logged"), 30, "not logged after its retries")


def test_task_that_keeps_failing_ends_dead(
    settings: Settings, database: Database, relay: Process, worker: Process
) -> None:
    """After its last retry the broker has it as a dead letter, and the relay writes down why."""
    identity = accept_locked(
        settings, database, hold=lambda: f'rejected",task="{TASK}"}} 1.0' in worker.metrics()
    )
    wait(has_status(database, identity, "dead"), 30, "not marked dead")
    assert message(database, identity)["dead_reason"] == "the worker gave up after 3 retries"


def accept_locked(settings: Settings, database: Database, hold: Callable[[], bool]) -> int:
    """Accept a message and keep its row locked until something holds."""
    other = connector(settings.database)()
    with other, other.cursor() as cursor:
        cursor.execute("INSERT INTO messages (text) VALUES ('locked') RETURNING id")
        identity = int(cursor.fetchone()[0])  # type: ignore[index]
    with other, other.cursor() as cursor:
        cursor.execute("SELECT 1 FROM messages WHERE id = %s FOR UPDATE", (identity,))
        publisher_of(settings).publish(identity)
        wait(hold, 50, "the task did not fail often enough")
    other.close()
    return identity


def publisher_of(settings: Settings, **address: Any) -> Publisher:
    """Return a connected publisher."""
    publisher = Publisher(make_celery(dataclasses.replace(settings.broker, **address)))
    publisher.connect()
    return publisher


def test_worker_killed_in_its_task_loses_nothing(
    settings: Settings, database: Database, relay: Process, worker: Process
) -> None:
    """The task waits for the row, which is locked, when its process is killed."""
    parent = str(worker.process.pid)

    def kill_when_busy() -> bool:
        with database.write() as connection:
            waiting = (
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')"
            )
            if not connection.exec_driver_sql(waiting).scalar_one():
                return False
        found = subprocess.run(["pgrep", "-P", parent], capture_output=True, text=True, check=False)
        for child in found.stdout.split():
            os.kill(int(child), signal.SIGKILL)
        return True

    identity = accept_locked(settings, database, hold=kill_when_busy)
    wait(has_status(database, identity, "logged"), 40, "the message was lost")


def test_broker_away_keeps_the_outbox(settings: Settings, database: Database) -> None:
    identity = accept(database)
    gone = dataclasses.replace(settings.broker, host="127.0.0.1", port=1)
    with pytest.raises(BrokerUnavailable):
        Outbox(database, Publisher(make_celery(gone)), lambda: None).empty()
    with database.write() as connection:
        assert identity in [entry.message_id for entry in store.take_outbox(connection, 1000)]


@pytest.mark.parametrize("published", [0, 1], ids=["first", "later"])
def test_paused_broker_does_not_hold_the_relay(
    settings: Settings, database: Database, published: int
) -> None:
    forwarder = Forwarder((settings.broker.host, settings.broker.port))
    publisher = publisher_of(settings, host="127.0.0.1", port=forwarder.port)
    for _ in range(published):
        publisher.publish(accept(database))
    forwarder.freeze()
    for step in (lambda: publisher.publish(1), publisher.connect):
        began = time.monotonic()
        with pytest.raises(BrokerUnavailable):
            step()
        assert time.monotonic() - began < 10
    forwarder.thaw()
    publisher.connect()
    publisher.close()


def test_failure_in_a_batch_keeps_only_the_rest(settings: Settings, database: Database) -> None:
    """What was confirmed is removed, what was not stays, in order."""

    class FailsAtThird(Publisher):
        sent: list[int] = []  # noqa: RUF012

        def connect(self) -> None:
            pass

        def publish(self, message_id: int) -> None:
            if len(self.sent) == 2:
                raise BrokerUnavailable("no")
            self.sent.append(message_id)

    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM outbox")
    ids = [accept(database) for _ in range(4)]
    publisher = FailsAtThird(make_celery(settings.broker))
    with pytest.raises(BrokerUnavailable):
        Outbox(database, publisher, lambda: None).empty()
    assert publisher.sent == ids[:2]
    with database.write() as connection:
        assert [entry.message_id for entry in store.take_outbox(connection, 10)] == ids[2:]
        connection.exec_driver_sql("DELETE FROM outbox")
