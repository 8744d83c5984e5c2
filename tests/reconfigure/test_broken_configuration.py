"""A configuration that its software refuses: what ran before serves on, and the play says why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra.message import Messages
from tests.reconfigure.containers import anew
from tests.reconfigure.platform import Platform

NOBODY: set[str] = set()


@dataclass(frozen=True)
class Break:
    """A line too many in a template, who is started anew for it in vain, and what is said about it."""

    template: str
    line: str
    anew: set[str]
    says: str


BREAKS = {
    "proxy": Break("proxy/templates/nginx.conf.j2", "nonsense on;", NOBODY, 'unknown directive "nonsense"'),
    "prometheus": Break("observability/templates/prometheus.yml.j2", "nonsense: 1", NOBODY, "nonsense"),
    "postgres": Break("postgres_base/templates/postgresql.conf.j2", "work_mem = lots", NOBODY, "work_mem"),
    "redis": Break("redis/templates/redis.conf.j2", "nonsense on", {"redis"}, "nonsense"),
    "broker": Break("broker/templates/rabbitmq.conf.j2", "nonsense = on", {"broker"}, "nonsense"),
}


@pytest.fixture(scope="module", autouse=True)
def _usual(platform: Platform) -> Iterator[None]:
    platform.deploy()
    yield
    platform.deploy()


def broken(platform: Platform, one: Break) -> Path:
    root = platform.copy()
    with (root / "roles" / one.template).open("a", encoding="utf-8") as file:
        file.write(f"{one.line}\n")
    return root


@pytest.mark.parametrize("software", BREAKS)
def test_it_is_refused_and_what_was_there_serves(platform: Platform, software: str) -> None:
    one, before = BREAKS[software], platform.started()
    run = platform.play(root=broken(platform, one))
    assert run.failed, "a broken configuration was deployed"
    said = " ".join(run.output.split())
    assert one.says in said, run
    assert "has been put back and is healthy" in said, run
    assert anew(before, platform.started()) == one.anew
    messages = Messages(platform.target)
    messages.wait_until_logged(messages.send(f"after a broken configuration of {software}")["id"], 60)
    messages.remove()
    # Nothing of it is left: the next run has nothing to start anew.
    since = platform.started()
    platform.deploy()
    assert platform.started() == since
    assert platform.play().changed == []
