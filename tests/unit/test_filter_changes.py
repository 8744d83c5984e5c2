"""The filters that tell what a deployment changes."""

from __future__ import annotations

from typing import Any

from plugins.filter.changes import as_changes, changes_done, changes_table, first_changes

INTERRUPTIONS = {"proxy": "nothing is answered", "backend": ""}
CHANGES: list[dict[str, Any]] = [
    {"name": "octopus-gone", "action": "removed"},
    {"name": "octopus-proxy", "service": "proxy", "action": "recreated", "seconds": 1.2},
    {"name": "octopus-backend-1", "service": "backend", "action": "recreated", "seconds": ""},
    {"name": "octopus-image", "action": "built"},
    *as_changes(["password of app", "password of nobody"], "updated", {"password of app": "some get 503"}),
]


def test_the_table_says_what_is_noticed_in_the_order_of_the_deed() -> None:
    assert changes_table(CHANGES, INTERRUPTIONS) == [
        "  built      octopus-image",
        "  recreated  octopus-proxy       nothing is answered",
        "  recreated  octopus-backend-1",
        "  updated    password of app     some get 503",
        "  updated    password of nobody",
        "  removed    octopus-gone",
    ]


def test_what_is_new_interrupts_nobody() -> None:
    created = [{"name": "octopus-proxy", "service": "proxy", "action": "created"}]
    assert changes_table(created, INTERRUPTIONS) == ["  created    octopus-proxy"]


def test_the_summary_has_a_line_for_each_kind_of_change() -> None:
    assert changes_done(CHANGES) == [
        "built octopus-image",
        "recreated octopus-proxy (away 1.2 s), octopus-backend-1",
        "updated password of app, password of nobody",
        "removed octopus-gone",
    ]
    assert changes_done([]) == []


def test_a_first_deployment_creates_every_container() -> None:
    assert first_changes(
        INTERRUPTIONS, {"backend": ["octopus-backend-1", "octopus-backend-2"]}, "octopus"
    ) == [
        {"name": "octopus-proxy", "service": "proxy", "action": "created"},
        {"name": "octopus-backend-1", "service": "backend", "action": "created"},
        {"name": "octopus-backend-2", "service": "backend", "action": "created"},
    ]
