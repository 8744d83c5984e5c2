"""What stands behind the proxy: upstreams that come and go, and Grafana."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.infra.http_requests import request, to
from tests.infra.raw_requests import RawAnswer, get
from tests.infra.target import Container, Target, wait_for

LARGE = 70 * 1024  # bytes; more than the API takes


def upstreams(target: Target) -> str:
    """Return what Nginx is told of its upstreams."""
    return str(target.execute("proxy", "cat", "/tmp/upstreams.conf").stdout)  # noqa: S108


def test_upstreams_are_the_backends_and_the_page(target: Target) -> None:
    used = upstreams(target)
    backends = [f"{one.addresses['backend']}:8000" for one in target.service("backend")]
    pages = [f"{one.addresses['frontend']}:8080" for one in target.service("frontend")]
    assert sorted(re.findall(r"server ([0-9.:]+) max_fails", used)) == sorted(backends + pages)


def test_the_number_of_backends_is_no_part_of_the_container(target: Target) -> None:
    """So that scaling and draining reload the proxy and never recreate it."""
    environment = target.one("proxy").environment
    assert environment["BACKEND_UPSTREAMS"] == "backend:8000"
    assert environment["FRONTEND_UPSTREAM"] == "frontend:8080"
    names = [one.short for one in target.service("backend")]
    given = target.execute("proxy", "cat", "/etc/octopus/upstreams").stdout.strip()
    assert sorted(given.removeprefix("BACKEND_UPSTREAMS=").split(",")) == sorted(
        f"{name}:8000" for name in names
    )


# What stands behind it is started anew


# Starts containers until one gets the address $3; the engine decides in which order it hands them out.
USURP = """
for number in $(seq 40); do
  name=$1-verify-usurper-$number
  docker run --detach --rm --name $name --network $1-backend --read-only --tmpfs /tmp $2 >/dev/null
  docker inspect $name | grep -q "\\"IPAddress\\": \\"$3\\"" && exit 0
