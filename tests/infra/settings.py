"""What playbooks/verify.yml hands over: the variables of the host under test. Its secrets are read here."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.filter.dotenv import from_dotenv

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "OCTOPUS_VERIFY"


@dataclass(frozen=True)
class Settings:
    """Variables by name; `secrets` holds the keys of the host's .env file."""

    variables: dict[str, Any]
    secrets: dict[str, str] = field(repr=False)

    def __getitem__(self, name: str) -> Any:
        return self.variables[name]

    @property
    def name(self) -> str:
        return str(self["platform_name"])


def role_defaults() -> dict[str, Any]:
    """Return what every role takes where nobody says otherwise; expressions stay as they are."""
    defaults: dict[str, Any] = {}
    for file in sorted(ROOT.glob("roles/*/defaults/main.yml")):
        defaults.update(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    return defaults


def load() -> Settings:
    if VARIABLE not in os.environ:
        raise pytest.UsageError(
            "These tests are started by playbooks/verify.yml, which tells them about the host."
        )
    variables = role_defaults() | json.loads(os.environ[VARIABLE])
    keys = yaml.safe_load((ROOT / "group_vars/all/env.yml").read_text(encoding="utf-8"))["env_keys"]
    file = Path(variables["env_file"])
    return Settings(variables, from_dotenv(file.read_text(encoding="utf-8"), keys, str(file)))
