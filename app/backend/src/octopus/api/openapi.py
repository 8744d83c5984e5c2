"""The OpenAPI document, and requests that have to match it."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

import marshmallow
from flask import Request
from flask_smorest import Api, Blueprint
from webargs.flaskparser import FlaskParser

from octopus.api import problems
from octopus.api.problems import CONTENT_TYPE, Problem, ProblemSchema

F = TypeVar("F", bound=Callable[..., Any])
_HEADERS = {  # per status: a header's name and what it is for
    401: ("WWW-Authenticate", "How to authenticate."),
    429: ("Retry-After", "Seconds to wait."),
    503: ("Retry-After", "Seconds to wait."),
}


def _printable(value: Any) -> Any:
    """Return error messages with names as UTF-8 can carry them: JSON allows keys that it cannot."""
    if isinstance(value, dict):
        return {str(_printable(str(key))): _printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return str(value).encode("utf-8", "backslashreplace").decode()


class StrictParser(FlaskParser):
    """Refuses what the document does not know, and answers with problems."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - the library's own attribute
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "json": marshmallow.RAISE,
        "query": marshmallow.RAISE,
        "headers": marshmallow.EXCLUDE,
    }

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:  # noqa: ARG002 - its signature
        """Return the body. Answer 415 for another media type, 422 for what is no JSON."""
        if req.mimetype != "application/json":
            raise Problem(415, "The body has to be application/json.")
        try:
            # Decoded here: bytes would be taken in UTF-16 and UTF-32, too. A byte order mark is no JSON.
            return json.loads(req.get_data().decode("utf-8"))
        except (ValueError, RecursionError):  # ValueError: also wrong UTF-8 and endless numbers
            raise Problem(422, "The body is no JSON in UTF-8.") from None

    def handle_error(self, error: marshmallow.ValidationError, *_args: Any, **_more: Any) -> NoReturn:
        """Answer 422 with what is wrong."""
        raise Problem(422, "The request is not valid.", errors=_printable(error.messages))


class StrictBlueprint(Blueprint):
    """A blueprint whose arguments are parsed strictly."""

    ARGUMENTS_PARSER = StrictParser()

    def problems(self, *statuses: int) -> Callable[[F], F]:
        """Declare the errors that an operation answers with."""

        def decorate(function: F) -> F:
            for status in statuses:
                function = self.alt_response(status, HTTPStatus(status).name)(function)
            return function

        return decorate


class NoArguments(marshmallow.Schema):
    """No query parameters."""


class ProblemApi(Api):
    """flask-smorest, with its errors turned into problems."""

    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = ProblemSchema

    def _init_spec(self, **options: Any) -> None:
        super()._init_spec(**options)
        scheme = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
        self.spec.components.security_scheme("ApiKey", scheme)

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            if status >= HTTPStatus.BAD_REQUEST:
                response: dict[str, Any] = {
                    "description": status.phrase,
                    "content": {CONTENT_TYPE: {"schema": ProblemSchema}},
                }
                if status in _HEADERS:
                    name, purpose = _HEADERS[status]
                    header = {"description": purpose, "schema": {"type": "string"}, "required": True}
                    response["headers"] = {name: header}
                self.spec.components.response(status.name, response, lazy=True)

    def _register_error_handlers(self) -> None:
        problems.install(self._app)
