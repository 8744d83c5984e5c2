"""The API: every row of the contract's table, through the proxy."""
# ruff: noqa: S608 - marks and identities are of our own making

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.infra.http_requests import JSON, post, request, to
from tests.infra.message import Messages
from tests.infra.target import Response, Target, wait_for

BIGGEST = 2**63 - 1
MISSING = (
    "/api/messages/0",
    "/api/messages/abc",
    "/api/messages/-1",
    f"/api/messages/{BIGGEST}",
    f"/api/messages/{BIGGEST + 1}",
)
BAD_PAGES = ("limit=0", "limit=101", "limit=-1", "limit=x", "limit=1.5", "before=0", "before=x", "other=1")
MEDIA_TYPES = ("text/plain", "application/x-www-form-urlencoded", "application/xml", "")
# Method, path, what Allow says.
WRONG_METHODS = (
    ("POST", "/api/data", "GET, HEAD"),
    ("DELETE", "/api/messages", "GET, HEAD, POST"),
    ("PUT", "/api/messages/1", "GET, HEAD"),
    ("POST", "/api/health/live", "GET, HEAD"),
    ("OPTIONS", "/api/messages", "GET, HEAD, POST"),
)
BAD_BODIES: dict[str, Any] = {
    "empty text": {"text": ""},
    "text too long": {"text": "x" * 2001},
    "no text": {},
    "text is a number": {"text": 1},
    "text is null": {"text": None},
    "another key": {"text": "x", "more": 1},
    "U+0000": {"text": "a\0b"},
    "half a surrogate pair": '{"text": "\\ud800"}',
    "a list": ["text"],
    "no JSON": "{text",
    "nothing": "",
}


@pytest.fixture(scope="module")
def answers(target: Target, key_file: str) -> dict[str, Response]:
    """What needs no order is asked in one go: `METHOD path`, or a media type."""
    requests = {f"{method} {path}": request(method, path) for method, path, _ in WRONG_METHODS}
    requests |= {f"GET {path}": request("GET", path) for path in MISSING}
    requests |= {f"GET {query}": request("GET", f"/api/messages?{query}") for query in BAD_PAGES}
    for media_type in MEDIA_TYPES:
        requests[media_type] = post(key_file, {"text": "never stored"}, {"Content-Type": media_type})
    return dict(zip(requests, target.ask(*requests.values()), strict=True))


@pytest.fixture(scope="module")
def key_file(target: Target) -> str:
    return f"{target.settings['platform_root']}/backend/secrets/API_KEY"


# The key


def test_the_key_on_the_host_is_that_of_the_env_file(target: Target, key_file: str) -> None:
    """Their digests are compared: the key itself is shown nowhere."""
    expected = hashlib.sha256(target.settings.secrets["API_KEY"].encode()).hexdigest()
    assert target.run("sha256sum %s", key_file).split()[0] == expected


def test_writing_needs_the_key(target: Target) -> None:
    body = '{"text": "never stored"}'
    without = request("POST", "/api/messages", JSON, body=body)
    wrong = [
        request("POST", "/api/messages", JSON | {"X-API-Key": key}, body=body)
        for key in ("", "wrong", "Ümlaut")
    ]
    for response in target.ask(without, *wrong):
        assert response.status == 401
        assert "www-authenticate" in response.headers
        response.problem()


# Writing


def test_a_message_is_accepted(messages: Messages) -> None:
    response = messages.answers[0]
    assert response.status == 201
    body = response.json()
    assert {"id", "text", "status", "created_at"} <= set(body)
    assert body["status"] == "queued"
    assert body["text"] == f"{messages.mark} {messages.text}"
    assert datetime.fromisoformat(body["created_at"]).tzinfo is not None
    assert response.headers["location"] == f"/api/messages/{body['id']}"


def test_a_message_is_logged_soon(messages: Messages) -> None:
    logged = messages.logged
    assert logged["text"] == messages.accepted["text"]
    assert datetime.fromisoformat(logged["logged_at"]) >= datetime.fromisoformat(logged["created_at"])


