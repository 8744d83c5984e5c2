"""Major versions of data in volumes: what the probe reads of them, and what a container does at its start."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from plugins.lookup.role_variables import ROOT
from roles.preflight.files.probe import number_in

ON_VOLUME = ROOT / "roles/base_image/files/image/on-volume"


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (b"17\n", "17"),
        (b"8", "8"),
        (b"", ""),
        (b"root:x:0:0", ""),
        (b"17x", ""),
        (b"123456789", ""),
        (b"\xff", ""),
    ],
)
def test_nothing_but_a_number_is_read_of_a_volume(tmp_path: Path, content: bytes, number: str) -> None:
    (tmp_path / "MAJOR_VERSION").write_bytes(content)
    assert number_in(str(tmp_path / "MAJOR_VERSION")) == number


def test_no_link_and_no_pipe_of_a_volume_is_read(tmp_path: Path) -> None:
    """They are a container's: a link may lead out of the volume, and a pipe would never answer."""
    (tmp_path / "outside").write_text("17")
    (tmp_path / "link").symlink_to("outside")
    os.mkfifo(tmp_path / "pipe")
    assert [number_in(str(tmp_path / name)) for name in ("link", "pipe", "missing")] == ["", "", ""]


def start(volume: Path, major: str) -> subprocess.CompletedProcess[str]:
    command = [str(ON_VOLUME), str(volume), "echo", "started"]
    environment = os.environ | {"MAJOR_VERSION": major}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("content", ["", "something"])
def test_the_first_start_notes_the_version(tmp_path: Path, content: str) -> None:
    """In an empty volume, and in one from before there was a note."""
    (tmp_path / "data").write_text(content)
    assert start(tmp_path, "8").stdout == "started\n"
    assert number_in(str(tmp_path / "MAJOR_VERSION")) == "8"
    assert start(tmp_path, "8").returncode == 0


@pytest.mark.parametrize("major", ["7", "9"])
def test_another_version_does_not_start(tmp_path: Path, major: str) -> None:
    start(tmp_path, "8")
    refused = start(tmp_path, major)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{tmp_path} holds data of major version 8, this is echo {major}" in refused.stderr
    assert number_in(str(tmp_path / "MAJOR_VERSION")) == "8"
