"""A plan says what a deployment would do, in whole rows of its table, and does nothing of it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.reconfigure import versions
from tests.reconfigure.platform import Platform

# What is done, to what, and what users notice meanwhile, where they do.
Row = tuple[str, ...]
LATER = "messages are logged some seconds later"
# Changed values, and what they come to: all rows that there are.
PLANS: dict[str, tuple[dict[str, Any], list[Row]]] = {
    "values that are read anew": (
        {
            "proxy_write_rate": 60,
            "postgres_base_max_wal_size": "2GB",
            "observability_scrape_interval": "20s",
        },
        [
            ("reloaded", "proxy"),
            ("reloaded", "pg-primary"),
            ("reloaded", "pg-replica"),
            ("reloaded", "prometheus"),
        ],
    ),
    # Proxy and Prometheus know the backends by their names.
    "one backend less": (
        {"backend_replicas": 1},
        [("reloaded", "proxy"), ("reloaded", "prometheus"), ("removed", "backend-2")],
    ),
    "values that need other containers": (
        {
            "postgres_base_max_connections": 70,
            "redis_maxmemory": "48mb",
            "broker_memory_watermark": "300MiB",
            "proxy_http_port": 8089,
        },
        [
            ("recreated", "pg-primary", "writing is answered with 503 for some seconds"),
            # Nobody is served by the standby.
            ("recreated", "pg-replica"),
            ("recreated", "redis", "answers take longer for some seconds"),
            ("recreated", "broker", LATER),
            ("recreated", "proxy", "nothing is answered for up to 2 s"),
        ],
    ),
}
# Of two backends, one answers while the other is replaced.
NEW_VERSION: list[Row] = [
    ("built", "backend"),
    ("created", "migrate"),
    ("recreated", "backend-1"),
    ("recreated", "backend-2"),
    ("recreated", "worker", LATER),
    ("recreated", "relay", LATER),
]


@pytest.fixture(scope="module", autouse=True)
def _usual(platform: Platform) -> None:
    platform.deploy()


def look(platform: Platform) -> list[Any]:
    """Return what runs, and since when; the images; all files of the platform, with their times."""
    images = platform.target.run("docker image ls --quiet --no-trunc").split()
    files = platform.target.run("find %s -printf '%%p %%m %%T@\\n'", platform.settings["platform_root"])
    return [platform.started(), sorted(images), sorted(files.splitlines())]


def planned(platform: Platform, **options: Any) -> list[Row]:
    """Return the rows of a plan, images without their tags; fail where it has touched anything."""
    before = look(platform)
    run = platform.deploy(check=True, **options)
    assert look(platform) == before, run.changed
    table = run.output.rpartition("would do this:")[2].strip().splitlines()
    assert table, run
    found = [re.split(" {2,}", line.strip()) for line in table]
    return [(action, platform.short(name.split(":")[0]), *notice) for action, name, *notice in found]


@pytest.mark.parametrize("what", PLANS)
def test_a_plan_of_other_values(platform: Platform, what: str) -> None:
    variables, rows = PLANS[what]
    assert sorted(planned(platform, variables=variables)) == sorted(rows)


def test_a_plan_of_a_new_version(platform: Platform) -> None:
    """Its image is not there to be looked at."""
    root = versions.greets(platform.copy(), "Hello from a plan!")
    assert sorted(planned(platform, root=root)) == sorted(NEW_VERSION)
