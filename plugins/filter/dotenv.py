"""The filter `from_dotenv`: the text of a .env file becomes a checked dict of secrets."""

from __future__ import annotations

import difflib
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from dotenv.parser import Binding, parse_stream

PLACEHOLDERS = ("change-me", "changeme")
MIN_LENGTH = 12  # characters
# Only what looks like a key is named in a message: a broken line may begin with a piece of a secret.
KEY = re.compile(r"[A-Z][A-Z0-9_]*")


def value_problem(value: str | None) -> str | None:
    """Say what is wrong with a secret, as the rest of a sentence that never holds it; None if it is fine."""
    if not value:
        return "is empty"
    if value.lower() in PLACEHOLDERS:
        return "still has its placeholder value"
    if any(unicodedata.category(character) == "Cc" for character in value):
        return "contains a control character"
    if len(value) < MIN_LENGTH:
        return f"is shorter than {MIN_LENGTH} characters"
    return None


def unknown_key(key: str, keys: Sequence[str]) -> str:
    """Say that a key is unknown, and which known one is meant."""
    near = difflib.get_close_matches(key, keys, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    return f"{key} is no key of ours{hint}"


def line_problems(bindings: Sequence[Binding]) -> Iterator[str]:
    """Yield a sentence for each line that is no KEY=value, and for each key that comes twice."""
    first_line: dict[str, int] = {}
    for binding in bindings:
        # The parser counts the blank lines before a binding as part of it.
        text = binding.original.string
        line = binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
        is_blank = binding.key is None and not binding.error
        if not is_blank and (binding.value is None or not KEY.fullmatch(binding.key or "")):
            yield f"Line {line} is not of the form KEY=value."
        elif binding.key in first_line:
            yield f"{binding.key} is there twice (lines {first_line[binding.key]} and {line})."
        elif binding.key is not None:
            first_line[binding.key] = line


def key_problems(values: dict[str, str | None], keys: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each key that is missing, unknown, or has no usable value."""
    for key in keys:
        if key not in values:
            yield f"{key} is missing."
        elif problem := value_problem(values[key]):
            yield f"{key} {problem}."
    for key in values:
        if key not in keys:
            yield unknown_key(key, keys)


def from_dotenv(text: str, keys: Sequence[str], source: str = ".env") -> dict[str, str]:
    """Return the secrets of a .env file: exactly `keys`, each with a usable value.

    `source` is the file's name in messages. Nothing is interpolated: a `$` in a secret is a `$`.
    Raises AnsibleFilterError with one sentence per problem, none of which holds a value.
    """
    bindings = list(parse_stream(io.StringIO(str(text).lstrip("\ufeff"))))
    values = {str(binding.key): binding.value for binding in bindings if KEY.fullmatch(binding.key or "")}
    problems = [*line_problems(bindings), *key_problems(values, list(keys))]
    if problems:
        raise AnsibleFilterError(f"{source}: {' '.join(problems)}")
    return {key: str(values[key]) for key in keys}


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"from_dotenv": from_dotenv}
