"""The filters `rabbitmq_hash` and `rabbitmq_hash_matches`: RabbitMQ's stored passwords (salted SHA-256)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

SALT_BYTES = 4
DIGEST_BYTES = 32


def salted(salt: bytes, password: str) -> bytes:
    """Return salt + sha256(salt + password)."""
    return salt + hashlib.sha256(salt + password.encode()).digest()


def rabbitmq_hash(password: str, salt: str) -> str:
    """Return the password hash for RabbitMQ's definitions file, in base64.

    `salt` is any text, from which the 4 bytes are derived: the same text gives the same hash, so that a
    rendered file stays as it is from run to run.
    """
    salt_bytes = hashlib.sha256(str(salt).encode()).digest()[:SALT_BYTES]
    return base64.b64encode(salted(salt_bytes, str(password))).decode()


def rabbitmq_hash_matches(stored: str, password: str) -> bool:
    """Tell whether a stored hash is the password's; False for what is no such hash."""
    try:
        raw = base64.b64decode(str(stored or ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    if len(raw) != SALT_BYTES + DIGEST_BYTES:
        return False
    return hmac.compare_digest(raw, salted(raw[:SALT_BYTES], str(password)))


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"rabbitmq_hash": rabbitmq_hash, "rabbitmq_hash_matches": rabbitmq_hash_matches}
