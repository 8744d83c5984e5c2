"""What the tests of tests/reconfigure judge by: what a run has changed, and what a client counts."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.reconfigure.client import Client, Orders
from tests.reconfigure.prober import INTERVAL, Probe
from tests.reconfigure.results import Results
from tests.reconfigure.runs import Run, descendants

OUTPUT = """
TASK [container : Run octopus-redis] *******************************************
--- before
+++ after
@@ -1 +1 @@
+changed: [no result]
changed: [vm]

TASK [redis : Look] ************************************************************
ok: [vm]

TASK [proxy : Copy the files of TASK [x]] **************************************
ok: [vm] => (item=a)
changed: [vm] => (item=b)
changed: [vm -> localhost] => (item=c)

PLAY RECAP *********************************************************************
vm                         : ok=9    changed=2    unreachable=0    failed={failed}    skipped=0    rescued=1

changed=7
"""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CREATED = b'HTTP/1.1 201 Created\r\nContent-Length: 8\r\n\r\n{"id":7}'
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf"


# Runs


def test_a_run_tells_what_changed() -> None:
    run = Run(0, OUTPUT.format(failed=0), 1.0)
    assert run.changed == ["container : Run octopus-redis", "proxy : Copy the files of TASK [x]"]
    assert (run.changed_count, run.failed) == (2, False)


@pytest.mark.parametrize(("code", "failed"), [(2, 0), (0, 1), (2, 1)])
def test_a_run_that_failed_says_so(code: int, failed: int) -> None:
    assert Run(code, OUTPUT.format(failed=failed), 1.0).failed


def test_results_are_a_table(tmp_path: Path) -> None:
    results = Results("| what | measured |\n|---|---|\n")
    for measured in ("1 s", "2 s"):
        results.add("A rerun", measured)
    results.write(tmp_path / "new/results.md")
    assert (tmp_path / "new/results.md").read_text().endswith("|---|---|\n| A rerun | 2 s |\n")


def test_what_a_run_has_started_is_found_in_other_sessions_too() -> None:
    script = (
        "import subprocess, sys; print(subprocess.Popen(['setsid', 'sleep', '60']).pid); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-uc", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        started = int(process.stdout.readline())
        assert started in descendants(process.pid)
        process.kill()
    os.kill(started, signal.SIGKILL)


# Clients


@contextmanager
def server(*connections: list[bytes]) -> Iterator[Callable[[], http.client.HTTPConnection]]:
    """A server that gives these answers on each connection, and then closes it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answers in connections:
            with listener.accept()[0] as connection:
                for answer in answers:
                    connection.recv(65536)
                    connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    # Without TLS, which is not what is tested.
    yield lambda: http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=1)
    listener.close()


def ask(number: int, kinds: list[str], *connections: list[bytes]) -> Client:
    """Send requests of these kinds; a client 3 keeps no connection."""
    with server(*connections) as connect:
        client = Client(number, 0, Orders(connect, "mark", "key", 1, threading.Event()))
        for kind in kinds:
            client.one(kind)
        client.close()
    return client


def test_what_is_answered_as_promised_counts_as_such() -> None:
    counts = ask(0, ["data", "messages", "post"], [OK, OK, CREATED]).counts
    assert (counts.sent, counts.resent, sum(counts.failed.values())) == (3, 0, 0)
    assert list(counts.acknowledged) == [7]


def test_a_kept_connection_that_was_closed_is_no_failure() -> None:
    counts = ask(0, ["data", "post"], [OK], [CREATED]).counts
    assert (counts.sent, counts.resent, counts.resent_posts, sum(counts.failed.values())) == (2, 1, 1, 0)
    assert list(counts.acknowledged) == [7]


@pytest.mark.parametrize(
    ("kinds", "connections"),
    [
        (["data"], [[]]),
        (["data", "data"], [[OK], []]),
        (["data"], [[BUSY]]),
        (["post"], [[OK]]),
        (["data"], [[BROKEN]]),
        (["data"], []),
    ],
    ids=[
        "closed at once",
        "closed twice",
        "another status",
        "not accepted",
        "half an answer",
        "nobody there",
    ],
)
def test_anything_else_is_a_failure(kinds: list[str], connections: list[list[bytes]]) -> None:
    counts = ask(0, kinds, *connections).counts
    assert sum(counts.failed.values()) == 1
    assert not counts.acknowledged


def test_every_fourth_client_opens_a_connection_for_each_request() -> None:
    counts = ask(3, ["data", "data"], [OK], [OK]).counts
    assert (counts.sent, counts.resent, sum(counts.failed.values())) == (2, 0, 0)


def test_a_probe_knows_how_long_nothing_was_answered() -> None:
    over, answers = threading.Event(), iter([200, 503, 503, 503, 200, 200])

    def send() -> requests.Response:
        answer = requests.Response()
        try:
            answer.status_code = next(answers)
        except StopIteration:
            over.set()
            raise requests.ConnectionError from None
        return answer

    probe = Probe(send, 200, over)
    probe.run()
    assert (probe.answered, dict(probe.failed)) == (3, {"503": 3, "ConnectionError": 1})
    assert 4 * INTERVAL <= probe.gap < 8 * INTERVAL


def test_a_probe_without_any_answer_has_seen_nothing_but_a_gap() -> None:
    over = threading.Event()

    def send() -> requests.Response:
        raise requests.Timeout

    probe = Probe(send, 200, over)
    probe.start()
    over.wait(5 * INTERVAL)
    over.set()
    probe.join()
    assert probe.answered == 0
    assert probe.gap >= 5 * INTERVAL
