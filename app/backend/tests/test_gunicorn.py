"""Gunicorn as the image runs it: its own errors, its limits, its log and the numbers at the start."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NOWHERE = {
    "POSTGRES_HOSTS": "127.0.0.1", "POSTGRES_PORT": "1", "POSTGRES_APP_PASSWORD": "x",
    "REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1", "REDIS_PASSWORD": "x", "API_KEY": "x",
}  # fmt: skip


class Server:
    """The command octopus-backend with services that nobody answers for."""

    def __init__(self, command: Path, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port = int(listening.getsockname()[1])
        self._log = folder / "log"
        self.numbers_at_start = ""
        own = {"BACKEND_PORT": str(self.port), "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics")}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen([command], env={**os.environ, **NOWHERE, **own}, stdout=log)

    def send(self, request: bytes) -> tuple[int, str, bytes]:
        """Send a request as it is; return status, media type and body."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as client:
            client.sendall(request)
            head, _, body = b"".join(iter(lambda: client.recv(65536), b"")).partition(b"\r\n\r\n")
        kind = re.search(rb"(?im)^content-type: (\S+?);?(?: .*)?\r?$", head)
        assert kind is not None, head
        return int(head.split()[1]), kind[1].decode(), body

    def get(self, target: bytes, *headers: bytes) -> tuple[int, str, bytes]:
        """Send a GET."""
        lines = [b"GET " + target + b" HTTP/1.1", b"Host: x", b"Connection: close", *headers]
        return self.send(b"\r\n".join([*lines, b"", b""]))

    def lines(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the lines of the log with these values; they come a little after the answer."""
        until = time.monotonic() + 5
        while time.monotonic() < until:
            lines = [json.loads(line) for line in self._log.read_text("utf-8").splitlines()]
            if found := [line for line in lines if wanted.items() <= line.items()]:
                return found
            time.sleep(0.05)
        return []


@pytest.fixture(scope="module")
def server(commands: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(commands / "octopus-backend", tmp_path_factory.mktemp("gunicorn"))
    until = time.monotonic() + 30
    while True:
        try:
            started.numbers_at_start = started.get(b"/metrics")[2].decode()
            break
        except ConnectionRefusedError:
            assert time.monotonic() < until, "gunicorn does not listen"
            time.sleep(0.1)
    yield started
    started.process.send_signal(signal.SIGTERM)
    assert started.process.wait(30) == 0


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        (b"/api/messages?before=" + b"1" * 9000, [], 414),
        (b"/api/data", [b"X-A-%d: 1" % n for n in range(1001)], 431),
        (b"/api/data", [b"X-A: " + b"1" * 9000], 431),
        (b"/api/data?\xff", [], 400),
        (b"/api/\xff", [], 400),
        (b"/api/data", [b"X-A: a\x01b"], 400),
        (b'/api/data?"\\<b>\x7f', [b"X A: 1"], 400),
        (b"/api/data", [b"Transfer-Encoding: unheard-of"], 501),
        (b"/api/data", [b"Content-Length: 1", b"Content-Length: 2"], 400),
    ],
    ids=["line", "headers", "header", "query", "path", "control", "quotes", "coding", "length"],
)
def test_what_gunicorn_cannot_read_is_a_problem(
    server: Server, target: bytes, headers: list[bytes], status: int
) -> None:
    got, kind, body = server.get(target, *headers)
    assert (got, kind) == (status, "application/problem+json")
    problem = json.loads(body)
    assert problem["status"] == status
    assert problem["title"]
    assert "html" not in body.decode().lower()
    # Nothing of the request comes back, from anywhere a browser or a log would take it for more.
    assert not [part for part in (b"/api", b"X-A", b"X A", b"unheard", b"<b>", b"111") if part in body]


def test_long_lines_and_many_headers_reach_the_application(server: Server) -> None:
    status, kind, _ = server.get(b"/api/messages?before=" + b"1" * 5000)
    assert (status, kind) == (422, "application/problem+json")
    assert server.get(b"/api/data", *(b"X-A-%d: 1" % n for n in range(110)))[0] == 200


def test_access_log_names_client_and_request(server: Server) -> None:
    server.get(b"/api/data?x=1", b"X-Forwarded-For: 192.0.2.7", b"X-Request-ID: id-of-access")
    (line,) = server.lines(request_id="id-of-access", logger="gunicorn.access")
    assert (line["client"], line["method"], line["path"]) == ("192.0.2.7", "GET", "/api/data?x=1")
    assert line["status"] == 422
    assert line["message"] == "GET /api/data 422"
    assert line["duration_ms"] > 0
    assert line["timestamp"]


def test_errors_name_their_request_and_no_other(server: Server) -> None:
    assert server.get(b"/api/messages", b"X-Request-ID: id-of-error")[0] == 503
    (line,) = server.lines(request_id="id-of-error", logger="octopus.api.problems")
    assert line["level"] == "WARNING"
    for _ in range(32):  # every thread of every process; these are logged outside the application
        assert server.get(b"/api/\xff")[0] == 400
    assert all("request_id" not in line for line in server.lines(logger="gunicorn.error", level="WARNING"))


def test_known_numbers_are_there_before_the_first_request(server: Server) -> None:
    text = server.numbers_at_start
    for line in (
        'octopus_http_requests_total{method="POST",route="/api/messages",status="201"} 0.0',
        'octopus_http_requests_total{method="GET",route="/api/messages/{message_id}",status="503"} 0.0',
        'octopus_http_requests_total{method="GET",route="unknown",status="404"} 0.0',
        'octopus_http_request_duration_seconds_count{method="GET",route="/api/data"} 0.0',
        'octopus_cache_requests_total{result="hit"} 0.0',
        "octopus_messages_accepted_total 0.0",
    ):
        assert f"{line}\n" in text
    assert "octopus_worker" not in text
