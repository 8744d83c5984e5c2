"""What is done to a container, and undone: by root on the host, as an accident or an operator would."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator

from tests.reconfigure.platform import Platform

AWAY = 5  # seconds for which a container is away


def signal(platform: Platform, container: str, number: str) -> None:
    """Send a signal to the main process of a container: the child of its init."""
    init = int(platform.inspect(container)["State"]["Pid"])
    platform.target.run(f"kill -{number} $(cat /proc/{init}/task/{init}/children)")


def kill(platform: Platform, container: str) -> None:
    signal(platform, container, "KILL")


def hang(platform: Platform, container: str) -> None:
    signal(platform, container, "STOP")


@contextlib.contextmanager
def stopped(platform: Platform, container: str) -> Iterator[None]:
    name = f"{platform.settings.name}-{container}"
    platform.target.run("docker stop %s", name)
    yield
    platform.target.run("docker start %s", name)


@contextlib.contextmanager
def paused(platform: Platform, container: str) -> Iterator[None]:
    name = f"{platform.settings.name}-{container}"
    platform.target.run("docker pause %s", name)
    yield
    platform.target.run("docker unpause %s", name)


@contextlib.contextmanager
def disconnected(platform: Platform, container: str) -> Iterator[None]:
    """Without any of its networks; then in them again, under the names that it had."""
    name = f"{platform.settings.name}-{container}"
    told = json.loads(platform.target.run("docker inspect %s", name))[0]
    networks = told["NetworkSettings"]["Networks"]
    for network in networks:
        platform.target.run("docker network disconnect %s %s", network, name)
    yield
    for network, found in networks.items():
        # The engine adds the container's short id by itself.
        aliases = [alias for alias in found["Aliases"] if alias != told["Id"][:12]]
        words = " ".join(f"--alias {alias}" for alias in aliases)
        platform.target.run(f"docker network connect {words} %s %s", network, name)


AWAYS: dict[str, Callable[[Platform, str], contextlib.AbstractContextManager[None]]] = {
    "stopped": stopped,
    "paused": paused,
    "disconnected": disconnected,
}
