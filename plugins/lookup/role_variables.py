"""The lookup `role_variables`: which variables each role has, as the filter `unknown_variables` wants it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = """
name: role_variables
short_description: The variables of every role of this repository, and those that all share
description:
  - Returns one dict. Each role's name maps to the options of its argument specs and the names in its
    C(vars/) and C(defaults/); the empty name maps to what C(group_vars/all/) defines.
author: Octopus contributors
options:
  root:
    description: The repository; by default the one that this file is in.
    type: str
"""

EXAMPLES = """
- ansible.builtin.set_fact:
    misspelt: "{{ vars.keys() | unknown_variables(lookup('role_variables')) }}"
"""

RETURN = """
_raw:
  description: A list of one dict of lists.
  type: list
"""

ROOT = Path(__file__).resolve().parents[2]


def mapping(file: Path) -> dict[str, Any]:
    """Return a YAML file's mapping; an empty one when the file is not there, or holds none."""
    content = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else None
    return content if isinstance(content, dict) else {}


def role_variables(root: Path) -> dict[str, list[str]]:
    """Return the sorted variable names by role; those of group_vars/all under the empty name."""
    shared = {name for file in root.glob("group_vars/all/*.yml") for name in mapping(file)}
    known = {"": sorted(shared)}
    for role in sorted(path for path in root.glob("roles/*") if path.is_dir()):
        names: set[str] = set()
        for spec in mapping(role / "meta/argument_specs.yml").get("argument_specs", {}).values():
            names.update(spec.get("options") or {})
        for file in [*role.glob("defaults/*.yml"), *role.glob("vars/*.yml")]:
            names.update(mapping(file))
        known[role.name] = sorted(names)
    return known


class LookupModule(LookupBase):
    """What Ansible loads."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        """Return a list of one dict: role -> names."""
        self.set_options(var_options=variables, direct=kwargs)
        return [role_variables(Path(self.get_option("root") or ROOT))]
