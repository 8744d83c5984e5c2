"""The ledger itself: whatever is taken away or put twice by hand is told."""

from __future__ import annotations

import time

import pytest

from tests.reconfigure.platform import Platform
from tests.resilience.ledger import Ledger
from tests.resilience.places import primary, psql

AGAIN = "insert into messages (text, status, logged_at) select text, status, now() from messages where id={}"
SILENT = "insert into messages (text, status, logged_at) values ('{}', 'logged', now()) returning id"


def change(platform: Platform, script: str) -> str:
    return psql(platform, primary(platform), script, platform.settings["postgres_database"])


def test_the_ledger_tells_what_is_lost_and_what_is_twice(platform: Platform, ledger: Ledger) -> None:
    with ledger:
        time.sleep(3)
    assert ledger.judge() == 0
    silent = f"{ledger.mark} never logged"
    identity = int(change(platform, SILENT.format(silent)))
    ledger.accepted[identity] = silent
    with pytest.raises(AssertionError, match="1 messages are in no worker's log"):
        ledger.judge()
    del ledger.accepted[identity]
    first = min(ledger.accepted)
    change(platform, AGAIN.format(first))
    with pytest.raises(AssertionError, match="stored twice"):
        ledger.judge()
    change(platform, f"delete from messages where id = {first}")  # noqa: S608
    with pytest.raises(AssertionError, match="1 accepted messages are missing"):
        ledger.judge()
