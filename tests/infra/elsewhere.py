"""Another machine, played by a network namespace of the host under test: another client address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.infra.target import Response, Target, remote

HERE, ELSEWHERE = "198.51.100.1", "198.51.100.2"  # kept for documentation
# A network namespace with one way out: to this host.
MAKE = """
set -e
ip netns add $1
ip link add $1 type veth peer name eth0 netns $1
ip address add $2/30 dev $1
ip link set $1 up
ip -n $1 address add $3/30 dev eth0
ip -n $1 link set eth0 up
ip -n $1 link set lo up
ip -n $1 route add default via $2
"""


@contextmanager
def namespace(target: Target) -> Iterator[str]:
    """A namespace as long as it is needed; the host is at HERE for it, and it is at ELSEWHERE."""
    name = "octo-verify"
    target.run("ip netns delete %s 2>/dev/null; true", name)
    target.run("sh -c %s sh %s %s %s", MAKE, name, HERE, ELSEWHERE)
    try:
        yield name
    finally:
        target.run("ip netns delete %s", name)


def program_from(target: Target, name: str, program: str, argument: Any) -> Any:
    """Run a file of remote/ there; return the JSON that it prints."""
    line = "ip netns exec %s python3 -c %s %s"
    return json.loads(target.run(line, name, remote(program), json.dumps(argument)))


def ask_from(target: Target, name: str, *requests: dict[str, Any], parallel: int = 1) -> list[Response]:
    """Send requests from there, in their order."""
    port = target.settings["proxy_https_port"]
    job = {"requests": [{"address": HERE, "port": port, **one} for one in requests], "parallel": parallel}
    return [Response(**answer) for answer in program_from(target, name, "ask", job)]
