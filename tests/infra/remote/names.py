"""Runs on the host under test: asks for names from within containers, and plays whom the engine asks in turn.

The argument maps containers' process ids to a name in their networks. What is printed maps them to the
addresses that came back: for that name (`inside`), for a name outside with nobody on the container's own
loopback (`outside`), and for that again with somebody there (`answered`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

WAIT = 2.0  # seconds; where nobody can be asked, some engines say nothing at all
# Kept for documentation, both.
OUTSIDE, ADDRESS = "octopus-verify.example.org", "192.0.2.53"

PROGRAM = f"""
import json, socket, sys, threading
WHERE = ("127.0.0.1", 53)
def question(name):
    labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split("."))
    return labels + b"\\0\\0\\1\\0\\1"
def query(name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout({WAIT})
        asking.sendto(b"oc\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0" + question(name), ("127.0.0.11", 53))
        try:
            answer = asking.recv(4096)
        except TimeoutError:
            return []
    # A record ends in its address.
    return [socket.inet_ntoa(answer[-4:])] if answer[6:8] != b"\\0\\0" else []
def serve(listener):
    while True:
        data, client = listener.recvfrom(4096)
        end = data.index(0, 12) + 5
        record = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\0\\0\\4" + socket.inet_aton("{ADDRESS}")
        listener.sendto(data[:2] + b"\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0" + data[12:end] + record, client)
found = {{"inside": query(sys.argv[1]), "outside": query("{OUTSIDE}")}}
listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.bind(WHERE)
threading.Thread(target=serve, args=(listener,), daemon=True).start()
print(json.dumps(found | {{"answered": query("{OUTSIDE}")}}))
"""


def main(names: dict[str, str]) -> dict[str, dict[str, Any]]:
    running = {
        pid: subprocess.Popen(
            ["nsenter", "--target", pid, "--net", sys.executable, "-c", PROGRAM, name], stdout=subprocess.PIPE
        )
        for pid, name in names.items()
    }
    return {pid: json.loads(process.communicate()[0]) for pid, process in running.items()}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
