"""The way in: TLS, routes, limits, and what stands behind it."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509

from tests.infra.http_requests import JSON, post, request, to
from tests.infra.target import Container, Response, Target, wait_for

UNKNOWN = (
    "/metrics",
    "/api/metrics",
    "/api",
    "/api/",
    "/api/unknown",
    "/unknown",
    "/status",
    "/.env",
    "/api/../metrics",
)
REQUESTS = {path: request("GET", path) for path in (*UNKNOWN, "/grafana/", "/grafana", "/")}
LARGE = 70 * 1024  # bytes; 64 KiB are taken


@pytest.fixture(scope="module")
def answers(target: Target) -> dict[str, Response]:
    return dict(zip(REQUESTS, target.ask(*REQUESTS.values()), strict=True))


@pytest.fixture(scope="module")
def handshake(target: Target) -> dict[str, Any]:
    return dict(target.program("handshake", {"port": target.settings["proxy_https_port"]}))


@pytest.fixture(scope="module")
def certificate(handshake: dict[str, Any]) -> x509.Certificate:
    return x509.load_pem_x509_certificate(handshake["certificate"].encode())


# TLS


@pytest.mark.parametrize("path", ["/", "/api/data?a=1&b=2"])
def test_http_is_sent_on_to_https(target: Target, path: str) -> None:
    port = target.settings["proxy_http_port"]
    response = target.ask(request("GET", path, {"Host": "example.org"}, tls=False, port=port))[0]
    https = target.settings["proxy_https_port"]
    assert response.status == 301
    assert response.headers["location"] == f"https://example.org{'' if https == 443 else f':{https}'}{path}"


def test_http_2_is_spoken(handshake: dict[str, Any]) -> None:
    assert handshake["alpn"] == "h2"
    # The header block begins with `:status: 200`, from HPACK's static table.
    assert handshake["first_header_byte"] == 0x88


def test_tls_is_of_today(handshake: dict[str, Any]) -> None:
    assert handshake["tls"] == "TLSv1.3"


def test_the_certificate_is_for_the_names_that_were_asked_for(
    certificate: x509.Certificate, target: Target
) -> None:
    if target.settings["proxy_certificate_file"]:
        pytest.skip("the certificate is the user's own")
    wanted = target.settings["proxy_certificate_names"]
    # An expression: nobody said otherwise, and these are always in it.
    wanted = set(wanted if isinstance(wanted, list) else ["localhost", "127.0.0.1"])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    dns = set(names.get_values_for_type(x509.DNSName))
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert {str(ipaddress.ip_address(name)) for name in wanted if name[0].isdigit()} <= addresses
    assert {name for name in wanted if not name[0].isdigit()} <= dns


def test_the_certificate_is_valid_for_long_enough(certificate: x509.Certificate, target: Target) -> None:
    now = datetime.now(UTC)
    assert certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc
    if not target.settings["proxy_certificate_file"]:
        left = certificate.not_valid_after_utc - now
        needed = timedelta(days=target.settings["proxy_certificate_renew_days"])
        assert left >= needed, "deploy again: that renews the certificate"
        assert left <= timedelta(days=target.settings["proxy_certificate_days"])


# Routes


def test_the_page_and_the_api_are_behind_it(answers: dict[str, Response], target: Target) -> None:
    assert answers["/"].headers["content-type"].startswith("text/html")
    assert target.get("/api/data").json()["message"] == "Hello from Docker!"


@pytest.mark.parametrize("path", UNKNOWN)
def test_what_is_not_there_is_a_problem(answers: dict[str, Response], path: str) -> None:
    assert answers[path].status == 404
    answers[path].problem()


def test_grafana_answers_or_says_that_it_is_missing(answers: dict[str, Response], target: Target) -> None:
    assert (answers["/grafana"].status, answers["/grafana"].headers["location"][-9:]) == (301, "/grafana/")
    answer = answers["/grafana/"]
    if target.service("grafana"):
        assert answer.status in (200, 302)
    else:
        assert answer.status == 503
        assert "Grafana is not deployed" in answer.problem()["detail"]


def test_grafana_without_a_slash_leads_back_to_the_address_asked_for(target: Target) -> None:
    """Nginx would put its own port and scheme into the address."""
    location = target.ask(request("GET", "/grafana", {"Host": "example.org"}))[0].headers["location"]
    assert location in ("/grafana/", "https://example.org/grafana/")


def test_the_software_says_no_version(answers: dict[str, Response]) -> None:
    assert not [path for path, answer in answers.items() if "/" in answer.headers.get("server", "")]


# Limits


def test_a_large_body_is_refused(target: Target) -> None:
    response = target.ask(request("POST", "/api/messages", JSON, size=LARGE))[0]
    assert response.status == 413
    response.problem()


def test_broken_requests_are_problems(target: Target) -> None:
    port = target.settings["proxy_https_port"]
    answers = target.ask(
        request("GET", "/" + "x" * 9000),
        request("GET", "/", {"X-Long": "x" * 9000}),
        request("GET", "/", tls=False, port=port),
    )
    assert [answer.status for answer in answers] == [414, 400, 400]
    for answer in answers:
        answer.problem()


def test_upstreams_are_the_backends_and_the_page(target: Target) -> None:
    environment = target.one("proxy").environment
    backends = [
        f"{backend.name.removeprefix(f'{target.settings.name}-')}:8000"
        for backend in target.service("backend")
    ]
    assert sorted(environment["BACKEND_UPSTREAMS"].split(",")) == sorted(backends)
    assert environment["FRONTEND_UPSTREAM"] == "frontend:8080"


@pytest.mark.disruptive
def test_writing_too_often_is_held_back(target: Target) -> None:
    """Requests with a wrong key count like others, and store nothing."""
    burst, rate = target.settings["proxy_write_burst"], target.settings["proxy_write_rate"]
    if burst + rate > 300:
        pytest.skip("the limit was raised")
    wrong = post("/dev/null", {"text": "never stored"})
    answers = target.ask(*[wrong] * (burst * 2 + rate * 3), request("GET", "/api/data"), parallel=8)
    statuses = [answer.status for answer in answers[:-1]]
    assert set(statuses) == {401, 429}
    assert statuses.count(401) >= burst
    refused = answers[statuses.index(429)]
    assert int(refused.headers["retry-after"]) >= 1
    refused.problem()
    assert answers[-1].status == 200, "reading is not counted"
    time.sleep(burst / rate)


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
