"""Runs on the host under test: prints the TCP addresses at which containers listen, loopback left out.

The argument lists process ids, one a container; what is printed maps each to [[address, port], ...].
"""

from __future__ import annotations

import ipaddress
import json
import struct
import sys
from pathlib import Path

LISTEN = "0A"


def parsed(local: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]:
    """Return what the kernel writes as 0100007F:1F90: words as they lie in memory, and a port."""
    address, port = local.split(":")
    words = bytes.fromhex(address)
    form = f"{len(words) // 4}I"
    return ipaddress.ip_address(struct.pack(f"={form}", *struct.unpack(f">{form}", words))), int(port, 16)


def listeners(pid: int) -> list[tuple[str, int]]:
    found = set()
    for table in ("tcp", "tcp6"):
        file = Path(f"/proc/{pid}/net/{table}")
        # Without IPv6 there is no second one.
        for line in file.read_text().splitlines()[1:] if table == "tcp" or file.exists() else []:
            _, local, _, state, *_ = line.split()
            address, port = parsed(local)
            mapped = getattr(address, "ipv4_mapped", None) or address
            if state == LISTEN and not mapped.is_loopback:
                found.add((str(mapped), port))
    return sorted(found)


if __name__ == "__main__":
    print(json.dumps({pid: listeners(pid) for pid in json.loads(sys.argv[1])}))
