"""Write docs/variables.md: every public variable, one table a role, from the roles' argument specs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/variables.md"
LONGEST_DEFAULT = 60  # characters; what is longer is linked, not shown

HEAD = """# Variables

Written by `make docs` from `roles/*/meta/argument_specs.yml`: change the text there, not here.

Set a variable in the inventory, under its host; a group's variables in an inventory file lose against
`group_vars/all`. For one run: `make deploy ARGS="-e '{proxy_https_port: 8443}'"` (in braces, so that a number
stays a number). A misspelt name stops the deployment before it touches anything, a wrong type before the
role that it belongs to.

Secrets are not here: `.env.example` documents them.
"""


@cache
def load(file: Path) -> Any:
    """Return a YAML file's content, an empty mapping where there is none."""
    return (yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else None) or {}


def roles() -> list[str]:
    """Return all roles: those of the deployment in its order, then those that they call."""
    plays = load(ROOT / "playbooks/site.yml")
    deployed = [entry["role"] for play in plays for entry in play.get("roles", [])]
    every = sorted(path.parents[1].name for path in ROOT.glob("roles/*/meta/argument_specs.yml"))
    return [role for role in deployed if role in every] + [role for role in every if role not in deployed]


def spec(role: str) -> dict[str, Any]:
    """Return the argument spec of a role's one entry point that has one."""
    (found,) = load(ROOT / "roles" / role / "meta/argument_specs.yml")["argument_specs"].values()
    return dict(found)


def shared() -> dict[str, tuple[Any, Path]]:
    """Return value and file of each variable in group_vars/all."""
    files = sorted(ROOT.glob("group_vars/all/*.yml"))
    return {name: (value, file) for file in files for name, value in load(file).items()}


def flatten(options: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name, option) of all options, those inside dicts under dotted names."""
    for name, option in options.items():
        yield prefix + name, option
        yield from flatten(option.get("options") or {}, f"{prefix}{name}.")


def kind(option: dict[str, Any]) -> str:
    """Return an option's type in words."""
    elements = option.get("elements")
    return f"list of {elements}" if elements else str(option["type"])


def shown(value: Any, file: Path) -> str:
    """Return a default as Markdown: its value, or a link to its file where the value is long."""
    text = value if isinstance(value, str) and value else json.dumps(value)
    if len(text) > LONGEST_DEFAULT or (isinstance(value, dict) and value):
        name = file.relative_to(ROOT).as_posix()
        return f"in [{name}](../{name})"
    return f"`{text}`"


def default(role: str, name: str, option: dict[str, Any]) -> str:
    """Return what a variable is where nobody sets it; `required` where somebody has to."""
    if "default" in option:
        return shown(option["default"], ROOT / "roles" / role / "defaults/main.yml")
    if name in shared():
        return shown(*shared()[name])
    return "required" if option.get("required") else ""


def row(*cells: str) -> str:
    """Return one line of a table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def table(role: str) -> list[str]:
    """Return the lines of a role's table; a sentence where it has no variables."""
    options = list(flatten(spec(role).get("options") or {}))
    if not options:
        return ["No variables of its own."]
    lines = [row("variable", "type", "default", "what it does"), "|---|---|---|---|"]
    for name, option in options:
        choices = option.get("choices")
        text = option["description"] + (f" One of {', '.join(map(str, choices))}." if choices else "")
        lines.append(row(f"`{name}`", kind(option), default(role, name, option), text))
    return lines


def page() -> str:
    """Return the whole page."""
    lines = [HEAD]
    for role in roles():
        lines += [f"## {role}", "", f"{spec(role)['short_description']}.", "", *table(role), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
