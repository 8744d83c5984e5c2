"""Requests that no HTTP library would send, as data: remote/raw.py sends them. One character is one byte."""

from __future__ import annotations

from dataclasses import dataclass

Part = tuple[str, int]  # text, and how often it comes
Parts = list[Part]
KEY = "X-API-Key: {API_KEY}\r\n"
END = "\r\n"


@dataclass(frozen=True)
class RawAnswer:
    """All that came back on one connection: every answer's status, and the bytes as Latin-1."""

    statuses: list[int]
    text: str


def parts(*given: str | Part) -> Parts:
    return [(one, 1) if isinstance(one, str) else one for one in given]


def size(given: Parts) -> int:
    return sum(len(text) * times for text, times in given)


def get(path: str, *headers: str | Part) -> Parts:
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    return parts(head, *headers, END)


def post(*body: str | Part, headers: str = KEY, media_type: str = "application/json") -> Parts:
    """A writing request; it would store a message if its body were one, so it never is."""
    head = "POST /api/messages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    lengths = f"Content-Type: {media_type}\r\nContent-Length: {size(parts(*body))}\r\n"
    return parts(head, headers, lengths, END, *body)


def open_post(rest: str) -> Parts:
    """A writing request without a key on a connection that stays open, with headers and body to say."""
    return parts(
        f"POST /api/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{rest}"
    )
