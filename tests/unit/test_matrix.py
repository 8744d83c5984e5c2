"""Who reaches whom, as docs/security.md tells it: today's networks, and no service forgotten."""

from __future__ import annotations

from scripts import matrix
from tests.infra.services import PORTS, SERVICES

# They listen nowhere, and are gone when they are done; or they are only there when configured.
SILENT = {"migrate", "backup"}


def test_the_page_is_up_to_date() -> None:
    text = matrix.PAGE.read_text(encoding="utf-8")
    assert text == matrix.page(text), "run `make docs`"


def test_the_reachability_test_knows_every_service() -> None:
    """One that is missing there would never be tried."""
    assert set(matrix.services()) - SILENT == set(PORTS) == set(SERVICES)


def test_what_shares_no_network_is_closed() -> None:
    assert matrix.open_ports("proxy", "pg-primary") == {}
    assert matrix.open_ports("frontend", "redis") == {}
    assert matrix.open_ports("backend", "pg-primary") == {5432: ["database"]}


def test_who_only_asks_in_a_network_is_not_reached_there() -> None:
    assert matrix.open_ports("backend", "prometheus") == {}
    assert matrix.open_ports("grafana", "prometheus") == {9090: ["monitoring"]}
    assert 8081 not in matrix.open_ports("frontend", "proxy")
