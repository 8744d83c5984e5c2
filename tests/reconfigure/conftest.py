"""Fixtures of the tests that deploy again. They change the host: molecule/reconfigure makes a fresh one.

By hand, against a deployment that may be played with (this machine's, by default):
    pytest tests/reconfigure -k limits --ansible-inventory=inventory/hosts.yml --env-file=.env
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.settings import ROOT
from tests.reconfigure import versions
from tests.reconfigure.platform import Platform
from tests.reconfigure.results import Results
from tests.reconfigure.runs import BIN

HEAD = """# Deploying again, measured

Written by tests/reconfigure: by the Molecule scenario `reconfigure` over SSH to a Debian 13 host, by the
scenario `readme` on a Debian 12 host itself.

| what | measured |
|---|---|
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    # --ansible-inventory and --sudo are testinfra's own.
    parser.addoption("--env-file", default="", help="the host's .env; the inventory's own by default")
    parser.addoption("--rate", type=int, default=200, help="requests a second where there is load (200)")
    parser.addoption("--results", metavar="FILE", help="a file for the table of what was measured")


def pytest_configure(config: pytest.Config) -> None:
    # The certificate is made for the test host; tests/infra/test_tls.py looks at it.
    config.addinivalue_line("filterwarnings", "ignore::urllib3.exceptions.InsecureRequestWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the teardown last: nothing is there after it."""
    items.sort(key=lambda item: item.path.name == "test_teardown.py")


@pytest.fixture(scope="session")
def platform(pytestconfig: pytest.Config) -> Iterator[Platform]:
    inventory = pytestconfig.getoption("--ansible-inventory") or str(ROOT / "inventory/hosts.yml")
    with pytest.MonkeyPatch.context() as patch:
        # testinfra asks ansible-inventory, the one of this very Ansible.
        patch.setenv("PATH", str(BIN), prepend=":")
        platform = Platform(inventory, pytestconfig.getoption("--env-file"), pytestconfig.getoption("--sudo"))
        yield platform
        platform.close()


@pytest.fixture(scope="session")
def results(pytestconfig: pytest.Config) -> Iterator[Results]:
    results = Results(HEAD)
    yield results
    if file := pytestconfig.getoption("--results"):
        results.write(Path(file))


@pytest.fixture
def last_revision(platform: Platform) -> Iterator[str]:
    """The database's revision, which is that again in the end.

    Whoever deploys another version deploys this repository's after that, which does not know the other's.
    """
    target, database = platform.target, platform.settings["postgres_database"]
    last = str(
        target.rows(target.primary, "select version_num from alembic_version", database)[0]["version_num"]
    )
    yield last
    assert target.psql(target.primary, versions.UNDO.format(last=last), database).rc == 0
