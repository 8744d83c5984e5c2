"""Runs of ansible-playbook as a person would start them, and what they say."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.infra.settings import ROOT

BIN = Path(sys.executable).parent
# The user's own settings of Ansible. Others come from an Ansible that has started these tests.
KEPT = ("ANSIBLE_LOG_PATH", "ANSIBLE_BECOME_PASSWORD_FILE")
LIMIT = 1200  # seconds; no run may take longer


@dataclass(frozen=True, repr=False)
class Run:
    """A run that has ended."""

    code: int
    output: str
    seconds: float

    @property
    def changed(self) -> list[str]:
        """The names of the tasks that reported a change, in their order, as `role : task`."""
        task = ""
        found: list[str] = []
        for line in self.output.splitlines():
            if match := re.match(r"(?:TASK|RUNNING HANDLER) \[(.*)\] \**$", line):
                task = match[1]
            elif line.startswith("changed: [") and task not in found[-1:]:
                found.append(task)
        return found

    def recap(self, word: str) -> int:
        """Return a number of the recap, over all hosts: ok, changed, unreachable, failed, …"""
        lines = re.findall(r"^\S+ +: (ok=\d+ .*)$", self.output.rpartition("PLAY RECAP")[2], re.MULTILINE)
        return sum(int(number) for line in lines for number in re.findall(rf"\b{word}=(\d+)", line))

    @property
    def changed_count(self) -> int:
        return self.recap("changed")

    @property
    def failed(self) -> bool:
        return self.code != 0 or self.recap("failed") + self.recap("unreachable") > 0

    def __repr__(self) -> str:
        """Return what to look at first: the first failure, or the end."""
        fatal = self.output.find("fatal: [")
        said = self.output[fatal:][:4000] if fatal >= 0 else self.output[-2000:]
        return f"exit code {self.code} after {self.seconds:.1f} s; changed: {self.changed}\n{said}"


class Playing:
    """A run under way."""

    def __init__(self, arguments: list[str], root: Path) -> None:
        self.started = time.monotonic()
        self.file: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by wait
        self.process = subprocess.Popen(
            # Where the controller has the same cores as the host, it must not take them from what runs there.
            ["nice", "--adjustment=10", str(BIN / "ansible-playbook"), *arguments],
            cwd=root,
            env=environment(root),
            stdin=subprocess.DEVNULL,
            stdout=self.file,
            stderr=subprocess.STDOUT,
        )

    def wait(self, seconds: float = LIMIT) -> Run:
        """Return the run when it has ended; kill it, and fail, when it takes too long."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        taken = time.monotonic() - self.started
        self.file.seek(0)
        with self.file:
            return Run(code, self.file.read(), taken)

    def kill(self) -> None:
        """End it and all that it has started on the controller at once, as a power cut would."""
        self.process.send_signal(signal.SIGSTOP)
        # Not by its process group: Ansible's workers have each their own.
        for process in [*descendants(self.process.pid), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()


def descendants(process: int) -> list[int]:
    """Return all processes that a process has started, and those that they have."""
    files = Path(f"/proc/{process}/task").glob("*/children")
    children = [int(child) for file in files for child in file.read_text().split()]
    return children + [each for child in children for each in descendants(child)]


def environment(root: Path) -> dict[str, str]:
    """Return the environment of a run from the repository below `root`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or not name.startswith(("ANSIBLE_", "MOLECULE_"))
    }
    own = {"ANSIBLE_CONFIG": f"{root}/ansible.cfg", "ANSIBLE_NOCOLOR": "1"}
    return kept | own | {"PATH": f"{BIN}:{os.environ['PATH']}"}


def ask_ansible(inventory: str, names: list[str]) -> dict[str, Any]:
    """Return variables of the inventory's first host, as Ansible sees them; `host` is its name."""
    # What stays omitted is not in the answer.
    wanted = ", ".join(f"'{name}': {name} | default(omit)" for name in names)
    message = f"msg={{{{ {{'host': inventory_hostname, {wanted}}} }}}}"
    command = ["ansible", "platform[0]", "-i", inventory, "--playbook-dir", "playbooks", "-m", "debug"]
    own = {"ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_LOG_PATH": ""}
    done = subprocess.run(
        [*command, "-a", message],
        cwd=ROOT,
        env=environment(ROOT) | own,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.partition("=>")[2])["msg"]
    return found
