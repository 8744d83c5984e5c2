#!/usr/bin/python
"""Ansible module: keeps what a container was until what comes after it has proven itself."""

from __future__ import annotations

DOCUMENTATION = r"""
module: container_fallback
short_description: Keeps what a container was until what comes after it has proven itself
description:
  - Before anything of a container is changed, its configuration is copied aside. To be replaced, it is
    renamed and serves on while the new one is created. Then they change places, so that nobody serves for the
    shortest time. Both never run at once, because of their ports and volumes.
  - At the end either both are put back, or what was kept is removed.
  - Secrets only go forward. They have to be those of the stores, whatever the version.
  - What an interrupted run has kept is what the next one falls back on.
options:
  container:
    description: The container's name.
    type: str
    required: true
  config:
    description: The directory of its configuration; there may be none.
    type: path
    required: true
  step:
    description:
      - V(keep) copies the configuration aside.
      - V(step_aside) renames the container.
      - V(hand_over) stops the renamed one and starts the new one.
      - V(put_back) puts configuration and container back and starts it.
      - V(drop) removes what was kept.
    type: str
    choices: [keep, step_aside, hand_over, put_back, drop]
    required: true
"""
RETURN = r"""
since:
  description: When the step began, in seconds since 1970 by the target's clock.
  type: float
  returned: always
"""

import os
import shutil
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

BEFORE = "before"
STEPS = ("keep", "step_aside", "hand_over", "put_back", "drop")


def copy(source: str, target: str) -> None:
    """Copy a directory with owners and modes; the target appears in one step."""
    unfinished = f"{target}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(source, unfinished, symlinks=True)
    for parent, directories, names in os.walk(source):
        inner = os.path.join(unfinished, os.path.relpath(parent, source))
        for name in [".", *directories, *names]:
            status = os.lstat(os.path.join(parent, name))
            os.chown(os.path.join(inner, name), status.st_uid, status.st_gid, follow_symlinks=False)
    os.rename(unfinished, target)


def refill(directory: str, kept: str) -> None:
    """Give a directory the content of another one, and let it be the same one: containers have it mounted."""
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    for name in os.listdir(kept):
        os.rename(os.path.join(kept, name), os.path.join(directory, name))
    os.rmdir(kept)


class Fallback:
    """A container, its configuration, and what is kept of both."""

    def __init__(self, module: AnsibleModule) -> None:
        """Name everything."""
        self.module = module
        self.name = module.params["container"]
        self.aside = f"{self.name}-{BEFORE}"
        self.config = module.params["config"]
        self.kept = f"{self.config}.{BEFORE}"

    def docker(self, *words: str) -> str:
        """Return what the engine's client prints."""
        _, output, _ = self.module.run_command(["docker", *words], check_rc=True)
        return str(output)

    def exists(self, name: str) -> bool:
        """Say whether there is a container of this name."""
        return bool(self.docker("ps", "--all", "--quiet", "--filter", f"name=^/?{name}$").strip())

    def keep(self) -> bool:
        """Copy the configuration; a copy that is there already is of what last proved itself."""
        if not os.path.isdir(self.config) or os.path.exists(self.kept):
            return False
        copy(self.config, self.kept)
        return True

    def step_aside(self) -> bool:
        """Rename; where one stands aside already, what took its place has not proven itself."""
        if self.exists(self.aside):
            self.docker("rm", "--force", self.name)
        else:
            self.docker("rename", self.name, self.aside)
        return True

    def hand_over(self) -> bool:
        """Let the new one take the place of the one before."""
        if self.exists(self.aside):
            self.docker("stop", self.aside)
        self.docker("start", self.name)
        return True

    def put_back(self) -> bool:
        """Put back what there is; return whether there was anything."""
        kept, aside = os.path.exists(self.kept), self.exists(self.aside)
        if aside and self.exists(self.name):
            self.docker("rm", "--force", self.name)
        if kept:
            refill(self.config, self.kept)
        if aside:
            self.docker("rename", self.aside, self.name)
            self.docker("start", self.name)
        return kept or aside

    def drop(self) -> bool:
        """Remove what was kept; return whether there was anything."""
        kept, aside = os.path.exists(self.kept), self.exists(self.aside)
        if kept:
            shutil.rmtree(self.kept)
        if aside:
            self.docker("rm", "--force", self.aside)
        return kept or aside


def main() -> None:
    """Take the step; what check mode looks at never comes that far."""
    spec: dict[str, Any] = {
        "container": {"type": "str", "required": True},
        "config": {"type": "path", "required": True},
        "step": {"type": "str", "required": True, "choices": list(STEPS)},
    }
    module = AnsibleModule(argument_spec=spec)
    fallback = Fallback(module)
    since = time.time()
    changed = getattr(fallback, module.params["step"])()
    module.exit_json(changed=changed, since=since)


if __name__ == "__main__":
    main()
