"""The RabbitMQ filters against the example of RabbitMQ's own documentation."""

from __future__ import annotations

import base64

import pytest

from plugins.filter.rabbitmq import rabbitmq_hash, rabbitmq_hash_matches, salted

DOCUMENTED = "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"  # password "test12", salt 908D C60A


def test_the_documented_vector() -> None:
    assert base64.b64encode(salted(bytes.fromhex("908DC60A"), "test12")).decode() == DOCUMENTED
    assert rabbitmq_hash_matches(DOCUMENTED, "test12")
    assert not rabbitmq_hash_matches(DOCUMENTED, "test13")


@pytest.mark.parametrize("password", ["a long enough password", "осьминог-пароль", ""])
def test_a_made_hash_matches_its_password_only(password: str) -> None:
    made = rabbitmq_hash(password, "octopus_app")
    assert rabbitmq_hash_matches(made, password)
    assert not rabbitmq_hash_matches(made, password + "x")


def test_the_same_salt_gives_the_same_hash_and_another_another() -> None:
    assert rabbitmq_hash("password", "a") == rabbitmq_hash("password", "a")
    assert rabbitmq_hash("password", "a") != rabbitmq_hash("password", "b")


@pytest.mark.parametrize("stored", ["", "ключ", "no base64!", DOCUMENTED[:-4], DOCUMENTED + "AAAA"])
def test_what_is_no_hash_matches_nothing(stored: str) -> None:
    assert not rabbitmq_hash_matches(stored, "test12")
