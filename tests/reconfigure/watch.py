"""Looking for the moments at which another version of the API answers, and the former one does no more."""

from __future__ import annotations

import threading
import time

import requests

from tests.reconfigure.platform import Platform


def greeting(platform: Platform) -> str:
    try:
        return str(platform.request("GET", "/api/data").json()["message"])
    except requests.RequestException as error:
        return repr(error)


class Watch(threading.Thread):
    """Notes when another greeting is heard first, and when any other was heard last, in seconds."""

    def __init__(self, platform: Platform, wanted: str) -> None:
        super().__init__(daemon=True)
        self.platform, self.wanted, self.over = platform, wanted, threading.Event()
        self.began, self.first, self.former = time.monotonic(), float("inf"), 0.0

    def run(self) -> None:
        while not self.over.wait(0.2):
            heard, now = greeting(self.platform), time.monotonic() - self.began
            if heard == self.wanted:
                self.first = min(self.first, now)
            else:
                self.former = now
