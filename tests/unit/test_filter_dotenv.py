"""The filter from_dotenv: what it accepts, and the sentence for everything it refuses."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from plugins.filter.dotenv import from_dotenv

KEYS = ["API_KEY", "REDIS_PASSWORD"]
GOOD = "API_KEY=0123456789abcdef\nREDIS_PASSWORD=fedcba9876543210\n"


def refusal(text: str) -> str:
    with pytest.raises(AnsibleFilterError) as caught:
        from_dotenv(text, KEYS)
    return str(caught.value)


def test_a_good_file() -> None:
    assert from_dotenv(GOOD, KEYS) == {"API_KEY": "0123456789abcdef", "REDIS_PASSWORD": "fedcba9876543210"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("'with # and $HOME'", "with # and $HOME"),
        ('"with \\" quote and ${API_KEY}"', 'with " quote and ${API_KEY}'),
        ("plain-value-1234 # a comment", "plain-value-1234"),
        ("abc=def==ghi=jkl", "abc=def==ghi=jkl"),
        ("пароль-осьминога", "пароль-осьминога"),
        ("carriage-return\r", "carriage-return"),
    ],
)
def test_values_are_read_as_the_library_reads_them_and_never_interpolated(written: str, read: str) -> None:
    text = f"\ufeff# comment\n\nexport API_KEY={written}\nREDIS_PASSWORD=fedcba9876543210"
    assert from_dotenv(text, KEYS)["API_KEY"] == read


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (GOOD + "\n\nnot an assignment\n", "Line 5 is not of the form KEY=value."),
        (GOOD + "lonely\n", "Line 3 is not of the form KEY=value."),
        (GOOD + "=value\n", "Line 3 is not of the form KEY=value."),
        (GOOD + "API_KEY=0123456789abcdef\n", "API_KEY is there twice (lines 1 and 3)."),
        (GOOD.replace("REDIS_PASSWORD", "REDIS_PASWORD"), "REDIS_PASSWORD is missing."),
        (GOOD + "REDIS_PASWORD=x\n", "REDIS_PASWORD is no key of ours; did you mean REDIS_PASSWORD?"),
        (GOOD + "XYZ=1\n", "XYZ is no key of ours."),
        (GOOD.replace("0123456789abcdef", ""), "API_KEY is empty."),
        (GOOD.replace("0123456789abcdef", "change-me"), "API_KEY still has its placeholder value."),
        (GOOD.replace("0123456789abcdef", '"tab\\tin the middle"'), "API_KEY contains a control character."),
        (GOOD.replace("0123456789abcdef", "01234567890"), "API_KEY is shorter than 12 characters."),
    ],
)
def test_each_problem_has_its_sentence(text: str, sentence: str) -> None:
    assert sentence in refusal(text)


def test_all_problems_are_named_at_once_with_the_file() -> None:
    message = refusal("API_KEY=change-me\n???\n")
    assert message.startswith(".env: ")
    for part in ("Line 2", "API_KEY still", "REDIS_PASSWORD is missing"):
        assert part in message


@pytest.mark.parametrize(
    "line", ["s3cret-leftover==", "s3cret-leftover", "'s3cret-leftover", "API_KEY='s3cret-leftover"]
)
def test_no_message_holds_a_piece_of_a_secret(line: str) -> None:
    assert "s3cret" not in refusal(f"{GOOD}{line}\n")
