"""What hangs is ended by its own check and started anew; what the engine left down is started again."""
# ruff: noqa: S608 - identities are of our own making

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.message import Messages
from tests.infra.target import Target, wait_for

ENDED_WITHIN = 60  # seconds: three checks, ten seconds apart, and the start
RECOVERS_WITHIN = 60  # seconds
HOLDS = "from pg_stat_activity where wait_event = 'PgSleep'"
LET_GO = f"select pg_terminate_backend(pid) {HOLDS}"


def main_process(target: Target, name: str) -> int:
    """Return the host's number of a container's main process, which is the child of its PID 1."""
    init = target.run("docker inspect --format '{{.State.Pid}}' %s", name).strip()
    return int(target.run("cat /proc/%s/task/%s/children", init, init).split()[0])


def state(target: Target, name: str) -> dict[str, Any]:
    told = target.run(
        "docker inspect --format '{{.RestartCount}} {{.State.StartedAt}} {{.State.Health.Status}}' %s", name
    ).split()
    return {"restarts": int(told[0]), "started": told[1], "health": told[2]}


@pytest.mark.disruptive
@pytest.mark.parametrize("service", ["redis", "backend", "pg-replica"])
def test_a_main_process_that_is_stopped_is_ended(service: str, target: Target, figure: Any) -> None:
    """Also where others answer in its place, as the API's processes do."""
    name = target.one(service).name
    before = state(target, name)
    target.run("kill -STOP %s", str(main_process(target, name)))

    def healthy_again() -> bool:
        now = state(target, name)
        return now["started"] != before["started"] and now["health"] == "healthy"

    began = time.monotonic()
    wait_for(f"{name} is healthy again", healthy_again, ENDED_WITHIN)
    figure(f"seconds until {service} is back after a hang", round(time.monotonic() - began, 1))
    target.refresh()
    assert state(target, name)["restarts"] == before["restarts"] + 1
    told = target.run("docker logs --since 90s %s 2>&1", name)
    assert "the health check failed 3 times in a row" in told
    assert "the main process is stopped" in told


def test_every_health_check_can_end_its_container(target: Target) -> None:
    checks = {name: one.raw["Config"]["Healthcheck"]["Test"] for name, one in target.containers.items()}
    assert not [name for name, test in checks.items() if not [w for w in test[:3] if w.endswith("or-end")]]


@pytest.mark.disruptive
def test_an_engine_that_was_killed_brings_everything_back(target: Target, figure: Any) -> None:
    """It takes what it finds dead for stopped by hand: a unit of ours starts that."""
    if target.host.run("test -d /run/systemd/system").rc != 0:
        pytest.skip("this host starts without systemd")
    target.run("kill -KILL $(systemctl show docker --property=MainPID --value)")
    time.sleep(1)
    figure("seconds until all is healthy after a kill of the engine", 1 + target.recover(RECOVERS_WITHIN))
    assert target.run("systemctl is-enabled %s-containers", target.settings.name).strip() == "enabled"


@pytest.fixture
def poison(messages: Messages, target: Target) -> Iterator[int]:
    """A message whose task has to wait for its row, so that there is time to kill who waits."""
    worker, place = target.one("worker").name, target.one(target.primary).name
    target.run("docker pause %s", worker)
    try:
        identity = int(messages.send("that kills its worker")["id"])
        hold = f"begin; select id from messages where id = {identity} for update; select pg_sleep(120)"
        command = "nohup docker exec %s psql --username=postgres --dbname=%s --command=%s >/dev/null 2>&1 &"
        target.run(command, place, target.settings["postgres_database"], hold)
        wait_for("the row is held", lambda: target.rows(target.primary, f"select pid {HOLDS}"), 20)
    finally:
        target.run("docker unpause %s", worker)
    yield identity
    target.rows(target.primary, LET_GO)


def wait_for_the_row(target: Target, beginning: str) -> bool:
    held = f"select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '{beginning}%'"
    return bool(target.rows(target.primary, held))


@pytest.mark.disruptive
def test_a_task_that_kills_its_worker_is_given_up_and_can_be_replayed(
    poison: int, messages: Messages, target: Target
) -> None:
    worker = main_process(target, target.one("worker").name)

    def given_up() -> bool:
        """Kill whoever has the task, until the relay has it as a dead letter and waits in turn."""
        if wait_for_the_row(target, "SELECT messages.text"):
            target.host.run("pkill -KILL -P %s", str(worker))
            time.sleep(0.5)
        return wait_for_the_row(target, "UPDATE messages SET status")

    wait_for("the broker has given the task up", given_up, 90)
    assert main_process(target, target.one("worker").name) == worker
    other = messages.send("behind the one that killed its worker")["id"]
    messages.wait_until_logged(other, ENDED_WITHIN)
    target.rows(target.primary, LET_GO)
    letters = wait_for("it is a dead letter", lambda: letter(target, "list", poison), ENDED_WITHIN)
    assert "the worker died with it too often" in letters
    assert letter(target, "replay", poison) == letters
    assert messages.wait_until_logged(poison, ENDED_WITHIN)["dead_reason"] is None
    assert letter(target, "drop", poison) == ""


def letter(target: Target, action: str, identity: int) -> str:
    """Do something to a dead letter; return its line, and nothing where it is none."""
    return str(target.execute("backend", "octopus-dead-letters", action, str(identity)).stdout)


@pytest.fixture
def standby_away(target: Target) -> Iterator[None]:
    """Commits wait for a standby that there is not."""
    set_standby(target, "set synchronous_standby_names = 'nobody'")
    time.sleep(1)
    yield
    set_standby(target, "reset synchronous_standby_names")


def set_standby(target: Target, how: str) -> None:
    for statement in (f"alter system {how}", "select pg_reload_conf()"):
        assert target.psql(target.primary, statement).rc == 0


@pytest.fixture
def refused(standby_away: None, messages: Messages, target: Target) -> dict[str, Any]:
    """A request that is refused as often as it is sent, until the standby is there again."""
    request = messages.request("waits for the standby", key="standby")
    answers = target.ask(request, request)
    assert answers[0].status == 503, answers[0]
    assert answers[1].status in (409, 503), "its first try is still under way, or none accepts"
    longest = "wait_event = 'SyncRep' and query_start < now() - interval '16 s'"
    waits = f"select pid from pg_stat_activity where {longest}"
    time.sleep(16)
    wait_for("the wait of a client that is gone is ended", lambda: not target.rows(target.primary, waits), 5)
    # Its row is there by now, and not at the standby: it is not accepted.
    assert target.ask(request)[0].status == 503
    return request


@pytest.mark.disruptive
def test_nothing_is_accepted_before_the_standby_has_it(refused: dict[str, Any], target: Target) -> None:
    set_standby(target, "reset synchronous_standby_names")
    accepted = wait_for("it is accepted", lambda: [a for a in target.ask(refused) if a.status == 201], 10)
    assert target.get(f"/api/messages/{accepted[0].json()['id']}").status == 200
