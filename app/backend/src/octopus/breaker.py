"""A circuit breaker: after a failure, leave the service alone for a while."""

import threading
import time

PROBE = 5.0  # seconds after which a probe that has not reported is given up


class Breaker:
    """Says whether a service is worth a try; after the pause one caller probes, the others still skip.

    They skip until it reports: many that probe a server that hangs would leave nobody to answer.
    """

    def __init__(self, pause: float) -> None:
        """`pause` is in seconds."""
        self._pause = pause
        self._lock = threading.Lock()
        self._retry_at: float | None = None

    def allows(self) -> bool:
        """Whether to try now."""
        with self._lock:
            if self._retry_at is None:
                return True
            now = time.monotonic()
            if now < self._retry_at:
                return False
            self._retry_at = now + PROBE
            return True

    def succeeded(self) -> None:
        """Report that the service answered."""
        with self._lock:
            self._retry_at = None

    def failed(self) -> None:
        """Report that the service did not answer."""
        with self._lock:
            self._retry_at = time.monotonic() + self._pause
