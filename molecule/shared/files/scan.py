"""Prints which of all TCP ports of an address take a connection, as a JSON list: scan.py ADDRESS."""

from __future__ import annotations

import asyncio
import json
import sys

AT_ONCE = 400
WAIT = 3.0  # seconds until a port that does not even refuse counts as closed


async def is_open(address: str, port: int, turns: asyncio.Semaphore) -> bool:
    """Say whether a port takes a connection."""
    async with turns:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), WAIT)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True


async def scan(address: str) -> list[int]:
    """Return the open ports."""
    turns, ports = asyncio.Semaphore(AT_ONCE), range(1, 65536)
    answers = await asyncio.gather(*(is_open(address, port, turns) for port in ports))
    return [port for port, answer in zip(ports, answers, strict=True) if answer]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(scan(sys.argv[1]))))
