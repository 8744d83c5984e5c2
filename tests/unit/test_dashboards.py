"""Grafana's dashboards agree with themselves and with the data source that is provisioned beside them."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit import repository as repo

DIRECTORY = repo.ROOT / "roles/observability/files/dashboards"
FILES = sorted(DIRECTORY.glob("*.json"))
DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS = 24
# Grafana shows a unit that it does not know as plain text behind the number: only what is known to work.
RATES = {"mps", "ops", "reqps", "rowsps"}
UNITS = {"bool", "bool_on_off", "bool_yes_no", "bytes", "percentunit", "s", "short"} | RATES


def load(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8")))


def panels() -> list[Any]:
    found = [(file.stem, panel) for file in FILES for panel in load(file)["panels"]]
    return [pytest.param(panel, id=f"{stem}: {panel['title']}") for stem, panel in found]


def values(node: Any, key: str) -> list[Any]:
    """Return what stands under a key anywhere in a JSON value."""
    if isinstance(node, list):
        return [found for item in node for found in values(item, key)]
    if not isinstance(node, dict):
        return []
    own = [node[key]] if key in node else []
    return own + [found for item in node.values() for found in values(item, key)]


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not beside and not above


def test_the_dashboards_of_the_assignment_are_there() -> None:
    assert {file.stem for file in FILES} >= {"overview", "backend", "celery-rabbitmq", "postgresql"}


def test_the_data_source_that_they_name_is_provisioned() -> None:
    template = repo.ROOT / "roles/observability/templates/grafana/datasource.yml.j2"
    assert re.search(rf"^\s+uid: {DATASOURCE['uid']}$", template.read_text(encoding="utf-8"), re.MULTILINE)


def test_uids_and_titles_are_unique() -> None:
    for key in ("uid", "title"):
        found = [load(file)[key] for file in FILES]
        assert len(found) == len(set(found)), f"{key} used twice: {found}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dashboard_is_fit_for_provisioning(file: Path) -> None:
    board = load(file)
    assert board["uid"] == f"octopus-{file.stem}"
    assert board["id"] is None, "Grafana gives the id"
    assert board["schemaVersion"] >= 39
    assert "octopus" in board["tags"]
    assert {"dashboards"} == {link["type"] for link in board["links"] if "octopus" in link["tags"]}
    assert (board["time"], board["refresh"]) == ({"from": "now-1h", "to": "now"}, "30s")
    # Names of data sources are filled in by the import dialogue only, never in provisioned files.
    assert "__inputs" not in board
    assert "${" not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_data_source_is_the_same_everywhere(file: Path) -> None:
    assert all(found == DATASOURCE for found in values(load(file), "datasource"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_panels_have_their_own_ids_and_places(file: Path) -> None:
    found = load(file)["panels"]
    assert 8 <= len(found) <= 14
    ids = [panel["id"] for panel in found]
    assert len(ids) == len(set(ids)), f"an id is used twice: {ids}"
    for one, other in itertools.combinations(found, 2):
        assert not overlap(one["gridPos"], other["gridPos"]), f"{one['title']} covers {other['title']}"


@pytest.mark.parametrize("panel", panels())
def test_a_panel_explains_itself(panel: dict[str, Any]) -> None:
    place = panel["gridPos"]
    assert min(place["x"], place["y"]) >= 0 < min(place["w"], place["h"])
    assert place["x"] + place["w"] <= COLUMNS, "wider than the grid"
    assert panel["title"].strip()
    assert "worry" in panel["description"], "say what it shows and when to worry"
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"] in UNITS
    assert defaults["thresholds"]["steps"][0]["value"] is None
    overridden = values(panel["fieldConfig"]["overrides"], "properties")
    assert all(item["value"] in UNITS for items in overridden for item in items if item["id"] == "unit")


@pytest.mark.parametrize("panel", panels())
def test_a_panel_asks_something(panel: dict[str, Any]) -> None:
    targets = panel["targets"]
    assert panel["datasource"] == DATASOURCE
    assert targets
    assert len({target["refId"] for target in targets}) == len(targets), "a refId is used twice"
    for target in targets:
        assert target["datasource"] == DATASOURCE
        assert target["expr"].strip()
        assert target["legendFormat"].strip()
        assert target["expr"].count("(") == target["expr"].count(")")
        # Anything but this window is too short for some zoom or too long for another.
        assert set(re.findall(r"\[[^\]]*[smhdw\$][^\]]*\]", target["expr"])) <= {"[$__rate_interval]"}
        # A number of now must not be filled up with the last one of a series that has gone.
        assert target["instant"] == (panel["type"] == "stat")
