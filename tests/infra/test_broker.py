"""RabbitMQ: users, virtual host, queues, and what outlives a restart."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest

from plugins.filter.rabbitmq import rabbitmq_hash_matches
from tests.infra.http_requests import to
from tests.infra.message import Messages
from tests.infra.target import Target, wait_for

QUEUE = "octopus.messages"
# What the application may touch: what is its own, and what Celery delays retries with.
OWN = r"^(octopus\..*|celery_delayed_.*)$"
FOREIGN = ("verify.foreign", "amq.topic")
DENIED = ("declare queue", "declare exchange", "delete queue", "purge queue", "consume", "get", "publish")
ACCESS_REFUSED, NOT_ALLOWED = 403, 530
BACK_WITHIN = 60  # seconds


@pytest.fixture(scope="module")
def definitions(target: Target) -> dict[str, Any]:
    result = target.execute("broker", "rabbitmqctl", "--quiet", "export_definitions", "-")
    assert result.rc == 0, result.stderr
    return dict(json.loads(result.stdout))


@pytest.fixture(scope="module")
def queues(definitions: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {queue["name"]: queue for queue in definitions["queues"]}


@pytest.fixture(scope="module")
def metrics(target: Target) -> str:
    return target.ask(to(target.one("broker").addresses["messaging"], 15692, "/metrics"))[0].body


def test_there_is_no_guest(definitions: dict[str, Any], target: Target) -> None:
    users = {user["name"] for user in definitions["users"]}
    assert users == {target.settings["rabbitmq_app_user"], target.settings["rabbitmq_admin_user"]}
    address = target.one("broker").addresses["messaging"]
    assert (
        target.ask(to(address, 15672, "/api/whoami", headers={"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q="}))[
            0
        ].status
        == 401
    )


def test_only_the_administrator_administers(definitions: dict[str, Any], target: Target) -> None:
    tags = {user["name"]: user["tags"] for user in definitions["users"]}
    assert tags == {
        target.settings["rabbitmq_app_user"]: [],
        target.settings["rabbitmq_admin_user"]: ["administrator"],
    }


def test_passwords_are_those_of_the_env_file(definitions: dict[str, Any], target: Target) -> None:
    stored = {user["name"]: user["password_hash"] for user in definitions["users"]}
    names = {"rabbitmq_app_user": "RABBITMQ_PASSWORD", "rabbitmq_admin_user": "RABBITMQ_ADMIN_PASSWORD"}
    for user, key in names.items():
        matches = rabbitmq_hash_matches(stored[target.settings[user]], target.settings.secrets[key])
        assert matches, f"the password of {target.settings[user]} is not {key}"


def test_there_is_one_virtual_host(definitions: dict[str, Any], target: Target) -> None:
    vhost = target.settings["rabbitmq_vhost"]
    assert [host["name"] for host in definitions["vhosts"]] == [vhost]
    assert {permission["vhost"] for permission in definitions["permissions"]} == {vhost}


def test_users_are_limited_to_what_is_theirs(definitions: dict[str, Any], target: Target) -> None:
    rights = {
        one["user"]: (one["configure"], one["write"], one["read"]) for one in definitions["permissions"]
    }
    assert rights == {
        target.settings["rabbitmq_app_user"]: (OWN, OWN, OWN),
        target.settings["rabbitmq_admin_user"]: (".*", ".*", ".*"),
    }
    assert definitions["topic_permissions"] == []


def test_what_is_not_theirs_is_refused(target: Target) -> None:
    tries = [("look at queue", QUEUE), *product(DENIED, FOREIGN)]
    vhost = target.settings["rabbitmq_vhost"]
    codes = target.execute_program("worker", "queues", {"vhosts": [vhost, "/"], "tries": tries})
    assert codes["vhosts"] == [0, NOT_ALLOWED]
    wanted = dict.fromkeys(tries, ACCESS_REFUSED) | {tries[0]: 0}
    assert dict(zip(tries, codes["tries"], strict=True)) == wanted


@pytest.mark.disruptive
def test_a_virtual_host_that_is_there_is_refused(target: Target) -> None:
    """For some seconds there is one that nobody has a right to."""
    made = target.execute("broker", "rabbitmqctl", "--quiet", "add_vhost", "verify")
    assert made.rc == 0, made.stderr
    try:
        codes = target.execute_program("worker", "queues", {"vhosts": ["verify"], "tries": []})
    finally:
        target.execute("broker", "rabbitmqctl", "--quiet", "delete_vhost", "verify")
    assert codes["vhosts"] == [NOT_ALLOWED]


def test_messages_wait_in_a_durable_quorum_queue(queues: dict[str, dict[str, Any]]) -> None:
    assert queues[QUEUE]["durable"] is True
    arguments = queues[QUEUE]["arguments"]
    assert arguments["x-queue-type"] == "quorum"
    assert arguments["x-delivery-limit"] > 0
    assert arguments["x-dead-letter-exchange"]


def test_dead_letters_have_a_queue(queues: dict[str, dict[str, Any]], definitions: dict[str, Any]) -> None:
    exchange = queues[QUEUE]["arguments"]["x-dead-letter-exchange"]
    bound = {binding["destination"] for binding in definitions["bindings"] if binding["source"] == exchange}
    assert bound
    assert bound <= set(queues)


def test_every_queue_is_durable_and_replicable(queues: dict[str, dict[str, Any]]) -> None:
    kinds = {
        name: (queue["durable"], queue["arguments"].get("x-queue-type")) for name, queue in queues.items()
    }
    assert {name: kind for name, kind in kinds.items() if kind != (True, "quorum")} == {}


def test_its_name_is_fixed_and_its_data_in_the_volume(metrics: str, target: Target) -> None:
    assert 'rabbitmq_node="rabbit@broker"' in metrics
    broker = target.one("broker")
    volume = next(mount for mount in broker.raw["Mounts"] if mount["Type"] == "volume")
    assert volume["Name"] == f"{target.settings.name}-broker-data"
    assert (
        target.execute("broker", "test", "-d", f"{volume['Destination']}/mnesia/rabbit@broker/quorum").rc == 0
    )


def test_it_has_no_alarm(metrics: str) -> None:
    alarms = [line for line in metrics.splitlines() if line.startswith("rabbitmq_alarms_")]
    assert alarms
    assert not [line for line in alarms if not line.endswith(" 0")]


def test_its_memory_watermark_is_below_its_limit(metrics: str, target: Target) -> None:
    line = next(
        line for line in metrics.splitlines() if line.startswith("rabbitmq_resident_memory_limit_bytes")
    )
    assert float(line.rsplit(" ", 1)[1]) < target.one("broker").host_config["Memory"]


@pytest.mark.disruptive
def test_what_was_accepted_while_it_was_away_is_delivered(messages: Messages, target: Target) -> None:
    broker = target.one("broker").name
    target.run("docker stop %s", broker)
    try:
        sent = messages.send("while the broker is away")
        assert target.get(f"/api/messages/{sent['id']}").json()["status"] == "queued"
    finally:
        target.run("docker start %s", broker)
    assert messages.wait_until_logged(sent["id"], BACK_WITHIN)["logged_at"]


@pytest.mark.disruptive
def test_what_it_holds_outlives_a_restart(messages: Messages, target: Target) -> None:
    """The worker is away, so the message waits in the queue while the broker is started anew."""
    broker, workers = target.one("broker").name, [worker.name for worker in target.service("worker")]
    target.run("docker stop " + " ".join(workers))
    try:
        sent = messages.send("over a restart of the broker")
        wait_for("the relay has handed it over", lambda: outbox_is_empty(target), 10)
        target.run("docker restart %s", broker)
        wait_for("the broker answers", lambda: is_up(target), BACK_WITHIN)
        # The queue counts again once it has a leader.
        wait_for("the message is in the queue again", lambda: waiting(target) >= 1, 20)
    finally:
        target.run("docker start " + " ".join(workers))
    assert messages.wait_until_logged(sent["id"], BACK_WITHIN)["logged_at"]


def outbox_is_empty(target: Target) -> bool:
    database = target.settings["postgres_database"]
    return not target.rows(target.primary, "select id from outbox", database)


def is_up(target: Target) -> bool:
    return bool(target.execute("broker", "http-check", "15672", "/").rc == 0)


def waiting(target: Target) -> int:
    """Return how many messages the queue holds."""
    options = (
        "--quiet",
        "list_queues",
        f"--vhost={target.settings['rabbitmq_vhost']}",
        "--formatter=json",
        "name",
        "messages",
    )
    listed = json.loads(target.execute("broker", "rabbitmqctl", *options).stdout)
    return int(next(queue["messages"] for queue in listed if queue["name"] == QUEUE))
