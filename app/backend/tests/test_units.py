"""Small rules: cache keys, breaker, retries, queues, dead letters, dependencies."""

import re
import tomllib
from pathlib import Path

import pytest
from kombu.exceptions import OperationalError

from octopus import cache
from octopus.breaker import Breaker
from octopus.broker import CONFIGURATION, DEAD_QUEUE, MESSAGES_QUEUE, make_celery
from octopus.relay.deadletters import reason
from octopus.settings import ServerSettings
from octopus.worker.tasks import delay

HERE = Path(__file__).parents[1]


def test_cache_keys_have_the_prefix_and_tell_lists_apart() -> None:
    keys = {
        cache.LIST_VERSION,
        cache.message_key(1),
        cache.list_key("1", 20, None),
        cache.list_key("2", 20, None),
        cache.list_key("1", 2, 1),
        cache.list_key("1", 20, 1),
    }
    assert len(keys) == 6
    assert all(key.startswith("octopus:") for key in keys)


@pytest.mark.parametrize(("status", "most"), [("queued", 2), ("logged", 300), ("dead", 300)])
def test_queued_copies_live_briefly(status: str, most: int) -> None:
    assert 0 < cache.message_ttl({"status": status}) <= most


def test_cache_without_redis_is_silent_and_soon_not_asked() -> None:
    lonely = cache.Cache(ServerSettings("127.0.0.1", 1, "u", "p"))
    assert lonely.get_message(1) is None
    assert lonely.get_list(1, None) == (None, None)
    lonely.put_message({"id": 1, "status": "queued"})
    lonely.changed(1)
    assert not lonely.is_available()
    assert not lonely._breaker.allows()


def test_breaker_lets_one_caller_probe() -> None:
    breaker = Breaker(0.05)
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    __import__("time").sleep(0.06)
    assert [breaker.allows(), breaker.allows()] == [True, False]
    breaker.succeeded()
    assert [breaker.allows(), breaker.allows()] == [True, True]


def test_breaker_waits_for_its_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that hangs for longer than the pause brings no second one, or soon all threads would hang."""
    now = 0.0
    monkeypatch.setattr("octopus.breaker.time.monotonic", lambda: now)
    breaker = Breaker(0.25)
    breaker.failed()
    now = 0.3
    assert breaker.allows()
    now = 3.0
    assert not breaker.allows()
    now = 6.0  # it has not reported
    assert breaker.allows()
    breaker.failed()
    now = 6.3
    assert breaker.allows()


def test_delay_grows_to_a_minute() -> None:
    assert [delay(n) for n in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert delay(10_000) == 60


def test_celery_loses_nothing() -> None:
    conf = make_celery(ServerSettings("h", 1, "u", "p@/", "v")).conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert not conf.task_acks_on_failure_or_timeout
    assert conf.broker_transport_options["confirm_publish"]
    assert conf.worker_detect_quorum_queues
    assert conf.control_queue_exclusive
    assert conf.event_queue_exclusive
    assert conf.result_backend is None
    assert conf.broker_url == "amqp://u:p%40%2F@h:1/v"
    assert CONFIGURATION["task_default_exchange_type"] == "topic"


def test_a_broker_that_is_back_is_noticed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    # Kombu sleeps in steps of a second, as long as nobody listens.
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda _seconds: None)
    pauses: list[float] = []
    connection = make_celery(ServerSettings("127.0.0.1", 1, "u", "p", "v")).connection_for_read()
    with pytest.raises(OperationalError):
        connection.ensure_connection(lambda _error, pause: pauses.append(pause), 8)
    assert max(pauses) == 1, pauses


def test_both_queues_are_quorum_queues_and_the_first_has_an_end() -> None:
    arguments = MESSAGES_QUEUE.queue_arguments
    assert arguments["x-queue-type"] == DEAD_QUEUE.queue_arguments["x-queue-type"] == "quorum"
    assert arguments["x-delivery-limit"] > 0
    assert arguments["x-dead-letter-exchange"] == DEAD_QUEUE.exchange.name
    assert arguments["x-dead-letter-routing-key"] == DEAD_QUEUE.routing_key


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "unknown"),
        ({"x-death": [{"queue": "octopus.messages", "reason": "rejected"}], "retries": 3}, "gave up after 3"),
        ({"x-death": [{"queue": "octopus.messages", "reason": "delivery_limit"}]}, "died"),
        (
            {
                "x-death": [
                    {"queue": "celery_delayed_0", "reason": "expired"},
                    {"queue": "octopus.messages", "reason": "rejected"},
                ]
            },
            "gave up",
        ),
    ],
)
def test_reason_of_death(headers: dict[str, object], words: str) -> None:
    assert words in reason(headers)


def test_dependencies_are_named_once_and_pinned() -> None:
    wanted = [
        line for line in (HERE / "requirements.in").read_text().splitlines() if not line.startswith("#")
    ]
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == wanted
    for name in ("requirements.txt", "requirements-build.txt"):
        pinned = (HERE / name).read_text()
        assert "://" not in pinned
        assert len(re.findall(r"^[a-z0-9-]+==", pinned, re.M)) <= pinned.count("--hash=sha256:")
    assert set(wanted) <= set(re.findall(r"^([a-z0-9-]+)==", (HERE / "requirements.txt").read_text(), re.M))
