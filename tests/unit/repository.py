"""What the repository's tests look at: roles, tasks and the variables that YAML and Jinja use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import yaml

from scripts import variables

ROOT = Path(__file__).resolve().parents[2]
PUBLIC_ROLES = (
    "proxy",
    "frontend",
    "backend",
    "broker",
    "worker",
    "pg_primary",
    "pg_replica",
    "redis",
    "observability",
)
# Keys whose values are expressions without braces.
EXPRESSIONS = ("when", "that", "until", "failed_when", "changed_when")
BLOCKS = ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers")
JINJA = jinja2.Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], autoescape=True)


class Loader(yaml.SafeLoader):
    """Reads Ansible's own tags (!unsafe, !vault) as plain text."""


Loader.add_multi_constructor("!", lambda loader, _suffix, node: loader.construct_scalar(node))


@cache
def load(file: Path) -> Any:
    """Return a YAML file's content, None where there is no such file."""
    return yaml.load(file.read_text(encoding="utf-8"), Loader) if file.is_file() else None  # noqa: S506


def mapping(file: Path) -> dict[str, Any]:
    """Return a YAML file's mapping, an empty one where there is none."""
    content = load(file)
    return content if isinstance(content, dict) else {}


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def roles() -> list[str]:
    return sorted(path.name for path in ROOT.glob("roles/*") if path.is_dir())


def task_files() -> list[Path]:
    """Every file of tasks or plays: those of roles, playbooks and Molecule scenarios."""
    patterns = ("roles/*/tasks/**/*.yml", "roles/*/handlers/**/*.yml", "playbooks/*.yml", "molecule/**/*.yml")
    found = {file for pattern in patterns for file in ROOT.glob(pattern)}
    return sorted(file for file in found if file.name != "molecule.yml")


def tasks(content: Any) -> Iterator[dict[str, Any]]:
    """Yield every task and block of a file's content, those inside blocks and plays too."""
    for item in content if isinstance(content, list) else []:
        if isinstance(item, dict):
            yield item
            for block in BLOCKS:
                yield from tasks(item.get(block))


def strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield (nearest key, string) for all strings in a YAML value."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from strings(item, str(name))
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, key)


def names_in_template(text: str) -> set[str]:
    """Return the names that a Jinja text reads, less those that it sets itself."""
    names = list(JINJA.parse(text).find_all(jinja2.nodes.Name))
    own = {name.name for name in names if name.ctx in ("store", "param")}
    return {name.name for name in names} - own


def names_in_string(key: str, text: str) -> set[str]:
    """Return the names that a YAML string reads."""
    if "{{" in text or "{%" in text:
        return names_in_template(text)
    return names_in_template("{{ (" + text + ") }}") if key in EXPRESSIONS else set()


def used_names(file: Path) -> set[str]:
    """Return the variables that a YAML file or a template uses."""
    if file.suffix == ".j2":
        return names_in_template(file.read_text(encoding="utf-8"))
    return {name for key, text in strings(load(file)) for name in names_in_string(key, text)}


def defined_names(value: Any) -> Iterator[str]:
    """Yield what tasks define: vars, facts, registered results, loop variables."""
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            continue
        for key, content in item.items():
            if key in ("vars", "set_fact", "ansible.builtin.set_fact") and isinstance(content, dict):
                yield from content
            elif key in ("register", "loop_var", "index_var", "extended_var"):
                yield str(content)
            yield from defined_names(content)


def role_names(role: str) -> set[str]:
    """Return what a role declares: the options of its specs, its defaults and its vars."""
    directory = ROOT / "roles" / role
    names = set(variables.spec(role).get("options") or {})
    for file in [*directory.glob("defaults/*.yml"), *directory.glob("vars/*.yml")]:
        names.update(mapping(file))
    return names


def contract_keys(text: str) -> list[str]:
    """Return the keys of the lines KEY=value of a .env file."""
    return re.findall(r"^([A-Z][A-Z0-9_]*)=", text, re.MULTILINE)
