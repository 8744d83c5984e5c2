"""The module config_directory: a directory that holds exactly the files it is given."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MODULE = Path(__file__).resolve().parents[2] / "plugins/modules/config_directory.py"


def run(path: Path, files: dict[str, str], **options: Any) -> dict[str, Any]:
    """Run the module as Ansible does, and return its answer."""
    arguments = {"path": str(path), "files": files, "owner": os.getuid(), **options}
    done = subprocess.run(
        [sys.executable, str(MODULE)],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_DEBUG": "0"},
    )
    return dict(json.loads(done.stdout))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "config"


def contents(directory: Path) -> dict[str, str]:
    return {
        str(file.relative_to(directory)): file.read_text() for file in directory.rglob("*") if file.is_file()
    }


def test_files_are_written_once(directory: Path) -> None:
    files = {"a.conf": "one\n", "below/b.conf": "two\n"}
    assert run(directory, files)["changed"]
    assert contents(directory) == files
    assert not run(directory, files)["changed"]


def test_modes_are_set_and_mended(directory: Path) -> None:
    run(directory, {"a": "x"}, directory_mode="0500", file_mode="0400")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o500
    assert stat.S_IMODE((directory / "a").stat().st_mode) == 0o400
    (directory / "a").chmod(0o644)
    assert run(directory, {"a": "x"}, directory_mode="0500", file_mode="0400")["written"] == ["a"]


def test_what_is_not_listed_goes(directory: Path) -> None:
    run(directory, {"a": "x", "below/b": "y"})
    answer = run(directory, {"a": "x"})
    assert answer["removed"] == ["below/b"]
    assert contents(directory) == {"a": "x"}
    assert not (directory / "below").exists()


def test_check_mode_changes_nothing(directory: Path) -> None:
    run(directory, {"a": "old"})
    answer = run(directory, {"a": "new", "b": "x"}, _ansible_check_mode=True)
    assert answer["changed"]
    assert contents(directory) == {"a": "old"}


def test_a_difference_shows_no_secret(directory: Path) -> None:
    run(directory, {"a": "old secret"}, secret=True)
    answer = run(directory, {"a": "new secret"}, secret=True)
    assert "old secret" not in json.dumps(answer["diff"])
    assert "new secret" not in json.dumps(answer["diff"])
    assert "new text" in json.dumps(run(directory, {"a": "new text"})["diff"])
