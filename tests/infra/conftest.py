"""Fixtures of the infrastructure tests. They run against one host, through playbooks/verify.yml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra import figures
from tests.infra import settings as given
from tests.infra.elsewhere import namespace
from tests.infra.message import Messages
from tests.infra.services import SERVICES
from tests.infra.target import Container, Target

# testinfra's own fixture lives as long as a module; what was asked once is kept longer.
TARGETS: dict[str, tuple[Target, Messages]] = {}


def pytest_configure(config: pytest.Config) -> None:
    config.stash[figures.FIGURES] = {}
    config.addinivalue_line("markers", "disruptive: stops or restarts services for some seconds")
    config.addinivalue_line("markers", "audit: looks for secrets everywhere and sends what nobody should")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that disturb come last, so that they disturb no other."""
    items.sort(key=lambda item: item.get_closest_marker("disruptive") is not None)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for line in figures.lines(config):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def figure(pytestconfig: pytest.Config, record_testsuite_property: Any) -> figures.Figure:
    """Note a number that the run tells at its end, and keeps with its results."""

    def note(name: str, value: Any) -> None:
        pytestconfig.stash[figures.FIGURES][name] = value
        record_testsuite_property(name, value)

    return note


@pytest.fixture(scope="session")
def settings() -> given.Settings:
    return given.load()


@pytest.fixture(scope="session", autouse=True)
def _leave_nothing_behind() -> Iterator[None]:
    yield
    for target, messages in TARGETS.values():
        messages.remove()
        # What a test has started anew is up again when the next one asks.
        target.settle()


@pytest.fixture(scope="module")
def target(host: Any, settings: given.Settings) -> Target:
    name = host.backend.get_pytest_id()
    if name not in TARGETS:
        target = Target(host, settings)
        target.settle()
        TARGETS[name] = (target, Messages(target))
    return TARGETS[name][0]


@pytest.fixture(scope="module")
def messages(target: Target, host: Any) -> Messages:
    """The run's messages: `answers`, `accepted` and `logged` are those of the one that is posted once."""
    return TARGETS[host.backend.get_pytest_id()][1]


@pytest.fixture
def elsewhere(target: Target) -> Iterator[str]:
    """Another machine: a network namespace's name, for tests/infra/elsewhere.py."""
    with namespace(target) as name:
        yield name


@pytest.fixture(scope="module")
def has_grafana(target: Target) -> bool:
    image = target.settings["grafana_image"]
    return bool(target.run("docker image ls --quiet %s", image.removeprefix("docker.io/")).strip())


@pytest.fixture(scope="module", params=SERVICES)
def containers(request: pytest.FixtureRequest, target: Target, has_grafana: bool) -> list[Container]:
    """The containers of each service in turn."""
    if request.param == "grafana" and not has_grafana:
        pytest.skip("the image of Grafana is not on this host")
    found = target.service(request.param)
    assert found, f"there is no container of {request.param}"
    return found
