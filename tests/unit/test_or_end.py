"""or-end: a health check that ends what hangs. It runs among processes of its own, and ends no others."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from plugins.lookup.role_variables import ROOT
from plugins.modules.container_ready import without_end

OR_END = ROOT / "roles/base_image/files/image/or-end"
OWN = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"]
# PID 1 is called like the engine's init; the main process is its child. Both checks look at a file.
START = "mount -t tmpfs none /tmp; touch /tmp/serves; sleep 30 & main=$!"
CHECK = f"{OR_END} 3 test -e /tmp/serves"
GONE = "[ $(cut -d' ' -f3 /proc/$main/stat || echo Z) = Z ]"
ALIVE = f"sleep 0.2; {GONE} || echo alive"
# A busy machine takes a moment.
ENDED = f"for _ in $(seq 50); do {GONE} && break || sleep 0.1; done; {GONE} && echo ended"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    init = tmp_path / "docker-init"
    init.symlink_to("/bin/sh")

    def run(script: str, first: str = str(init)) -> str:
        done = subprocess.run(
            [*OWN, first, "-c", f"{START}; {script}"], capture_output=True, text=True, check=False, timeout=30
        )
        return done.stdout

    if os.geteuid() != 0 or subprocess.run([*OWN, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no process namespace can be made here")
    return run


def fails(times: int) -> str:
    return f"rm -f /tmp/serves; for _ in $(seq {times}); do {CHECK}; done"


def test_three_failures_after_a_success_end_the_main_process(run: Callable[..., str]) -> None:
    told = run(f"{CHECK}; {fails(3)}; {ENDED}")
    assert told.endswith("ended\n")
    assert "the health check failed 3 times in a row" in told


@pytest.mark.parametrize(
    "script",
    [
        fails(5),
        f"{CHECK}; {fails(2)}",
        f"{CHECK}; {fails(2)}; touch /tmp/serves; {CHECK}; {fails(2)}",
        f"{CHECK}; for _ in 1 2 3 4; do {OR_END} 3 sh -c 'exit 75'; done",
        f"{CHECK}; {fails(2)}; {OR_END} 3 sh -c 'exit 75'; {fails(2)}",
    ],
    ids=["none succeeded", "too few", "not in a row", "busy", "busy in between"],
)
def test_else_it_lives(run: Callable[..., str], script: str) -> None:
    assert run(f"{script}; {ALIVE}").endswith("alive\n")


def test_a_stopped_main_process_is_a_failure_whoever_answers(run: Callable[..., str]) -> None:
    told = run(f"{CHECK}; kill -STOP $main; for _ in 1 2 3; do {CHECK}; done; {ENDED}")
    assert told.endswith("ended\n")
    assert told.startswith("the main process is stopped\n")


def test_a_check_that_hangs_fails_in_time(run: Callable[..., str]) -> None:
    assert run(f"{OR_END} 3 sleep 20 && echo succeeded || echo failed") == (
        "no answer within 4 seconds\nfailed\n"
    )


def test_what_the_check_said_is_told(run: Callable[..., str]) -> None:
    assert run(f"{OR_END} 3 sh -c 'echo one; echo two >&2; exit 1'") == "one\ntwo\n"


def test_nobody_is_ended_where_pid_1_is_not_the_engines(run: Callable[..., str]) -> None:
    assert run(f"{CHECK}; {fails(4)}; {ALIVE}", first="/bin/sh").endswith("alive\n")


@pytest.mark.parametrize(
    ("test", "bare"),
    [
        (["CMD", "or-end", "3", "http-check", "80", "/"], ["CMD", "http-check", "80", "/"]),
        (["CMD", "sh", "/etc/octopus/or-end", "3", "wget", "-q"], ["CMD", "wget", "-q"]),
        (["CMD", "proxy-check"], ["CMD", "proxy-check"]),
        (["NONE"], ["NONE"]),
    ],
)
def test_a_deployment_that_waits_leaves_it_out(test: list[str], bare: list[str]) -> None:
    assert without_end(test) == bare
