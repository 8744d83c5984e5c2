"""The filter secret_file_problem: modes and owners of the file of secrets that are refused, and how."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from plugins.filter.secret_file import secret_file_problem

USER, OTHER, ROOT, NOBODY = 4242424, 4242425, 0, pwd.getpwnam("nobody").pw_uid
PATH = "/none-such/.env"


def stat(mode: str = "0600", uid: int = USER) -> dict[str, Any]:
    return {"exists": True, "mode": mode, "uid": uid}


@pytest.mark.parametrize("mode", ["0600", "0400", "0000", "0700"])
def test_a_file_for_its_owner_is_right(mode: str) -> None:
    assert secret_file_problem(stat(mode), PATH, USER) == ""


@pytest.mark.parametrize("mode", ["0640", "0620", "0604", "0602", "0644", "0660", "0666", "0610", "4644"])
def test_a_file_open_to_others_is_refused(mode: str) -> None:
    assert secret_file_problem(stat(mode), PATH, USER) == (
        f"{PATH} is open to other users than its owner (mode {mode}): chmod 600 {PATH}, and change"
        " the secrets if somebody may have read them."
    )


@pytest.mark.parametrize(
    ("owner", "uid", "sudo_uid", "is_right"),
    [
        (USER, USER, "", True),
        (ROOT, ROOT, "", True),
        (ROOT, ROOT, str(USER), True),
        (USER, ROOT, str(USER), True),
        (USER, ROOT, "", False),
        (OTHER, ROOT, str(USER), False),
        (OTHER, USER, "", False),
        # Only root has got its rights from sudo's caller.
        (OTHER, USER, str(OTHER), False),
        (ROOT, USER, "", False),
        (USER, ROOT, "nonsense", False),
    ],
)
def test_the_owner_is_who_runs_the_play(owner: int, uid: int, sudo_uid: str, is_right: bool) -> None:
    assert (secret_file_problem(stat(uid=owner), PATH, uid, sudo_uid) == "") == is_right


def test_names_are_told_where_there_are_some() -> None:
    assert secret_file_problem(stat(uid=NOBODY), PATH, str(USER)) == (
        f"{PATH} belongs to nobody, who can read and change the secrets, but this play is run by user id"
        f" {USER}: look at what is in it, then chown {USER} {PATH}"
    )


def test_a_missing_file_is_made_later() -> None:
    assert secret_file_problem({"exists": False}, PATH, USER) == ""


def test_behind_a_link_the_file_itself_is_named(tmp_path: Path) -> None:
    """That stat follows is the role's: this is about the words."""
    (tmp_path / "real").write_text("")
    (tmp_path / ".env").symlink_to("real")
    said = secret_file_problem(stat("0644", os.getuid()), str(tmp_path / ".env"), os.getuid())
    assert said.startswith(f"{tmp_path}/.env ({tmp_path}/real) is open")
