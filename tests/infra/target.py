"""The host under test: its containers, commands in them, HTTP requests sent there; most is asked once."""
# ruff: noqa: S608 - queries are the tests' own

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.infra.settings import Settings

REMOTE = Path(__file__).parent / "remote"
STARTS_WITHIN = 60  # seconds
PSQL = (
    "psql --username=postgres --no-psqlrc --quiet --tuples-only --no-align"
    " --set=ON_ERROR_STOP=1 --set=VERBOSITY=verbose"
)


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: str

    def json(self) -> Any:
        return json.loads(self.body)

    def problem(self) -> dict[str, Any]:
        """Return the body of an RFC 9457 problem; fail for anything else."""
        assert self.headers.get("content-type") == "application/problem+json", self
        problem: dict[str, Any] = self.json()
        assert problem["status"] == self.status, self
        assert problem["title"], self
        return problem


@dataclass(frozen=True)
class Container:
    """What `docker inspect` says about a container of the platform."""

    raw: dict[str, Any]
    platform: str

    @property
    def name(self) -> str:
        return str(self.raw["Name"]).lstrip("/")

    @property
    def short(self) -> str:
        """Its name without the platform's, which is also its name in the networks."""
        return self.name.removeprefix(f"{self.platform}-")

    @property
    def service(self) -> str:
        return str(self.raw["Config"]["Labels"]["octopus.service"])

    @property
    def host_config(self) -> dict[str, Any]:
        return dict(self.raw["HostConfig"])

    @property
    def pid(self) -> int:
        return int(self.raw["State"]["Pid"])

    @property
    def environment(self) -> dict[str, str]:
        return dict(setting.split("=", 1) for setting in self.raw["Config"]["Env"])

    @property
    def addresses(self) -> dict[str, str]:
        """Network, without the platform's name -> address."""
        networks = self.raw["NetworkSettings"]["Networks"]
        return {
            name.removeprefix(f"{self.platform}-"): network["IPAddress"] for name, network in networks.items()
        }


def remote(name: str) -> str:
    """Return the source of a file of remote/, which runs on the host or in a container."""
    return (REMOTE / f"{name}.py").read_text(encoding="utf-8")


