"""Which names the proxy answers to: a page elsewhere cannot have its own name bent to this address."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from cryptography import x509

from tests.infra.raw_requests import Parts, RawAnswer, parts
from tests.infra.target import Target

LOCALHOST = ("localhost", "LocalHost", "localhost.", "localhost:8443", "localhost.:1", "localhost:")
ADDRESSES = ("127.0.0.1", "203.0.113.7:8443", "[::1]", "[2001:DB8::1]:443")
UNKNOWN = (
    "example.org",
    "localhost.example.org",
    "xlocalhost",
    "127.0.0.1.example.org",
    "2130706433",
    "0x7f.1",
    "_",
    "backend",
    "proxy:8443",
)
MALFORMED = ("", "::1", "[::1", "a b", "localhost..", "localhost/x", "localhost@example.org")
PATHS = ("/", "/api", "/api/data", "/grafana", "/grafana/", "/metrics", "/unknown")
END = "Connection: close\r\n\r\n"
# Request -> the status on the port of HTTP, and on that of TLS.
RAW: dict[str, tuple[str, int, int]] = {
    "a whole address of another": (f"GET http://a.org/ HTTP/1.1\r\nHost: localhost\r\n{END}", 421, 421),
    # RFC 9112: the header is not looked at, then.
    "another name in the header only": (f"GET http://localhost/x HTTP/1.1\r\nHost: a.org\r\n{END}", 301, 404),
    "HTTP/1.0 with another name": (f"GET / HTTP/1.0\r\nHost: example.org\r\n{END}", 421, 421),
    "HTTP/1.0 without a name": (f"GET / HTTP/1.0\r\n{END}", 400, 400),
    "HTTP/1.1 without a name": (f"GET / HTTP/1.1\r\n{END}", 400, 400),
    "HTTP/0.9": ("GET /\r\n", 400, 400),
    "two names, one known": (f"GET / HTTP/1.1\r\nHost: localhost\r\nHost: example.org\r\n{END}", 400, 400),
    "writing": (f"POST /api/messages HTTP/1.1\r\nHost: a.org\r\nContent-Length: 0\r\n{END}", 421, 421),
}


def of_host(host: str, path: str = "/") -> Parts:
    return parts(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{END}")


def send(target: Target, requests: list[Parts], tls: bool) -> list[RawAnswer]:
    port = target.settings["proxy_https_port" if tls else "proxy_http_port"]
    job = {"requests": requests, "address": "127.0.0.1", "port": port, "tls": tls, "key_file": "/dev/null"}
    return [RawAnswer(**answer) for answer in target.program("raw", job)]


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_our_names_and_addresses_are_answered_to(target: Target, tls: bool) -> None:
    hosts = (*LOCALHOST, *ADDRESSES)
    answers = send(target, [of_host(host) for host in hosts], tls)
    assert {host: answer.statuses for host, answer in zip(hosts, answers, strict=True)} == {
        host: [200 if tls else 301] for host in hosts
    }


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_other_names_are_refused(target: Target, tls: bool) -> None:
    asked = [(host, "/") for host in UNKNOWN] + [("example.org", path) for path in PATHS]
    for one, answer in zip(asked, send(target, [of_host(*one) for one in asked], tls), strict=True):
        head, _, body = answer.text.partition("\r\n\r\n")
        assert answer.statuses == [421], one
        assert "application/problem+json" in head, one
        assert "\nlocation:" not in head.lower(), one
        assert "proxy_host_names" in json.loads(body)["detail"], one


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_what_is_no_name_is_refused(target: Target, tls: bool) -> None:
    answers = send(target, [of_host(host) for host in MALFORMED], tls)
    refused = {host: answer.statuses for host, answer in zip(MALFORMED, answers, strict=True)}
    assert all(statuses in ([400], [421]) for statuses in refused.values()), refused


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("name", RAW)
def test_no_form_of_request_gets_around_it(target: Target, name: str, tls: bool) -> None:
    text, *statuses = RAW[name]
    answer = send(target, [parts(text)], tls)[0]
    if name == "HTTP/0.9":
        # That version knows no status line: the problem is all there is.
        assert json.loads(answer.text)["status"] == statuses[tls]
    else:
        assert answer.statuses == [statuses[tls]], answer
    assert "<title>Octopus" not in answer.text


@pytest.mark.parametrize(("authority", "status"), [("localhost", 200), ("example.org", 421)])
def test_http_2_has_the_same_names(target: Target, authority: str, status: int) -> None:
    job = {"port": target.settings["proxy_https_port"], "authority": authority}
    assert target.program("handshake", job)["status"] == status


# The names that this host has in truth


@pytest.fixture(scope="module")
def certificate(target: Target) -> x509.Certificate:
    """The one that is served."""
    seen = target.program("handshake", {"port": target.settings["proxy_https_port"]})
    return x509.load_pem_x509_certificate(seen["certificate"].encode())


def status_of(target: Target, names: Iterable[str], tls: bool) -> dict[str, list[int]]:
    asked = sorted(names)
    answers = send(target, [of_host(name) for name in asked], tls)
    return {name: answer.statuses for name, answer in zip(asked, answers, strict=True)}


def taken(names: Iterable[str], tls: bool) -> dict[str, list[int]]:
    return {name: [200 if tls else 301] for name in names}


def below(names: Iterable[str]) -> set[str]:
    """Names as people ask for them: some below each wildcard."""
    return {name.replace("*", one) for name in names for one in ("verify", "two.deep")}


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_the_certificates_names_are_known(target: Target, certificate: x509.Certificate, tls: bool) -> None:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    names = below(found.get_values_for_type(x509.DNSName))
    assert names
    assert status_of(target, names, tls) == taken(names, tls)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_the_hosts_own_names_are_known(target: Target, tls: bool) -> None:
    """What people type who have just deployed to it."""
    names = set(target.run("uname -n; uname -n | cut -d. -f1").split())
    names.add(target.run("python3 -c 'import socket; print(socket.getfqdn())'").strip())
    assert status_of(target, names, tls) == taken(names, tls)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_the_users_own_names_are_known(target: Target, tls: bool) -> None:
    given = target.settings["proxy_host_names"]
    if not given:
        pytest.skip("proxy_host_names is empty")
    assert status_of(target, below(given), tls) == taken(below(given), tls)
    # A wildcard stands for what is below it, a name for itself.
    others = {name.removeprefix("*.") if "*" in name else f"verify.{name}" for name in given}
    others = {name for name in others if not covered(name, given)}
    assert status_of(target, others, tls) == {name: [421] for name in others}


def covered(name: str, given: list[str]) -> bool:
    return any(name == one or (one[0] == "*" and name.endswith(one[1:])) for one in given)
