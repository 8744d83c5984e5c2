"""The module container_fallback: how it keeps a directory and puts it back."""

from __future__ import annotations

import os
from pathlib import Path

from plugins.modules.container_fallback import copy, refill


def contents(directory: Path) -> dict[str, tuple[str, int]]:
    files = (file for file in directory.rglob("*") if file.is_file())
    return {str(file.relative_to(directory)): (file.read_text(), file.stat().st_mode) for file in files}


def fill(directory: Path) -> None:
    (directory / "below").mkdir(parents=True)
    (directory / "a.conf").write_text("one")
    (directory / "below/b.conf").write_text("two")
    (directory / "a.conf").chmod(0o400)


def test_a_directory_is_kept_as_it_is(tmp_path: Path) -> None:
    fill(tmp_path / "config")
    copy(str(tmp_path / "config"), str(tmp_path / "kept"))
    assert contents(tmp_path / "kept") == contents(tmp_path / "config")
    assert not (tmp_path / "kept.unfinished").exists()


def test_what_an_interrupted_copy_left_is_not_in_the_way(tmp_path: Path) -> None:
    fill(tmp_path / "config")
    (tmp_path / "kept.unfinished").mkdir()
    copy(str(tmp_path / "config"), str(tmp_path / "kept"))
    assert contents(tmp_path / "kept") == contents(tmp_path / "config")


def test_a_directory_is_put_back_and_stays_the_same_one(tmp_path: Path) -> None:
    config = tmp_path / "config"
    fill(config)
    before, number = contents(config), os.stat(config).st_ino
    copy(str(config), str(tmp_path / "kept"))
    (config / "new").mkdir()
    (config / "new/c.conf").write_text("three")
    (config / "below/b.conf").write_text("wrong")
    refill(str(config), str(tmp_path / "kept"))
    assert contents(config) == before
    assert os.stat(config).st_ino == number, "a container has this directory mounted"
    assert not (tmp_path / "kept").exists()
