"""Growing pauses between tries."""

import threading


class Backoff:
    """Pauses of 0.5 s, then of 1 s, cut short when the process is to stop."""

    FIRST = 0.5
    MOST = 1.0

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._next = self.FIRST

    def pause(self) -> None:
        """Wait; the next pause is longer."""
        self._stop.wait(self._next)
        self._next = min(self._next * 2, self.MOST)

    def reset(self) -> None:
        """Start over after a success."""
        self._next = self.FIRST
