"""The page: served by its own Nginx, through the proxy."""

from __future__ import annotations

import re

import pytest

from tests.infra.http_requests import JSON, request
from tests.infra.target import Response, Target

# Seconds: the time of every file in the build context, see plugins/lookup/build_context.py.
SHIPPED = 946684800
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
REQUESTS = {
    "page": request("GET", "/"),
    "head": request("HEAD", "/"),
    "post": request("POST", "/", size=10),
    "delete": request("DELETE", "/app.js"),
    "missing": request("GET", "/no-such-file"),
    "health": request("GET", "/health"),
}


@pytest.fixture(scope="module")
def answers(target: Target) -> dict[str, Response]:
    return dict(zip(REQUESTS, target.ask(*REQUESTS.values()), strict=True))


@pytest.fixture(scope="module")
def files(target: Target, answers: dict[str, Response]) -> dict[str, Response]:
    """What the page refers to."""
    # What ends in a slash is another place, not a file of the page.
    names = sorted(set(re.findall(r'(?:src|href)="([^"#]*[^"#/])"', answers["page"].body)))
    assert names
    return dict(
        zip(names, target.ask(*[request("GET", f"/{name.lstrip('./')}") for name in names]), strict=True)
    )


def test_the_page_is_there(answers: dict[str, Response]) -> None:
    page = answers["page"]
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "<title>" in page.body
    assert 'lang="en"' in page.body


def test_head_answers_without_a_body(answers: dict[str, Response]) -> None:
    assert (answers["head"].status, answers["head"].body) == (200, "")


def test_everything_the_page_refers_to_is_here(files: dict[str, Response]) -> None:
    assert not [name for name in files if "//" in name], "the page loads something from elsewhere"
    assert not {name: file.status for name, file in files.items() if file.status != 200}


def test_files_have_their_types(files: dict[str, Response]) -> None:
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for name, file in files.items():
        wanted = types.get(name[name.rfind(".") :])
        assert wanted is None or file.headers["content-type"].startswith(wanted), name


@pytest.mark.parametrize("name", ["post", "delete"])
def test_writing_to_the_page_is_refused(answers: dict[str, Response], name: str) -> None:
    assert answers[name].status == 405
    assert answers[name].headers["allow"] == "GET, HEAD"
    answers[name].problem()


@pytest.mark.parametrize("name", ["missing", "health"])
def test_what_is_not_there_is_a_problem(answers: dict[str, Response], name: str) -> None:
    assert answers[name].status == 404
    answers[name].problem()


def test_browsers_ask_again_and_only_changes_are_sent(target: Target) -> None:
    first = target.get("/app.js")
    assert first.headers["cache-control"] == "no-cache"
    # Nginx makes it of time and size. Sources are shipped with one time, so the build has to give its own:
    # without that, changed content of the same length would look unchanged.
    made = int(first.headers["etag"].strip('W/"').split("-")[0], 16)
    assert made > SHIPPED
    same, other = (
        target.ask(request("GET", "/app.js", {"If-None-Match": etag}))[0]
        for etag in (first.headers["etag"], first.headers["etag"].replace(f"{made:x}", f"{SHIPPED:x}"))
    )
    assert (same.status, other.status) == (304, 200)


# Headers for browsers


SEEN_BY_BROWSERS = {
    "page": (request("GET", "/"), 200),
    "script": (request("GET", "/app.js"), 200),
    "nothing": (request("GET", "/unknown"), 404),
    "api": (request("GET", "/api/data"), 200),
    "nothing in the api": (request("GET", "/api/unknown"), 404),
    "wrong key": (request("POST", "/api/messages", JSON, body='{"text": "a"}'), 401),
    "refused by the proxy": (request("GET", "/metrics"), 404),
    "too large": (request("POST", "/api/messages", JSON, size=70 * 1024), 413),
    "trace": (request("TRACE", "/"), 405),
}


@pytest.mark.parametrize("name", SEEN_BY_BROWSERS)
def test_browsers_are_told_to_be_strict(target: Target, name: str) -> None:
    one, status = SEEN_BY_BROWSERS[name]
    answer = target.ask(one)[0]
    assert answer.status == status
    assert {header: answer.headers.get(header) for header in HEADERS} == HEADERS
    assert "camera=()" in answer.headers["permissions-policy"]
