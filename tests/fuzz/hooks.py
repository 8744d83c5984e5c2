"""What schemathesis does beside its own: the API's key, and a note of each answer. See scripts/fuzz.sh."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path
from typing import Any

import schemathesis

KEY_HEADER, ONCE_HEADER = "X-API-Key", "Idempotency-Key"
VALID_ONCE = re.compile(r"[!-~]{1,255}")
CREATED = 201

api_key = Path(os.environ["FUZZ_KEY_FILE"]).read_text(encoding="utf-8").strip()
answers = Path(os.environ["FUZZ_ANSWERS_FILE"])
# Begins every Idempotency-Key of a run, so that they can be removed.
mark = os.environ["FUZZ_MARK"]


@schemathesis.auth()
class Key:
    """Gives the key where the document asks for one; what tests the missing key takes it away again."""

    def get(self, _case: Any, _context: Any) -> str:
        return api_key

    def set(self, case: Any, data: str, _context: Any) -> None:
        if case.operation.definition.raw.get("security"):
            case.headers = case.headers or {}
            case.headers[KEY_HEADER] = data


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """A fresh key each time: one used twice with two bodies is refused, as documented. Invalid ones stay."""
    given = (case.headers or {}).get(ONCE_HEADER)
    if isinstance(given, str) and VALID_ONCE.fullmatch(given):
        case.headers[ONCE_HEADER] = f"{mark}-{uuid.uuid4().hex}"


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Note method, path, status, and the identity of a message that was stored, which is removed later."""
    identity = str(int(response.json()["id"])) if response.status_code == CREATED else ""
    line = f"{case.method} {case.operation.path} {response.status_code} {identity}".rstrip()
    with answers.open("a", encoding="ascii") as file:
        file.write(f"{line}\n")
