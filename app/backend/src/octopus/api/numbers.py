"""The API's metrics, shown as 0 from the start: a rate over a number that appears misses its beginning."""

import re
from typing import Any

from flask import Flask
from prometheus_client import Counter, Histogram

HTTP_REQUESTS = Counter("octopus_http_requests_total", "Requests answered.", ["method", "route", "status"])
HTTP_SECONDS = Histogram(
    "octopus_http_request_duration_seconds", "Time to answer a request.", ["method", "route"]
)
CACHE_REQUESTS = Counter("octopus_cache_requests_total", "Look-ups in the cache.", ["result"])
ACCEPTED = Counter("octopus_messages_accepted_total", "Messages stored.")

UNKNOWN = "unknown"  # the route of a request that has none
_CONVERTER = re.compile(r"<(?:[^<>]*:)?(\w+)>")


def route_of(rule: Any) -> str:
    """Return the label of a URL rule: its path as the OpenAPI document writes it."""
    return _CONVERTER.sub(r"{\1}", rule.rule) if rule else UNKNOWN


def count_cache(result: str) -> None:
    """Count a look-up: hit, miss or error."""
    CACHE_REQUESTS.labels(result).inc()


def count_from_zero(app: Flask, paths: dict[str, Any]) -> None:
    """Show 0 for all of an application's routes, with the answers that its OpenAPI paths declare."""
    for result in ("hit", "miss", "error"):
        CACHE_REQUESTS.labels(result)
    known = {("GET", UNKNOWN): ["404"]}
    for rule in app.url_map.iter_rules():
        route = route_of(rule)
        for method in rule.methods or ():
            operation = paths.get(route, {}).get(method.lower(), {})
            known[method, route] = [str(status) for status in operation.get("responses", ["200"])]
    for (method, route), statuses in known.items():
        HTTP_SECONDS.labels(method, route)
        for status in statuses:
            HTTP_REQUESTS.labels(method, route, status)
