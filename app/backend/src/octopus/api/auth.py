"""The key that guards writing."""

import hmac
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import request

from octopus.api.problems import Problem
from octopus.api.services import services

F = TypeVar("F", bound=Callable[..., Any])


def require_key(function: F) -> F:
    """Let a view run only for requests with the right X-API-Key; answer 401 otherwise."""

    @wraps(function)
    def guarded(*args: Any, **more: Any) -> Any:
        given = request.headers.get("X-API-Key", "").encode("utf-8", "surrogateescape")
        # Takes the same time wherever the first difference is.
        if not hmac.compare_digest(given, services().api_key.encode()):
            raise Problem(401, "The header X-API-Key is missing or wrong.", {"WWW-Authenticate": "ApiKey"})
        return function(*args, **more)

    return cast(F, guarded)
