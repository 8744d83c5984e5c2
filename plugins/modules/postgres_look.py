#!/usr/bin/python
"""Ansible module: what the two places of PostgreSQL are at present."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_look
short_description: What the two places of PostgreSQL are at present
description:
  - Asks each server what it is, and looks into each volume for what a server that does not answer would be.
  - It reads only.
options:
  platform:
    description: The platform's name.
    type: str
    required: true
  places:
    description: Names of the places.
    type: list
    elements: str
    required: true
  uid:
    description: User id of the server.
    type: int
    required: true
  slot:
    description: Name of the replication slot.
    type: str
    required: true
"""
RETURN = r"""
states:
  description: >-
    Place -> what its server has answered: standby, connections, slot (the state of its log), streaming.
    Who did not answer is missing.
  type: dict
  returned: always
volumes:
  description: >-
    Place -> whether its volume holds data, whether they are a standby's (signal), and the order in it.
  type: dict
  returned: always
cut_off:
  description: Standbys whose log the primary holds no more.
  type: list
  returned: always
"""

import json
import shutil
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.postgres_places import ARGUMENTS, Place, places_of

QUESTION = """select json_build_object(
  'standby', pg_is_in_recovery(),
  'connections', current_setting('max_connections')::int,
  'slot', (select wal_status from pg_replication_slots where slot_name = '{slot}'),
  'streaming', exists (select from pg_stat_replication where state = 'streaming'))"""
# What a standby says every few seconds when what it asks for is gone.
GONE = "has already been removed"


def answer(place: Place) -> dict[str, Any] | None:
    """Return what the server says of itself, if it does."""
    told = place.sql(QUESTION.format(slot=place.module.params["slot"]))
    return json.loads(told) if told else None


def cut_off(places: list[Place], states: dict[str, dict[str, Any]]) -> list[str]:
    """Return the standbys that can follow no more; their logs are read only where none streams."""
    primaries = [state for state in states.values() if not state["standby"]]
    if len(primaries) != 1 or primaries[0]["streaming"]:
        return []
    standbys = [place for place in places if place.signal and place.status == "running"]
    if primaries[0]["slot"] == "lost":
        return [place.name for place in standbys]
    return [place.name for place in standbys if GONE in last_words(place)]


def last_words(place: Place) -> str:
    """Return what a server has said within the last half minute."""
    _, output, errors = place.module.run_command(["docker", "logs", "--since", "30s", place.container])
    return f"{output}{errors}"


def main() -> None:
    """Look."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    # A plan for a fresh host, where there is no engine yet.
    places = places_of(module) if shutil.which("docker") else []
    states = {place.name: told for place in places if (told := answer(place))}
    volumes = {
        place.name: {"data": place.data, "signal": place.signal, "order": place.order} for place in places
    }
    module.exit_json(changed=False, states=states, volumes=volumes, cut_off=cut_off(places, states))


if __name__ == "__main__":
    main()
