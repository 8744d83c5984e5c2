"""`--tags ROLE` does that role alone: nothing where nothing differs, and never another role's containers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.reconfigure.containers import anew
from tests.reconfigure.platform import Platform

# Role -> what is changed of it, and who is started anew for that.
CHANGES: dict[str, tuple[dict[str, Any], set[str]]] = {
    # The standby goes along with its primary, and before it: its own part has to come first here.
    "pg_replica": ({"pg_replica_memory": "600m"}, set()),
    "pg_primary": ({"pg_primary_memory": "600m"}, set()),
    "redis": ({"redis_maxmemory": "40mb"}, {"redis"}),
    "broker": ({"broker_disk_free_limit": "400MB"}, {"broker"}),
    "backend": ({"backend_threads": 3, "backend_replicas": 3}, {"backend-1", "backend-2", "backend-3"}),
    # One is called worker, two are called worker-1 and worker-2.
    "worker": ({"worker_concurrency": 1, "worker_replicas": 2}, {"worker", "worker-1", "worker-2"}),
    "frontend": ({"frontend_memory": "80m"}, set()),
    "proxy": ({"proxy_http_port": 8089}, {"proxy"}),
    "observability": ({"observability_retention_time": "9d"}, {"prometheus"}),
}
ALL = {name: value for variables, _ in CHANGES.values() for name, value in variables.items()}


@pytest.fixture(scope="module", autouse=True)
def _usual(platform: Platform) -> Iterator[None]:
    platform.deploy()
    yield
    platform.deploy()


@pytest.mark.parametrize("role", CHANGES)
def test_a_part_changes_nothing_where_nothing_differs(platform: Platform, role: str) -> None:
    before = platform.started()
    run = platform.deploy(tags=role)
    assert run.changed == []
    assert platform.started() == before


@pytest.mark.parametrize("role", CHANGES)
def test_a_part_changes_its_own_containers_alone(platform: Platform, role: str) -> None:
    """All roles' variables are others; what the roles before this one have got stays."""
    before = platform.started()
    run = platform.deploy(tags=role, variables=ALL)
    assert run.changed_count, run
    assert anew(before, platform.started()) == CHANGES[role][1], run.changed
