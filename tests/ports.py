"""Ports for servers that go and come again."""

import socket


class KeptPort:
    """A port of this machine that the system gives to nobody else, also while the server is away that is to have it: a
    socket is bound there that never listens, and servers that may use an address again, as gRPC's, bind beside it."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Whoever wants it may have it. Idempotent."""
        self._socket.close()
