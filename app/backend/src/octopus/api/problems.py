"""Errors as RFC 9457 problems."""

import json
import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response
from marshmallow import Schema, fields
from werkzeug.exceptions import HTTPException

from octopus.database import DatabaseUnavailable

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER = "2"  # seconds

log = logging.getLogger(__name__)


class ProblemSchema(Schema):
    """An error."""

    type = fields.String(required=True, metadata={"description": "Always about:blank: the status says it."})
    title = fields.String(required=True, metadata={"description": "The status in words."})
    status = fields.Integer(required=True, metadata={"description": "The status."})
    detail = fields.String(metadata={"description": "What is wrong with this request."})
    errors = fields.Dict(metadata={"description": "What is wrong, by part of the request and field."})
    missing = fields.List(fields.String(), metadata={"description": "What is needed and does not answer."})


class Problem(Exception):
    """Ends a request with an error."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, headers or {}, more


def document(status: int, detail: str | None = None, **more: Any) -> str:
    """Return a problem as JSON, in ASCII."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body |= {key: value for key, value in {"detail": detail, **more}.items() if value is not None}
    return json.dumps(body) + "\n"


def answer(
    status: int, detail: str | None = None, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """Return a problem as a response."""
    return Response(document(status, detail, **more), status, headers or {}, content_type=CONTENT_TYPE)


def _from_problem(error: Problem) -> Response:
    return answer(error.status, error.detail, error.headers, **error.more)


def from_http(error: HTTPException) -> Response:
    """Answer what Flask raised: 404, 405 and so on, with its headers (Allow) but not its HTML."""
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error.get_response()  # type: ignore[return-value]  # Werkzeug's, as Flask sends it
    headers = {key: value for key, value in error.get_headers() if key.lower() != "content-type"}
    return answer(error.code, error.description, headers)


def _from_outage(error: DatabaseUnavailable) -> Response:
    log.warning("the database is unavailable", extra={"reason": str(error)})
    return answer(503, "The database is not available.", {"Retry-After": RETRY_AFTER}, missing=["database"])


def _from_bug(error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    return answer(500, "An unexpected error, which has been logged.")


def install(app: Flask) -> None:
    """Have an application answer all its errors as problems."""
    app.register_error_handler(HTTPException, from_http)
    app.register_error_handler(Problem, _from_problem)
    app.register_error_handler(DatabaseUnavailable, _from_outage)
    app.register_error_handler(Exception, _from_bug)
