"""A deployment that is killed harms nothing: the next one finishes the work, whatever was half done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.target import wait_for
from tests.reconfigure.platform import Platform
from tests.reconfigure.results import Results
from tests.reconfigure.runs import Run

POINTS = 10
UNHEALTHY = """
docker ps --all --filter label=octopus.platform=%s --format '{{.Names}} {{.Status}}' | grep -v '(healthy)'
"""


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
    results.add("A run that replaces eight containers", f"{run.seconds:.0f} s")
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
