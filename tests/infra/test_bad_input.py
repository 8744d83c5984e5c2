"""Broken, hostile and oversized requests, byte by byte: each is refused with a problem, and that is all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infra import raw_requests as raw
from tests.infra.message import Messages
from tests.infra.raw_requests import Part, Parts, RawAnswer, get, open_post, parts, post
from tests.infra.target import Target

pytestmark = pytest.mark.audit

TEN_MB = 10_000_000
DEEP = 10_000  # levels
CHUNKED = "Transfer-Encoding: chunked\r\n"
LARGE: Part = ("x", TEN_MB)

# Name -> request and the status that it gets.
REFUSED: dict[str, tuple[Parts, int]] = {
    "UTF-8 that is none, in a body": (post('{"text": "\xff\xfe"}'), 422),
    "UTF-8 of too many bytes": (post('{"text": "\xc0\xaf"}'), 422),
    "half a surrogate pair in UTF-8": (post('{"text": "\xed\xa0\x80"}'), 422),
    "UTF-8 that is none, in a path": (get("/api/messages/%ff%fe"), 404),
    "bytes in a path": (get("/api/messages/\xff\xfe"), 400),
    "UTF-8 that is none, in a query": (get("/api/messages?limit=%ff"), 422),
    "bytes in a query": (get("/api/messages?limit=\xff"), 400),
    "bytes as API key": (post('{"text": "x"}', headers="X-API-Key: \xff\xfe\r\n"), 401),
    "bytes as Idempotency-Key": (post("{}", headers=raw.KEY + "Idempotency-Key: \xff\xfe\r\n"), 422),
    "bytes in a media type": (post("{}", media_type="application/json\xff"), 415),
    "NUL in a body": (post('{"text": "\0"}'), 422),
    "NUL before a body": (post('\0{"text": "x"}'), 422),
    "NUL in a body, escaped": (post('{"text": "a\\u0000b"}'), 422),
    "NUL in a path": (get("/api/\0data"), 400),
    "NUL in a path, escaped": (get("/api/messages/%00"), 400),
    "NUL in a file's name, escaped": (get("/index.html%00.png"), 400),
    "NUL in a query": (get("/api/messages?before=%00"), 422),
    "NUL in a header": (get("/api/data", "X-A: a\0b\r\n"), 400),
    "NUL in an Idempotency-Key": (post("{}", headers=raw.KEY + "Idempotency-Key: a\0b\r\n"), 400),
    "10 MB of text": (post('{"text": "', LARGE, '"}'), 413),
    "10 MB of text without a key": (post('{"text": "', LARGE, '"}', headers=""), 413),
    "10 MB of blanks": (post((" ", TEN_MB), "{}"), 413),
    "10 MB in chunks": (
        open_post(CHUNKED + raw.KEY + raw.END) + parts((f"1000\r\n{'x' * 4096}\r\n", 2500), "0\r\n\r\n"),
        413,
    ),
    "10 MB for a reading request": (get("/api/data", f"Content-Length: {TEN_MB}\r\n") + parts(LARGE), 413),
    "10 MB for the page": (get("/", f"Content-Length: {TEN_MB}\r\n") + parts(LARGE), 413),
    "deep lists": (post(("[", DEEP), ("]", DEEP)), 422),
    "deep objects": (post(('{"a":', DEEP), "1", ("}", DEEP)), 422),
    "deep lists as text": (post('{"text": ', ("[", DEEP), ("]", DEEP), "}"), 422),
    "deep objects beside a text": (post('{"text": "x", "a": ', ('{"a":', DEEP), "1", ("}", DEEP + 1)), 422),
    "lists that do not end": (post(("[", 3 * DEEP)), 422),
    "a number of 20,000 digits": (post('{"text": ', ("9", 20_000), "}"), 422),
    "SQL in a query": (get("/api/messages?before=1;drop%20table%20messages"), 422),
    "SQL in a path": (get("/api/messages/1'%20or%20'1'='1"), 404),
    "a template in a query": (get("/api/messages?limit={{7*7}}"), 422),
    "a template in a path": (get("/api/messages/${7*7}%7b%7b7*7%7d%7d"), 404),
    "a form": (post("--x\r\n\r\nx\r\n--x--\r\n", media_type="multipart/form-data; boundary=x"), 415),
    "nearly the right media type": (post("{}", media_type="application/json-seq"), 415),
    "another kind of JSON": (post("{}", media_type="application/vnd.api+json"), 415),
    "a media type that is none": (post("{}", media_type=";;;"), 415),
    "two media types": (post("{}", headers=raw.KEY + "Content-Type: text/plain\r\n"), 400),
    "a compressed body": (post("\x1f\x8b\x08\0\0", headers=raw.KEY + "Content-Encoding: gzip\r\n"), 422),
    "another HTTP": (parts("GET /api/data HTTP/9.9\r\nHost: localhost\r\n\r\n"), 505),
    "no host": (parts("GET /api/data HTTP/1.1\r\nConnection: close\r\n\r\n"), 400),
    "no HTTP at all": (parts("\x00\x01\x02\r\n\r\n"), 400),
    "a tunnel": (parts("CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\n\r\n"), 400),
}
# Encodings that JSON libraries guess, and that JSON between systems does not have (RFC 8259). The body is
# refused in UTF-8, too, but with another sentence: nothing is ever stored.
ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
# Headers beyond what is taken; which status says so depends on where it is noticed.
FLOODS: dict[str, Parts] = {
    "1,000 headers": get("/api/data", ("X-A: 1\r\n", 1_000)),
    "100,000 headers": get("/api/data", ("X-A: 1\r\n", 100_000)),
    "a header of 9,000 bytes": get("/api/data", "X-A: ", ("x", 9_000), "\r\n"),
    "1 MB of cookies": get("/", "Cookie: ", ("a=b; ", 200_000), "\r\n"),
}
TRAVERSALS = (
    "/../../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2f..%2fetc%2fpasswd",
    "/..\\..\\etc\\passwd",
    "/%5c..%5c..%5cetc%5cpasswd",
    "/index.html/../../etc/nginx/nginx.conf",
    "/etc/passwd",
    "/.git/config",
    "/.problem",
    "//metrics",
    "/%6detrics",
    "/api//metrics",
    "/api/./metrics",
    "/api/%6detrics",
    "/api/%2e%2e/metrics",
    "/api/..;/metrics",
    "/api/..%2f..%2fmetrics",
    "/api/messages/../../metrics",
    "/api/messages/..%252f..%252fmetrics",
    "/grafana/../metrics",
    "/grafana/..%2f..%2fmetrics",
)
# Behind each comes another request, and in some a hidden one: whoever read the body's length in another way
# would answer it.
NEXT = "GET /api/data HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
HIDDEN = "GET /api/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
SMUGGLED: dict[str, str] = {
    "length and chunks": f"Content-Length: 6\r\n{CHUNKED}\r\n0\r\n\r\nG",
    "chunks and length": f"{CHUNKED}Content-Length: 4\r\n\r\n38\r\n{HIDDEN}\r\n0\r\n\r\n",
    "two codings": f"{CHUNKED}Transfer-Encoding: identity\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "an unknown coding": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "a folded header": "Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "a control character": "Transfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": f"Content-Length: 0\r\nContent-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "the same length twice": "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a list of lengths": f"Content-Length: 0, {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "a length with a sign": "Content-Length: +0\r\n\r\n",
    "a length below zero": "Content-Length: -1\r\n\r\n",
    "a length in hexadecimal": "Content-Length: 0x10\r\n\r\n",
    "a length beyond counting": f"Content-Length: {'9' * 23}\r\n\r\n",
    "two hosts": "Host: example.org\r\nContent-Length: 0\r\n\r\n",
    "the same host twice": "Host: localhost\r\nContent-Length: 0\r\n\r\n",
    "a folded value": "X-A: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a fold before the first header": " X-A: a\r\nContent-Length: 0\r\n\r\n",
    "a chunk without a size": f"{CHUNKED}\r\nzz\r\nabc\r\n0\r\n\r\n",
    "a chunk below zero": f"{CHUNKED}\r\n-1\r\nabc\r\n0\r\n\r\n",
    "a chunk beyond counting": f"{CHUNKED}\r\n{'f' * 18}\r\nabc\r\n0\r\n\r\n",
    "a carriage return alone": f"X-A: a\r{CHUNKED}\r\n0\r\n\r\n",
}
# Stored as they are, and shown as they are.
SNIPPETS = (
    "'; drop table messages; --",
    "' or '1'='1",
    "%s %(id)s {0} {id} ${jndi:ldap://127.0.0.1/a} $(id) `id`",
    "{{ 7 * 7 }} {% raw %} <%= 7 * 7 %> #{7*7}",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "..\\..\\ C:\\ \\u0041 \\x41 \\",
    "\x1b[2J\x1b[31mred\x1b[0m \x9b31m \x08\x08 \x7f",
    'line\r\n{"level": "CRITICAL", "message": "Received message: forged"}\n\u2028\u2029\x85end',
)


def send(target: Target, requests: list[Parts]) -> list[RawAnswer]:
    job = {
        "requests": requests,
        "address": "127.0.0.1",
        "port": target.settings["proxy_https_port"],
        "tls": True,
        "key_file": f"{target.settings['platform_root']}/backend/secrets/API_KEY",
    }
    return [RawAnswer(**answer) for answer in target.program("raw", job)]


def check(answer: RawAnswer, *statuses: int) -> None:
    """One answer and no more, which is a problem that shows nothing of what stands behind."""
    assert len(answer.statuses) == 1, answer
    assert answer.statuses[0] in statuses, answer
    head, _, body = answer.text.partition("\r\n\r\n")
    assert "content-type: application/problem+json" in head.lower(), head
    assert json.loads(body)["status"] == answer.statuses[0]
    assert not [trace for trace in ("Traceback", "<html", "root:", "/opt/venv") if trace in answer.text]


@pytest.fixture(scope="module")
def answers(target: Target) -> dict[str, RawAnswer]:
    asked = {name: request for name, (request, _) in REFUSED.items()} | FLOODS
    asked |= {path: get(path) for path in TRAVERSALS}
    asked |= {coding: post('{"text": 1}'.encode(coding).decode("latin-1")) for coding in ENCODINGS}
    asked |= {name: open_post(rest + NEXT) for name, rest in SMUGGLED.items()}
    return dict(zip(asked, send(target, list(asked.values())), strict=True))


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(answers: dict[str, RawAnswer], name: str) -> None:
    check(answers[name], REFUSED[name][1])


@pytest.mark.parametrize("coding", ENCODINGS)
def test_json_is_utf_8(answers: dict[str, RawAnswer], coding: str) -> None:
    check(answers[coding], 422)
    assert "is no JSON" in answers[coding].text


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_of_headers_is_refused(answers: dict[str, RawAnswer], name: str) -> None:
    check(answers[name], 400, 431)


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_out(answers: dict[str, RawAnswer], path: str) -> None:
    check(answers[path], 400, 404)


@pytest.mark.parametrize("name", SMUGGLED)
def test_no_request_is_smuggled(answers: dict[str, RawAnswer], name: str) -> None:
    """The connection ends with the refusal: what comes behind is not answered."""
    check(answers[name], 400, 501)


def test_a_reading_requests_body_is_no_request(target: Target) -> None:
    head = f"GET /api/data HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(HIDDEN)}\r\n\r\n"
    answer = send(target, [parts(head + HIDDEN + NEXT)])[0]
    assert answer.statuses == [200, 200]
    assert '"ok"' not in answer.text


def test_the_api_is_as_well_as_before(answers: dict[str, RawAnswer], target: Target) -> None:
    assert answers
    assert target.get("/api/health/ready").json()["status"] == "ok"


@pytest.fixture(scope="module")
def stored(messages: Messages, target: Target) -> list[dict[str, Any]]:
    """The snippets' messages once they are logged."""
    sent = [messages.send(snippet)["id"] for snippet in SNIPPETS]
    return [messages.wait_until_logged(identity, 10) for identity in sent]


@pytest.mark.disruptive
def test_snippets_are_returned_as_they_were_sent(
    stored: list[dict[str, Any]], messages: Messages, target: Target
) -> None:
    texts = [f"{messages.mark} {snippet}" for snippet in SNIPPETS]
    assert [message["text"] for message in stored] == texts
    page = target.get(f"/api/messages?limit=100&before={stored[-1]['id'] + 1}").json()["items"]
    assert set(texts) <= {item["text"] for item in page}


@pytest.mark.disruptive
def test_no_text_gets_out_of_its_line(stored: list[dict[str, Any]], messages: Messages) -> None:
    """One line each, without a character that a terminal or a log reader would act on."""
    assert stored
    lines = [line for line in messages.log_lines() if "Received message: " in line]
    wanted = {f"Received message: {messages.mark} {snippet}" for snippet in SNIPPETS}
    assert wanted <= {json.loads(line)["message"] for line in lines}
    assert not [
        line for line in lines if any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in line)
    ]
