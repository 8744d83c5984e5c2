"""Runs on the host under test: sends bytes to the proxy as they are, prints the answers.

A request is a list of parts [text, times], one character a byte; `{API_KEY}` stands for what the key's file
holds. All that comes back until the connection ends, or is silent for a while, counts as its answer.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

SILENCE = 2.0  # seconds after which nothing more is expected
FIRST = 15.0  # seconds until the first answer has to be there
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def data_of(parts: list[list[Any]], key: bytes) -> bytes:
    whole = b"".join(text.encode("latin-1") * times for text, times in parts)
    return whole.replace(b"{API_KEY}", key)


def connect(address: str, port: int, tls: bool) -> socket.socket:
    plain = socket.create_connection((address, port), timeout=FIRST)
    context = ssl._create_unverified_context()  # noqa: S323
    return context.wrap_socket(plain, server_hostname="localhost") if tls else plain


def exchange(data: bytes, address: str, port: int, tls: bool) -> bytes:
    """Send all that is taken, then read. Who refuses a request early may close before it was through."""
    told = b""
    with connect(address, port, tls) as stream:
        # Where it is cut, the answer says why.
        with contextlib.suppress(OSError):
            stream.sendall(data)
        with contextlib.suppress(OSError):
            while part := stream.recv(65536):
                told += part
                stream.settimeout(SILENCE)
    return told


def main(job: dict[str, Any]) -> list[dict[str, Any]]:
    key = Path(job["key_file"]).read_bytes().strip()
    datas = [data_of(parts, key) for parts in job["requests"]]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda data: exchange(data, job["address"], job["port"], job["tls"]), datas))
    return [
        {"statuses": [int(status) for status in STATUS.findall(told)], "text": told.decode("latin-1")}
        for told in answers
    ]


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
