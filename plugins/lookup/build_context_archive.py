"""The lookup `build_context_archive`: the build context as a file that can be shipped to the target."""

from __future__ import annotations

from typing import Any

from ansible.plugins.loader import lookup_loader
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = """
name: build_context_archive
short_description: The build context, packed into a file on the controller
description:
  - Writes what the C(.dockerignore) lets through as a C(.tar.gz), the same byte for byte wherever and
    whenever it is written, and returns its path.
author: Octopus contributors
options:
  _terms:
    description: One dict as for C(build_context), to pack those images' files only. Without it, everything.
  archive:
    description: Where to write it on the controller, relative to the root. Missing directories are made.
    type: str
    default: .cache/build-context.tar.gz
  root:
    description: The context's root; by default the repository that this file is in.
    type: path
"""

EXAMPLES = """
- ansible.builtin.unarchive:
    src: "{{ lookup('build_context_archive') }}"
    dest: /var/lib/octopus/build
"""

RETURN = """
_raw:
  description: The archive's path.
  type: list
"""


class LookupModule(LookupBase):
    """What Ansible loads."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        """Return a list of one path."""
        self.set_options(var_options=variables, direct=kwargs)
        build_context = lookup_loader.get("build_context", loader=self._loader, templar=self._templar)
        options = {name: self.get_option(name) for name in ("archive", "root")}
        return list(build_context.run(terms, variables, **options))
