"""The rules of the repository that a program can hold. Each message says what to change where."""

from __future__ import annotations

import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.filter.dotenv import PLACEHOLDERS
from scripts import variables
from tests.unit import repository as repo

ROOT = repo.ROOT
SECRETS = [
    "POSTGRES_PASSWORD",
    "POSTGRES_MIGRATION_PASSWORD",
    "POSTGRES_APP_PASSWORD",
    "POSTGRES_REPLICATION_PASSWORD",
    "POSTGRES_EXPORTER_PASSWORD",
    "REDIS_PASSWORD",
    "REDIS_EXPORTER_PASSWORD",
    "RABBITMQ_PASSWORD",
    "RABBITMQ_ADMIN_PASSWORD",
    "API_KEY",
    "GRAFANA_ADMIN_PASSWORD",
    "BACKUP_CIPHER_PASSWORD",
]
# Modules that only look, or of which nobody but the task can know whether they changed something.
READING_MODULES = re.compile(
    r"(command|shell|raw|script|uri|assert|fail|debug|stat|slurp|find|getent|setup|set_fact|meta|pause|wait_for\w*"
    r"|async_status|include_\w+|import_\w+|\w+_(info|facts|query|ping)|docker_container_exec)$"
)
KEYWORDS = re.compile(
    r"^(name|when|loop\w*|with_\w+|vars|register|tags|become\w*|args|environment|notify|block)$"
)
MAX_TASK_FILE_LINES = 100
MAX_PYTHON_LINES = 300


def repository_files(*patterns: str) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def all_tasks() -> list[tuple[str, dict[str, Any]]]:
    return [(repo.relative(file), task) for file in repo.task_files() for task in repo.tasks(repo.load(file))]


# Roles


@pytest.mark.parametrize("role", repo.PUBLIC_ROLES)
def test_every_service_has_a_role_and_a_test_file(role: str) -> None:
    assert (ROOT / "roles" / role).is_dir()
    assert (ROOT / f"tests/infra/test_{role}.py").is_file()


@pytest.mark.parametrize("role", repo.roles())
def test_every_role_has_its_spec_and_readme(role: str) -> None:
    missing = [
        name
        for name in ("meta/argument_specs.yml", "README.md")
        if not (ROOT / "roles" / role / name).is_file()
    ]
    assert not missing


@pytest.mark.parametrize("role", repo.roles())
def test_defaults_equal_the_argument_specs(role: str) -> None:
    defaults = repo.mapping(ROOT / "roles" / role / "defaults/main.yml")
    options = variables.spec(role).get("options") or {}
    required = {name for name, option in options.items() if option.get("required")}
    declared = {name: option.get("default") for name, option in options.items() if name not in required}
    assert {name: defaults[name] for name in sorted(defaults)} == {
        name: declared[name] for name in sorted(declared)
    }


@pytest.mark.parametrize("role", repo.roles())
def test_options_are_described_and_carry_the_roles_name(role: str) -> None:
    shared = {name for file in ROOT.glob("group_vars/all/*.yml") for name in repo.mapping(file)}
    for name, option in (variables.spec(role).get("options") or {}).items():
        assert name.startswith(f"{role}_") or name in shared, f"{name} has not the prefix {role}_"
        assert option.get("description"), f"{name} has no description"


# Variables


def declared_names() -> set[str]:
    """Everything that anybody defines: roles, group_vars, inventories, tasks."""
    names = {name for role in repo.roles() for name in repo.role_names(role)}
    for file in ROOT.glob("group_vars/**/*.yml"):
        names.update(repo.mapping(file))
    for file in repo.task_files():
        names.update(repo.defined_names(repo.load(file)))
    return names


def test_variables_with_a_roles_prefix_exist() -> None:
    patterns = (
        "roles/*/tasks/**/*.yml",
        "roles/*/handlers/**/*.yml",
        "roles/*/vars/*.yml",
        "roles/*/defaults/*.yml",
    )
    files = [
        file
        for pattern in (*patterns, "roles/*/templates/**/*.j2", "playbooks/*.yml")
        for file in ROOT.glob(pattern)
    ]
    prefixes = tuple(f"{role}_" for role in repo.roles())
    known = declared_names()
    unknown = [
        f"{repo.relative(file)}: {name}"
        for file in sorted([*files, *ROOT.glob("group_vars/all/*.yml")])
        for name in sorted(repo.used_names(file) - known)
        if name.startswith(prefixes)
    ]
    assert not unknown


def test_group_vars_lie_beside_the_playbooks() -> None:
    link = ROOT / "playbooks/group_vars"
    assert link.is_symlink()
    assert str(link.readlink()) == "../group_vars"


# Secrets


