"""The composition root: every part of a hub is made and put together here, and only here."""

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp
from structlog.typing import FilteringBoundLogger

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.backbone.sql import SqlBackbone
from hub.database.engine import (
    FIRST_SAFE_SQLITE,
    keys_of,
    locked,
    open_database,
    sqlite_module,
    storage_reason,
)
from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.delivery.arrivals import Arrivals
from hub.delivery.pull import Pull
from hub.errors import HubError
from hub.event import Marking, Outcome
from hub.intake.accept import Intake
from hub.intake.limits import Limits
from hub.journal import refusals
from hub.journal.cursors import Cursors
from hub.journal.filling import Filler
from hub.journal.register import Registrar
from hub.logs import places_of
from hub.metrics import Metrics
from hub.policy import tokens
from hub.policy.current import CurrentPolicy
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from hub.policy.tokens import ROLES, Caller, Tokens
from hub.settings import Settings
from hub.web import agencies, contracts, events, health, policy, receipts, subscriptions
from hub.web.callers import Callers
from hub.web.edge import Edge, tell_error, tell_fault, tell_http
from hub.web.server import Bounds, Server

ADMIN_TOKEN = "admin.token"  # noqa: S105 (a file name)
HUB_URL = "hub.url"
ADMIN_SECONDS = 365 * 24 * 3600


def microseconds_now() -> int:
    """The time of day, microseconds UTC."""
    return time.time_ns() // 1000


async def run(
    directory: Path,
    *,
    host: str,
    port: int,
    settings: Settings,
    log: FilteringBoundLogger,
    ready: Callable[[str], None],
) -> None:
    """Run an embedded hub on a data directory until a signal; `ready` is told its address.

    Raises DataDirectoryInUse or DataDirectoryNewer.
    """
    with locked(directory):
        async with embedded(directory, settings=settings, log=log) as hub:
            await _ensure_admin_token(directory, hub)
            # Contracts, regions and routes live as long as the process: nothing to collect there.
            gc.freeze()
            server = Server(
                hub.web,
                host=host,
                port=port,
                bounds=Bounds(
                    head=settings.head_seconds,
                    body=settings.body_seconds,
                    connections=settings.max_connections,
                    stop=settings.stop_seconds,
                ),
                ready=partial(_say_ready, directory, host, ready),
                stopping=hub.pull.stop,
                stopped=hub.filler.stop,
            )
            await server.serve()
    log.info("hub.stopped")


@dataclass(frozen=True, slots=True)
class _WriterWatch:
    """Counts and logs what the writer does. A database's own message names tables, not values."""

    metrics: Metrics
    log: FilteringBoundLogger

    def committed(self, *, works: int, seconds: float) -> None:
        self.metrics.committed(works=works, seconds=seconds)

    def failed(self, *, works: int, error: BaseException) -> None:
        self.metrics.write_failed(works=works)
        self.log.error(
            "write.failed", works=works, reason=storage_reason(error), at=places_of(error)
        )


@dataclass(frozen=True, slots=True)
class Hub:
    """A running hub's parts that its surroundings use."""

    web: ASGIApp
    intake: Intake
    backbone: SqlBackbone
    pull: Pull
    filler: Filler
    writer: Writer


@asynccontextmanager
async def embedded(
    directory: Path, *, settings: Settings, log: FilteringBoundLogger
) -> AsyncIterator[Hub]:
    """A hub in this process on SQLite. The caller holds the directory's lock."""
    sqlite = sqlite_module().sqlite_version
    metrics = Metrics(version=version("guantong"), sqlite=sqlite)
    if tuple(map(int, sqlite.split("."))) < FIRST_SAFE_SQLITE:
        log.warning("sqlite.old", version=sqlite, safe_from=".".join(map(str, FIRST_SAFE_SQLITE)))
    with closing(open_database(directory, readers=settings.readers + 1)) as database:
        readers = Readers(database.readers, threads=settings.readers)
        # The interpreter lock changes hands at each row: several threads that read pages of a
        # thousand rows get half of what one gets.
        pages = Readers(database.readers, threads=1)
        writer = Writer(
            database.writer,
            capacity=settings.queue_bytes,
            observer=_WriterWatch(metrics, log),
            clock=time.perf_counter,
        )
        metrics.watch_queue(lambda: writer.depth)
        writer.start()
        try:
            hub = await _assemble(
                readers, pages, writer, metrics=metrics, settings=settings, log=log
            )
            await hub.filler.resume()
            yield hub
        finally:
            await asyncio.to_thread(writer.stop)
            readers.stop()
            pages.stop()


