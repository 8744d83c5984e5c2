"""Who is primary is asked, and nothing accepted is lost: switchover, failover, rejoin, lost volume.

Each test begins and ends with one primary and one standby that follows, in whichever places.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.infra.target import wait_for
from tests.reconfigure.platform import Platform
from tests.reconfigure.runs import Run
from tests.resilience.writing import Writing, primary, psql, standings

SECONDS = 2  # that a switchover may keep people from writing
FOLLOWS = "select count(*) from pg_stat_replication where state = 'streaming'"


def other(place: str) -> str:
    return {"pg-primary": "pg-replica", "pg-replica": "pg-primary"}[place]


def container(platform: Platform, place: str) -> str:
    return f"{platform.settings.name}-{place}"


def volume(platform: Platform, place: str) -> str:
    """Return a volume's directory on the host."""
    name = f"{container(platform, place)}-data"
    return platform.target.run("docker volume inspect --format '{{.Mountpoint}}' %s", name).strip()


def play(platform: Platform, playbook: str, **variables: str) -> Run:
    run = platform.play(playbook, variables)
    assert not run.failed, run
    return run


def follows(platform: Platform) -> bool:
    return psql(platform, primary(platform), FOLLOWS) != "0"


@pytest.fixture(autouse=True)
def whole(platform: Platform) -> Iterator[None]:
    """One primary and one that follows, before and after."""
    assert follows(platform)
    yield
    wait_for("there is one that follows", lambda: follows(platform), 60)


def rejoin(platform: Platform) -> Run:
    run = play(platform, "rejoin.yml")
    wait_for("it follows", lambda: follows(platform), 60)
    return run


def test_switchover_loses_nothing_and_a_deployment_keeps_it(platform: Platform) -> None:
    for _ in range(2):
        before = primary(platform)
        with Writing(platform) as writing:
            time.sleep(2)
            play(platform, "switchover.yml")
            time.sleep(2)
        print(writing)
        assert standings(platform) == {before: True, other(before): False}
        assert not writing.lost()
        assert writing.longest_gap() <= SECONDS, writing
        run = play(platform, "site.yml")
        assert run.changed_count == 0, run
        assert standings(platform) == {before: True, other(before): False}


@pytest.mark.parametrize("fault", ["kill", "pause"])
def test_failover_loses_nothing_accepted(platform: Platform, fault: str) -> None:
    dead = primary(platform)
    with Writing(platform) as writing:
        time.sleep(2)
        # A killed one would be started again by the engine, before anybody has decided anything.
        if fault == "kill":
            platform.target.run("docker update --restart=no %s", container(platform, dead))
        platform.target.run(f"docker {fault} %s", container(platform, dead))
        time.sleep(1)
        run = play(platform, "failover.yml")
        time.sleep(3)
    print(writing, run.output)
    assert standings(platform) == {dead: None, other(dead): False}
    assert not writing.lost()
    deployed = play(platform, "site.yml")
    assert deployed.changed_count == 0, deployed
    assert f"{dead} is fenced" in deployed.output
    assert "rewound" in rejoin(platform).output
    assert play(platform, "site.yml").changed_count == 0


def test_a_primary_that_can_be_written_to_is_not_failed_over(platform: Platform) -> None:
    before = standings(platform)
    run = platform.play("failover.yml")
    assert run.failed
    assert "switchover.yml" in run.output
    assert standings(platform) == before


def test_failover_after_the_volume_is_lost(platform: Platform) -> None:
    dead = primary(platform)
    platform.target.run("docker rm --force %s", container(platform, dead))
    platform.target.run("docker volume rm %s", f"{container(platform, dead)}-data")
    refused = platform.play("site.yml")
    assert refused.failed
    assert "failover.yml" in refused.output
    play(platform, "failover.yml")
    assert standings(platform)[other(dead)] is False
    assert "cloning" in rejoin(platform).output


def test_failover_that_broke_off_after_the_fence_is_finished(platform: Platform) -> None:
    dead = primary(platform)
    with Writing(platform) as writing:
        time.sleep(1)
        # All that the first run has done by then.
        platform.target.run("echo fenced >%s", f"{volume(platform, dead)}/order")
        platform.target.run("docker rm --force %s", container(platform, dead))
    play(platform, "failover.yml")
    assert not writing.lost()
    rejoin(platform)


def test_switchover_that_broke_off_is_finished_by_a_deployment(platform: Platform) -> None:
    before = primary(platform)
    platform.target.run("touch %s", f"{volume(platform, before)}/data/standby.signal")
    platform.target.run("docker stop %s", container(platform, before))
    play(platform, "site.yml")
    wait_for("it follows", lambda: follows(platform), 60)


def test_two_primaries_are_refused(platform: Platform) -> None:
    standby = other(primary(platform))
    psql(platform, standby, "select pg_promote()")
    started = platform.started()
    run = platform.play("site.yml")
    assert run.failed
    assert "both say that they are primary" in run.output
    assert platform.started() == started
    # What the sentence tells to do.
    platform.target.run("docker rm --force %s", container(platform, standby))
    platform.target.run("docker volume rm %s", f"{container(platform, standby)}-data")
    play(platform, "site.yml")


def test_a_standby_that_is_too_far_behind_is_cloned_again(platform: Platform) -> None:
    leader = primary(platform)
    standby = other(leader)
    platform.target.run("docker stop %s", container(platform, standby))
    slot = platform.settings["postgres_replication_slot"]
    for script in (
        "alter system set max_slot_wal_keep_size = '16MB'",
        "select pg_reload_conf()",
    ):
        psql(platform, leader, script)

    def lost() -> bool:
        rows = "select repeat('x', 1000) from generate_series(1, 30000)"
        fill = f"create table filler as {rows}; drop table filler"
        psql(platform, leader, fill)
        psql(platform, leader, "checkpoint")
        query = f"select wal_status from pg_replication_slots where slot_name = '{slot}'"  # noqa: S608
        return psql(platform, leader, query) == "lost"

    wait_for("the slot is lost", lost, 60)
    psql(platform, leader, "alter system reset max_slot_wal_keep_size")
    psql(platform, leader, "select pg_reload_conf()")
    platform.target.run("docker start %s", container(platform, standby))
    run = play(platform, "site.yml")
    assert "cloned again" in run.output
    wait_for("it follows", lambda: follows(platform), 60)
    assert play(platform, "site.yml").changed_count == 0
