"""The way in: TLS, routes, limits, and what stands behind it."""

from __future__ import annotations

import ipaddress
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.infra.http_requests import JSON, post, request
from tests.infra.target import Response, Target

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


def raw(target: Target, text: str) -> tuple[str, str]:
    """Send bytes (printf's escapes) to the port of plain HTTP; return the answer's head and body."""
    port = target.settings["proxy_http_port"]
    answer = target.run("bash -c %s", f"exec 3<>/dev/tcp/127.0.0.1/{port}; printf '{text}' >&3; cat <&3")
    head, _, body = answer.replace("\r\n", "\n").partition("\n\n")
    return head, body


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
    response = target.ask(request("GET", path, {"Host": "localhost"}, tls=False, port=port))[0]
    https = target.settings["proxy_https_port"]
    assert response.status == 301
    assert response.headers["location"] == f"https://localhost{'' if https == 443 else f':{https}'}{path}"


NOWHERE = {
    "garbage": (r"\x16\x03garbage\r\n\r\n", 400),
    "an old version without a host": (r"GET /x HTTP/1.0\r\n\r\n", 400),
    "no host": (r"GET /x HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    "an empty host": (r"GET /x HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", 400),
    "a version to come": (r"GET /x HTTP/3.0\r\nHost: a\r\nConnection: close\r\n\r\n", 505),
}


@pytest.mark.parametrize("name", NOWHERE)
def test_what_cannot_be_sent_on_is_a_problem(target: Target, name: str) -> None:
    text, status = NOWHERE[name]
    head, body = raw(target, text)
    assert head.startswith(f"HTTP/1.1 {status} ")
    assert "\nlocation:" not in head.lower()
    assert "application/problem+json" in head
    assert json.loads(body)["status"] == status


def test_http_2_is_spoken(handshake: dict[str, Any]) -> None:
    assert handshake["alpn"] == "h2"
    assert handshake["status"] == 200


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


def test_the_users_own_certificate_is_served_where_there_is_one(
    certificate: x509.Certificate, target: Target
) -> None:
    file = target.settings["proxy_certificate_file"]
    if file:
        assert certificate == x509.load_pem_x509_certificates(Path(file).read_bytes())[0]
    else:
        assert certificate.issuer == certificate.subject, "it is not self-signed"


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
    location = target.ask(request("GET", "/grafana", {"Host": "localhost"}))[0].headers["location"]
    assert location in ("/grafana/", "https://localhost/grafana/")


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
        request("POST", "/", {"Transfer-Encoding": "gzip"}),
    )
    assert [answer.status for answer in answers] == [414, 431, 400, 501]
    details = [answer.problem()["detail"] for answer in answers]
    assert details[1] == "The headers are too large."
    assert details[2] == "This port speaks TLS; use https."


@pytest.mark.parametrize("path", ["/", "/api/data", "/api/messages", "/api/messages?limit=1"])
@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "OPTIONS"])
def test_unknown_methods_learn_the_known_ones(target: Target, method: str, path: str) -> None:
    """Nginx itself answers TRACE, the services all others."""
    answer = target.ask(request(method, path))[0]
    assert answer.status == 405
    answer.problem()
    known = {"GET", "HEAD", "POST"} if "messages" in path else {"GET", "HEAD"}
    assert set(answer.headers["allow"].split(", ")) == known


# Headers for browsers are tests/infra/test_frontend.py's, but for this one


def test_https_is_insisted_on_where_the_certificate_is_trusted(
    answers: dict[str, Response], target: Target
) -> None:
    """Behind a self-signed certificate, browsers could not be told to go on any more."""
    own = bool(target.settings["proxy_certificate_file"])
    for path in ("/", "/metrics", "/grafana/"):
        assert ("strict-transport-security" in answers[path].headers) == own, path


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
