"""The program that makes backups: what pgBackRest and the engine say is turned into decisions and figures."""

from __future__ import annotations

import importlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.repository import ROOT

sys.path.append(str(ROOT / "roles/backup/files"))
catalogue: Any = importlib.import_module("octopus_backup.catalogue")
figures: Any = importlib.import_module("octopus_backup.figures")
engine: Any = importlib.import_module("octopus_backup.engine")
NOW = datetime(2026, 1, 10, tzinfo=UTC)


def at(day: int) -> int:
    return int(datetime(2026, 1, day, tzinfo=UTC).timestamp())


def told(*backups: tuple[str, int, bool]) -> str:
    """Return pgBackRest's words about backups: label, day, whether it has an error."""
    listed = [
        {
            "label": label,
            "type": "full",
            "error": error,
            "timestamp": {"start": at(day) - 5, "stop": at(day)},
            "info": {"size": 100, "repository": {"delta": 10}},
        }
        for label, day, error in backups
    ]
    return json.dumps([{"name": "octopus", "backup": listed}])


BACKUPS = catalogue.read(
    f"new {told(('c', 5, False), ('d', 7, True))}\nold {told(('a', 1, False), ('b', 3, False))}"
)


def test_backups_of_all_repositories_are_in_order_and_broken_ones_left_out() -> None:
    assert [(one.repository, one.label) for one in BACKUPS] == [("old", "a"), ("old", "b"), ("new", "c")]


@pytest.mark.parametrize(
    ("target", "label"),
    [("latest", "c"), ("2026-01-04 12:00:00", "b"), ("2026-01-05T01:00:00+01:00", "c"), ("2026-01-01", "a")],
)
def test_a_restore_begins_with_the_last_backup_before_its_target(target: str, label: str) -> None:
    assert catalogue.covering(BACKUPS, target, NOW).label == label


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("2025-12-31 23:59:59", "No backup covers"),
        ("2026-02-01", "still to come"),
        ("yesterday", "is no moment"),
    ],
)
def test_a_target_that_nothing_covers_is_refused(target: str, says: str) -> None:
    with pytest.raises(engine.BackupError, match=says):
        catalogue.covering(BACKUPS, target, NOW)


def test_without_a_backup_there_is_nothing_to_restore() -> None:
    with pytest.raises(engine.BackupError, match="no backup yet"):
        catalogue.covering([], "latest", NOW)


def test_pgbackrest_is_told_a_moment_in_utc() -> None:
    (wanted,) = [one for one in catalogue.arguments(BACKUPS[0], "2026-01-02 03:00+03:00") if "target=" in one]
    assert wanted == "--target=2026-01-02 00:00:00.000000+00"
    assert catalogue.arguments(BACKUPS[0], "latest") == ["--set=a", "--type=default"]


def test_figures_are_replaced_in_one_step_and_readable(tmp_path: Path) -> None:
    figures.write(str(tmp_path), "backup", {'size{type="full"}': 3, "failed": 0})
    (file,) = tmp_path.iterdir()
    assert file.name == "backup.prom"
    assert file.stat().st_mode & 0o777 == 0o644
    assert file.read_text(encoding="utf-8").splitlines() == [
        "# TYPE octopus_backup_failed gauge",
        "# TYPE octopus_backup_size gauge",
        "octopus_backup_failed 0",
        'octopus_backup_size{type="full"} 3',
    ]
