"""A deployment that is killed harms nothing: the next one finishes the work, whatever was half done."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.infra.target import wait_for
from tests.reconfigure import versions
from tests.reconfigure.checkout import replace
from tests.reconfigure.platform import Platform
from tests.reconfigure.results import Results
from tests.reconfigure.runs import Playing, Run
from tests.reconfigure.watch import greeting

POINTS = 10
UNHEALTHY = """
docker ps --all --filter label=octopus.platform=%s --format '{{.Names}} {{.Status}}' | grep -v '(healthy)'
"""
# How long the migration of the new version takes: long enough to be met.
MIGRATION_SECONDS = 10
# What a run leaves that is killed when its migration is over, and not removed yet.
LEFTOVER = """
docker run --name %s-migrate --label octopus.platform=%s --label octopus.service=migrate \
  --network none %s true
"""


@dataclass(frozen=True)
class Moment:
    """A task, how many seconds after its beginning the run is killed, and whether it has migrated by then."""

    task: str
    seconds: float
    migrated: bool


MOMENTS = {
    "its image is built": Moment("image : Build image", 2, False),
    "its migration runs": Moment("container : Run {platform}-migrate", 4, False),
    "a backend is replaced": Moment(
        "container : Stop the former and start the new {platform}-backend-1", 0, True
    ),
}


def values(number: int) -> dict[str, Any]:
    """Return what makes most containers other ones: never twice the same."""
    return {
        "postgres_base_max_connections": 61 + number,
        "pg_primary_memory": f"{520 + number}m",
        "redis_maxmemory": f"{40 + number}mb",
        "broker_disk_free_limit": f"{401 + number}MB",
        "backend_threads": 3 + number % 3,
        "backend_memory": f"{260 + number}m",
        "application_log_level": ["DEBUG", "INFO"][number % 2],
        "worker_concurrency": 1 + number % 3,
        "frontend_memory": f"{70 + number}m",
        "proxy_memory": f"{140 + number}m",
        "proxy_write_rate": 60 + number,
        "observability_scrape_interval": f"{20 + number}s",
        "observability_retention_time": f"{20 + number}d",
    }


@pytest.fixture(scope="module")
def whole(platform: Platform, results: Results) -> Iterator[Run]:
    """A run that is not disturbed, to know how long one takes."""
    platform.deploy()
    run = platform.deploy(variables=values(0))
    results.add("A run that replaces most containers", f"{run.seconds:.0f} s")
    yield run
    platform.deploy()


def unhealthy(platform: Platform) -> str:
    return str(platform.run(UNHEALTHY, platform.settings.name).stdout)


@pytest.mark.parametrize("point", range(1, POINTS + 1))
def test_a_killed_run_is_made_good_by_the_next(platform: Platform, whole: Run, point: int) -> None:
    playing = platform.begin(variables=values(point))
    time.sleep(whole.seconds * point / (POINTS + 1))
    assert playing.process.poll() is None, "the run was over before it was killed"
    playing.kill()
    # What was under way on the target may still go on there; users are served all the same.
    wait_for("messages can be read", lambda: platform.request("GET", "/api/messages").status_code == 200, 60)
    platform.deploy(variables=values(point))
    assert not unhealthy(platform)
    again = platform.play(variables=values(point))
    assert (again.failed, again.changed) == (False, []), again


@pytest.fixture
def _good_again(platform: Platform) -> Iterator[None]:
    """This repository's version before and after, when the schema is its own again."""
    platform.deploy()
    yield
    platform.deploy()


def new_version(root: Path, says: str, last: str) -> Path:
    """Make a version that can be told by its greeting, with a migration that takes its time."""
    versions.migrates(versions.greets(root, says), last)
    first = '    """Apply."""\n'
    replace(
        root / versions.PACKAGE / "migrations/versions/v9999_reconfigure.py",
        first,
        f'{first}    op.execute("SELECT pg_sleep({MIGRATION_SECONDS})")\n',
    )
    return root


def is_at(playing: Playing, task: str) -> bool:
    """Tell whether a run is at a task, the last one that it has named."""
    assert playing.process.poll() is None, "the run was over before it was killed"
    # Not by seek(): the place in the file is also that at which the run writes.
    file = playing.file.fileno()
    said = os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")
    return task in said.rpartition("TASK [")[2]


@pytest.mark.usefixtures("_good_again")
@pytest.mark.parametrize("what", MOMENTS)
def test_a_new_version_that_is_killed_is_finished_by_the_next_run(
    platform: Platform, last_revision: str, what: str
) -> None:
    moment, says = MOMENTS[what], f"Hello, killed while {what}!"
    task = moment.task.format(platform=platform.settings.name)
    # Of its own greeting: what another one of these tests has built is not built again.
    root = new_version(platform.copy(), says, last_revision)
    playing = platform.begin(root=root)
    try:
        wait_for(f"the run is at {task}", lambda: is_at(playing, task), 300)
        time.sleep(moment.seconds)
        assert is_at(playing, task), "the task was over before the run was killed"
    finally:
        playing.kill()
    assert versions.is_migrated(platform) == moment.migrated
    wait_for("messages can be read", lambda: platform.request("GET", "/api/messages").status_code == 200, 60)
    platform.deploy(root=root)
    assert versions.is_migrated(platform)
    assert {greeting(platform) for _ in range(20)} == {says}
    assert not unhealthy(platform)
    again = platform.play(root=root)
    assert (again.failed, again.changed) == (False, []), again


def test_a_migration_that_was_left_is_removed(platform: Platform) -> None:
    platform.deploy()
    name, image = platform.settings.name, platform.inspect("backend-1")["Config"]["Image"]
    before = platform.started()
    platform.target.run(LEFTOVER, name, name, image)
    assert "migrate" in platform.started()
    run = platform.deploy()
    assert platform.started() == before, run
    assert platform.play().changed == []
