"""What listens in the containers is what tests/infra/services.py says: other tests knock there only."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.figures import Figure
from tests.infra.services import ONLY_IN, PORTS
from tests.infra.target import Container, Target

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104


@pytest.fixture(scope="module")
def listeners(target: Target, figure: Figure) -> dict[str, list[tuple[str, int]]]:
    """Container -> (address, port) that take TCP connections, but for loopback."""
    running = {str(container.pid): name for name, container in target.containers.items() if container.pid}
    found: dict[str, Any] = target.program("listeners", [int(pid) for pid in running])
    figure("listening sockets found in containers", sum(map(len, found.values())))
    return {running[pid]: [(address, port) for address, port in all_of] for pid, all_of in found.items()}


def networks_of(container: Container, address: str) -> set[str]:
    """Return the networks in which an address is heard; an unknown address stands for itself."""
    if address in EVERYWHERE:
        return set(container.addresses)
    return {name for name, own in container.addresses.items() if own == address} or {address}


def test_they_listen_where_they_have_to_and_nowhere_else(
    containers: list[Container], listeners: dict[str, list[tuple[str, int]]]
) -> None:
    for container in containers:
        heard: dict[int, set[str]] = {}
        for address, port in listeners[container.name]:
            heard.setdefault(port, set()).update(networks_of(container, address))
        assert heard == {
            port: {ONLY_IN.get((container.service, port), network) for network in container.addresses}
            for port in PORTS[container.service]
        }, container.name
