"""What a definition names no more is gone from the host, from a variable or a mount to a whole service."""

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
VOLUME = "removed"
# What Redis is given besides, below the `memory` of its definition; and below its volume.
MORE = f"""
  env: {{HOME: /tmp, REMOVED: "yes"}}
  labels: {{removed: "yes"}}
  published_ports: ["127.0.0.1:{PORT}:6379"]
  tmpfs: ["/tmp:rw,noexec,nosuid,nodev,size=16m", "/removed:rw,size=1m"]
  ulimits: ["nofile:5000:5000"]
  groups: ["4242"]
"""
MORE_MOUNTS = f"""
    - {{type: bind, source: /usr/share/common-licenses, target: /removed-bind, read_only: true}}
    - {{type: volume, source: "{{{{ platform_name }}}}-{VOLUME}", target: /removed-volume}}
"""
# A service that needs nothing: of an image that is there, with a network of its own.
GUEST = """---
- name: Run the guest
  ansible.builtin.import_role:
    name: container
  vars:
    container_service: guest
    container_spec:
      name: "{{ platform_name }}-guest"
      image: "{{ image_names.redis }}"
      command: [sleep, infinity]
      healthcheck:
        test: [CMD, "true"]
"""
GUEST_NETWORK = """
  annex:
    members: [guest]
"""


@pytest.fixture(scope="module", autouse=True)
def _usual(platform: Platform) -> Iterator[None]:
    platform.deploy()
    yield
    platform.deploy()
    # No deployment does it.
    platform.run("docker volume rm %s", volume(platform))


def volume(platform: Platform) -> str:
    return f"{platform.settings.name}-{VOLUME}"


def with_more(root: Path) -> Path:
    add(root / "roles/redis/vars/main.yml", '  memory: "{{ redis_memory }}"', MORE)
    add(root / "roles/redis/vars/main.yml", "      target: /var/lib/redis", MORE_MOUNTS)
    return root


def with_guest(root: Path) -> Path:
    """Give a copy one more service, at the places of docs/adding-a-service.md."""
    tasks = root / "roles/guest/tasks/main.yml"
    tasks.parent.mkdir(parents=True)
    tasks.write_text(GUEST, encoding="utf-8")
    add(root / "group_vars/all/networks.yml", "    members: [proxy, grafana]", GUEST_NETWORK)
    last = "    - {role: observability, tags: observability}"
    add(root / "playbooks/site.yml", last, "\n    - {role: guest, tags: guest}\n")
    return root


def add(file: Path, line: str, more: str) -> None:
    """Add lines below one that is there once."""
    replace(file, f"{line}\n", line + more)


def look(platform: Platform) -> dict[str, Any]:
    """Return what the engine has of it: of MORE and MORE_MOUNTS in their order, and of Redis' networks."""
    one = platform.inspect("redis")
    host, targets = one["HostConfig"], [mount["Destination"] for mount in one["Mounts"]]
    return {
        "env": "REMOVED=yes" in one["Config"]["Env"],
        "labels": one["Config"]["Labels"].get("removed") == "yes",
        "published_ports": PORT in str(host["PortBindings"]),
        "tmpfs": "/removed" in host["Tmpfs"],
        "ulimits": "5000" in str(host["Ulimits"]),
        "groups": "4242" in (host["GroupAdd"] or []),
        "bind": "/removed-bind" in targets,
        "volume": "/removed-volume" in targets,
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
    # The data that it may hold are nobody's to remove.
    assert platform.run("docker volume inspect %s", volume(platform)).rc == 0
    assert platform.play().changed == []


def networks_there(platform: Platform) -> list[str]:
    return platform.target.run("docker network ls --format '{{.Name}}'").split()


def test_a_service_that_is_named_no_more_goes(platform: Platform) -> None:
    container, network = f"{platform.settings.name}-guest", f"{platform.settings.name}-annex"
    before = platform.started()
    platform.deploy(root=with_guest(platform.copy()))
    there = platform.started()
    assert anew(before, there) == {"guest"}
    assert network in networks_there(platform)
    run = platform.deploy()
    assert platform.started() == before, run
    assert network not in networks_there(platform)
    assert platform.run("ls -d %s", f"{platform.settings['platform_root']}/guest").rc != 0
    # It is told first.
    told, _, _ = " ".join(run.output.split()).partition("TASK [container : Remove containers]")
    assert f"No definition names these any more: {container}, {network}. Volumes are kept." in told, run
    assert platform.play().changed == []
