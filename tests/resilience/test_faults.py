"""Single containers are killed, hang, are stopped, paused, cut off: all is well soon, nothing is lost."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest

from tests.reconfigure.platform import Platform
from tests.reconfigure.results import Results
from tests.resilience import faults
from tests.resilience.ledger import Ledger
from tests.resilience.places import primary, standby
from tests.resilience.recovery import recovered
from tests.resilience.trial import Trial

# Whoever has no part in writing and reading goes at once with the others of its kind.
WATCHERS = ["prometheus", "postgres-exporter", "redis-exporter", "nginx-exporter", "node-exporter"]
PLACES_ASKED = {"primary": primary, "standby": standby}
ALONE = ["broker", "redis", "worker", "relay", "backend-1", "backend-2", "frontend", "proxy"]
UNITS = [*PLACES_ASKED, *ALONE, "prometheus and the exporters"]
KILLED, HUNG = 10, 60  # seconds until all is well again
BACK = 20  # seconds, after somebody has taken the fault back
REFUSED = 5  # seconds in which a refusal comes
# For how long there may be no good answer while a container is away, beyond the time that it is.
MOMENT = 2  # seconds
# Who may break off between the log's line and its commit, after which the line comes once more.
LOGS_AGAIN = ("primary", "worker")


def members(platform: Platform, unit: str) -> list[str]:
    """Return the containers that something is done to."""
    if unit in PLACES_ASKED:
        return [PLACES_ASKED[unit](platform)]
    return [unit] if unit in ALONE else WATCHERS


def may_stop(unit: str) -> tuple[bool, bool]:
    """Return whether writing and whether reading may stop while it is away; without others people go on."""
    return {"proxy": (True, True), "primary": (True, False)}.get(unit, (False, False))


def try_out(ledger: Ledger, results: Results, unit: str, name: str, fault: Callable[[], float]) -> None:
    """Have a fault, and judge all that it did."""
    again = Trial(ledger, results, name).run(fault)
    assert not again or unit in LOGS_AGAIN, f"{again} messages are logged once more"
    judge_the_others(ledger, unit)


def judge_the_others(ledger: Ledger, unit: str) -> None:
    """Fail where people could not go on who do not need what is away, or waited too long for a refusal."""
    if unit == "primary":
        assert set(ledger.writes.failed) <= {"503"}, f"not refused, but {ledger.writes.failed}"
    for answers, stops in zip((ledger.writes, ledger.reads), may_stop(unit), strict=True):
        assert answers.slowest_refusal <= REFUSED, f"a refusal took {answers.slowest_refusal:.1f} s"
        if not stops:
            gap = answers.gap(ledger.began, ledger.ended)
            # Reading elsewhere begins when the primary has not answered in time.
            allowed = MOMENT + (REFUSED if unit == "primary" else 0)
            assert gap <= allowed, f"{gap:.1f} s without a good answer"
            if unit not in ("primary", "backend-1", "backend-2"):
                assert not answers.failures, answers.failed


def marked(*short: str) -> list[object]:
    """Return all units; some of them are tried by every `make test`."""
    return [pytest.param(unit, marks=pytest.mark.short) if unit in short else unit for unit in UNITS]


# Not the broker, which takes nearly all of its ten seconds: too little to spare for every machine.
@pytest.mark.parametrize("unit", marked("primary", "standby", "worker", "backend-1"))
def test_killed(platform: Platform, ledger: Ledger, results: Results, unit: str) -> None:
    def fault() -> float:
        containers, began = members(platform, unit), time.monotonic()
        for container in containers:
            faults.kill(platform, container)
        return recovered(platform, containers, began, KILLED)

    try_out(ledger, results, unit, f"kill -9: {unit}", fault)


@pytest.mark.parametrize("unit", UNITS)
def test_hanging(platform: Platform, ledger: Ledger, results: Results, unit: str) -> None:
    def fault() -> float:
        containers, before, began = members(platform, unit), platform.started(), time.monotonic()
        for container in containers:
            faults.hang(platform, container)
        # A process that hangs may look well from outside: only another one in its place is well.
        while any(platform.started()[container] == before[container] for container in containers):
            assert time.monotonic() - began < HUNG, f"it hangs for {HUNG} s"
            time.sleep(0.5)
        return recovered(platform, containers, began, HUNG)

    try_out(ledger, results, unit, f"SIGSTOP: {unit}", fault)


@pytest.mark.parametrize(
    ("unit", "how"),
    [
        pytest.param(unit, how, marks=[pytest.mark.short] if (unit, how) == ("primary", "paused") else [])
        for how in faults.AWAYS
        for unit in UNITS
    ],
)
def test_away(platform: Platform, ledger: Ledger, results: Results, unit: str, how: str) -> None:
    def fault() -> float:
        containers = members(platform, unit)
        with contextlib.ExitStack() as away:
            for container in containers:
                away.enter_context(faults.AWAYS[how](platform, container))
            time.sleep(faults.AWAY)
        return recovered(platform, containers, time.monotonic(), BACK)

    try_out(ledger, results, unit, f"{how}: {unit}", fault)
