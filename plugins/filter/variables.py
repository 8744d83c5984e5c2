"""The filter `unknown_variables`: finds misspelt role variables before a play touches anything."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


def unknown_variables(names: Iterable[str], known: Mapping[str, Iterable[str]]) -> list[str]:
    """Return a sentence for each name that has a role's prefix and is no variable of that role.

    `names` are the variables in use (the keys of `vars`, say). `known` maps each role to its variables
    (the lookup `role_variables` makes it); a name is judged by the longest role name that it begins with,
    and is fine when any role or shared file knows it.
    """
    roles = sorted(known, key=len, reverse=True)
    everything = {str(variable) for variables in known.values() for variable in variables}
    sentences = []
    for name in sorted({str(name) for name in names} - everything):
        role = next((role for role in roles if role and name.startswith(f"{role}_")), None)
        if role is not None:
            near = difflib.get_close_matches(name, sorted(everything), n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            sentences.append(f"{name} is no variable of ours{hint}")
    return sentences


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"unknown_variables": unknown_variables}
