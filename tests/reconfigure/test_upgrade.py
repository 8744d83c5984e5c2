"""New packages of everything: replica before primary, and all data kept; another major version is refused."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.infra.target import wait_for
from tests.reconfigure.containers import anew
from tests.reconfigure.platform import Platform
from tests.reconfigure.prober import Prober
from tests.reconfigure.results import Results
from tests.reconfigure.runs import Run

NEW = {"image_revision": "2099-12-31"}
# Replaces both places of PostgreSQL.
MORE_CONNECTIONS = {"postgres_base_max_connections": 70, "postgres_base_follows_seconds": 5}
# The longest that reading and writing may pause while everything is replaced, in seconds
READING_WITHIN, WRITING_WITHIN = 10, 20
MAJORS = [
    ("postgres_major", "16", ["PostgreSQL", "octopus-pg-primary-data", "octopus-pg-replica-data"]),
    ("postgres_major", "18", ["PostgreSQL", "octopus-pg-primary-data", "octopus-pg-replica-data"]),
    ("redis_major", "7", ["Redis", "octopus-redis-data"]),
    ("redis_major", "9", ["Redis", "octopus-redis-data"]),
    ("rabbitmq_major", "3", ["RabbitMQ", "octopus-broker-data"]),
    ("rabbitmq_major", "5", ["RabbitMQ", "octopus-broker-data"]),
]


@dataclass
class Upgrade:
    """What was before, what was seen meanwhile."""

    run: Run
    prober: Prober
    primary: str
    images: dict[str, str]
    message: dict[str, Any]


def images(platform: Platform) -> dict[str, str]:
    return {name: platform.inspect(name)["Config"]["Image"] for name in platform.started()}


def read(platform: Platform, identity: int) -> Any:
    return platform.request("GET", f"/api/messages/{identity}").json()


def logged_message(platform: Platform) -> dict[str, Any]:
    """Return a message that the worker has logged."""
    accepted = platform.request("POST", "/api/messages", json={"text": "Kept through an upgrade"}).json()
    wait_for("it is logged", lambda: read(platform, accepted["id"])["status"] == "logged", 30)
    return dict(read(platform, accepted["id"]))


@pytest.fixture(scope="module")
def upgrade(platform: Platform) -> Iterator[Upgrade]:
    """New images of everything, while somebody reads and writes; those of before in the end."""
    primary, before, message = platform.target.primary, images(platform), logged_message(platform)
    with Prober(platform) as prober:
        time.sleep(2)
        run = platform.play(variables=NEW)
        time.sleep(2)
    yield Upgrade(run, prober, primary, before, message)
    assert not platform.play().failed
    prober.remove()
    target, database = platform.target, platform.settings["postgres_database"]
    assert target.psql(target.primary, f"delete from messages where id = {message['id']}", database).rc == 0  # noqa: S608


def test_everything_runs_from_new_images(upgrade: Upgrade, platform: Platform, results: Results) -> None:
    assert not upgrade.run.failed, upgrade.run
    after = images(platform)
    assert after.keys() == upgrade.images.keys()
    # Grafana's image is not built here.
    same = {name for name in after if after[name] == upgrade.images[name]} - {"grafana"}
    assert not same
    results.add(
        "New packages of everything (`image_revision`), with the builds", f"{upgrade.run.seconds:.0f} s"
    )


def test_the_standby_streams_before_the_primary_goes(upgrade: Upgrade, platform: Platform) -> None:
    (standby,) = {"pg-primary", "pg-replica"} - {upgrade.primary}
    started = platform.inspect(upgrade.primary)["State"]["StartedAt"]
    log = platform.target.run("docker logs --timestamps %s 2>&1", f"{platform.settings.name}-{standby}")
    streams = re.findall(r"^(\S+) .*started streaming WAL from primary", log, re.MULTILINE)
    # Both times are the engine's, in UTC.
    assert platform.inspect(standby)["State"]["StartedAt"] < streams[0] < started
    assert platform.target.primary == upgrade.primary


def test_the_interruption_is_bounded(upgrade: Upgrade, results: Results) -> None:
    results.add(f"Reading meanwhile (limit {READING_WITHIN} s)", str(upgrade.prober.reading))
    results.add(f"Writing meanwhile (limit {WRITING_WITHIN} s)", str(upgrade.prober.writing))
    assert upgrade.prober.reading.gap < READING_WITHIN, upgrade.prober.reading
    assert upgrade.prober.writing.gap < WRITING_WITHIN, upgrade.prober.writing


def test_what_users_notice_is_told(upgrade: Upgrade, platform: Platform) -> None:
    """Before a container is replaced, what they will; in the end, for how long it was away."""
    name, said = f"{platform.settings.name}-pg-primary", " ".join(upgrade.run.output.split())
    before, _, after = said.partition(f"TASK [container : Stop the former and start the new {name}]")
    assert f"{name} is replaced: writing is answered with 503 for some seconds." in before, upgrade.run
    away = re.findall(rf"\b{name} \(away ([0-9.]+) s\)", after)
    assert len(away) == 1, upgrade.run
    assert 0 < float(away[0]) < WRITING_WITHIN


def test_all_that_was_accepted_is_there(upgrade: Upgrade, platform: Platform) -> None:
    assert read(platform, upgrade.message["id"]) == upgrade.message
    wait_for("all are logged", lambda: len({*upgrade.prober.stored("pg-primary").values()}) == 1, 60)
    wait_for(
        "both places agree",
        lambda: upgrade.prober.stored("pg-primary") == upgrade.prober.stored("pg-replica"),
        5,
    )
    # A request whose answer was lost may have been stored all the same.
    assert upgrade.prober.stored("pg-primary")["stored"] >= upgrade.prober.writing.answered


def test_the_next_run_changes_nothing(upgrade: Upgrade, platform: Platform) -> None:
    before = platform.started()
    run = platform.play(variables=NEW)
    assert not run.failed, run
    assert (run.changed, anew(before, platform.started())) == ([], set())
    assert upgrade


def image_ids(platform: Platform) -> set[str]:
    return set(platform.run("docker image ls --quiet --no-trunc").stdout.split())


@pytest.fixture
def _no_replication(platform: Platform) -> Iterator[None]:
    """The standby may not log in for a while."""
    target, user = platform.target, platform.settings["postgres_replication_user"]
    assert target.psql(target.primary, f"alter role {user} nologin").rc == 0
    yield
    assert target.psql(target.primary, f"alter role {user} login").rc == 0
    assert not platform.play().failed


@pytest.mark.usefixtures("_no_replication")
def test_without_a_standby_that_follows_the_primary_stays(platform: Platform) -> None:
    primary, standby, before = platform.target.primary, platform.target.standby, platform.started()
    run = platform.play(variables=MORE_CONNECTIONS, tags="pg_primary,pg_replica")
    assert run.failed
    assert f"{standby} does not follow {primary} again, 5 s after" in " ".join(run.output.split()), run
    assert anew(before, platform.started()) == {standby}


@pytest.mark.parametrize(("variable", "value", "words"), MAJORS)
def test_another_major_version_is_refused(
    platform: Platform, variable: str, value: str, words: list[str]
) -> None:
    before, there = platform.started(), image_ids(platform)
    run = platform.play(variables={variable: value})
    assert run.failed
    assert run.changed == []
    said = " ".join(run.output.split())
    assert all(word in said for word in [*words, f"the images have {words[0]} {value}", "operations.md"]), run
    assert anew(before, platform.started()) == set()
    assert image_ids(platform) == there


@pytest.mark.parametrize("service", ["redis", "broker"])
def test_data_of_another_major_version_are_left_alone(platform: Platform, service: str) -> None:
    """The volume says so itself: the deployment refuses, and so does the container's start."""
    name, held = f"{platform.settings.name}-{service}", "1"
    volume = platform.target.run(
        "docker volume inspect --format '{{.Mountpoint}}' %s", f"{name}-data"
    ).strip()
    own = platform.target.run("cat %s", f"{volume}/MAJOR_VERSION")
    platform.target.run("echo %s > %s", held, f"{volume}/MAJOR_VERSION")
    try:
        before = platform.started()
        run = platform.play()
        assert run.failed
        assert f"The volume {name}-data holds data of" in " ".join(run.output.split()), run
        assert anew(before, platform.started()) == set()
        platform.run("docker restart %s", name)
        log = platform.run("docker logs --tail 3 %s 2>&1", name).stdout
        assert f"holds data of major version {held}" in log
    finally:
        platform.target.run("echo %s > %s", own.strip(), f"{volume}/MAJOR_VERSION")
        platform.target.run("docker restart %s", name)
    wait_for(
        "it serves again", lambda: platform.inspect(service)["State"]["Health"]["Status"] == "healthy", 90
    )
