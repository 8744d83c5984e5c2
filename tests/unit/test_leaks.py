"""The search for secrets: it finds them in their disguises, names them, and never shows them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

import pytest

from tests.infra.remote.leaks import Search, add_keys, open_files

VALUE = 'pa55"word/with+signs'
BODY = ["MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg" + "s3cr" * 4, "3tT0" * 16, "pub1" * 6]
# Put together while it runs: what Python compiles of this file must not look like a key.
KEY = "\n".join(["-----BEGIN PRIVATE KEY-----", *BODY, "-----END PRIVATE KEY-----", ""])
KEY_DISGUISES = {
    "plain": KEY,
    "with other ends of lines": KEY.replace("\n", "\r\n"),
    "indented": KEY.replace("\n", "\n    "),
    "in JSON": json.dumps({"key": KEY}),
    "in JSON in JSON": json.dumps(json.dumps({"key": KEY.replace("\n", "\r\n")})),
}
KEY_DISGUISES |= {
    f"base64 after {before} letters": base64.b64encode(("u" * before + KEY).encode()).decode()
    for before in range(3)
}
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


@pytest.mark.parametrize("name", KEY_DISGUISES)
def test_a_key_is_found_in_its_disguise(name: str) -> None:
    """Any key is; one of ours is known by name."""
    search = Search({})
    search.data("somewhere", "here", f"before {KEY_DISGUISES[name]} after".encode())
    assert search.found == {"somewhere": [["here", "a private key"]]}


@pytest.mark.parametrize("name", KEY_DISGUISES)
def test_a_key_of_ours_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "certificates").mkdir()
    (tmp_path / "certificates/authority.pem").write_text(f"a certificate\n{KEY}")
    search = Search({})
    add_keys(search, str(tmp_path))
    disguised = KEY_DISGUISES[name].replace("PRIVATE KEY", "").encode()
    search.data("somewhere", "here", disguised)
    assert ["here", "key of certificates/authority.pem"] in search.found["somewhere"]


def test_the_words_alone_are_no_key() -> None:
    search = Search({})
    search.data("somewhere", "here", rb'"-----BEGIN PRIVATE KEY-----\n" comes first')
    assert search.found == {"somewhere": []}


def test_open_files_are_those_that_others_can_reach(tmp_path: Path) -> None:
    for name, mode in (("open", 0o755), ("closed", 0o700), ("layers", 0o755)):
        (tmp_path / name).mkdir(mode)
        (tmp_path / name / "readable").write_text("x")
    (tmp_path / "open/own").touch(0o600)
    (tmp_path / "open/link").symlink_to("readable")
    tmp_path.chmod(0o755)
    found = list(open_files(str(tmp_path), [os.path.realpath(tmp_path / "layers")]))
    assert found == [tmp_path / "open/readable"]


def test_of_many_files_those_are_named_that_hold_something(tmp_path: Path) -> None:
    for name, text in (("one", "nothing"), ("two", VALUE), ("three", "nothing")):
        (tmp_path / name).write_text(text)
    search = Search({"A_PASSWORD": VALUE})
    search.files("files", [*tmp_path.iterdir(), tmp_path / "gone"])
    assert search.found == {"files": [[str(tmp_path / "two"), "A_PASSWORD"]]}
    assert search.seen == {"files": 14 + len(VALUE)}


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
