"""Checks a software bill of materials: check_bill.py FILE, with the packages of .venv-sbom.

It has to keep CycloneDX' own schema, and to name what every image of ours has: far more than a handful of
packages.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

# Of Debian's base alone there are 200, packages and their sources.
LEAST = 150


def main(file: str) -> str:
    """Return what is in a bill; end the program with a sentence where it is none."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = Path(file).read_text(encoding="utf-8")
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"{file} is no CycloneDX 1.6: {str(error.data).splitlines()[0]}")
    purls = [str(part.get("purl", "")) for part in json.loads(text).get("components", [])]
    kinds = Counter(purl.partition("/")[0].removeprefix("pkg:") or "other" for purl in purls)
    if len(purls) < LEAST:
        sys.exit(f"{file} names {len(purls)} components: fewer than {LEAST} cannot be all.")
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"{file}: {len(purls)} components ({told}), valid CycloneDX 1.6"


if __name__ == "__main__":
    print(main(sys.argv[1]))
