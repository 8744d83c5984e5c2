"""Requests as data: the host under test sends them, see remote/ask.py."""

from __future__ import annotations

import json as json_format
from typing import Any

JSON = {"Content-Type": "application/json"}


def request(method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """A request to the proxy; `more` may give body, size (of a body), address, port, tls, secret_headers."""
    defaults = {"body": "", "size": 0, "tls": True, "secret_headers": {}}
    return {"method": method, "path": path, "headers": headers or {}, **defaults, **more}


def to(address: str, port: int, path: str, **more: Any) -> dict[str, Any]:
    """A GET request over plain HTTP to a container's address."""
    return request("GET", path, address=address, port=port, tls=False, **more)


def post(key_file: str, json: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """A writing request with the key that the file on the host holds."""
    body = json if isinstance(json, str) else json_format.dumps(json)
    secrets = {"X-API-Key": key_file}
    return request("POST", "/api/messages", JSON | (headers or {}), body=body, secret_headers=secrets)
