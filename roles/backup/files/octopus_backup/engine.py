"""The platform's containers, and the one-off container `backup`, by the engine's client."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

PGDATA_VOLUME = "/var/lib/postgresql"
ASKS = ("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1")
# The engine's own remark about a house rule: nobody is asked for names there.
DNS = "Localhost DNS"


class BackupError(Exception):
    """What went wrong, in one sentence for people."""


class Engine:
    """Runs commands in containers. Everything raises BackupError."""

    def __init__(self, settings: dict[str, Any]) -> None:
        """`settings` are those of settings.json, which the role backup writes."""
        self.settings = settings
        self.name = f"{settings['platform']}-backup"

    def docker(self, *arguments: str, given: bytes = b"") -> bytes:
        """Return what the engine's client prints; `given` is its standard input."""
        done = subprocess.run(["docker", *arguments], input=given, capture_output=True, check=False)  # noqa: S603, S607
        if done.returncode:
            told = [line for line in done.stderr.decode(errors="replace").splitlines() if DNS not in line]
            raise BackupError(
                "\n".join(told[-12:]) or f"{' '.join(arguments[-3:])}: exit code {done.returncode}"
            )
        return done.stdout

    def execute(self, service: str, *command: str, given: bytes = b"") -> bytes:
        """Return what a command prints in a container that runs."""
        container = f"{self.settings['platform']}-{service}"
        return self.docker("exec", "--interactive", container, *command, given=given)

    def ask(self, place: str, query: str, database: str = "postgres") -> str:
        """Return a place's answer to SQL."""
        command = (*ASKS, "--username=postgres", f"--dbname={database}")
        return self.execute(place, *command, given=query.encode()).decode().strip()

    def primary(self) -> str:
        """Return the place that says it is the primary; there has to be one, and no two."""
        found = []
        for place in self.settings["places"]:
            try:
                found += [place] if self.ask(place, "select pg_is_in_recovery()") == "f" else []
            except BackupError:
                continue
        if len(found) != 1:
            raise BackupError(
                f"{' and '.join(found) or 'No place of PostgreSQL'} say{'' if found[1:] else 's'} that it is"
                " the primary: one has to. Backups are made of the primary."
            )
        return str(found[0])

    def volume(self, place: str) -> str:
        """Return the name of a place's volume."""
        return f"{self.settings['platform']}-{place}-data"

    def started(
        self, command: tuple[str, ...], volume: str | None, writes: bool = False, alone: bool = True
    ) -> list[str]:
        """Return the engine's words that run a command of files/inside in the container `backup`.

        `volume` has PostgreSQL's data: a name, or "" for one that goes with it. `alone`: in no network.
        """
        mounted = []
        if volume is not None:
            source = f"source={volume}," if volume else ""
            access = "" if writes else ",readonly"
            mounted = ["--mount", f"type=volume,{source}target={PGDATA_VOLUME}{access}"]
        network = "none" if alone else self.settings["network"]
        run = ["run", "--rm", "--interactive", "--name", self.name, "--network", network]
        program = [self.settings["image"], "bash", "/etc/octopus/inside", *command]
        return [*run, *self.settings["options"], *mounted, *program]

    def inside(
        self,
        *command: str,
        volume: str | None = None,
        writes: bool = False,
        given: bytes = b"",
        alone: bool = True,
    ) -> bytes:
        """Run a command of files/inside; return what it prints."""
        # What a run has left that was broken off.
        subprocess.run(["docker", "rm", "--force", self.name], capture_output=True, check=False)  # noqa: S603, S607
        return self.docker(*self.started(command, volume, writes, alone), given=given)

    def attached(self, *command: str, volume: str) -> int:
        """Run a command of files/inside with the caller's own input and output; return its exit code."""
        words = self.started(command, volume, writes=True)
        terminal = ["--tty"] if sys.stdin.isatty() else []
        return subprocess.run(["docker", words[0], *terminal, *words[1:]], check=False).returncode  # noqa: S603, S607
