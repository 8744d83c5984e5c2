"""The lookup `role_variables`: which variables each role has, and what they are, for the filters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = """
name: role_variables
short_description: The variables of every role of this repository, and those that all share
description:
  - Returns one dict. Each role's name maps to the options of its argument specs, the names in its
    C(vars/) and C(defaults/), and what its tasks register and set; the empty name maps to what
    C(group_vars/all/) defines.
author: Octopus contributors
options:
  root:
    description: The repository; by default the one that this file is in.
    type: str
  values:
    description:
      - Return another list of one element, the list of all options that have a value; each a dict with
        C(name), C(option) (its argument spec), C(value) and C(error) (why there is none).
    type: bool
    default: false
"""

EXAMPLES = """
- ansible.builtin.set_fact:
    misspelt: "{{ vars.keys() | unknown_variables(lookup('role_variables')) }}"
    wrong: "{{ lookup('role_variables', values=true) | wrong_values }}"
"""

RETURN = """
_raw:
  description: A list of one dict of lists, or of one list of dicts.
  type: list
"""

ROOT = Path(__file__).resolve().parents[2]
# The C library's is three times as fast, where there is one.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def content(file: Path) -> Any:
    """Return a YAML file's content; None when the file is not there."""
    return yaml.load(file.read_text(encoding="utf-8"), Loader) if file.is_file() else None  # noqa: S506


def mapping(file: Path) -> dict[str, Any]:
    """Return a YAML file's mapping; an empty one when the file is not there, or holds none."""
    found = content(file)
    return found if isinstance(found, dict) else {}


def options(role: Path) -> dict[str, Any]:
    """Return the options of a role's argument specs by name."""
    specs = mapping(role / "meta/argument_specs.yml").get("argument_specs", {}).values()
    return {name: option for spec in specs for name, option in (spec.get("options") or {}).items()}


def set_names(tasks: Any) -> Iterator[str]:
    """Yield what tasks leave behind: registered results and facts."""
    for task in tasks if isinstance(tasks, list) else []:
        if "register" in task:
            yield str(task["register"])
        yield from task.get("ansible.builtin.set_fact", {})
        for block in ("block", "rescue", "always"):
            yield from set_names(task.get(block))


def roles(root: Path) -> list[Path]:
    """Return the directories of all roles."""
    return sorted(path for path in root.glob("roles/*") if path.is_dir())


def role_variables(root: Path) -> dict[str, list[str]]:
    """Return the sorted variable names by role; those of group_vars/all under the empty name."""
    shared = {name for file in root.glob("group_vars/all/*.yml") for name in mapping(file)}
    known = {"": sorted(shared)}
    for role in roles(root):
        names = set(options(role))
        for file in [*role.glob("defaults/*.yml"), *role.glob("vars/*.yml")]:
            names.update(mapping(file))
        for file in role.glob("tasks/*.yml"):
            names.update(set_names(content(file)))
        known[role.name] = sorted(names)
    return known


class LookupModule(LookupBase):
    """What Ansible loads."""

    def entry(self, name: str, option: dict[str, Any], value: Any) -> dict[str, Any]:
        """Return what one variable is, templated; a template that fails is its own error alone."""
        try:
            return {"name": name, "option": option, "value": self._templar.template(value), "error": ""}
        except AnsibleError as error:
            return {"name": name, "option": option, "value": None, "error": str(error)}

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        """Return a list of one dict: role -> names; with `values`, a list of one list of entries."""
        self.set_options(var_options=variables, direct=kwargs)
        root = Path(self.get_option("root") or ROOT)
        if not self.get_option("values"):
            return [role_variables(root)]
        declared = {name: option for role in roles(root) for name, option in options(role).items()}
        return [
            [
                self.entry(name, declared[name], variables[name])
                for name in sorted(declared)
                if name in variables
            ]
            if variables
            else []
        ]
