"""What is written about variables is complete: docs/variables.md, the roles' READMEs, shared variables."""

from __future__ import annotations

import pytest

from scripts import variables
from tests.unit import repository as repo


def test_the_page_is_up_to_date() -> None:
    written = variables.PAGE.read_text(encoding="utf-8") if variables.PAGE.is_file() else ""
    assert written == variables.page(), "run `make docs`"


def test_shared_variables_are_documented() -> None:
    """Those of env.yml are secrets: their file is made only after the specs are checked."""
    options = variables.spec("preflight")["options"]
    names = {name for name, (_, file) in variables.shared().items() if file.name != "env.yml"}
    assert names == set(options), "each is an option in roles/preflight/meta/argument_specs.yml"


@pytest.mark.parametrize("role", repo.roles())
def test_the_readme_names_every_variable(role: str) -> None:
    text = (repo.ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    options = variables.spec(role).get("options") or {}
    # The shared ones would fill it: it refers to the page.
    missing = [name for name in options if role != "preflight" and f"`{name}`" not in text]
    assert not missing


def test_a_long_default_is_a_link_and_a_bar_is_escaped() -> None:
    options = {"a_list": {"type": "list", "elements": "str"}}
    assert [variables.kind(option) for _, option in variables.flatten(options)] == ["list of str"]
    file = repo.ROOT / "group_vars/all/platform.yml"
    assert variables.shown({"a": 1}, file).startswith("in [group_vars/all/platform.yml](../group_vars")
    assert variables.shown("", file) == '`""`'
    assert variables.shown(False, file) == "`false`"
    assert variables.row("a|b", "c") == "| a\\|b | c |"
