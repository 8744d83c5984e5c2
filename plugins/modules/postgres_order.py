#!/usr/bin/python
"""Ansible module: an order to a place of PostgreSQL, which it obeys at its next start."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_order
short_description: An order to a place of PostgreSQL, which it obeys at its next start
description:
  - Writes one word into the place's volume, and makes the volume where there is none.
  - C(make) makes a new cluster where there is none; C(follow) becomes a standby of the other place by
    rewinding, else by a new clone with the old data kept aside; C(clone) gives up the data for a new clone;
    C(fenced) never starts.
  - With O(restart), the container is started anew, and obeys at once; its slot is made anew before.
  - For platform, places, uid and slot see M(postgres_look).
options:
  place:
    description: Who is ordered.
    type: str
    required: true
  order:
    description: The order.
    type: str
    choices: [make, follow, clone, fenced]
    required: true
  restart:
    description: Whether the container is started anew.
    type: bool
    default: false
"""
RETURN = r"""
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.postgres_places import ARGUMENTS, Place, TroubleError, places_of


def obey_now(places: list[Place], ordered: Place) -> None:
    """Start a standby anew over a new slot: one that is lost stays lost."""
    primary = next(place for place in places if place is not ordered)
    ordered.docker("stop", ordered.container)
    slot = ordered.module.params["slot"]
    primary.sql(
        "select pg_drop_replication_slot(slot_name) from pg_replication_slots"  # noqa: S608 - a checked name
        f" where slot_name = '{slot}' and not active"
    )
    primary.provide_slot()
    ordered.docker("start", ordered.container)


def main() -> None:
    """Write the order, unless it is there."""
    choices = ["make", "follow", "clone", "fenced"]
    own: dict[str, Any] = {
        "place": {"type": "str", "required": True},
        "order": {"type": "str", "choices": choices, "required": True},
        "restart": {"type": "bool", "default": False},
    }
    module = AnsibleModule(argument_spec={**ARGUMENTS, **own}, supports_check_mode=True)
    places = places_of(module)
    ordered = next(place for place in places if place.name == module.params["place"])
    restart = module.params["restart"]
    changed = restart or ordered.order != module.params["order"]
    if changed and not module.check_mode:
        try:
            ordered.give(module.params["order"])
            if restart:
                obey_now(places, ordered)
        except TroubleError as trouble:
            module.fail_json(msg=str(trouble))
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