def test_the_same_request_again_gets_the_same_answer(messages: Messages, target: Target) -> None:
    first, again, _ = messages.answers
    assert (again.status, again.json()) == (first.status, first.json())
    assert again.headers["location"] == first.headers["location"]
    mine = f"select id from messages where text like '{messages.mark} Posted by %'"
    assert target.rows(target.primary, mine, target.settings["postgres_database"]) == [
        {"id": first.json()["id"]}
    ]


def test_a_key_with_another_body_is_refused(messages: Messages) -> None:
    assert messages.answers[2].status == 422
    messages.answers[2].problem()


@pytest.mark.disruptive
def test_a_key_whose_first_request_still_runs_is_a_conflict(messages: Messages, target: Target) -> None:
    """The table is locked for two seconds, so that the first request has to wait."""
    lock = "begin; lock table messages in exclusive mode; select pg_sleep(2); rollback"
    place, database = target.one(target.primary).name, target.settings["postgres_database"]
    target.run(
        "nohup docker exec %s psql --username=postgres --dbname=%s --command=%s >/dev/null 2>&1 &",
        place,
        database,
        lock,
    )
    waiting = (
        "select 1 from pg_locks where relation = 'messages'::regclass and mode = 'ExclusiveLock' and granted"
    )
    wait_for("the table is locked", lambda: target.rows(target.primary, waiting, database), 5)
    same = messages.request("at the same time", key="conflict")
    statuses = sorted(answer.status for answer in target.ask(same, same, parallel=2))
    assert statuses == [201, 409]


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_body_is_refused(bodies: dict[str, Response], name: str) -> None:
    assert bodies[name].status == 422
    bodies[name].problem()


@pytest.fixture(scope="module")
def bodies(target: Target, key_file: str) -> dict[str, Response]:
    requests = [post(key_file, body) for body in BAD_BODIES.values()]
    return dict(zip(BAD_BODIES, target.ask(*requests), strict=True))


def test_a_bad_idempotency_key_is_refused(target: Target, key_file: str) -> None:
    for response in target.ask(
        *[post(key_file, {"text": "x"}, {"Idempotency-Key": key}) for key in ("", "x" * 256, "a b")]
    ):
        assert response.status == 422
        response.problem()


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_another_media_type_is_refused(answers: dict[str, Response], media_type: str) -> None:
    assert answers[media_type].status == 415
    answers[media_type].problem()


def test_a_large_body_is_refused_with_the_right_key_too(target: Target, key_file: str) -> None:
    response = target.ask(post(key_file, {"text": "x" * 70_000}))[0]
    assert response.status == 413
    response.problem()


# Reading


def test_the_greeting(target: Target) -> None:
    response = target.get("/api/data")
    assert (response.status, response.json()["message"]) == (200, "Hello from Docker!")
    assert response.headers["content-type"].startswith("application/json")


def test_a_list_shows_the_newest_first(messages: Messages, target: Target) -> None:
    assert messages.logged
    page = target.get("/api/messages?limit=100").json()
    identities = [item["id"] for item in page["items"]]
    assert identities == sorted(identities, reverse=True)
    assert messages.accepted["id"] in identities
    assert {item["status"] for item in page["items"]} <= {"queued", "logged", "dead"}


def test_a_list_goes_on_before_an_id(messages: Messages, target: Target) -> None:
    newest = messages.logged["id"]
    first = target.get(f"/api/messages?limit=1&before={newest + 1}").json()
    assert [item["id"] for item in first["items"]] == [newest]
    following = target.get(f"/api/messages?limit=1&before={newest}").json()
    assert all(item["id"] < newest for item in following["items"])
    assert first["next"] == (newest if following["items"] else None)


