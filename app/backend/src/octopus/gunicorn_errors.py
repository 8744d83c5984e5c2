"""What gunicorn answers by itself, to requests that it cannot read: problems instead of its HTML."""

from http import HTTPStatus
from socket import socket

from gunicorn import util

from octopus.api.problems import CONTENT_TYPE, document


def write_error(client: socket, status: int, _reason: str, detail: str) -> None:
    """Send a problem; `detail` is gunicorn's own sentence about the request, "" for none."""
    body = document(status, detail or None)
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\n"
        f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(client, (head + body).encode("ascii"))


def install() -> None:
    """Have gunicorn call it: there is no setting for this."""
    util.write_error = write_error
