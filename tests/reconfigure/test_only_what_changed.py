"""One value is changed at a time: it arrives in the running software, and only what has to is started anew.

Each deployment changes one variable and takes the one before back, so that both ways of each are judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.reconfigure import asked
from tests.reconfigure.containers import anew
from tests.reconfigure.platform import Platform
from tests.reconfigure.runs import Run

NAME = "www.changed.test"
PLACES = {"pg-primary", "pg-replica"}
BACKENDS = {"backend-1", "backend-2"}
NOBODY: set[str] = set()


@dataclass(frozen=True)
class Change:
    """A variable's other value, who is started anew for it, and what the software says then and usually."""

    variable: str
    value: Any
    anew: set[str]
    ask: Callable[[Platform], Any]
    then: Any
    usual: Any


CHANGES = [
    Change("redis_memory", "160m", NOBODY, partial(asked.memory, container="redis"), 160, 128),
    # More than the limit of memory and swap together that it had.
    Change("frontend_memory", "300m", NOBODY, partial(asked.memory, container="frontend"), 300, 64),
    Change("frontend_cpus", 0.75, {"frontend"}, partial(asked.cpus, container="frontend"), 0.75, 0.5),
    Change("backend_memory", "300m", NOBODY, partial(asked.memory, container="backend-2"), 300, 256),
    Change("proxy_write_rate", 1, NOBODY, asked.refused_writes, True, False),
    Change("proxy_host_names", [NAME], NOBODY, partial(asked.answer_to, name=NAME), 200, 421),
    Change("observability_scrape_interval", "20s", NOBODY, asked.scrape_interval, "20s", "15s"),
    Change("observability_retention_time", "10d", {"prometheus"}, asked.retention, "10d", "15d"),
    Change(
        "postgres_base_max_wal_size",
        "2GB",
        NOBODY,
        partial(asked.postgres, setting="max_wal_size"),
        {"2GB"},
        {"1GB"},
    ),
    Change(
        "postgres_base_max_connections",
        70,
        PLACES,
        partial(asked.postgres, setting="max_connections"),
        {"70"},
        {"60"},
    ),
    Change("redis_maxmemory", "48mb", {"redis"}, asked.redis_maxmemory, 48, 64),
    Change("broker_memory_watermark", "300MiB", {"broker"}, asked.broker_watermark, 300, 350),
    Change("backend_threads", 6, BACKENDS, asked.backend_threads, 7, 5),
    Change("worker_concurrency", 3, {"worker"}, asked.worker_processes, 3, 2),
    Change("application_log_level", "DEBUG", BACKENDS | {"worker", "relay"}, asked.debug_lines, True, False),
]


@dataclass
class Deployed:
    """What the platform was deployed with last."""

    platform: Platform
    change: Change | None = None

    def deploy(self, change: Change | None) -> None:
        """Deploy with a change in place of the one before; judge what that has touched."""
        before, earlier = self.platform.started(), self.change
        self.change = change
        variables = {change.variable: change.value} if change else {}
        plan = self.platform.deploy(variables=variables, check=True, diff=True)
        assert self.platform.started() == before
        run = self.platform.deploy(variables=variables)
        assert run.changed_count, f"nothing was changed: {run}"
        after = self.platform.started()
        replaced = anew(before, after)
        assert replaced == (change.anew if change else NOBODY) | (earlier.anew if earlier else NOBODY), (
            run.changed
        )
        assert self.rows(plan, "recreated") == replaced, plan
        if earlier:
            assert earlier.ask(self.platform) == earlier.usual, f"{earlier.variable} is not as usual again"

    def rows(self, plan: Run, action: str) -> set[str]:
        """Return what the table at the end of a plan has under an action."""
        table = plan.output.rpartition("would do this:")[2]
        return {self.platform.short(name) for name in re.findall(rf"^  {action} +(\S+)", table, re.MULTILINE)}


@pytest.fixture(scope="module")
def deployed(platform: Platform) -> Iterator[Deployed]:
    platform.deploy()
    deployed = Deployed(platform)
    yield deployed
    if deployed.change:
        # A test that failed has left something.
        platform.deploy()


@pytest.mark.parametrize("change", CHANGES, ids=[change.variable for change in CHANGES])
def test_a_value_arrives_and_nothing_else_is_touched(deployed: Deployed, change: Change) -> None:
    assert change.ask(deployed.platform) == change.usual
    deployed.deploy(change)
    assert change.ask(deployed.platform) == change.then


def test_the_last_one_is_taken_back(deployed: Deployed) -> None:
    deployed.deploy(None)
    assert deployed.platform.play().changed_count == 0
