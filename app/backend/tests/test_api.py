"""Validation and problem answers, without any service."""

import json
from typing import Any
from unittest.mock import MagicMock

import pytest
from flask.testing import FlaskClient

from octopus.database import DatabaseUnavailable

from .conftest import KEY

HEADERS = {"X-API-Key": KEY}
PROBLEM = "application/problem+json"


def _post(client: FlaskClient, body: Any, **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(
        "/api/messages", data=data, content_type="application/json", headers={**HEADERS, **headers}
    )


def _is_problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status
    assert response.content_type == PROBLEM
    body: dict[str, Any] = json.loads(response.data)
    assert body["status"] == status
    assert body["title"]
    return body


def test_data(client: FlaskClient) -> None:
    response = client.get("/api/data")
    assert response.status_code == 200
    assert response.json["message"] == "Hello from Docker!"


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/", "/api/metrics", "/api//data", "/static/x", "/api/messages/"]
)
def test_unknown_path(client: FlaskClient, path: str) -> None:
    _is_problem(client.get(path), 404)


@pytest.mark.parametrize(
    ("path", "allowed"), [("/api/data", "GET, HEAD"), ("/api/messages", "GET, HEAD, POST")]
)
@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_wrong_method(client: FlaskClient, path: str, allowed: str, method: str) -> None:
    response = client.open(path, method=method)
    _is_problem(response, 405)
    assert sorted(response.headers["Allow"].split(", ")) == allowed.split(", ")


@pytest.mark.parametrize("key", [None, "", "wrong", KEY + "x", "ключ".encode().decode("latin-1")])
def test_wrong_key(client: FlaskClient, database: MagicMock, key: str | None) -> None:
    headers = {} if key is None else {"X-API-Key": key}
    response = client.post("/api/messages", json={"text": "x"}, headers=headers)
    _is_problem(response, 401)
    assert "WWW-Authenticate" in response.headers
    database.write.assert_not_called()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 60_000,
        b"1" * 60_000,
        *('{"text": "x"}'.encode(coding) for coding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")),
        *('{"text": "x"}'.encode(coding) for coding in ("utf-32", "utf-32-le", "utf-32-be")),
        '{"text": "é"}'.encode("latin-1"),
        [],
        "text",
        None,
        {},
        {"text": ""},
        {"text": "x" * 2001},
        {"text": None},
        {"text": 1},
        {"text": ["x"]},
        {"text": "x\x00"},
        {"text": "\ud800"},
        {"text": "x", "more": 1},
        {"text": "x", "\ud800": 1},
    ],
    ids=lambda body: repr(body)[:20],
)
def test_bad_body(client: FlaskClient, database: MagicMock, body: Any) -> None:
    response = _post(client, body)
    _is_problem(response, 422)
    response.data.decode()
    database.write.assert_not_called()


def test_body_too_large(client: FlaskClient) -> None:
    _is_problem(_post(client, b"x" * (64 * 1024 + 1)), 413)


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_wrong_type(client: FlaskClient, kind: str | None) -> None:
    response = client.post("/api/messages", data=b'{"text": "x"}', content_type=kind, headers=HEADERS)
    _is_problem(response, 415)


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "\x7f", "é"])
def test_bad_idempotency_key(client: FlaskClient, key: str) -> None:
    _is_problem(_post(client, {"text": "x"}, **{"Idempotency-Key": key}), 422)


@pytest.mark.parametrize(
    "query",
    [
        *(
            "limit=0",
            "limit=101",
            "limit=",
            "limit=1.0",
            "limit=+1",
            "limit=%201",
            "limit=1_0",
            "limit=%D9%A1",
        ),
        *("before=0", "before=-1", "before=x", "before=9223372036854775808", "before=", "unknown=1"),
    ],
)
def test_bad_query(client: FlaskClient, query: str) -> None:
    _is_problem(client.get(f"/api/messages?{query}"), 422)


@pytest.mark.parametrize("identity", ["0", "-1", "x", "9223372036854775808", "1.5", "%00"])
def test_impossible_id(client: FlaskClient, database: MagicMock, identity: str) -> None:
    _is_problem(client.get(f"/api/messages/{identity}"), 404)
    database.read.assert_not_called()


def test_unknown_message(client: FlaskClient, database: MagicMock, cache: MagicMock) -> None:
    database.read.return_value = None
    _is_problem(client.get("/api/messages/7"), 404)
    cache.put_message.assert_not_called()


def test_writing_without_database(client: FlaskClient, database: MagicMock) -> None:
    database.write.side_effect = DatabaseUnavailable("no")
    response = _post(client, {"text": "x"})
    assert _is_problem(response, 503)["missing"] == ["database"]
    assert int(response.headers["Retry-After"]) > 0


def test_reading_without_database(client: FlaskClient, database: MagicMock) -> None:
    database.read.side_effect = DatabaseUnavailable("no")
    _is_problem(client.get("/api/messages"), 503)


def test_unexpected_error_tells_nothing(client: FlaskClient, database: MagicMock) -> None:
    database.read.side_effect = ZeroDivisionError("inner secret")
    body = _is_problem(client.get("/api/messages"), 500)
    assert "secret" not in json.dumps(body)


@pytest.mark.parametrize(("cached", "status"), [(True, "ok"), (False, "degraded")])
def test_ready(client: FlaskClient, database: MagicMock, cache: MagicMock, cached: bool, status: str) -> None:
    database.is_writable.return_value = True
    cache.is_available.return_value = cached
    assert client.get("/api/health/ready").json["status"] == status


def test_not_ready_names_what_is_missing(client: FlaskClient, database: MagicMock) -> None:
    database.is_writable.return_value = False
    assert _is_problem(client.get("/api/health/ready"), 503)["missing"] == ["database"]
    assert client.get("/api/health/live").status_code == 200


def test_cached_answer_needs_no_database(client: FlaskClient, database: MagicMock, cache: MagicMock) -> None:
    cache.get_list.return_value = ({"items": [], "next": None}, "key")
    assert client.get("/api/messages").json == {"items": [], "next": None}
    database.read.assert_not_called()


def test_metrics_name_routes_and_not_paths(client: FlaskClient, database: MagicMock) -> None:
    database.read.return_value = None
    client.get("/api/messages/123456")
    client.get("/no/such/path")
    text = client.get("/metrics").text
    assert 'route="/api/messages/{message_id}",status="404"' in text
    assert 'route="unknown"' in text
    assert "123456" not in text
    assert "no/such" not in text