async def _assemble(
    readers: Readers,
    pages: Readers,
    writer: Writer,
    *,
    metrics: Metrics,
    settings: Settings,
    log: FilteringBoundLogger,
) -> Hub:
    keys = await readers.run(keys_of)
    catalogue, regions, clock = load_catalogue(), load_regions(), microseconds_now
    known = Tokens(readers)
    marks, cursors, arrivals = PartyMarks(keys["parties"]), Cursors(keys["cursors"]), Arrivals()
    policies = Policies(
        catalogue=catalogue, regions=regions, marks=marks, ceiling=Marking[settings.ceiling]
    )
    current = CurrentPolicy(readers=readers, policies=policies, monotonic=time.monotonic)
    callers = Callers(known, metrics=metrics, clock=clock)
    backbone = SqlBackbone(
        writer=writer,
        readers=readers,
        registrar=Registrar(policies=policies, clock=clock),
        announce=arrivals.announce,
    )
    limits = Limits(
        body=settings.max_body,
        batch=settings.max_batch,
        event=settings.max_event,
        data=settings.max_data,
        depth=settings.max_depth,
    )
    intake = Intake(
        catalogue=catalogue,
        marks=marks,
        backbone=backbone,
        current_policy=current.get,
        record=partial(_record, writer),
        pause=lambda: asyncio.sleep(0),
        clock=clock,
    )
    filler = Filler(writer=writer, readers=readers, policies=policies, announce=arrivals.announce)
    pull = Pull(
        readers=pages,
        policies=policies,
        cursors=cursors,
        arrivals=arrivals,
        clock=clock,
        monotonic=time.monotonic,
    )
    routes = [
        *events.routes(intake=intake, callers=callers, limits=limits, metrics=metrics, log=log),
        *subscriptions.routes(
            pull=pull,
            cursors=cursors,
            writer=writer,
            readers=readers,
            filler=filler,
            policy=current,
            catalogue=catalogue,
            regions=regions,
            callers=callers,
            metrics=metrics,
            log=log,
            clock=clock,
            max_page=settings.max_page,
            max_wait=settings.max_wait,
        ),
        *contracts.routes(catalogue=catalogue, callers=callers),
        *receipts.routes(readers=readers, callers=callers),
        *policy.routes(
            policies=policies,
            current=current,
            writer=writer,
            readers=readers,
            arrivals=arrivals,
            catalogue=catalogue,
            regions=regions,
            callers=callers,
            log=log,
            clock=clock,
        ),
        *agencies.routes(
            known=known,
            policies=policies,
            writer=writer,
            readers=readers,
            callers=callers,
            log=log,
            clock=clock,
            token_days=settings.token_days,
            max_page=settings.max_page,
        ),
        *health.routes(metrics=metrics, callers=callers, unready=partial(_unready, writer)),
    ]
    web = Starlette(
        routes=routes,
        exception_handlers={
            HubError: tell_error,
            HTTPException: tell_http,
            Exception: tell_fault,
        },
    )
    return Hub(
        web=Edge(web, metrics=metrics, log=log),
        intake=intake,
        backbone=backbone,
        pull=pull,
        filler=filler,
        writer=writer,
    )


async def _record(writer: Writer, outcomes: Sequence[Outcome], caller: Caller) -> None:
    """Keep refusals before they are answered."""
    await writer.submit(
        partial(refusals.record, outcomes=outcomes, caller=caller.name, now=microseconds_now())
    )


async def _unready(writer: Writer) -> str | None:
    """Why the hub cannot serve: a write that commits is the proof that it can."""
    try:
        async with asyncio.timeout(2):
            await writer.submit(lambda connection: None)
    except HubError as error:
        return f"writer: {error.code}"
    except TimeoutError:
        return "writer: no commit within 2 s"
    return None


async def _ensure_admin_token(directory: Path, hub: Hub) -> None:
    """Write a token with all roles on the first start, readable by the owner alone."""
    path = directory / ADMIN_TOKEN
    if path.exists():
        return
    issue = partial(
        tokens.issue, agency=None, roles=ROLES, now=microseconds_now(), seconds=ADMIN_SECONDS
    )
    issued = await hub.writer.submit(issue)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(issued.token + "\n")


def _say_ready(directory: Path, host: str, ready: Callable[[str], None], port: int) -> None:
    url = f"http://{host}:{port}"
    (directory / HUB_URL).write_text(url + "\n")
    ready(url)
