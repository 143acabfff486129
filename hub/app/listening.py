"""A process listens: its server, its address in the data directory, until a signal."""

import gc
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from hub.app.ground import Ground
from hub.upkeep.entrance import HUB_URL
from hub.web.edge import Edge
from hub.web.server import Bounds, Server


def listener_on(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises OSError where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


async def listen(
    web: Edge,
    ground: Ground,
    *,
    listener: socket.socket,
    host: str,
    ready: Callable[[str], None],
    stopping: Callable[[], None],
    stopped: Callable[[], Awaitable[None]],
) -> None:
    """Serve until a signal; `ready` is told the address, which commands find in the directory."""
    settings, directory = ground.settings, ground.directory
    # Contracts, regions and routes live as long as the process: nothing to collect there.
    gc.freeze()
    server = Server(
        web,
        doors=web.doors,
        bounds=Bounds(
            head=settings.head_seconds,
            body=settings.body_seconds,
            connections=settings.max_connections,
            of_one_address=settings.max_connections_per_address,
            stop=settings.stop_seconds,
        ),
        ready=partial(_say_ready, directory, host, ready),
        stopping=stopping,
        stopped=stopped,
        metrics=ground.metrics,
    )
    try:
        await server.serve(sockets=[listener])
    finally:
        (directory / HUB_URL).unlink(missing_ok=True)


def _say_ready(directory: Path, host: str, ready: Callable[[str], None], port: int) -> None:
    url = f"http://{host}:{port}"
    (directory / HUB_URL).write_text(url + "\n")
    ready(url)
