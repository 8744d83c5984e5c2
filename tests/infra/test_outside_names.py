"""Names are no way out: of names outside, nobody but the container itself is asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.figures import Figure
from tests.infra.target import Container, Target

NOBODY = "127.0.0.1"
# What remote/names.py answers there.
OWN_ANSWER = ["192.0.2.53"]


@pytest.fixture(scope="module")
def answers(target: Target, figure: Figure) -> dict[str, dict[str, Any]]:
    """Container -> addresses that the engine gave it, see remote/names.py."""
    running = [container for container in target.containers.values() if container.pid]
    found = target.program("names", {str(container.pid): container.service for container in running})
    figure("containers in which names outside were asked for", len(found))
    return {container.name: found[str(container.pid)] for container in running}


def test_their_definition_names_a_server_that_is_not_there(containers: list[Container]) -> None:
    for container in containers:
        assert container.host_config["Dns"] == [NOBODY], container.name
        assert "ndots:1" in container.host_config["DnsOptions"], container.name


def test_names_inside_are_known_and_names_outside_are_not(
    containers: list[Container], answers: dict[str, dict[str, Any]]
) -> None:
    for container in containers:
        assert answers[container.name]["inside"], f"{container.name} does not know its own name"
        assert answers[container.name]["outside"] == [], f"{container.name} learns of names outside"


def test_the_engine_asks_within_the_container(
    containers: list[Container], answers: dict[str, dict[str, Any]]
) -> None:
    """Where it asks anybody: on closed networks, some versions do not. Silence could be a dead resolver."""
    for container in containers:
        possible = [OWN_ANSWER] if container.service == "proxy" else [OWN_ANSWER, []]
        assert answers[container.name]["answered"] in possible, container.name


def test_programs_do_not_wait_long_for_a_name_outside(target: Target) -> None:
    """In the proxy, on the open network, with the settings that the engine writes for all."""
    line = "unset RES_OPTIONS; timeout 3 getent ahosts octopus-verify.example.org"
    result = target.execute("proxy", "bash", "-c", line)
    assert (result.rc, result.stdout) == (2, ""), "124: it is still waiting"
