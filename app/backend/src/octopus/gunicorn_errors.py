"""What gunicorn answers by itself, to requests that it cannot read: problems instead of its HTML."""

from http import HTTPStatus
from socket import socket

from gunicorn import util

from octopus.api.problems import CONTENT_TYPE, document

DETAILS = {
    400: "The request is not valid HTTP.",
    414: "The address is too long.",
    431: "The headers are too large.",
    501: "The transfer coding is not known here.",
}


def write_error(client: socket, status: int, _reason: str, _detail: str) -> None:
    """Send a problem. Gunicorn's own sentence repeats parts of the request: that is for the log alone."""
    body = document(status, DETAILS.get(status))
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\n"
        f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(client, (head + body).encode("ascii"))


def install() -> None:
    """Have gunicorn call it: there is no setting for this."""
    util.write_error = write_error
