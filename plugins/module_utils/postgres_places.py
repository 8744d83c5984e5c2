"""The two places of PostgreSQL on a host: their containers, what their volumes hold, and orders to them.

An order is one word in the volume, which the place obeys at its next start: see the image's postgres-place.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

# What every module about the places is given.
ARGUMENTS = {
    "platform": {"type": "str", "required": True},
    "places": {"type": "list", "elements": "str", "required": True},
    "uid": {"type": "int", "required": True},
    "slot": {"type": "str", "required": True},
}
PSQL = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--username=postgres"]
ANSWERS_WITHIN = 5  # seconds


class TroubleError(Exception):
    """What is wrong, in a sentence for the operator."""


class Place:
    """One of the places; `name` is the service's, pg-primary or pg-replica."""

    def __init__(self, module: Any, name: str) -> None:
        """`module` has the parameters of ARGUMENTS."""
        self.module, self.name = module, name
        self.container = f"{module.params['platform']}-{name}"
        self.volume = f"{self.container}-data"

    def docker(self, *arguments: str, check: bool = True) -> str:
        """Return what a call of the engine prints; raise TroubleError where it fails and is checked."""
        code, output, errors = self.module.run_command(["docker", *arguments])
        if code and check:
            raise TroubleError(f"docker {' '.join(arguments[:2])} failed: {errors.strip()}")
        return "" if code else str(output).strip()

    # The volume, seen from the host

    @cached_property
    def root(self) -> str:
        """The volume's directory on the host; empty where there is no volume."""
        return self.docker("volume", "inspect", "--format", "{{.Mountpoint}}", self.volume, check=False)

    def path(self, *names: str) -> str:
        """Return the path of a file of the volume."""
        return os.path.join(self.root, *names)

    def has(self, *names: str) -> bool:
        """Return whether a file of the volume is there."""
        return bool(self.root) and os.path.exists(self.path(*names))

    @property
    def data(self) -> bool:
        """Whether the volume holds a cluster."""
        return self.has("data", "PG_VERSION")

    @property
    def signal(self) -> bool:
        """Whether the cluster is, at its next start, a standby."""
        return self.has("data", "standby.signal")

    @property
    def order(self) -> str:
        """The order that waits to be obeyed, or nothing."""
        if not self.has("order"):
            return ""
        with open(self.path("order"), encoding="utf-8") as stream:
            return stream.read().strip()

    def give(self, order: str) -> None:
        """Write an order in one step; make the volume where there is none."""
        if not self.root:
            self.docker("volume", "create", self.volume)
            del self.__dict__["root"]
            self.own(self.root, 0o700)
        with open(self.path("order.new"), "w", encoding="utf-8") as stream:
            stream.write(order + "\n")
            os.fsync(stream.fileno())
        self.own(self.path("order.new"), 0o600)
        os.replace(self.path("order.new"), self.path("order"))

    def touch(self, *names: str) -> None:
        """Make an empty file in the volume."""
        with open(self.path(*names), "a", encoding="utf-8"):
            self.own(self.path(*names), 0o600)

    def unlink(self, *names: str) -> None:
        """Remove a file of the volume."""
        os.unlink(self.path(*names))

    def own(self, path: str, mode: int) -> None:
        """Give a file to the server's user."""
        os.chown(path, self.module.params["uid"], self.module.params["uid"])
        os.chmod(path, mode)

    # The server

    @property
    def status(self) -> str:
        """What the engine says of the container: running, paused, exited, …; empty where there is none."""
        return self.docker(
            "container", "inspect", "--format", "{{.State.Status}}", self.container, check=False
        )

    def sql(self, query: str, seconds: int = ANSWERS_WITHIN) -> str | None:
        """Return what a query prints; None where it fails or has not ended after `seconds`.

        No standby is waited for, whatever pg_synchronous says: administration has to work without one.
        """
        options = f"PGOPTIONS=-csynchronous_commit=local -cstatement_timeout={seconds}s"
        call = ["docker", "exec", "--env", options, self.container, *PSQL, "--dbname=postgres"]
        # A server that hangs keeps its client waiting.
        command = ["timeout", str(seconds + 1), *call, f"--command={query}"]
        code, output, _ = self.module.run_command(command)
        return None if code else str(output).strip()

    def is_standby(self) -> bool | None:
        """Return what the server says of itself; None where it does not answer."""
        return {"t": True, "f": False}.get(self.sql("select pg_is_in_recovery()") or "")

    def streams(self) -> bool:
        """Return whether this primary's slot is in use by a standby that streams."""
        senders = "select count(*) from pg_stat_replication where state = 'streaming'"
        return (self.sql(senders) or "0") != "0"

    def promote(self) -> None:
        """Make the standby the primary. It replays first all the log that it holds."""
        if self.sql("select pg_promote(true, 120)", 150) != "t":
            raise TroubleError(
                f"{self.name} could not be promoted: see docker logs {self.container}, and run this again."
            )

    def provide_slot(self, reserve: bool = False) -> None:
        """Have the slot that the other place follows over; reserved, it keeps the log from now on."""
        slot = self.module.params["slot"]
        self.sql(
            f"select pg_create_physical_replication_slot('{slot}', {str(reserve).lower()})"  # noqa: S608 - a checked name
            f" where not exists (select from pg_replication_slots where slot_name = '{slot}')"
        )


def places_of(module: Any) -> list[Place]:
    """Return the places in their order."""
    return [Place(module, name) for name in module.params["places"]]


def wait_for(condition: Callable[[], Any], seconds: float, pause: float = 0.05) -> bool:
    """Return whether a condition becomes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True
