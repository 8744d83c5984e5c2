"""The engine is killed, the host is rebooted, or loses power: all comes back by itself, nothing is lost."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import time

import pytest

from tests.reconfigure.platform import Platform
from tests.reconfigure.results import Results
from tests.resilience.ledger import Ledger
from tests.resilience.places import wait_until_it_follows
from tests.resilience.recovery import recovered
from tests.resilience.trial import Trial

BACK = 60  # seconds
ENGINE = "systemctl show --property MainPID --value docker"


def reaches(platform: Platform) -> bool:
    """Return whether root gets in and the engine answers."""
    # testinfra's word for a host that SSH does not get into.
    with contextlib.suppress(RuntimeError):
        return bool(platform.run("timeout 5 docker version").rc == 0)
    return False


def all_back(platform: Platform, containers: list[str], since: float) -> float:
    while not reaches(platform):
        assert time.monotonic() - since < BACK, f"nobody gets in for {BACK} s"
        time.sleep(0.5)
    taken = recovered(platform, containers, since, BACK)
    wait_until_it_follows(platform)
    return taken


def test_engine_killed(platform: Platform, ledger: Ledger, results: Results) -> None:
    containers = list(platform.started())

    def fault() -> float:
        began = time.monotonic()
        platform.target.run(f"kill -9 $({ENGINE})")
        return all_back(platform, containers, began)

    Trial(ledger, results, "kill -9: the engine").run(fault)


@pytest.mark.parametrize("how", ["rebooted", "without power"])
def test_host(
    platform: Platform, ledger: Ledger, results: Results, how: str, pytestconfig: pytest.Config
) -> None:
    machine, containers = pytestconfig.getoption("--machine"), list(platform.started())
    if not machine:
        pytest.skip("no --machine was given to reboot")
    # 137: the client of an engine that kills a container is told so.
    steps = {"rebooted": ["restart --time 60"], "without power": ["kill", "start"]}[how]

    def fault() -> float:
        for step in steps:
            began = time.monotonic()
            subprocess.run(["docker", *shlex.split(step), machine], check=True, capture_output=True)
        return all_back(platform, containers, began)

    Trial(ledger, results, f"{how}: the host").run(fault)
