"""The filter `secret_file_problem`: who may read the file of secrets, by what `stat` says about it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from typing import Any

OTHERS = 0o077
ROOT = 0


def user_name(uid: int) -> str:
    """Return a user's name; the number where the controller knows none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user id {uid}"


def secret_file_problem(stat: Mapping[str, Any], path: str, uid: int | str, sudo_uid: str = "") -> str:
    """Return one sentence: what is wrong with mode or owner of a file, what to do; nothing if all is right.

    `stat` is that of ansible.builtin.stat with follow: of a symbolic link, the target is judged. `uid` is
    the user who runs the play. Root by sudo may use the file of the user that called sudo (`sudo_uid`).
    """
    if not stat.get("exists"):
        return ""
    name = path if os.path.realpath(path) == os.path.abspath(path) else f"{path} ({os.path.realpath(path)})"
    owners = {int(uid)}
    if int(uid) == ROOT and sudo_uid.isdigit():
        owners.add(int(sudo_uid))
    owner = int(stat["uid"])
    if owner not in owners:
        return (
            f"{name} belongs to {user_name(owner)}, who can read and change the secrets, but this play is"
            f" run by {user_name(int(uid))}: look at what is in it, then chown {uid} {path}"
        )
    if int(str(stat["mode"]), 8) & OTHERS:
        return (
            f"{name} is open to other users than its owner (mode {stat['mode']}): chmod 600 {path}, and"
            " change the secrets if somebody may have read them."
        )
    return ""


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"secret_file_problem": secret_file_problem}
