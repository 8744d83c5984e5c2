"""What happens around every request: its deadline, its numbers, and its id in the log."""

import time

from flask import Flask, Response, g, request

from octopus.api.numbers import HTTP_REQUESTS, HTTP_SECONDS, route_of
from octopus.deadline import deadline
from octopus.logs import request_id

# The contract of the platform is an answer within 5 s; the cache and the way back need some of it.
DEADLINE = 3.5  # seconds for all that a request asks of PostgreSQL
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})


def _begin() -> None:
    g.started = time.monotonic()
    request_id.set(request.headers.get("X-Request-ID"))
    g.deadline = deadline(DEADLINE)
    g.deadline.__enter__()


def _count(response: Response) -> Response:
    # Method and path are the client's to choose: only known ones become labels.
    method = request.method if request.method in METHODS else "other"
    route = route_of(request.url_rule)
    HTTP_REQUESTS.labels(method, route, str(response.status_code)).inc()
    HTTP_SECONDS.labels(method, route).observe(time.monotonic() - g.started)
    return response


def _end(_error: BaseException | None) -> None:
    request_id.set(None)  # the thread goes on to another request
    if limit := g.pop("deadline", None):
        limit.__exit__(None, None, None)


def install(app: Flask) -> None:
    """Have every request of an application counted, limited and named in the log."""
    app.before_request(_begin)
    app.after_request(_count)
    app.teardown_request(_end)
