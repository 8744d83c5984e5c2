"""Runs on the host under test: shakes hands over TLS, sends an HTTP/2 request by hand, prints what it saw."""

from __future__ import annotations

import json
import socket
import ssl
import sys
from typing import Any

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
HEADERS_FRAME = 1
END_HEADERS_AND_STREAM = 5


STATUS_200 = 0x88  # in HPACK's static table


def headers_frame(authority: bytes) -> bytes:
    """GET https://AUTHORITY/ on stream 1; three of the fields are in HPACK's static table."""
    block = b"\x82\x87\x84" + b"\x41" + bytes([len(authority)]) + authority
    return (
        len(block).to_bytes(3, "big")
        + bytes([HEADERS_FRAME, END_HEADERS_AND_STREAM])
        + b"\x00\x00\x00\x01"
        + block
    )


def read(stream: ssl.SSLSocket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = stream.recv(size - len(data))
        if not part:
            raise EOFError("the connection was closed")
        data += part
    return data


def status(stream: ssl.SSLSocket, authority: bytes) -> int:
    """Return the answer's status: the first field of its header block."""
    stream.sendall(PREFACE + SETTINGS + headers_frame(authority))
    while True:
        head = read(stream, 9)
        payload = read(stream, int.from_bytes(head[:3], "big"))
        if head[3] == HEADERS_FRAME:
            block = payload.lstrip(b"\x20\x3f")
            # What is in no table is a text of three digits behind its name and length.
            return 200 if block[0] == STATUS_200 else int(block[2:5])


def main(port: int, authority: str = "localhost") -> dict[str, Any]:
    context = ssl._create_unverified_context()  # noqa: S323
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as stream,
    ):
        seen: dict[str, Any] = {
            "certificate": ssl.DER_cert_to_PEM_cert(stream.getpeercert(binary_form=True) or b""),
            "tls": stream.version(),
            "alpn": stream.selected_alpn_protocol(),
        }
        if seen["alpn"] == "h2":
            seen["status"] = status(stream, authority.encode())
        return seen


if __name__ == "__main__":
    print(json.dumps(main(**json.loads(sys.argv[1]))))