@pytest.mark.disruptive
def test_pages_follow_each_other(messages: Messages, target: Target) -> None:
    sent = [messages.send(f"page {number}")["id"] for number in range(3)]
    start, seen = max(sent) + 1, []
    for _ in sent:
        page = target.get(f"/api/messages?limit=1&before={start}").json()
        seen += [item["id"] for item in page["items"]]
        start = page["next"] or 0
    assert [identity for identity in seen if identity in sent] == sorted(sent, reverse=True)


@pytest.mark.parametrize("query", BAD_PAGES)
def test_a_bad_page_is_refused(answers: dict[str, Response], query: str) -> None:
    assert answers[f"GET {query}"].status == 422
    answers[f"GET {query}"].problem()


@pytest.mark.parametrize("path", MISSING)
def test_a_message_that_is_not_there(answers: dict[str, Response], path: str) -> None:
    assert answers[f"GET {path}"].status == 404
    answers[f"GET {path}"].problem()


@pytest.mark.parametrize(("method", "path", "allow"), WRONG_METHODS)
def test_a_wrong_method_is_refused(answers: dict[str, Response], method: str, path: str, allow: str) -> None:
    response = answers[f"{method} {path}"]
    assert response.status == 405
    assert set(response.headers["allow"].split(", ")) == set(allow.split(", "))
    response.problem()


# What it says about itself


def test_it_lives_and_is_ready(target: Target) -> None:
    live, ready = target.ask(request("GET", "/api/health/live"), request("GET", "/api/health/ready"))
    assert (live.status, live.json()["status"]) == (200, "ok")
    assert (ready.status, ready.json()["status"]) == (200, "ok")


def test_its_document_is_valid_and_names_every_request(target: Target) -> None:
    document = target.get("/api/openapi.json").json()
    validate(document)
    told = {
        (path, method)
        for path, methods in document["paths"].items()
        for method in methods
        if method in ("get", "post")
    }
    names = {(path.split("{")[0].rstrip("/"), method) for path, method in told}
    assert names >= {("/api/data", "get"), ("/api/messages", "get"), ("/api/messages", "post")}
    assert names >= {("/api/health/live", "get"), ("/api/health/ready", "get")}
    assert any(path.startswith("/api/messages/{") for path, _ in told)
    writing = document["paths"]["/api/messages"]["post"]["responses"]
    assert {"201", "401", "409", "413", "415", "422", "429"} <= set(writing)


def test_two_or_more_answer(target: Target) -> None:
    backends = target.service("backend")
    assert len(backends) == target.settings["backend_replicas"] >= 2
    answers = target.ask(*[to(backend.addresses["backend"], 8000, "/api/data") for backend in backends])
    assert [answer.status for answer in answers] == [200] * len(backends)


def test_each_counts_its_requests(target: Target) -> None:
    for answer in target.ask(
        *[to(one.addresses["backend"], 8000, "/metrics") for one in target.service("backend")]
    ):
        assert answer.status == 200
        for name in (
            "octopus_http_requests_total",
            "octopus_http_request_duration_seconds_bucket",
            "octopus_cache_requests_total",
        ):
            assert f"{name}{{" in answer.body


def test_it_needs_no_broker(target: Target) -> None:
    backend = target.one("backend")
    assert not [name for name in backend.environment if name.startswith("RABBITMQ")]
    assert "messaging" not in backend.addresses


@pytest.mark.disruptive
def test_reading_and_writing_go_on_without_redis(messages: Messages, target: Target) -> None:
    redis = target.one("redis").name
    identity = messages.logged["id"]
    target.run("docker stop %s", redis)
    try:
        answers = target.ask(
            *[request("GET", "/api/messages"), request("GET", f"/api/messages/{identity}")] * 4
        )
        assert {answer.status for answer in answers} == {200}
        assert messages.send("while Redis is away")["status"] == "queued"
        ready = target.get("/api/health/ready")
        assert (ready.status, ready.json()["checks"]["cache"]) == (200, "unavailable")
    finally:
        target.run("docker start %s", redis)
    wait_for("the cache is used again", lambda: target.get("/api/health/ready").json()["status"] == "ok", 30)
