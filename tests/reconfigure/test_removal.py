"""What a definition names no more is gone from the host: variable, label, port, mount, network, limit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.lookup.role_variables import ROOT, mapping
from tests.reconfigure.checkout import replace
from tests.reconfigure.containers import anew
from tests.reconfigure.platform import Platform

PORT = "16379"
# What Redis is given besides, below the `memory` of its definition.
MORE = f"""
  env: {{HOME: /tmp, REMOVED: "yes"}}
  labels: {{removed: "yes"}}
  published_ports: ["127.0.0.1:{PORT}:6379"]
  tmpfs: ["/tmp:rw,noexec,nosuid,nodev,size=16m", "/removed:rw,size=1m"]
  ulimits: ["nofile:5000:5000"]
  groups: ["4242"]
"""


@pytest.fixture(scope="module", autouse=True)
def _usual(platform: Platform) -> Iterator[None]:
    platform.deploy()
    yield
    platform.deploy()


def with_more(root: Path) -> Path:
    line = '  memory: "{{ redis_memory }}"\n'
    replace(root / "roles/redis/vars/main.yml", line, line + MORE.lstrip("\n"))
    return root


def look(platform: Platform) -> dict[str, Any]:
    """Return what the engine has of it, in the order of MORE, and Redis' networks."""
    one = platform.inspect("redis")
    host = one["HostConfig"]
    return {
        "env": "REMOVED=yes" in one["Config"]["Env"],
        "labels": one["Config"]["Labels"].get("removed") == "yes",
        "published_ports": PORT in str(host["PortBindings"]),
        "tmpfs": "/removed" in host["Tmpfs"],
        "ulimits": "5000" in str(host["Ulimits"]),
        "groups": "4242" in (host["GroupAdd"] or []),
        "networks": f"{platform.settings.name}-frontend" in one["NetworkSettings"]["Networks"],
    }


def test_what_is_named_no_more_goes(platform: Platform) -> None:
    # In their order, which an answer of Ansible does not keep: the first one of a container counts for more.
    usual = mapping(ROOT / "group_vars/all/networks.yml")["platform_networks"]
    members = [*usual["frontend"]["members"], "redis"]
    networks = usual | {"frontend": usual["frontend"] | {"members": members}}
    before = platform.started()
    platform.deploy(root=with_more(platform.copy()), variables={"platform_networks": networks})
    there = platform.started()
    assert anew(before, there) == {"redis"}
    assert all(look(platform).values()), look(platform)
    run = platform.deploy()
    assert anew(there, platform.started()) == {"redis"}, run
    assert not any(look(platform).values()), look(platform)
    assert platform.play().changed == []
