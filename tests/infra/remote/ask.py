"""Runs on the host under test: sends HTTP requests, prints their answers as JSON. Standard library only."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

TIMEOUT = 10  # seconds


def connect(request: dict[str, Any]) -> http.client.HTTPConnection:
    if not request["tls"]:
        return http.client.HTTPConnection(request["address"], request["port"], timeout=TIMEOUT)
    # The certificate is looked at by a test of its own.
    context = ssl._create_unverified_context()  # noqa: S323
    return http.client.HTTPSConnection(request["address"], request["port"], timeout=TIMEOUT, context=context)


def attempt(request: dict[str, Any]) -> dict[str, Any]:
    """What gets no answer has the status 0, so that the other requests still get theirs."""
    try:
        return send(request)
    except (OSError, http.client.HTTPException) as error:
        return {"status": 0, "headers": {}, "body": f"no answer: {error!r}"}


def send(request: dict[str, Any]) -> dict[str, Any]:
    body = request["body"] or "x" * request["size"]
    headers = dict(request["headers"])
    # Secrets are read here, so that no command line shows them.
    headers.update({name: Path(file).read_text().strip() for name, file in request["secret_headers"].items()})
    connection = connect(request)
    # Where it is refused before the body was through, the answer is there all the same.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.request(request["method"], request["path"], body.encode() or None, headers)
    answer = connection.getresponse()
    result = {
        "status": answer.status,
        "headers": {name.lower(): value for name, value in answer.getheaders()},
        "body": answer.read().decode("utf-8", "replace"),
    }
    connection.close()
    return result


if __name__ == "__main__":
    job = json.loads(sys.argv[1])
    with ThreadPoolExecutor(job["parallel"]) as pool:
        print(json.dumps(list(pool.map(attempt, job["requests"]))))