done
echo none
"""


@pytest.fixture
def usurper(target: Target) -> Iterator[tuple[Container, str]]:
    """A backend that has come back at another address, while somebody else holds its old one."""
    target.refresh()
    backend, image = target.service("backend")[0], target.one("frontend").raw["Config"]["Image"]
    address = backend.addresses["backend"]
    target.run("docker stop %s", backend.name)
    try:
        taken = target.run("sh -c %s sh %s %s %s", USURP, target.settings.name, image, address)
        target.run("docker start %s", backend.name)
        target.refresh()
        if "none" in taken:
            pytest.skip("the engine did not hand out the old address again")
        yield backend, address
    finally:
        mine = f"name=^{target.settings.name}-verify-usurper-"
        target.run("docker ps --quiet --filter %s | xargs -r docker rm --force", mine)
        target.run("docker start %s", backend.name)
        target.refresh()


def requests_counted(target: Target, backend: Container) -> float:
    address = target.containers[backend.name].addresses["backend"]
    if not address:
        return 0
    lines = target.ask(to(address, 8000, "/metrics"))[0].body.splitlines()
    data = [
        line
        for line in lines
        if line.startswith("octopus_http_requests_total{") and 'route="/api/data"' in line
    ]
    return sum(float(line.rsplit(" ", 1)[1]) for line in data)


@pytest.mark.disruptive
def test_a_backend_is_found_again_when_another_container_took_its_address(
    target: Target, usurper: tuple[Container, str]
) -> None:
    backend, old_address = usurper
    assert target.containers[backend.name].addresses["backend"] != old_address
    wait_for("the backend is healthy again", lambda: is_healthy(target, backend), 60)
    before = requests_counted(target, backend)
    answers = target.ask(*[request("GET", "/api/data")] * 40)
    assert {answer.status for answer in answers} == {200}
    assert {answer.json()["message"] for answer in answers} == {"Hello from Docker!"}
    assert requests_counted(target, backend) >= before + 10, "the proxy has not found it again"


def is_healthy(target: Target, container: Container) -> bool:
    target.refresh()
    return bool(target.containers[container.name].raw["State"]["Health"]["Status"] == "healthy")


# Signals the process in the container whose name is $1.
SIGNAL = """
for process in /proc/[0-9]*; do
  read -r name <$process/comm && [[ $name == "$1" ]] && kill -$2 ${process#/proc/} && exit 0
done
exit 1
"""


@pytest.mark.disruptive
def test_the_health_check_sees_that_upstreams_are_no_longer_resolved(target: Target) -> None:
    def check() -> int:
        return int(target.execute("proxy", "proxy-check").rc)

    def signal(name: str) -> None:
        assert target.execute("proxy", "bash", "-c", SIGNAL, "bash", "proxy-upstreams", name).rc == 0

    assert check() == 0
    signal("STOP")
    try:
        wait_for("the check fails", lambda: check() != 0, 20)
    finally:
        signal("CONT")
    wait_for("the check succeeds again", lambda: check() == 0, 5)


# Stands in for Grafana, to show what the proxy does with its answers; it says nothing about Grafana itself.
# It answers with what it was sent, has a header of its own, and opens WebSockets: what comes there goes back.
ECHO = """
import base64, hashlib, http.server, json
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.headers["Upgrade"] != "websocket":
            self.send_response(200)
            self.send_header("Content-Security-Policy", "script-src stand-in")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        lines = "HTTP/1.1 101 Switching", "Upgrade: websocket", "Connection: Upgrade"
        lines += f"Sec-WebSocket-Accept: {accept}", "", ""
        self.wfile.write("\\r\\n".join(lines).encode())
        self.wfile.write(self.rfile.read(5)[::-1])
        self.close_connection = True
    def do_POST(self):
        size = len(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        seen = {name.lower(): value for name, value in self.headers.items()}
        self.wfile.write(json.dumps(seen | {"size": size}).encode())
http.server.HTTPServer(("", 3000), Echo).serve_forever()
"""


@pytest.fixture
def echo(target: Target) -> Iterator[None]:
    if target.service("grafana"):
        pytest.skip("Grafana itself is here")
    name = f"{target.settings.name}-verify-echo"
    target.run("docker rm --force %s 2>/dev/null || true", name)
    image = target.one("backend").raw["Config"]["Image"]
    target.run(
        "docker run --detach --rm --init --read-only --name %s --network %s --network-alias grafana"
        " --label octopus.verify=stand-in"
        " %s python3 -c %s",
        name,
        f"{target.settings.name}-dashboards",
        image,
        ECHO,
    )
    try:
        probe = request("POST", "/grafana/", body="x")
        wait_for("the stand-in answers", lambda: target.ask(probe)[0].status == 200, 30)
        yield
    finally:
        target.run("docker rm --force %s", name)


@pytest.mark.disruptive
@pytest.mark.usefixtures("echo")
def test_grafana_learns_who_asks_for_what(target: Target) -> None:
    websocket = {"Host": "localhost:8443", "Upgrade": "websocket", "Connection": "Upgrade"}
    answers = target.ask(
        request("POST", "/grafana/a", {"Host": "localhost:8443"}, size=LARGE),
        request("POST", "/grafana/a", websocket, body="x"),
        request("POST", "/grafana/a", {"Upgrade": "h2c", "Connection": "Upgrade"}, body="x"),
    )
    plain, upgraded, other = (answer.json() for answer in answers)
    assert plain["size"] == LARGE
    assert (plain["host"], plain["x-forwarded-proto"]) == ("localhost:8443", "https")
    assert plain["x-forwarded-for"]
    assert plain["x-request-id"]
    assert "upgrade" not in plain
    assert (upgraded["upgrade"], upgraded["connection"]) == ("websocket", "upgrade")
    assert "upgrade" not in other
    assert "content-security-policy" not in answers[0].headers, "Grafana has its own"


def sent_to_grafana(target: Target, *headers: str, after: str = "") -> RawAnswer:
    port = target.settings["proxy_https_port"]
    one = get("/grafana/", *headers)
    job = {"requests": [[*one, (after, 1)]], "address": "127.0.0.1", "port": port, "tls": True}
    return RawAnswer(**target.program("raw", job | {"key_file": "/dev/null"})[0])


@pytest.mark.disruptive
@pytest.mark.usefixtures("echo")
def test_the_headers_of_what_stands_there_are_passed_on_alone(target: Target) -> None:
    answer = sent_to_grafana(target)
    head = answer.text.lower()
    assert answer.statuses == [200]
    assert head.count("content-security-policy") == 1
    assert "content-security-policy: script-src stand-in\r\n" in head
    for ours in ("x-content-type-options", "referrer-policy", "permissions-policy", "cross-origin-opener"):
        assert ours not in head


@pytest.mark.disruptive
@pytest.mark.usefixtures("echo")
def test_a_websocket_is_opened_through_the_proxy(target: Target) -> None:
    """Key and answer are those of RFC 6455; then bytes go there and back."""
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    answer = sent_to_grafana(target, "Upgrade: websocket\r\n", key, after="there")
    head, _, body = answer.text.partition("\r\n\r\n")
    assert answer.statuses == [101], answer
    assert "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    assert body == "ereht"
