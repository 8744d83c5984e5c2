#!/usr/bin/python
"""Ansible module: what every container of a platform is at present, and a note of how it was left."""

from __future__ import annotations

DOCUMENTATION = r"""
module: container_states
short_description: What every container of a platform is at present
description:
  - Looks at all containers that carry the platform's label, and at the files that they are given, with two
    calls of the engine for all of them.
  - What is found of a container is told as one hash. It covers the container's identity, its definition, its
    networks, whether it runs, and name, content, owner and mode of each of its files. Whatever changes any of
    these, a hand on the host too, changes the hash.
  - With O(note), the hash of one container is written down beside its files, together with the hash of the
    definition that was wanted. A later look returns both, which tells without any further call whether there
    is something to do.
options:
  platform:
    description: Value of the label C(octopus.platform).
    type: str
    required: true
  root:
    description: The directory whose directories C(<service>/config) and C(<service>/secrets) hold the files.
    type: path
    required: true
  note:
    description: A container's name, and the hashes to write down beside what is found.
    type: dict
    suboptions:
      container:
        description: The container's name.
        type: str
        required: true
      wanted:
        description: The hash of its definition.
        type: str
        required: true
"""
RETURN = r"""
containers:
  description: Name -> service, image, labels, status, found (a hash), and note ("WANTED FOUND", or empty).
  type: dict
  returned: always
cpus:
  description: How many processors the host has; the engine refuses a container that may use more.
  type: int
  returned: always
"""

import hashlib
import json
import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule

SERVICE = "octopus.service"
PLATFORM = "octopus.platform"
# What the engine itself changes while a container runs is left out: times, process ids, addresses.
DEFINITION = ("Id", "Image", "Config", "HostConfig")


def files(directory: str) -> list[Any]:
    """Return name, mode, owner and content hash of everything below a directory."""
    found = []
    for parent, directories, names in os.walk(directory):
        for name in sorted(directories + names):
            path = os.path.join(parent, name)
            status = os.lstat(path)
            content = ""
            if name in names:
                with open(path, "rb") as stream:
                    content = hashlib.sha256(stream.read()).hexdigest()
            found.append(
                [os.path.relpath(path, directory), status.st_mode, status.st_uid, status.st_gid, content]
            )
    return sorted(found)


def digest(container: dict[str, Any], directory: str) -> str:
    """Return one hash of all that a container is."""
    networks = container["NetworkSettings"]["Networks"]
    facts = [
        {name: container[name] for name in DEFINITION},
        {name: sorted(network.get("Aliases") or []) for name, network in networks.items()},
        container["State"]["Status"],
        [files(os.path.join(directory, kind)) for kind in ("config", "secrets")],
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def noted(path: str) -> str:
    """Return a note's text; empty where there is none."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read().strip()
    except FileNotFoundError:
        return ""


def inspect(module: AnsibleModule, platform: str) -> list[dict[str, Any]]:
    """Return what the engine says about the platform's containers."""
    listing = ["docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={PLATFORM}={platform}"]
    _, listed, _ = module.run_command(listing, check_rc=True)
    if not listed.split():
        return []
    # One that has gone meanwhile is missing in the answer and makes the call fail: the others count.
    _, told, _ = module.run_command(["docker", "inspect", *listed.split()])
    return list(json.loads(told))


def note_path(directory: str, name: str) -> str:
    """Return where the note about a container lies."""
    return os.path.join(directory, f"{name}.note")


def look(module: AnsibleModule) -> dict[str, dict[str, Any]]:
    """Return the state of every container by its name."""
    found = {}
    for container in inspect(module, module.params["platform"]):
        name, service = container["Name"].lstrip("/"), container["Config"]["Labels"][SERVICE]
        directory = os.path.join(module.params["root"], service)
        found[name] = {
            "service": service,
            "image": container["Config"]["Image"],
            "labels": container["Config"]["Labels"],
            "status": container["State"]["Status"],
            "found": digest(container, directory),
            "note": noted(note_path(directory, name)),
        }
    return found


def write(path: str, text: str) -> None:
    """Replace a note in one step; nobody but root reads it."""
    # A service without files has no directory yet.
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text + "\n")
    os.replace(f"{path}.new", path)


def write_down(
    module: AnsibleModule, containers: dict[str, dict[str, Any]], container: str, wanted: str
) -> bool:
    """Write a container's note; return whether it is another one than before."""
    if container not in containers:
        module.fail_json(msg=f"There is no container {container} to write down.")
    state = containers[container]
    text = f"{wanted} {state['found']}"
    if state["note"] == text:
        return False
    if not module.check_mode:
        write(note_path(os.path.join(module.params["root"], state["service"]), container), text)
    return True


def main() -> None:
    """Look, and write the note that was asked for unless in check mode."""
    module = AnsibleModule(
        argument_spec={
            "platform": {"type": "str", "required": True},
            "root": {"type": "path", "required": True},
            "note": {
                "type": "dict",
                "options": {
                    "container": {"type": "str", "required": True},
                    "wanted": {"type": "str", "required": True},
                },
            },
        },
        supports_check_mode=True,
    )
    containers = look(module)
    changed = bool(module.params["note"]) and write_down(module, containers, **module.params["note"])
    module.exit_json(changed=changed, containers=containers, cpus=os.cpu_count() or 1)


if __name__ == "__main__":
    main()
