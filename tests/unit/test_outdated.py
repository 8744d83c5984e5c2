"""What `make outdated` makes of what it is told."""

from __future__ import annotations

from scripts import outdated


def test_pins_are_read_with_markers_and_hashes() -> None:
    text = "a-b==1.2 \\\n    --hash=sha256:00\n    # via c\nd==3 ; sys_platform == 'win32' \\\n"
    assert outdated.pins(text) == {"a-b": "1.2", "d": "3"}


def test_bounds_do_not_count() -> None:
    text = "# a>=1\na>=12.3,<13\nb[x] ~= 2 ; python_version < '3.13'\n-c a.txt\nd\n"
    unbound = "# a>=1\na\nb[x]; python_version < '3.13'\n-c a.txt\nd\n"
    assert outdated.BOUND.sub(r"\1", text) == unbound


def test_only_what_differs_is_named() -> None:
    assert outdated.newer({"a": "1", "b": "1", "gone": "1"}, {"a": "2", "b": "1", "new": "1"}) == ["a 1 -> 2"]


def test_upgrades_are_read() -> None:
    text = (
        "Listing...\n"
        "libssl3t64/stable-security 3.5.4-1 amd64 [upgradable from: 3.5.1-1]\n"
        "nginx/stable-security,stable 1.26.3-4 amd64 [upgradable from: 1.26.3-3]\n"
    )
    assert outdated.upgrades(text) == ["libssl3t64 3.5.1-1 -> 3.5.4-1", "nginx 1.26.3-3 -> 1.26.3-4"]


def test_the_newest_version_counts_by_number() -> None:
    assert outdated.newest(["latest", "12.2.0", "12.10.0", "12.9.3", "13.0.0-beta1", "main"]) == "12.10.0"
    assert outdated.newest(["latest"]) == ""
