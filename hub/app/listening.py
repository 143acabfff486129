"""A process of the hub, whichever its part: it holds its directory and listens until a signal."""

import gc
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from hub.app.parts import Hub
from hub.database.lock import locked
from hub.settings import Settings
from hub.upkeep.entrance import HUB_URL
from hub.web.edge import Edge
from hub.web.server import Bounds, Server

Part = Callable[..., AbstractAsyncContextManager[tuple[Hub, Edge]]]


async def run(
    part: Part,
    directory: Path,
    *,
    host: str,
    port: int,
    settings: Settings,
    log: FilteringBoundLogger,
    ready: Callable[[str], None],
) -> None:
    """Run a part of a hub, or a whole one, until a signal; `ready` is told its address.

    Raises what the part does, DataDirectoryInUse, or OSError for an address that cannot be
    listened on.
    """
    # Bound at once, so that a mistake shows; but who comes too early is refused, not kept waiting.
    with locked(directory), _bound(host, port) as listener:
        async with part(directory, settings=settings, log=log) as (hub, web):
            await _listen(hub, web, listener=listener, host=host, ready=ready)
    log.info("hub.stopped")


def _bound(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


async def _listen(
    hub: Hub, web: Edge, *, listener: socket.socket, host: str, ready: Callable[[str], None]
) -> None:
    """Serve until a signal; commands find the address in the directory."""
    settings, directory = hub.ground.settings, hub.ground.directory
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
        stopping=hub.pull.stop,
        stopped=hub.filler.stop,
        metrics=hub.metrics,
    )
    try:
        await server.serve(sockets=[listener])
    finally:
        (directory / HUB_URL).unlink(missing_ok=True)


def _say_ready(directory: Path, host: str, ready: Callable[[str], None], port: int) -> None:
    url = f"http://{host}:{port}"
    (directory / HUB_URL).write_text(url + "\n")
    ready(url)
