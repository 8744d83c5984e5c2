"""The ends of what may be set: numbers of replicas, and the ports; each way there and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.infra.message import Messages
from tests.infra.target import wait_for
from tests.reconfigure.containers import anew
from tests.reconfigure.platform import Platform
from tests.reconfigure.stores import store_message

HTTP_PORT, HTTPS_PORT = 8089, 9443
# Backends, workers, and who comes or goes on the way there.
STEPS = [
    (3, 2, {"backend-3", "worker", "worker-1", "worker-2"}),
    (1, 1, {"backend-2", "backend-3", "worker", "worker-1", "worker-2"}),
    (2, 1, {"backend-2"}),
]


@pytest.fixture(scope="module", autouse=True)
def _usual(platform: Platform) -> Iterator[None]:
    platform.deploy()
    yield
    platform.deploy()


@pytest.fixture(scope="module")
def messages(platform: Platform) -> Iterator[Messages]:
    messages = Messages(platform.target)
    yield messages
    messages.remove()


def names(service: str, number: int) -> set[str]:
    # One worker has no number.
    return {"worker"} if (service, number) == ("worker", 1) else {f"{service}-{i + 1}" for i in range(number)}


def resolved(platform: Platform, asker: str, name: str) -> bool:
    return platform.run(f"docker exec {platform.settings.name}-{asker} getent hosts {name}").rc == 0


@pytest.mark.parametrize(("backends", "workers", "moved"), STEPS, ids=["3 and 2", "1 and 1", "2 and 1"])
def test_replicas_come_and_go(
    platform: Platform, messages: Messages, backends: int, workers: int, moved: set[str]
) -> None:
    before = platform.started()
    run = platform.deploy(variables={"backend_replicas": backends, "worker_replicas": workers})
    after = platform.started()
    assert anew(before, after) == moved, run.changed
    there = names("backend", backends) | names("worker", workers)
    assert {name for name in after if name.startswith(("backend", "worker"))} == there
    # The proxy asks each of those that are there, and nobody else.
    assert answering(platform) == names("backend", backends)
    identity = messages.send(f"with {backends} backends and {workers} workers")["id"]
    messages.wait_until_logged(identity, 10)
    # What has gone left neither a name nor files.
    for name in (moved | {"backend-3", "worker-2"}) - there:
        # Workers together are called worker, too.
        if name != "worker":
            assert not resolved(platform, "proxy" if "backend" in name else "relay", name), name
        assert platform.run("ls %s/*/%s-%s.note", *root_and_name(platform, name)).rc != 0, name


def root_and_name(platform: Platform, name: str) -> tuple[str, str, str]:
    return platform.settings["platform_root"], platform.settings.name, name


def answering(platform: Platform) -> set[str]:
    """Return the backends whose own log has the requests that are sent now."""
    path = f"/api/messages?limit=1&before={platform.target.run('date +%s%N').strip()}"
    assert {platform.request("GET", path).status_code for _ in range(24)} == {200}
    target, mark = platform.target, path.partition("before=")[2]
    logs = {one.name: f"docker logs --since 1m {one.name} 2>&1" for one in target.service("backend")}
    return {platform.short(name) for name, log in logs.items() if mark in target.run(log)}


def request(port: int, platform: Platform, **more: Any) -> requests.Response:
    scheme = "http" if port in (80, HTTP_PORT) else "https"
    return platform.request("GET", f"{scheme}://{platform.address}:{port}/api/data", **more)


@pytest.mark.parametrize("ports", [(HTTP_PORT, HTTPS_PORT), (80, 443)], ids=["others", "the usual ones"])
def test_ports_move(platform: Platform, ports: tuple[int, int]) -> None:
    before = platform.started()
    run = platform.deploy(variables=dict(zip(("proxy_http_port", "proxy_https_port"), ports, strict=True)))
    assert anew(before, platform.started()) == {"proxy"}, run.changed
    http, https = ports
    wait_for("the API answers", lambda: request(https, platform).status_code == 200, 5)
    answer = request(http, platform)
    assert answer.status_code == 301
    suffix = "" if https == 443 else f":{https}"
    assert answer.headers["Location"] == f"https://{platform.address}{suffix}/api/data"
    for port in {80, 443, HTTP_PORT, HTTPS_PORT} - set(ports):
        with pytest.raises(requests.ConnectionError):
            request(port, platform, timeout=3)


OTHERS = {
    "postgres_database": "others",
    "postgres_app_user": "others_app",
    "redis_app_user": "others_app",
    "rabbitmq_app_user": "others_app",
    "rabbitmq_vhost": "others",
    "postgres_replication_slot": "others",
}


def test_names_change_and_come_back(platform: Platform) -> None:
    """Another database is made, with its tables and rights; the first one stays as it is."""
    text = "octopus-names: stored under the usual ones"
    identity = store_message(platform, text)
    platform.deploy(variables=OTHERS)
    store_message(platform, "octopus-names: stored under others")
    assert platform.play(variables=OTHERS).changed == []
    platform.deploy()
    assert platform.request("GET", f"/api/messages/{identity}").json()["text"] == text
    store_message(platform, "octopus-names: stored under the usual ones again")
    target, database = platform.target, platform.settings["postgres_database"]
    target.psql(target.primary, "delete from messages where text like 'octopus-names: %'", database)
    target.psql(target.primary, f"drop database {OTHERS['postgres_database']}", database)
    slot = f"select pg_drop_replication_slot('{OTHERS['postgres_replication_slot']}')"
    assert target.psql(target.primary, slot).rc == 0


def test_the_user_of_replication_stays(platform: Platform) -> None:
    """The standby could not follow until its primary knows the other one: nothing is begun."""
    before = platform.started()
    run = platform.play(variables={"postgres_replication_user": "others"})
    assert run.failed
    assert "postgres_replication_user is others" in run.output
    assert platform.started() == before
