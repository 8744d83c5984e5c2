"""A backend that is drained at the proxy gets no new request, and nobody notices that it may be replaced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infra.http_requests import request
from tests.infra.target import Container, Target, wait_for
from tests.infra.test_proxy_upstreams import requests_counted, upstreams

pytestmark = pytest.mark.disruptive


def tell(target: Target, command: str, backend: Container) -> str:
    done = target.execute("proxy", "proxy-upstreams", command, backend.short)
    assert done.rc == 0, done.stderr
    return str(done.stdout)


@pytest.fixture
def backends(target: Target) -> Iterator[list[Container]]:
    target.refresh()
    found = target.service("backend")
    yield found
    for backend in found:
        tell(target, "undrain", backend)


def test_a_drained_backend_gets_no_request_until_it_is_in_turn_again(
    target: Target, backends: list[Container]
) -> None:
    backend = backends[0]
    address = f"server {backend.addresses['backend']}:8000"
    assert address in upstreams(target)
    tell(target, "drain", backend)
    assert address not in upstreams(target)
    before = requests_counted(target, backend)
    assert {answer.status for answer in target.ask(*[request("GET", "/api/data")] * 30)} == {200}
    assert requests_counted(target, backend) == before
    assert tell(target, "undrain", backend)
    assert address in upstreams(target)
    assert not tell(target, "undrain", backend), "a second time there is nothing to say"


def test_nobody_is_drained_where_nobody_else_serves(target: Target, backends: list[Container]) -> None:
    before = upstreams(target)
    for backend in backends:
        tell(target, "drain", backend)
    assert upstreams(target) == before
    assert target.ask(request("GET", "/api/data"))[0].status == 200


def test_a_deployment_that_broke_off_leaves_nobody_out_for_long(
    target: Target, backends: list[Container]
) -> None:
    """What was drained an hour ago is in turn again at the watcher's next round."""
    backend = backends[0]
    tell(target, "drain", backend)
    name = backend.short
    target.execute("proxy", "bash", "-c", 'echo -3600 >"/tmp/drained/$1"', "bash", name)
    address = f"server {backend.addresses['backend']}:8000"
    wait_for("it is in turn again", lambda: address in upstreams(target), 10)
