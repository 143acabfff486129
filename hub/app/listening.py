"""A process of the hub, whichever its part: it holds its directory and listens until a signal."""

import asyncio
import gc
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from hub.app.beside import rest
from hub.app.ground import metrics_here
from hub.app.parts import Hub
from hub.database.lock import locked
from hub.errors import DatabaseAway, HubError, StorageFailed
from hub.settings import Settings
from hub.upkeep.entrance import HUB_URL
from hub.upkeep.files import write_whole
from hub.web.edge import Edge
from hub.web.server import Bounds, Server
from hub.web.threshold import Threshold

Part = Callable[..., AbstractAsyncContextManager[tuple[Hub, Edge]]]


class _Process:
    """A process that listens, and its hub once that is there."""

    def __init__(self, directory: Path, *, settings: Settings, log: FilteringBoundLogger) -> None:
        self.directory = directory
        self.settings = settings
        self.log = log
        self.metrics = metrics_here()
        name = "writer" if settings.database is None else "postgresql"
        self.threshold = Threshold(name=name, metrics=self.metrics)
        self.listens = asyncio.Event()
        self.hub: Hub | None = None
        self._met: tuple[str, str] | None = None

    async def open(
        self, part: Part, *, listening: asyncio.Task[None], opened: Callable[[], None]
    ) -> None:
        """Open the hub as soon as its database can be reached, and keep it until nobody listens."""
        making = partial(
            part, self.directory, settings=self.settings, metrics=self.metrics, log=self.log
        )
        while self.hub is None:
            try:
                async with making() as (self.hub, web):
                    # Contracts, regions and routes live as long as the process: nothing to
                    # collect there.
                    gc.freeze()
                    self.threshold.open(web)
                    await self.listens.wait()
                    opened()
                    await asyncio.wait({listening})
            except* (DatabaseAway, StorageFailed) as away:
                if self.hub is not None or self.settings.database is None:
                    raise
                self._wait_for_it(_first_of(away))
                await rest()

    def _wait_for_it(self, away: HubError) -> None:
        """Tell what keeps the hub from being opened, in the log where it has changed."""
        self.threshold.waits(away)
        met = away.code, away.detail
        if met != self._met:
            self._met = met
            self.log.warning("database.away", code=away.code, reason=away.detail)

    def listening_on(self, host: str, port: int) -> None:
        """Have commands find the address in the directory."""
        write_whole(self.directory / HUB_URL, f"http://{host}:{port}\n")
        self.listens.set()

    def stopping(self) -> None:
        """Nobody is to wait for events any more."""
        if self.hub is not None:
            self.hub.pull.stop()

    async def stopped(self) -> None:
        """Every request is answered."""
        if self.hub is not None:
            await self.hub.filler.stop()


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
    """Run a part of a hub, or a whole one, until a signal; `ready` is told its address once it
    serves. Until then it listens, and tells what it waits for.

    Raises what the part does, DataDirectoryInUse, or OSError for an address that cannot be
    listened on.
    """
    with locked(directory), _bound(host, port) as listener:
        process = _Process(directory, settings=settings, log=log)
        server = _server_of(process, host=host)
        opened = partial(ready, f"http://{host}:{listener.getsockname()[1]}")
        listening = asyncio.create_task(server.serve(sockets=[listener]))
        opening = asyncio.create_task(process.open(part, listening=listening, opened=opened))
        try:
            await asyncio.wait({listening, opening}, return_when=asyncio.FIRST_COMPLETED)
            if process.hub is None:
                # A signal, or what keeps the hub from ever being opened.
                opening.cancel()
            server.should_exit = True
            await listening
        finally:
            (directory / HUB_URL).unlink(missing_ok=True)
        with suppress(asyncio.CancelledError):
            await opening
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


def _server_of(process: _Process, *, host: str) -> Server:
    settings = process.settings
    return Server(
        process.threshold,
        doors=process.threshold.doors,
        bounds=Bounds(
            head=settings.head_seconds,
            body=settings.body_seconds,
            connections=settings.max_connections,
            of_one_address=settings.max_connections_per_address,
            stop=settings.stop_seconds,
        ),
        ready=partial(process.listening_on, host),
        stopping=process.stopping,
        stopped=process.stopped,
        metrics=process.metrics,
    )


def _first_of(away: ExceptionGroup[HubError]) -> HubError:
    error = away.exceptions[0]
    return _first_of(error) if isinstance(error, ExceptionGroup) else error
