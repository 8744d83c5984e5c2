"""A deployed platform that is deployed again: runs of its playbooks, and what runs on its host."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import requests
import testinfra

from plugins.filter.dotenv import from_dotenv
from tests.infra.settings import ROOT, Settings, role_defaults
from tests.infra.target import Target
from tests.reconfigure.checkout import copy_of_checkout
from tests.reconfigure.containers import STARTED
from tests.reconfigure.runs import Playing, Run, ask_ansible

# Variables that are not a role's, or that a host may set; the tests know the roles' defaults.
ASKED = [
    "ansible_connection",
    "platform_name",
    "platform_root",
    "platform_networks",
    "env_file",
    "env_keys",
    "postgres_database",
    "postgres_migration_user",
    "postgres_app_user",
    "postgres_replication_user",
    "postgres_exporter_user",
    "postgres_replication_slot",
    "redis_app_user",
    "redis_exporter_user",
    "rabbitmq_vhost",
    "rabbitmq_app_user",
    "rabbitmq_admin_user",
    "proxy_http_port",
    "proxy_https_port",
]


class Platform:
    """The first host of an inventory. Containers are named without the platform's name: `backend-1`."""

    def __init__(self, inventory: str, env_file: str = "", sudo: bool = False) -> None:
        self.inventory = str(Path(inventory).resolve())
        found = ask_ansible(self.inventory, ASKED)
        self.name = str(found["host"])
        self.env_file = Path(env_file or found["env_file"]).resolve()
        self.keys: list[str] = found["env_keys"]
        self.connection = str(found.get("ansible_connection", "ssh"))
        self.settings = Settings(role_defaults() | found, self.secrets())
        host = testinfra.get_host(f"ansible://{self.name}", ansible_inventory=self.inventory, sudo=sudo)
        # What tests/infra knows to ask of a host.
        self.target = Target(host, self.settings)
        self.copies: list[Path] = []

    # The controller

    def begin(
        self,
        playbook: str = "site.yml",
        variables: dict[str, Any] | None = None,
        tags: str | None = None,
        options: Iterable[str] = (),
        root: Path | None = None,
        env_file: Path | None = None,
    ) -> Playing:
        """Start a playbook; wait() for it, or kill() it."""
        root = root or ROOT
        given = (variables or {}) | {"env_file": str(env_file or self.env_file)}
        arguments = [f"{root}/playbooks/{playbook}", "-i", self.inventory, "--limit", self.name]
        arguments += ["-e", json.dumps(given), *(["--tags", tags] if tags else []), *options]
        return Playing(arguments, root)

    def play(
        self,
        playbook: str = "site.yml",
        variables: dict[str, Any] | None = None,
        tags: str | None = None,
        check: bool = False,
        diff: bool = False,
        root: Path | None = None,
        env_file: Path | None = None,
    ) -> Run:
        """Run a playbook from the repository `root` (this one); whoever calls this judges the run."""
        options = [name for name, wanted in (("--check", check), ("--diff", diff)) if wanted]
        run = self.begin(playbook, variables, tags, options, root, env_file).wait()
        self.target.refresh()
        return run

    def deploy(self, variables: dict[str, Any] | None = None, **options: Any) -> Run:
        """Run a playbook, and fail where it does."""
        run = self.play(variables=variables, **options)
        assert not run.failed, run
        return run

    def secrets(self) -> dict[str, str]:
        """Return the secrets of the .env file as it is now."""
        return from_dotenv(self.env_file.read_text(encoding="utf-8"), self.keys, str(self.env_file))

    def copy(self) -> Path:
        """Return a copy of this repository, which a test may edit and play; gone with the tests."""
        self.copies.append(copy_of_checkout())
        return self.copies[-1]

    def close(self) -> None:
        for root in self.copies:
            shutil.rmtree(root)

    def run(self, command: str, *arguments: str) -> Any:
        """Run a shell command on the host as root, arguments quoted for %s; return testinfra's result."""
        return self.target.host.run(command, *arguments)

    def started(self) -> dict[str, str]:
        """Container -> its id and since when it runs, for all of the platform, by one command."""
        lines = self.target.run(STARTED, self.settings.name).splitlines()
        return {self.short(line.split()[0]): line.partition(" ")[2] for line in lines}

    def short(self, container: str) -> str:
        return container.lstrip("/").removeprefix(f"{self.settings.name}-")

    def inspect(self, container: str) -> dict[str, Any]:
        """Return all that the engine says about a container."""
        told = self.target.run("docker inspect %s", f"{self.settings.name}-{container}")
        return dict(json.loads(told)[0])

    def execute(self, container: str, *command: str) -> str:
        """Return what a command in a container prints; fail with its errors."""
        words = " ".join(["%s"] * (len(command) + 1))
        return self.target.run(f"docker exec {words}", f"{self.settings.name}-{container}", *command)

    # HTTP, from the controller to the host's own address

    @cached_property
    def address(self) -> str:
        """The host's address, as others see it."""
        return str(json.loads(self.target.run("ip -json -4 route get 192.0.2.1"))[0]["prefsrc"])

    @property
    def url(self) -> str:
        return f"https://{self.address}:{self.settings['proxy_https_port']}"

    def request(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send a request, a writing one with the API key; `more` is for requests.request."""
        headers = {"X-API-Key": self.secrets()["API_KEY"]} if method != "GET" else {}
        headers |= more.pop("headers", {})
        options = {"timeout": 10, "verify": False, "allow_redirects": False} | more
        url = path if "://" in path else self.url + path
        return requests.request(method, url, headers=headers, **options)  # noqa: S113 - among the options