def test_the_example_names_every_secret_with_a_placeholder() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert repo.contract_keys(text) == SECRETS
    assert set(re.findall(r"^[A-Z].*=(.*)$", text, re.MULTILINE)) <= set(PLACEHOLDERS)


@pytest.mark.parametrize("key", SECRETS)
def test_the_example_documents_every_key(key: str) -> None:
    assert re.search(rf"^# .+\n{key}=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)


def test_env_yml_has_one_variable_for_every_secret() -> None:
    text = (ROOT / "group_vars/all/env.yml").read_text(encoding="utf-8")
    values = " ".join(text for _, text in repo.strings(yaml.safe_load(text)))
    assert set(re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", values)) == set(SECRETS)
    assert {key.lower() for key in SECRETS} <= set(yaml.safe_load(text))


def test_git_and_docker_ignore_env_files() -> None:
    for name in (
        ".env",
        ".env.previous",
        "inventory/production.env",
        "inventory/production.env.previous",
        "inventory/production.yml",
    ):
        assert subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False).returncode == 0, (
            name
        )
    assert (
        subprocess.run(["git", "check-ignore", "-q", ".env.example"], cwd=ROOT, check=False).returncode == 1
    )
    rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rules[0] == "*"


def test_no_secret_is_on_a_command_line() -> None:
    secret = {name for name in repo.mapping(ROOT / "group_vars/all/env.yml") if name != "env_keys"}
    found = [
        f"{file}: {task.get('name')}"
        for file, task in all_tasks()
        for key, text in repo.strings(task)
        if key
        in ("argv", "cmd", "command", "_raw_params", "ansible.builtin.command", "ansible.builtin.shell")
        and repo.names_in_string(key, text) & secret
    ]
    assert not found, "give it through standard input, or as a file"


# Tasks


def test_containers_are_made_in_one_place() -> None:
    """Molecule is the exception: there a container plays the host."""
    elsewhere = [
        file
        for file, task in all_tasks()
        if not file.startswith(("roles/container/", "molecule/"))
        and {"docker_container", "community.docker.docker_container"} & set(task)
    ]
    assert not elsewhere


def test_no_error_is_ignored() -> None:
    assert not [f"{file}: {task.get('name')}" for file, task in all_tasks() if "ignore_errors" in task]


def test_nothing_that_changes_claims_not_to() -> None:
    wrong = []
    for file, task in all_tasks():
        # In check mode nothing changes whatever the module.
        if task.get("changed_when") is False and task.get("check_mode") is not True:
            modules = [key.rsplit(".", 1)[-1] for key in task if "." in key and not KEYWORDS.match(key)]
            wrong += [
                f"{file}: {task.get('name')}" for module in modules if not READING_MODULES.match(module)
            ]
    assert not wrong


# Sizes


def test_task_files_are_short() -> None:
    assert not [repo.relative(file) for file in repo.task_files() if lines(file) > MAX_TASK_FILE_LINES]


def test_python_files_are_short() -> None:
    assert not [repo.relative(file) for file in repository_files("*.py") if lines(file) > MAX_PYTHON_LINES]


# Pins


def test_requirements_yml_names_the_collections_that_the_pinned_package_brings() -> None:
    import ansible_collections

    for wanted in repo.load(ROOT / "requirements.yml")["collections"]:
        place = (
            Path(next(iter(ansible_collections.__path__)))
            / wanted["name"].replace(".", "/")
            / "MANIFEST.json"
        )
        brought = yaml.safe_load(place.read_text(encoding="utf-8"))["collection_info"]["version"]
        assert wanted["version"] == brought, wanted["name"]


PINNED = ("bootstrap", "test", "fuzz", "sbom")


@pytest.mark.parametrize("name", ["requirements", *[f"requirements-{name}" for name in PINNED]])
def test_pins_are_exact_hashed_and_name_no_index(name: str) -> None:
    text = (ROOT / f"{name}.txt").read_text(encoding="utf-8")
    packages = re.findall(r"^[a-zA-Z0-9].*(?:\n    --hash=.*)*", text, re.MULTILINE)
    assert packages
    assert not [package for package in packages if "==" not in package or "--hash=sha256:" not in package]
    assert "://" not in text


def test_both_sets_pin_the_same_versions() -> None:
    def pins(name: str) -> set[str]:
        return set(
            re.findall(r"^[a-z0-9].*?==[^ ;]+", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        )

    assert pins("requirements.txt") <= pins("requirements-test.txt")


def test_these_tests_run_with_the_pinned_ansible() -> None:
    assert f"ansible-core=={version('ansible-core')} " in (ROOT / "requirements.txt").read_text(
        encoding="utf-8"
    )
