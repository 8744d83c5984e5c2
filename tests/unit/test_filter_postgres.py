"""Who is primary, and which place of PostgreSQL is settled first."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.filter.postgres import postgres_primary, postgres_trouble, postgres_unfinished, settled_first

PLACES = ["first", "second"]
PRIMARY = {"standby": False, "connections": 60}
STANDBY = {"standby": True, "connections": 60}


# What postgres_look tells of a volume.
NEW = {"data": False, "signal": False, "order": ""}
PRIMARYS = {"data": True, "signal": False, "order": ""}
STANDBYS = {"data": True, "signal": True, "order": ""}
OUT = PRIMARYS | {"order": "fenced"}


def looked(states: dict[str, Any], first: Any = PRIMARYS, second: Any = STANDBYS) -> dict[str, Any]:
    return {"states": states, "volumes": {"first": first, "second": second}}


@pytest.mark.parametrize(
    ("found", "primary"),
    [
        ({"states": {}, "volumes": {}}, "first"),
        (looked({}, NEW, NEW), "first"),
        (looked({"first": PRIMARY, "second": STANDBY}), "first"),
        (looked({"first": STANDBY, "second": PRIMARY}, STANDBYS, PRIMARYS), "second"),
        (looked({"first": STANDBY}, STANDBYS, PRIMARYS), "second"),
        (looked({"second": STANDBY}), "first"),
        (looked({"second": PRIMARY}, NEW, PRIMARYS), "second"),
        (looked({}, STANDBYS, PRIMARYS), "second"),
        (looked({}, OUT, PRIMARYS), "second"),
    ],
)
def test_the_primary_is_who_says_so_or_whose_data_are_one(found: dict[str, Any], primary: str) -> None:
    assert postgres_primary(found, PLACES) == primary


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (looked({"first": PRIMARY, "second": PRIMARY}, PRIMARYS, PRIMARYS), "both say that they are primary"),
        (looked({"second": STANDBY}, NEW), "first is empty. playbooks/failover.yml makes second the primary"),
        (
            looked({"second": STANDBY}, OUT),
            "first is fenced. playbooks/failover.yml makes second the primary",
        ),
        (looked({}, NEW), "first is empty"),
        ({"states": {}, "volumes": {}}, ""),
        (looked({}, NEW, NEW), ""),
        (looked({"first": PRIMARY, "second": STANDBY}), ""),
        (looked({"second": STANDBY}), ""),
        (looked({"first": PRIMARY}, PRIMARYS, NEW), ""),
        (looked({"second": PRIMARY}, OUT, PRIMARYS), ""),
    ],
)
def test_a_deployment_stops_where_it_would_have_to_choose(found: dict[str, Any], says: str) -> None:
    trouble = postgres_trouble(found, "octopus")
    assert says in trouble
    assert bool(says) == bool(trouble)


@pytest.mark.parametrize(
    ("found", "unfinished"),
    [
        (looked({"first": PRIMARY, "second": STANDBY}), False),
        (looked({"second": STANDBY}), False),
        (looked({"first": PRIMARY}, PRIMARYS, NEW), False),
        ({"states": {}, "volumes": {}}, False),
        (looked({"first": PRIMARY, "second": STANDBY}, STANDBYS), True),
        (looked({"second": STANDBY}, STANDBYS), True),
        (looked({}, STANDBYS), True),
        (looked({"first": STANDBY, "second": STANDBY}, STANDBYS), True),
    ],
)
def test_a_switchover_that_broke_off_is_seen(found: dict[str, Any], unfinished: bool) -> None:
    assert postgres_unfinished(found) == unfinished


@pytest.mark.parametrize(
    ("states", "connections", "first"),
    [
        ({}, 60, ""),
        ({"first": PRIMARY}, 60, ""),
        ({"second": STANDBY}, 60, ""),
        ({"first": PRIMARY, "second": STANDBY}, 60, "second"),
        ({"first": PRIMARY, "second": STANDBY}, 70, "second"),
        ({"first": PRIMARY, "second": STANDBY}, 50, "first"),
        ({"first": STANDBY, "second": PRIMARY}, 60, "first"),
        ({"first": STANDBY, "second": PRIMARY}, 50, "second"),
        ({"first": STANDBY, "second": STANDBY}, 60, ""),
    ],
)
def test_the_standby_goes_first_but_for_fewer_connections(
    states: dict[str, Any], connections: int, first: str
) -> None:
    assert settled_first(states, connections) == first
