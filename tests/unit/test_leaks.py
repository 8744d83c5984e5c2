"""The search for secrets: it finds them in their disguises, names them, and never shows them."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from tests.infra.remote.leaks import Search

VALUE = 'pa55"word/with+signs'
KEY = "-----BEGIN PRIVATE KEY-----\n" + "A" * 64 + "\n-----END PRIVATE KEY-----\n"
DISGUISES = {
    "plain": VALUE,
    "in JSON": json.dumps({"password": VALUE}),
    "in an address": "redis://user:pa55%22word%2Fwith%2Bsigns@redis",
    "hashed": hashlib.sha256(VALUE.encode()).hexdigest(),
    "in hexadecimal": VALUE.encode().hex(),
}
DISGUISES |= {
    f"base64 after {before} and before {after} letters": base64.b64encode(
        ("u" * before + VALUE + "v" * after).encode()
    ).decode()
    for before in range(4)
    for after in range(3)
}


@pytest.mark.parametrize("name", DISGUISES)
def test_a_secret_is_found_in_its_disguise(name: str) -> None:
    search = Search({"A_PASSWORD": VALUE})
    search.data("somewhere", "here", f"before {DISGUISES[name]} after".encode())
    assert search.found == {"somewhere": [["here", "A_PASSWORD"]]}


def test_what_is_not_there_is_not_found_but_counted() -> None:
    search = Search({"A_PASSWORD": VALUE})
    search.data("somewhere", "here", b"nothing of that kind")
    assert (search.found, search.seen) == ({"somewhere": []}, {"somewhere": 20})


def test_files_are_named_by_what_they_are_in(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/file").write_bytes(b"\0\xff" + VALUE.encode())
    (tmp_path / "etc/tls.key").write_text(KEY)
    (tmp_path / "etc/program").write_text("-----BEGIN PRIVATE KEY----- is what a key begins with")
    search = Search({"A_PASSWORD": VALUE})
    search.trees("layers", {str(tmp_path): "image x"})
    assert sorted(search.found["layers"]) == [
        ["image x: etc/file", "A_PASSWORD"],
        ["image x: etc/tls.key", "a private key"],
    ]
    assert VALUE not in json.dumps(search.found)
