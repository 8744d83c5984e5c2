"""The OpenAPI document is valid and tells the truth about errors."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/openapi.json").json
    return found


def test_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.")


def test_every_operation_is_there(document: dict[str, Any]) -> None:
    operations = {
        f"{method} {path}"
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert operations == {
        "get /api/data", "post /api/messages", "get /api/messages", "get /api/messages/{message_id}",
        "get /api/health/live", "get /api/health/ready",
    }  # fmt: skip


def test_post_declares_its_answers_and_its_key(document: dict[str, Any]) -> None:
    post = document["paths"]["/api/messages"]["post"]
    assert set(post["responses"]) == {"201", "401", "409", "413", "415", "422", "429", "500", "503"}
    assert "Location" in post["responses"]["201"]["headers"]
    assert post["security"] == [{"ApiKey": []}]
    scheme = document["components"]["securitySchemes"]["ApiKey"]
    assert scheme == {"type": "apiKey", "in": "header", "name": "X-API-Key"}


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    for name, response in document["components"]["responses"].items():
        assert list(response["content"]) == ["application/problem+json"], name
    assert "Retry-After" in document["components"]["responses"]["SERVICE_UNAVAILABLE"]["headers"]
    assert "Retry-After" in document["components"]["responses"]["TOO_MANY_REQUESTS"]["headers"]


def test_bodies_are_closed(document: dict[str, Any]) -> None:
    assert document["components"]["schemas"]["NewMessage"]["additionalProperties"] is False
