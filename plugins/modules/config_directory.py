#!/usr/bin/python
"""Ansible module: a directory that holds exactly the files it is given."""

from __future__ import annotations

DOCUMENTATION = r"""
module: config_directory
short_description: A directory that holds exactly these files
description:
  - Writes each file in one step (rename), fixes owner and mode, and removes every file that is not listed.
  - One call for a whole directory, so that a rerun is cheap and a file taken out of the list is really gone.
options:
  path:
    description: The directory.
    type: path
    required: true
  files:
    description: File names, which may lie in directories below, and their contents.
    type: dict
    required: true
  owner:
    description: Numeric id of the user and group that own directory and files.
    type: int
    default: 0
  directory_mode:
    description: Octal mode of the directory.
    type: str
    default: "0755"
  file_mode:
    description: Octal mode of each file.
    type: str
    default: "0444"
  secret:
    description: Keep the contents out of differences.
    type: bool
    default: false
"""
RETURN = r"""
written:
  description: Names of the files that were written.
  type: list
  returned: always
removed:
  description: Names of the files that were removed.
  type: list
  returned: always
"""

import os
import stat
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule


def read(path: str) -> str | None:
    """Return a file's text, or None where there is no such file."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def settled(path: str, owner: int, mode: int) -> bool:
    """Whether path exists with this owner, group and mode."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    return (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (owner, owner, mode)


def settle(path: str, owner: int, mode: int) -> None:
    """Give path its owner and mode."""
    os.chown(path, owner, owner)
    os.chmod(path, mode)


def listed(path: str) -> set[str]:
    """Return the names of all files below a directory."""
    return {
        os.path.relpath(os.path.join(parent, name), path)
        for parent, _, names in os.walk(path)
        for name in names
    }


def directories(files: dict[str, Any]) -> list[str]:
    """Return the directories that files need, "" for the top one, parents first."""
    found = {""}
    for name in files:
        while name := os.path.dirname(name):
            found.add(name)
    return sorted(found)


def write(path: str, text: str, owner: int, mode: int) -> None:
    """Replace a file in one step."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    settle(temporary, owner, mode)
    os.replace(temporary, path)


def remove(path: str, name: str) -> None:
    """Remove a file, and the directories below path that it leaves empty."""
    os.unlink(os.path.join(path, name))
    while (name := os.path.dirname(name)) and not os.listdir(os.path.join(path, name)):
        os.rmdir(os.path.join(path, name))


def main() -> None:
    """Compare, then write unless in check mode."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "files": {"type": "dict", "required": True},
            "owner": {"type": "int", "default": 0},
            "directory_mode": {"type": "str", "default": "0755"},
            "file_mode": {"type": "str", "default": "0444"},
            "secret": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    path, owner = module.params["path"], module.params["owner"]
    file_mode, directory_mode = (int(module.params[key], 8) for key in ("file_mode", "directory_mode"))
    files: dict[str, Any] = {name: str(text) for name, text in module.params["files"].items()}

    before = {name: read(os.path.join(path, name)) for name in files}
    written = sorted(
        name
        for name, text in files.items()
        if before[name] != text or not settled(os.path.join(path, name), owner, file_mode)
    )
    removed = sorted(listed(path) - set(files))
    unsettled = [
        name for name in directories(files) if not settled(os.path.join(path, name), owner, directory_mode)
    ]

    if not module.check_mode:
        for name in unsettled:
            os.makedirs(os.path.join(path, name), exist_ok=True)
            settle(os.path.join(path, name), owner, directory_mode)
        for name in written:
            write(os.path.join(path, name), files[name], owner, file_mode)
        for name in removed:
            remove(path, name)

    diff = [
        {
            "before_header": os.path.join(path, name),
            "after_header": os.path.join(path, name),
            "before": "" if module.params["secret"] else before.get(name) or "",
            "after": "(secret)\n" if module.params["secret"] else files.get(name, ""),
        }
        for name in written + removed
    ]
    module.exit_json(
        changed=bool(written or removed or unsettled), written=written, removed=removed, diff=diff
    )


if __name__ == "__main__":
    main()
