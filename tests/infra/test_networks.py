"""Who sits with whom, who can reach whom, and what the host publishes."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest

from tests.infra.figures import Figure
from tests.infra.services import ONLY_IN, PORTS
from tests.infra.target import Container, Target

# How a connection ends that this host stops, and within how many seconds: a timeout means that it got out.
STOPPED = ("Connection refused", "Network is unreachable", "No route to host")
AT_ONCE = 1.5


@pytest.fixture(scope="module")
def networks(target: Target) -> dict[str, dict[str, Any]]:
    """The platform's networks as the engine knows them."""
    listed = target.run(
        f"docker network ls --quiet --no-trunc --filter name=^{target.settings.name}-"
    ).split()
    found = json.loads(target.run("docker network inspect " + " ".join(listed)))
    return {network["Name"].removeprefix(f"{target.settings.name}-"): network for network in found}


def test_only_the_proxy_publishes_ports(containers: list[Container], target: Target) -> None:
    addresses = {"0.0.0.0"} | ({"::"} if str(target.settings["proxy_ipv6"]).lower() == "true" else set())  # noqa: S104
    ports = (
        ("8080/tcp", target.settings["proxy_http_port"]),
        ("8443/tcp", target.settings["proxy_https_port"]),
    )
    wanted = {(inside, address, str(port)) for (inside, port), address in product(ports, addresses)}
    for container in containers:
        # What was asked for, and what came of it: on a closed network nothing does.
        asked = container.host_config["PortBindings"] or {}
        for bindings in (asked, container.raw["NetworkSettings"]["Ports"]):
            published = {
                (inside, binding["HostIp"], binding["HostPort"])
                for inside, list_of_bindings in bindings.items()
                for binding in list_of_bindings or []
            }
            assert published == (wanted if container.service == "proxy" else set()), container.name


def test_the_networks_are_those_of_the_plan(networks: dict[str, dict[str, Any]], target: Target) -> None:
    assert set(networks) == set(target.settings["platform_networks"])


def test_networks_are_closed_unless_planned_otherwise(
    networks: dict[str, dict[str, Any]], target: Target
) -> None:
    planned = target.settings["platform_networks"]
    assert {name: network["Internal"] for name, network in networks.items()} == {
        name: plan.get("internal", True) for name, plan in planned.items()
    }
    assert {name for name, network in networks.items() if not network["Internal"]} == {"edge"}


def test_bridges_have_names_of_our_own(networks: dict[str, dict[str, Any]], target: Target) -> None:
    prefix = target.settings["platform_bridge_prefix"]
    names = [network["Options"].get("com.docker.network.bridge.name", "") for network in networks.values()]
    assert not [name for name in names if not name.startswith(prefix)]
    assert len(set(names)) == len(names)


def test_they_sit_in_the_planned_networks(containers: list[Container], target: Target) -> None:
    for container in containers:
        plan = target.settings["platform_networks"].items()
        assert set(container.addresses) == {
            name for name, network in plan if container.service in network["members"]
        }


def test_nobody_else_sits_in_them(networks: dict[str, dict[str, Any]], target: Target) -> None:
    attached = {member["Name"] for network in networks.values() for member in network["Containers"].values()}
    assert attached <= set(target.containers)


def test_they_have_their_names_in_every_network(containers: list[Container]) -> None:
    for container in containers:
        for name, network in container.raw["NetworkSettings"]["Networks"].items():
            wanted = {container.service, container.short}
            assert wanted <= set(network["Aliases"]), (container.name, name)


def running(target: Target) -> list[Container]:
    return [container for container in target.containers.values() if container.pid]


def may_reach(plan: dict[str, Any], source: Container, other: Container, network: str, port: int) -> bool:
    """By the plan, not by where they happen to sit."""
    together = {source.service, other.service} <= set(plan[network]["members"])
    return together and ONLY_IN.get((other.service, port), network) == network


@pytest.fixture(scope="module")
def reached(target: Target, figure: Figure) -> dict[str, set[tuple[str, str, int]]]:
    """Container -> (container, network, port) that take a connection from it."""
    everyone = running(target)
    doors = {
        (address, port): (other.name, network, port)
        for other in everyone
        for network, address in other.addresses.items()
        for port in PORTS[other.service]
    }
    tries = {
        str(source.pid): [door for door, (name, _, _) in doors.items() if name != source.name]
        for source in everyone
    }
    figure("pairs of a container and another's port tried", sum(map(len, tries.values())))
    found = target.program("reach", tries)
    return {
        source.name: {doors[address, port] for address, port in found[str(source.pid)]} for source in everyone
    }


def test_they_reach_what_they_share_a_network_with_and_nothing_else(
    containers: list[Container], reached: dict[str, set[tuple[str, str, int]]], target: Target
) -> None:
    plan = target.settings["platform_networks"]
    for source in containers:
        assert source.name in reached, f"{source.name} does not run"
        assert any(source.service in one["members"] for one in plan.values()), f"{source.name} is in no plan"
        allowed = {
            (other.name, network, port)
            for other in running(target)
            for network in plan
            for port in PORTS[other.service]
            if other.name != source.name and may_reach(plan, source, other, network, port)
        }
        assert reached[source.name] - allowed == set(), f"{source.name} reaches too much"
        assert allowed - reached[source.name] == set(), f"{source.name} reaches too little"


@pytest.fixture(scope="module")
def outside(target: Target, figure: Figure) -> dict[str, dict[str, Any]]:
    """Container -> which of the host's sockets it reaches, and how a connection to elsewhere ends."""
    found = target.program("outside", [container.pid for container in running(target)])
    here = found.pop("here")
    # Else nobody would have been listening, and who reaches nothing would have proved nothing.
    assert here["tried"] == len(here["host"]) > 0, f"the host itself reaches {here['host']} only"
    figure("sockets of the host tried from containers", sum(one["tried"] for one in found.values()))
    figure("addresses elsewhere tried from containers", sum(len(one["outside"]) for one in found.values()))
    return {container.name: found[str(container.pid)] for container in running(target)}


def test_they_reach_no_socket_of_the_host(
    containers: list[Container], outside: dict[str, dict[str, Any]]
) -> None:
    assert {container.name: outside[container.name]["host"] for container in containers} == {
        container.name: [] for container in containers
    }


def test_they_open_no_connection_to_the_outside(
    containers: list[Container], outside: dict[str, dict[str, Any]]
) -> None:
    """Neither to the internet nor to where clouds tell a machine its credentials."""
    for container in containers:
        for address, (ending, seconds) in outside[container.name]["outside"].items():
            assert ending in STOPPED, f"{container.name} to {address}: {ending}"
            assert seconds < AT_ONCE, f"{container.name} to {address}: {ending} after {seconds:.1f} s"
