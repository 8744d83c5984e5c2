"""A forwarder that can be frozen: like a paused server, it then still takes connections but never answers."""

import select
import socket
import threading


class Forwarder(threading.Thread):
    """Listens on a free port of `address` and forwards to `target` until it is frozen."""

    def __init__(self, target: tuple[str, int], address: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(daemon=True)
        self._target = target
        self._listening = socket.create_server((address, port), backlog=64)
        self.port: int = self._listening.getsockname()[1]
        self._thawed = threading.Event()
        self._thawed.set()
        self.start()

    def freeze(self) -> None:
        """Stop forwarding, in both directions, without closing anything."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Go on."""
        self._thawed.set()

    def run(self) -> None:
        """Take connections for ever; those taken while frozen wait in the backlog."""
        while True:
            self._thawed.wait()
            client, _ = self._listening.accept()
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        self._thawed.wait()
        try:
            with client, socket.create_connection(self._target) as server:
                while True:
                    ready, _, _ = select.select([client, server], [], [])
                    self._thawed.wait()
                    for one in ready:
                        data = one.recv(65536)
                        if not data:
                            return
                        (server if one is client else client).sendall(data)
        except OSError:
            return
