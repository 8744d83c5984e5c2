"""Who is primary is asked, and nothing accepted is lost: switchover, failover, rejoin, lost volume.

Each test begins and ends with one primary and one standby that follows, in whichever places.
"""

from __future__ import annotations

import contextlib
import time

import pytest

from tests.infra.target import wait_for
from tests.reconfigure.platform import Platform
from tests.resilience import faults
from tests.resilience.ledger import Ledger
from tests.resilience.places import PLACES, primary, psql, standby, standings, wait_until_it_follows

SECONDS = 2  # that a switchover may keep people from writing


def other(place: str) -> str:
    return PLACES[1 - PLACES.index(place)]


def container(platform: Platform, place: str) -> str:
    return f"{platform.settings.name}-{place}"


def volume(platform: Platform, place: str) -> str:
    """Return a volume's directory on the host."""
    name = f"{container(platform, place)}-data"
    return platform.target.run("docker volume inspect --format '{{.Mountpoint}}' %s", name).strip()


def lose(platform: Platform, place: str) -> None:
    """Remove a place with its volume."""
    platform.target.run("docker rm --force %s", container(platform, place))
    platform.target.run("docker volume rm %s", f"{container(platform, place)}-data")


def refused(platform: Platform, playbook: str, sentence: str) -> None:
    """Play what must fail with a sentence, and touch nothing."""
    started = platform.started()
    run = platform.play(playbook)
    assert run.failed, run
    assert sentence in " ".join(run.output.split()), run
    assert platform.started() == started


def rejoin(platform: Platform, says: str) -> None:
    assert says in platform.deploy(playbook="rejoin.yml").output
    wait_until_it_follows(platform)


# Twice, so that it ends as it began; each deployment finds the primary in another place.
@pytest.mark.parametrize("turn", ["there", "and back"])
def test_switchover_loses_nothing_and_a_deployment_keeps_it(
    platform: Platform, ledger: Ledger, turn: str
) -> None:
    before = primary(platform)
    with ledger:
        time.sleep(2)
        platform.deploy(playbook="switchover.yml")
        time.sleep(2)
    after = {before: True, other(before): False}
    assert standings(platform) == after
    ledger.judge()
    gap = ledger.writes.gap(ledger.began, ledger.ended)
    assert gap <= SECONDS, f"{gap:.1f} s without writing ({turn})"
    deployed = platform.deploy()
    assert deployed.changed_count == 0, deployed
    assert standings(platform) == after


# Whoever is cut off for a second misses what is accepted meanwhile: it has to come from the primary's volume.
@pytest.mark.parametrize("fault", ["kill", "pause", "cut off"])
def test_failover_loses_nothing_accepted(platform: Platform, ledger: Ledger, fault: str) -> None:
    dead = primary(platform)
    with ledger:
        time.sleep(2)
        cut = faults.disconnected(platform, other(dead)) if fault == "cut off" else contextlib.nullcontext()
        with cut:
            time.sleep(1)
            # A killed one would be started again by the engine, before anybody has decided anything.
            platform.target.run("docker update --restart=no %s", container(platform, dead))
            verb = "pause" if fault == "pause" else "kill"
            platform.target.run(f"docker {verb} %s", container(platform, dead))
            run = platform.deploy(playbook="failover.yml")
        time.sleep(3)
    assert "nothing is lost" in " ".join(run.output.split()), run
    assert standings(platform) == {dead: None, other(dead): False}
    assert not ledger.missing(primary(platform))
    deployed = platform.deploy()
    assert deployed.changed_count == 0, deployed
    assert f"{dead} is fenced" in deployed.output
    rejoin(platform, "rewound")
    ledger.judge()
    assert platform.deploy().changed_count == 0


def test_a_primary_that_can_be_written_to_is_not_failed_over(platform: Platform) -> None:
    refused(platform, "failover.yml", "switchover.yml changes places and loses nothing")


def test_a_lost_volume_is_not_filled_with_an_empty_cluster(platform: Platform, ledger: Ledger) -> None:
    dead = primary(platform)
    with ledger:
        time.sleep(2)
    ledger.judge()
    lose(platform, dead)
    refused(platform, "site.yml", "playbooks/failover.yml makes")
    platform.deploy(playbook="failover.yml")
    rejoin(platform, "cloning")
    ledger.judge()


def test_failover_that_broke_off_after_the_fence_is_finished(platform: Platform, ledger: Ledger) -> None:
    dead = primary(platform)
    with ledger:
        time.sleep(2)
        # All that the first run has done by then.
        platform.target.run(f"echo fenced >{volume(platform, dead)}/order")
        platform.target.run("docker rm --force %s", container(platform, dead))
    refused(platform, "site.yml", "playbooks/failover.yml makes")
    platform.deploy(playbook="failover.yml")
    assert not ledger.missing(primary(platform))
    rejoin(platform, "rewound")


def test_switchover_that_broke_off_is_finished_by_a_deployment(platform: Platform, ledger: Ledger) -> None:
    before = primary(platform)
    with ledger:
        time.sleep(2)
        platform.target.run("touch %s", f"{volume(platform, before)}/data/standby.signal")
        platform.target.run("docker stop %s", container(platform, before))
    assert "Both places were standbys" in platform.deploy().output
    wait_until_it_follows(platform)
    ledger.judge()


def test_two_primaries_are_refused(platform: Platform) -> None:
    second = standby(platform)
    psql(platform, second, "select pg_promote()")
    refused(platform, "site.yml", "both say that they are primary")
    # What the sentence tells to do.
    lose(platform, second)
    platform.deploy()
    wait_until_it_follows(platform)


def test_a_standby_that_is_too_far_behind_is_cloned_again(platform: Platform) -> None:
    leader, behind = primary(platform), standby(platform)
    platform.target.run("docker stop %s", container(platform, behind))
    psql(platform, leader, "alter system set max_slot_wal_keep_size = '16MB'")
    psql(platform, leader, "select pg_reload_conf()")
    slot = platform.settings["postgres_replication_slot"]
    query = f"select wal_status from pg_replication_slots where slot_name = '{slot}'"  # noqa: S608
    rows = "select repeat('x', 1000) from generate_series(1, 30000)"

    def lost() -> bool:
        psql(platform, leader, f"create table filler as {rows}; drop table filler")
        psql(platform, leader, "checkpoint")
        return psql(platform, leader, query) == "lost"

    wait_for("the slot is lost", lost, 60)
    psql(platform, leader, "alter system reset max_slot_wal_keep_size")
    psql(platform, leader, "select pg_reload_conf()")
    platform.target.run("docker start %s", container(platform, behind))
    assert "it is cloned again" in " ".join(platform.deploy().output.split())
    wait_until_it_follows(platform)
    assert platform.deploy().changed_count == 0
