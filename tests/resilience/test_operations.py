"""What operators do about it, under load: switchover, failover and rejoin, restore to a point in time."""

from __future__ import annotations

import time

import pytest

from tests.infra.target import wait_for
from tests.reconfigure.platform import Platform
from tests.reconfigure.results import Results
from tests.reconfigure.runs import Run
from tests.resilience.host import BACK, boot
from tests.resilience.ledger import Ledger
from tests.resilience.places import primary, psql, standby, standings, wait_until_it_follows
from tests.resilience.recovery import recovered
from tests.resilience.trial import Trial

SWITCHED = 2  # seconds without writing
FAILED_OVER = 120  # seconds that the playbook may take


def play(platform: Platform, playbook: str, **variables: object) -> Run:
    run = platform.play(playbook, variables)
    assert not run.failed, run
    return run


def test_switchover(platform: Platform, ledger: Ledger, results: Results) -> None:
    former = primary(platform)

    def fault() -> float:
        began = time.monotonic()
        play(platform, "switchover.yml")
        return time.monotonic() - began

    Trial(ledger, results, "switchover").run(fault)
    assert standings(platform)[former] is True
    assert ledger.writes.gap(ledger.began, ledger.ended) <= SWITCHED


def test_failover_reboot_and_rejoin(
    platform: Platform, ledger: Ledger, results: Results, pytestconfig: pytest.Config
) -> None:
    former, machine = primary(platform), pytestconfig.getoption("--machine")

    def fault() -> float:
        # Not killed, which the engine would put right before anybody has decided anything.
        platform.target.run("docker pause %s", f"{platform.settings.name}-{former}")
        began = time.monotonic()
        play(platform, "failover.yml")
        taken = recovered(platform, [primary(platform)], began, FAILED_OVER)
        if machine:
            booted = boot(platform, machine)
            recovered(platform, [primary(platform)], booted, BACK)
            assert standings(platform)[former] is None, f"{former} was fenced, and is there again"
        play(platform, "rejoin.yml")
        wait_until_it_follows(platform)
        return taken

    Trial(ledger, results, f"failover,{' reboot,' if machine else ''} rejoin").run(fault)
    assert standings(platform)[former] is True


def test_restore_to_a_moment(platform: Platform, results: Results, ledger: Ledger) -> None:
    with ledger:
        time.sleep(5)
    ledger.judge()
    place = primary(platform)
    moment = psql(platform, place, "select to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')")
    # What is archived is a file of the log that has been left; a whole second lies between before and after.
    time.sleep(2)
    later = Ledger(platform)
    with later:
        time.sleep(3)
    later.judge()
    psql(platform, place, "select pg_switch_wal()")
    began = time.monotonic()
    play(platform, "restore.yml", restore_target=moment, restore_place="in_place", restore_confirmed=True)
    taken = time.monotonic() - began
    wait_until_it_follows(platform, 120)
    # What it had logged was judged before.
    again = ledger.judge(same_worker=False)
    assert not later.rows(primary(platform), "id"), "what came after the moment is there"
    wait_for("the standby has lost it, too", lambda: not later.rows(standby(platform), "id"), 30)
    results.add(
        "restore to a moment",
        f"{taken:.1f} s",
        "",
        "",
        "",
        "",
        f"{len(ledger.accepted):,}",
        "0",
        "0",
        str(again),
    )
