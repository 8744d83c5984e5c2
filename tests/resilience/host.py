"""The host as a whole: whether it lets anybody in, and its reboot."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import time

from tests.infra.target import wait_for
from tests.reconfigure.platform import Platform

BACK = 60  # seconds until all is well again
# What is done to the container that plays the host, on this machine's engine.
STEPS = {"rebooted": ("restart --time 60",), "without power": ("kill", "start")}


def reaches(platform: Platform) -> bool:
    """Return whether root gets in and the engine answers."""
    # testinfra's word for a host that SSH does not get into.
    with contextlib.suppress(RuntimeError):
        return bool(platform.run("timeout 5 docker version").rc == 0)
    return False


def boot(platform: Platform, machine: str, how: str = "rebooted") -> float:
    """Reboot the host, and wait for its engine; return when it began to boot (time.monotonic)."""
    for step in STEPS[how]:
        began = time.monotonic()
        subprocess.run(["docker", *shlex.split(step), machine], check=True, capture_output=True)
    if how == "rebooted":
        # The command returns when the host has gone down and begins to boot.
        began = time.monotonic()
    wait_for("root gets in, and the engine answers", lambda: reaches(platform), BACK)
    # It may have another one by now.
    platform.__dict__.pop("address", None)
    return began
