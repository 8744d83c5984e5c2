"""The SCRAM filters against RFC 7677, RFC 4013 and PostgreSQL's form of a verifier."""

from __future__ import annotations

import pytest

from plugins.filter.scram import saslprep, scram_matches, scram_outdated, scram_verifier

# The example of RFC 7677 (password "pencil"), as PostgreSQL stores it.
RFC_7677 = (
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)


def test_the_vector_of_the_rfc() -> None:
    assert scram_matches(RFC_7677, "pencil")
    assert not scram_matches(RFC_7677, "pencil2")


@pytest.mark.parametrize("password", ["a long enough password", "осьминог-пароль", "I\u00adX", "tab\tinside"])
def test_a_made_verifier_matches_its_password_only(password: str) -> None:
    verifier = scram_verifier(password, "octopus_app")
    assert verifier.startswith("SCRAM-SHA-256$4096:")
    assert scram_matches(verifier, password)
    assert not scram_matches(verifier, password + "x")


def test_the_same_salt_gives_the_same_verifier_and_another_another() -> None:
    assert scram_verifier("password", "a") == scram_verifier("password", "a")
    assert scram_verifier("password", "a") != scram_verifier("password", "b")


@pytest.mark.parametrize(
    "verifier",
    [
        "",
        "md5f1d2d2f924e986ac86fdf7b36c94bcdf",
        "pencil",
        RFC_7677[:-4],
        RFC_7677 + "\n",
        RFC_7677.replace("W2", "=2"),
    ],
)
def test_other_hashes_match_nothing(verifier: str) -> None:
    assert not scram_matches(verifier, "pencil")


def test_no_verifier_matches_nothing() -> None:
    assert not scram_matches(None, "pencil")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        ("user", "user"),
        ("I\u00adX", "IX"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        # What RFC 4013 refuses, PostgreSQL takes as it is.
        ("\u0627\u0031", "\u0627\u0031"),
        ("\u00aa\u0007", "\u00aa\u0007"),
        ("\u00ad", "\u00ad"),
    ],
)
def test_the_examples_of_rfc_4013(password: str, prepared: str) -> None:
    assert saslprep(password) == prepared


def test_roles_without_their_password_are_told() -> None:
    roles = [{"name": name, "password": "pencil"} for name in ("same", "other", "new", "unknown")]
    stored = {"same": RFC_7677, "other": scram_verifier("pen", "salt"), "new": None, "somebody": None}
    assert [role["name"] for role in scram_outdated(roles, stored)] == ["other", "new", "unknown"]
