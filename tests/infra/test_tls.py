"""TLS as testssl.sh judges it, on the host under test."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infra.target import Target

pytestmark = pytest.mark.audit

SECONDS = 300
# Protocols, ciphers, forward secrecy, the server's choice, certificate, headers, weaknesses. $1 is the port.
SCAN = """
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
timeout $2 testssl --quiet --color 0 --warnings batch --connect-timeout 5 --openssl-timeout 5 \
  -p -s -f -P -S -h -U --jsonfile "$directory/found.json" "https://localhost:$1" >"$directory/out" 2>&1
cat "$directory/found.json" || tail "$directory/out"
"""
HARMLESS = {"OK", "INFO", "LOW", "DEBUG", "WARN"}
# What was looked at, so that a scan that has broken off does not pass: some of each part.
SEEN = {"TLS1", "TLS1_2", "TLS1_3", "cipherlist_NULL", "FS", "cipher_order", "cert_notAfter", "BREACH", "RC4"}
# A self-signed certificate is nobody's to vouch for or to revoke; Debian 13's version grades it T for that.
SELF_SIGNED = {"cert_chain_of_trust", "cert_revocation", "overall_grade"}
# The user's own: who vouches for it, for which names and until when, is the user's business.
OWN = SELF_SIGNED | {"cert_trust", "cert_notAfter", "cert_expirationStatus"}


@pytest.fixture(scope="module")
def findings(target: Target) -> list[dict[str, Any]]:
    if not target.run("command -v testssl || true").strip():
        pytest.skip("testssl is missing: apt-get install testssl.sh on the target")
    port = str(target.settings["proxy_https_port"])
    text = target.run("bash -c %s bash %s %s", SCAN, port, str(SECONDS))
    try:
        found: list[dict[str, Any]] = json.loads(text)
    except ValueError:
        pytest.fail(f"testssl has not finished: {text[-2000:]}")
    return found


def test_the_scan_is_whole(findings: list[dict[str, Any]]) -> None:
    # Debian 12's version says PFS in places where the next one says FS.
    seen = {finding["id"].replace("PFS", "FS") for finding in findings}
    assert seen >= SEEN, sorted(SEEN - seen)


def test_nothing_is_found(findings: list[dict[str, Any]], target: Target) -> None:
    known = OWN if target.settings["proxy_certificate_file"] else SELF_SIGNED
    bad = [
        one for one in findings if one["severity"] not in HARMLESS and one["id"].split(" ")[0] not in known
    ]
    assert not [f"{one['severity']} {one['id']}: {one['finding']}" for one in bad]
