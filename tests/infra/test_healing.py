"""What hangs is ended by its own health check, and started anew by the restart policy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.target import Target, wait_for

ENDED_WITHIN = 60  # seconds: three checks, ten seconds apart, and the start


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

    seconds = wait_for(f"{name} is healthy again", healthy_again, ENDED_WITHIN)
    figure(f"{service} back after a hang", seconds)
    target.refresh()
    assert state(target, name)["restarts"] == before["restarts"] + 1
    told = target.run("docker logs --since 90s %s 2>&1", name)
    assert "the health check failed 3 times in a row" in told
    assert "the main process is stopped" in told


def test_every_health_check_can_end_its_container(target: Target) -> None:
    checks = {name: one.raw["Config"]["Healthcheck"]["Test"] for name, one in target.containers.items()}
    assert not [name for name, test in checks.items() if not [w for w in test[:3] if w.endswith("or-end")]]
