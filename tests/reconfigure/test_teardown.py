"""Teardown, the last test: the platform goes, its data when told so, and the host is as it was found."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra.message import Messages
from tests.reconfigure.platform import Platform

State = dict[str, dict[str, str]]
# What the platform of another name has on the same host, and what a stranger has.
NEIGHBOUR = """
set -e
echo | tar --create --files-from - --null 2>/dev/null | docker import - %(two)s-base:1 >/dev/null
docker network create --label octopus.platform=%(two)s %(two)s-backend >/dev/null
docker volume create %(two)s-redis-data >/dev/null
docker create --name %(two)s-redis --label octopus.platform=%(two)s --label octopus.service=redis \
  --network %(two)s-backend --volume %(two)s-redis-data:/data %(two)s-base:1 none >/dev/null
mkdir -p /opt/%(two)s/redis
iptables -N %(TWO)s-HOST
"""
NEIGHBOUR_GONE = """
docker rm %(two)s-redis; docker network rm %(two)s-backend; docker volume rm %(two)s-redis-data
docker image rm %(two)s-base:1; rm -r /opt/%(two)s; iptables -X %(TWO)s-HOST
"""
# What the engine leaves in the kernel. Nobody sees its chains: iptables went, too.
UNTIL_REBOOT = {"links: docker0: not there -> there"}
# Processes of the host end by themselves, too.
ENDED = re.compile("processes: .* -> not there$")


def look(platform: Platform) -> State:
    state: State = platform.target.program("host_state", None)
    return state


def look_while_it_runs(platform: Platform) -> State:
    """Look without the processes: those of health checks come and go."""
    return {kind: names for kind, names in look(platform).items() if kind != "processes"}


def differences(before: State, after: State) -> list[str]:
    """Return what came, went or became something else."""
    return sorted(
        f"{kind}: {name}: {before[kind].get(name, 'not there')} -> {after[kind].get(name, 'not there')}"
        for kind in before
        for name in before[kind].keys() | after[kind].keys()
        if before[kind].get(name) != after[kind].get(name)
    )


def engine(state: State) -> dict[str, set[str]]:
    return {kind: set(state[kind]) for kind in ("container", "network", "image", "volume")}


def teardown(platform: Platform, check: bool = False, **variables: Any) -> Any:
    return platform.play("teardown.yml", variables=variables, check=check)


@pytest.fixture(scope="module")
def before(platform: Platform) -> State:
    """What the host was like before the platform came; molecule/shared/prepare.yml has kept it."""
    directory = os.environ.get("MOLECULE_EPHEMERAL_DIRECTORY", "")
    file = Path(directory) / f"host-{platform.name}.json"
    if not directory or not file.is_file():
        pytest.skip("nobody has kept what this host was like before")
    state: State = json.loads(file.read_text(encoding="utf-8"))
    return state


@pytest.fixture
def neighbour(platform: Platform) -> Iterator[str]:
    two = f"{platform.settings.name}-two"
    names = {"two": two, "TWO": two.upper()}
    platform.target.run(NEIGHBOUR % names)
    yield two
    platform.target.run(NEIGHBOUR_GONE % names)


@pytest.mark.parametrize(
    ("variables", "stranger", "says"),
    [
        ({"teardown_dta": True}, "", "teardown_dta is no variable of ours; did you mean teardown_data?"),
        ({"teardown_data": "perhaps"}, "", "teardown_data is 'perhaps': it has to be true or false."),
        ({}, "--network %s-backend", "Containers that are none of the platform's use its networks or images"),
        ({"teardown_data": True}, "--volume %s-redis-data:/data", "use its volumes: stranger"),
        ({"teardown_engine": True}, "", "The engine cannot go without the data that it holds"),
    ],
)
def test_what_would_hurt_is_refused(
    platform: Platform, neighbour: str, variables: dict[str, Any], stranger: str, says: str
) -> None:
    if stranger:
        options = stranger % platform.settings.name
        platform.target.run(f"docker create --name stranger {options} {neighbour}-base:1 none")
    state = look_while_it_runs(platform)
    try:
        run = teardown(platform, **variables)
        assert run.code != 0, run
        assert says in " ".join(run.output.split()), run
        assert run.changed_count == 0, run
        assert differences(state, look_while_it_runs(platform)) == []
    finally:
        platform.run("docker rm stranger")


def test_check_mode_tells_and_touches_nothing(platform: Platform) -> None:
    state, running = look_while_it_runs(platform), platform.started()
    run = teardown(platform, check=True, teardown_data=True)
    assert not run.failed, run
    assert platform.started() == running
    assert differences(state, look_while_it_runs(platform)) == []
    told = {line.strip(" -") for line in run.output.splitlines()}
    ours = (
        set(state["container"]) | set(state["volume"]) | (set(state["network"]) - {"bridge", "host", "none"})
    )
    assert ours <= told


def test_data_outlive_a_teardown(platform: Platform, neighbour: str) -> None:
    messages = Messages(platform.target)
    sent = messages.send("outlives a teardown")
    secrets = platform.env_file.read_bytes()
    state = look(platform)
    run = teardown(platform)
    assert not run.failed, run
    left = look(platform)
    assert left["volume"] == state["volume"]
    theirs = {f"{neighbour}-redis", f"{neighbour}-backend", f"{neighbour}-base:1", "bridge", "host", "none"}
    assert set(left["container"]) | set(left["network"]) <= theirs
    assert f"/opt/{neighbour}/redis" in left["files"]
    assert platform.settings["platform_root"] not in left["files"]
    for volume in left["volume"]:
        assert volume.startswith(neighbour) or f"{volume}" in run.output
    again = teardown(platform)
    assert (again.code, again.changed_count) == (0, 0), again
    assert "there was nothing of it" in again.output
    assert platform.env_file.read_bytes() == secrets
    deployed = platform.play()
    assert not deployed.failed, deployed
    # The neighbour's container never runs: nobody waits for it, or counts it as the platform's.
    assert "two-redis" not in deployed.output
    assert platform.request("GET", f"/api/messages/{sent['id']}").json()["text"] == sent["text"]
    assert set(platform.started()) == {
        name.removeprefix(f"{platform.settings.name}-")
        for name in state["container"]
        if not name.startswith(neighbour)
    }
    messages.remove()


def test_the_host_is_as_it_was_found(platform: Platform, before: State) -> None:
    run = teardown(platform, teardown_data=True, teardown_engine=True)
    assert not run.failed, run
    left = {line for line in differences(before, look(platform)) if not ENDED.match(line)}
    assert left <= UNTIL_REBOOT
    again = teardown(platform, teardown_data=True, teardown_engine=True)
    assert (again.code, again.changed_count) == (0, 0), again
