"""The engine is killed, the host is rebooted, or loses power: all comes back by itself, nothing is lost."""

from __future__ import annotations

import time

import pytest

from tests.infra.target import wait_for
from tests.reconfigure.platform import Platform
from tests.reconfigure.results import Results
from tests.resilience.host import BACK, STEPS, boot, reaches
from tests.resilience.ledger import Ledger
from tests.resilience.places import wait_until_it_follows
from tests.resilience.recovery import recovered
from tests.resilience.trial import Trial

ENGINE = "systemctl show --property MainPID --value docker"


@pytest.fixture
def machine(pytestconfig: pytest.Config) -> str:
    """The container that plays the host; without one the host is somebody's, and is left alone."""
    name = pytestconfig.getoption("--machine")
    if not name:
        pytest.skip("no --machine was given: nothing is done to a host that somebody uses")
    return str(name)


def all_back(platform: Platform, containers: list[str], since: float) -> float:
    taken = recovered(platform, containers, since, BACK)
    wait_until_it_follows(platform)
    return taken


@pytest.mark.usefixtures("machine")
def test_engine_killed(platform: Platform, ledger: Ledger, results: Results) -> None:
    containers = list(platform.started())

    def fault() -> float:
        began = time.monotonic()
        platform.target.run(f"kill -9 $({ENGINE})")
        wait_for("the engine answers", lambda: reaches(platform), BACK)
        return all_back(platform, containers, began)

    Trial(ledger, results, "kill -9: the engine").run(fault)


@pytest.mark.parametrize("how", STEPS)
def test_host(platform: Platform, ledger: Ledger, results: Results, machine: str, how: str) -> None:
    containers = list(platform.started())

    def fault() -> float:
        return all_back(platform, containers, boot(platform, machine, how))

    Trial(ledger, results, f"{how}: the host").run(fault)
