"""What happens around every request: its deadline and its numbers."""

import re
import time

from flask import Flask, Response, g, request

from octopus.deadline import deadline
from octopus.metrics import HTTP_REQUESTS, HTTP_SECONDS, count_cache_from_zero

# The contract of the platform is an answer within 5 s; the cache and the way back need some of it.
DEADLINE = 3.5  # seconds for all that a request asks of PostgreSQL
_CONVERTER = re.compile(r"<(?:[^<>]*:)?(\w+)>")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})


def _begin() -> None:
    g.started = time.monotonic()
    g.deadline = deadline(DEADLINE)
    g.deadline.__enter__()


def _count(response: Response) -> Response:
    # Method and path are the client's to choose: only known ones become labels.
    method = request.method if request.method in METHODS else "other"
    route = _CONVERTER.sub(r"{\1}", request.url_rule.rule) if request.url_rule else "unknown"
    HTTP_REQUESTS.labels(method, route, str(response.status_code)).inc()
    HTTP_SECONDS.labels(method, route).observe(time.monotonic() - g.started)
    return response


def _end(_error: BaseException | None) -> None:
    if limit := g.pop("deadline", None):
        limit.__exit__(None, None, None)


def install(app: Flask) -> None:
    """Have every request of an application counted and limited."""
    count_cache_from_zero()
    app.before_request(_begin)
    app.after_request(_count)
    app.teardown_request(_end)
