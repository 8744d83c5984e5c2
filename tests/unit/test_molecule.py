"""What the Molecule scenarios take from elsewhere."""

from __future__ import annotations

from tests.infra.services import PORTS
from tests.unit.repository import ROOT, mapping


def test_a_neighbour_knocks_at_every_door() -> None:
    doors = mapping(ROOT / "molecule/shared/vars.yml")["test_host_doors"]
    assert sorted(doors) == sorted({port for ports in PORTS.values() for port in ports})
