"""The filters `scram_verifier` and `scram_matches`: PostgreSQL's stored passwords (RFC 5802, RFC 7677)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import stringprep
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

ITERATIONS = 4096  # PostgreSQL's own default (scram_iterations)
SALT_BYTES = 16
VERIFIER = re.compile(r"SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)")
PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def bidi_is_sound(text: str) -> bool:
    """Tell whether right-to-left text is as RFC 3454, section 6, wants it."""
    if not any(map(stringprep.in_table_d1, text)):
        return True
    ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return ends and not any(map(stringprep.in_table_d2, text))


def saslprep(password: str) -> str:
    """Return the password as PostgreSQL's pg_saslprep makes it: what RFC 4013 refuses stays as it is."""
    if password.isascii():
        return password
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in password
        if not stringprep.in_table_b1(character)
    )
    text = unicodedata.normalize("NFKC", mapped)
    refused = not text or any(table(character) for character in text for table in PROHIBITED)
    return password if refused or not bidi_is_sound(text) else text


def keys(password: str, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
    """Return StoredKey and ServerKey."""
    salted = hashlib.pbkdf2_hmac("sha256", saslprep(password).encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hashlib.sha256(client_key).digest(), hmac.digest(salted, b"Server Key", "sha256")


def scram_verifier(password: str, salt: str) -> str:
    """Return what PostgreSQL stores for a password: SCRAM-SHA-256$4096:salt$StoredKey:ServerKey.

    `salt` is any text, from which 16 bytes are derived: the same text gives the same verifier. Text that
    differs between logins and installations keeps equal passwords from looking equal.
    """
    salt_bytes = hashlib.sha256(str(salt).encode()).digest()[:SALT_BYTES]
    fields = [salt_bytes, *keys(str(password), salt_bytes, ITERATIONS)]
    salt64, stored, server = (base64.b64encode(field).decode() for field in fields)
    return f"SCRAM-SHA-256${ITERATIONS}:{salt64}${stored}:{server}"


def scram_matches(verifier: str, password: str) -> bool:
    """Tell whether a stored verifier (pg_authid.rolpassword) is the password's; False for other hashes."""
    parts = VERIFIER.fullmatch(str(verifier or ""))
    if parts is None:
        return False
    try:
        salt, stored, server = (base64.b64decode(part, validate=True) for part in parts.groups()[1:])
    except binascii.Error:
        return False
    expected_stored, expected_server = keys(str(password), salt, int(parts[1]))
    return hmac.compare_digest(stored, expected_stored) and hmac.compare_digest(server, expected_server)


def scram_outdated(
    roles: Iterable[Mapping[str, Any]], stored: Mapping[str, str | None]
) -> list[Mapping[str, Any]]:
    """Return the roles whose stored verifier is not their password's; who has none yet is among them."""
    return [role for role in roles if not scram_matches(stored.get(role["name"]) or "", role["password"])]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {
            "scram_matches": scram_matches,
            "scram_outdated": scram_outdated,
            "scram_verifier": scram_verifier,
        }