class Target:
    """The host under test."""

    def __init__(self, host: Any, settings: Settings) -> None:
        self.host, self.settings = host, settings

    def run(self, command: str, *arguments: str) -> str:
        """Return what a command prints; fail with its errors."""
        result = self.host.run(command, *arguments)
        assert result.rc == 0, f"{command.split()[0]}: exit code {result.rc}: {result.stderr.strip()}"
        return str(result.stdout)

    def program(self, name: str, argument: Any) -> Any:
        """Run a file of remote/ on the host; return the JSON that it prints."""
        source = remote(name)
        return json.loads(self.run("python3 -c %s %s", source, json.dumps(argument)))

    def secretly(self, name: str, argument: Any, service: str = "") -> Any:
        """Like program(), or in a service's container; the argument goes through standard input.

        So no command line shows it.
        """
        inside = f"docker exec --interactive {self.one(service).name} " if service else ""
        outer = self.host.backend
        # The way there: this host's shell, or ssh. Both end in run_local, which gives no input of ours.
        way = outer.ansible_runner.get_host(outer.host, ssh_config=outer.ssh_config).backend

        def run_local(line: str, *arguments: str) -> Any:
            line, text = way.quote(line, *arguments), json.dumps(argument).encode()
            done = subprocess.run(line, shell=True, input=text, capture_output=True)  # noqa: S602
            return way.result(done.returncode, line.encode(), done.stdout, done.stderr)

        way.run_local = run_local
        result = way.run(outer.get_command(f"{inside}python3 -c %s", remote(name)))
        del way.run_local
        assert result.rc == 0, result.stderr[-1000:]
        return json.loads(result.stdout)

    # Containers

    @property
    def ours(self) -> str:
        """What has docker list this platform's containers alone: an engine may hold several platforms."""
        return f"--filter label=octopus.service --filter label=octopus.platform={self.settings.name}"

    def settle(self) -> None:
        """Wait for what was started a moment ago, by a deployment or a reboot."""
        listing = f"docker ps {self.ours} --format '{{{{.Status}}}}'"
        with contextlib.suppress(AssertionError):
            # What does not come up is for the tests to tell.
            wait_for("no container is starting", lambda: "starting" not in self.run(listing), STARTS_WITHIN)
            wait_for("the API is ready", lambda: self.get("/api/health/ready").status == 200, STARTS_WITHIN)

    def recover(self, seconds: float) -> float:
        """Wait until every container is healthy and the API is ready; return after how many seconds."""
        began = time.monotonic()
        listing = f"docker ps --all {self.ours} --format '{{{{.Status}}}}'"

        def healthy() -> bool:
            # An engine that is down lists nothing.
            lines = self.host.run(listing).stdout.splitlines()
            return bool(lines) and all("(healthy)" in line for line in lines)

        wait_for("every container is healthy", healthy, seconds)
        wait_for("the API is ready", lambda: self.get("/api/health/ready").status == 200, seconds)
        self.refresh()
        return round(time.monotonic() - began, 1)

    @cached_property
    def containers(self) -> dict[str, Container]:
        """All containers of this platform, running or not, by name."""
        listed = self.run(f"docker ps --all --quiet --no-trunc {self.ours}").split()
        found = json.loads(self.run("docker inspect " + " ".join(listed))) if listed else []
        containers = [Container(raw, self.settings.name) for raw in found]
        return {container.name: container for container in containers}

    def refresh(self) -> None:
        """Forget the containers: one was started anew."""
        self.__dict__.pop("containers", None)

    def service(self, service: str) -> list[Container]:
        found = [container for container in self.containers.values() if container.service == service]
        return sorted(found, key=lambda container: container.name)

    def one(self, service: str) -> Container:
        found = self.service(service)
        assert found, f"there is no container of {service}"
        return found[0]

    def execute(self, service: str, *command: str) -> Any:
        """Run a command in a service's first container; return testinfra's result."""
        return self.host.run(
            "docker exec %s " + " ".join(["%s"] * len(command)), self.one(service).name, *command
        )

    def execute_program(self, service: str, name: str, argument: Any) -> Any:
        """Run a file of remote/ in a container that has Python; return the JSON that it prints."""
        source = remote(name)
        result = self.execute(service, "python3", "-c", source, json.dumps(argument))
        assert result.rc == 0, result.stderr
        return json.loads(result.stdout)

    # PostgreSQL, as its own user on the local socket

    def psql(self, place: str, script: str, database: str = "postgres") -> Any:
        """Run SQL in a place; return testinfra's result."""
        return self.execute(place, *PSQL.split(), f"--dbname={database}", f"--command={script}")

    def rows(self, place: str, query: str, database: str = "postgres") -> list[dict[str, Any]]:
        """Return a query's rows."""
        result = self.psql(place, f"select coalesce(json_agg(q), '[]') from ({query}) q", database)
        assert result.rc == 0, result.stderr
        found: list[dict[str, Any]] = json.loads(result.stdout)
        return found

    @cached_property
    def standbys(self) -> dict[str, bool]:
        """Place -> whether it is a standby. The names say nothing about that."""
        places = ("pg-primary", "pg-replica")
        return {
            place: bool(self.rows(place, "select pg_is_in_recovery() standby")[0]["standby"])
            for place in places
        }

    @property
    def primary(self) -> str:
        found = [place for place, standby in self.standbys.items() if not standby]
        assert len(found) == 1, f"primaries: {found}"
        return found[0]

    @property
    def standby(self) -> str:
        found = [place for place, standby in self.standbys.items() if standby]
        assert len(found) == 1, f"standbys: {found}"
        return found[0]

    # HTTP

    def ask(self, *requests: dict[str, Any], parallel: int = 1) -> list[Response]:
        """Send requests from the host itself, in their order; tests/infra/http_requests.py makes them."""
        complete = [
            {"address": "127.0.0.1", "port": self.settings["proxy_https_port"], **one} for one in requests
        ]
        answers = self.program("ask", {"requests": complete, "parallel": parallel})
        return [Response(**answer) for answer in answers]

    def get(self, path: str) -> Response:
        from tests.infra.http_requests import request

        return self.ask(request("GET", path))[0]


def wait_for(what: str, condition: Callable[[], Any], seconds: float) -> Any:
    """Return the first true value of a condition; fail with `what` when there is none in time."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.2)
    return found
