"""Who is primary, and which place of PostgreSQL is settled first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.filter.postgres import postgres_primary, postgres_states, settled_first

PLACES = ["first", "second"]
PRIMARY = {"standby": False, "connections": 60}
STANDBY = {"standby": True, "connections": 60}


def test_who_answers_is_told_and_nobody_else() -> None:
    results = [
        {"item": "first", "rc": 0, "stdout": json.dumps(PRIMARY)},
        {"item": "second", "rc": 2, "stdout": ""},
        {"item": "third", "failed": True, "msg": "is not running"},
    ]
    assert postgres_states(results) == {"first": PRIMARY}
    assert postgres_states([]) == {}


@pytest.mark.parametrize(
    ("states", "primary"),
    [
        ({}, "first"),
        ({"first": PRIMARY, "second": STANDBY}, "first"),
        ({"first": STANDBY, "second": PRIMARY}, "second"),
        ({"first": STANDBY}, "second"),
        ({"second": STANDBY}, "first"),
        ({"second": PRIMARY}, "second"),
    ],
)
def test_the_primary_is_who_says_so_or_does_not_deny_it(states: dict[str, Any], primary: str) -> None:
    assert postgres_primary(states, PLACES) == primary


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
