"""Looking for the moment at which another version of the API answers."""

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
    """Looks five times a second when another greeting is heard for the first time."""

    def __init__(self, platform: Platform, wanted: str) -> None:
        super().__init__(daemon=True)
        self.platform, self.wanted, self.over = platform, wanted, threading.Event()
        self.began, self.seconds = time.monotonic(), float("inf")

    def run(self) -> None:
        while not self.over.wait(0.2):
            if greeting(self.platform) == self.wanted:
                self.seconds = time.monotonic() - self.began
                return
