"""Fixtures of the tests that break things. They change the host: molecule/resilience makes a fresh one.

By hand, against a deployment that may be played with:
    pytest tests/resilience -k kill --ansible-inventory=inventory/hosts.yml --env-file=.env
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reconfigure import conftest as deployments
from tests.reconfigure.conftest import platform  # noqa: F401 - the fixture
from tests.reconfigure.platform import Platform
from tests.reconfigure.results import Results
from tests.resilience.ledger import Ledger
from tests.resilience.places import wait_until_it_follows

HEAD = """# Faults, measured

Written by tests/resilience, the Molecule scenario `resilience`: a fresh Debian 13 host on two cores, which
host, platform, load and tests share. Ten clients write and read all the time; a ledger holds every message
that was accepted. After each fault the ledger is held against the primary's rows, the standby's rows and the
worker's log: `lost` counts what is missing in any of them, `twice` rows that are there twice.

A worker logs a message before it commits that: whoever is killed in between, or gets no answer, has the line
once more (`lines again`). The row is marked once.

`well after` is the time until the container passes its own health check and a message that is written then
is logged; where somebody takes the fault back, it counts from then. `no writing` and `no reading` are the
longest times without a good answer.

| fault | well after | no writing | no reading | requests | failed | accepted | lost | twice | lines again |
|---|---|---|---|---|---|---|---|---|---|
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    deployments.pytest_addoption(parser)
    parser.addoption("--machine", help="the container that plays the host, on this machine's engine")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "short: one of the worst faults, which every `make test` tries")
    # The certificate is made for the test host; tests/infra/test_tls.py looks at it.
    config.addinivalue_line("filterwarnings", "ignore::urllib3.exceptions.InsecureRequestWarning")


@pytest.fixture(scope="session")
def results(pytestconfig: pytest.Config) -> Iterator[Results]:
    results = Results(HEAD)
    yield results
    if file := pytestconfig.getoption("--results"):
        results.write(Path(file))


@pytest.fixture
def ledger(platform: Platform) -> Iterator[Ledger]:  # noqa: F811 - the fixture
    """A load that has not begun; replication is whole before, and its messages go in the end."""
    platform.target.refresh()
    wait_until_it_follows(platform)
    ledger = Ledger(platform)
    yield ledger
    ledger.remove()
