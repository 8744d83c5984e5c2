"""One record is one line of JSON, whatever somebody manages to have logged."""

import json
import logging
import os

import pytest

from octopus.logs import JsonFormatter, LineHandler

NASTY = [
    'line\n{"level": "ERROR", "message": "forged"}',
    "carriage\rreturn, tab\t, bell\x07, escape\x1b[31m, nul\x00",
    "delete\x7f, next line\x85, CSI\x9b, separators\u2028\u2029",
    "half a pair \ud800",
    "%s %d %",
    "Привет 🐙",
]


def _line(text: str) -> str:
    record = logging.makeLogRecord({"msg": "Received message: %s", "args": (text,), "levelname": "INFO"})
    return JsonFormatter().format(record)


@pytest.mark.parametrize("text", NASTY)
def test_message_survives_on_one_line(text: str) -> None:
    line = _line(text)
    assert len(line.splitlines()) == 1
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in line)
    assert json.loads(line)["message"] == f"Received message: {text}"
    line.encode("utf-8")


def test_non_ascii_is_not_escaped() -> None:
    assert "Привет 🐙" in _line("Привет 🐙")


def test_extra_becomes_a_key_and_exceptions_stay_on_the_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        record = logging.makeLogRecord(
            {"msg": "failed", "exc_info": (ValueError, error, error.__traceback__), "message_id": 7}
        )
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line)["message_id"] == 7
    assert "two\nlines" in json.loads(line)["exception"]


def test_long_lines_of_several_processes_stay_whole() -> None:
    """Longer than a pipe keeps together by itself."""
    reader, writer = os.pipe()
    handler = LineHandler(writer)
    children = []
    for letter in "abcd":
        if (child := os.fork()) == 0:
            for _ in range(50):
                handler.emit(logging.makeLogRecord({"msg": letter * 20_000}))
            os._exit(0)
        children.append(child)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        lines = pipe.read().splitlines()
    for child in children:
        os.waitpid(child, 0)
    assert len(lines) == 200
    assert all(len(set(json.loads(line)["message"])) == 1 for line in lines)
