"""The repository of backups that is in use, as somebody sees it who has the volume alone."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.reconfigure.platform import Platform

KEY, BLOCK = 32, 16  # bytes
INFO = (
    "set -e; path=$(sed -n s,^repo1-path=,,p /run/secrets/pgbackrest.conf);"
    " base64 --wrap=0 $path/backup/octopus/backup.info"
)


def decrypted(text: bytes, password: str) -> bytes:
    """Return what pgBackRest has encrypted, padding included (openssl enc -d -aes-256-cbc -md sha1)."""
    assert text[:8] == b"Salted__", text[:8]
    made = last = b""
    while len(made) < KEY + BLOCK:
        last = hashlib.sha1(last + password.encode() + text[8:16]).digest()  # noqa: S324 - pgBackRest's choice
        made += last
    cipher = Cipher(algorithms.AES(made[:KEY]), modes.CBC(made[KEY : KEY + BLOCK])).decryptor()
    return cipher.update(text[16:]) + cipher.finalize()


def opens(platform: Platform, password: str) -> bool:
    """Tell whether a password opens the list of backups."""
    info = base64.b64decode(platform.execute("pg-primary", "bash", "-c", INFO))
    return decrypted(info, password).startswith(b"[backrest]")
