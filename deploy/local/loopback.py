"""Where the servers on this machine listen: free ports of 127.0.0.1."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

HOST: Final = "127.0.0.1"


@contextmanager
def reserved_port() -> Iterator[socket.socket]:
    """A free port of 127.0.0.1, kept for a server that may listen on it beside us."""
    with socket.socket() as port:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port.bind((HOST, 0))
        yield port
