"""The composition root: every part of a hub is made and put together here, and only here."""

import asyncio
import gc
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from structlog.typing import FilteringBoundLogger

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.backbone.sql import SqlBackbone
from hub.database.engine import (
    FIRST_SAFE_SQLITE,
    keys_of,
    locked,
    open_database,
    retired_cursor_keys,
    sqlite_module,
)
from hub.database.readers import Readers
from hub.database.readiness import Readiness
from hub.database.watch import WriterWatch
from hub.database.writer import Writer
from hub.delivery.arrivals import Arrivals
from hub.delivery.pull import Pull
from hub.errors import HubError
from hub.event import Marking, Outcome, Rejected
from hub.evidence import reads
from hub.evidence.reads import Reading
from hub.intake.accept import Intake
from hub.intake.limits import Limits
from hub.journal import refusals
from hub.journal.cursors import Cursors
from hub.journal.filling import Filler
from hub.journal.measuring import Measuring
from hub.journal.register import Registrar, Registration
from hub.journal.rehearsal import Replays
from hub.journal.retention.purging import Purger
from hub.journal.retention.terms import Terms
from hub.metrics import Metrics
from hub.policy import sql as policy_sql
from hub.policy.current import CurrentPolicy
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from hub.policy.tokens import Caller, Tokens
from hub.policy.uses import Uses
from hub.settings import Settings
from hub.upkeep.doctor import Doctor
from hub.upkeep.entrance import HUB_URL, ensure_admin_token
from hub.upkeep.examine import Patient
from hub.watch.watching import Watch
from hub.web import (
    acts,
    agencies,
    contracts,
    doctor,
    events,
    explain,
    health,
    policy,
    receipts,
    status,
    subscriptions,
    tokens,
)
from hub.web import reads as web_reads
from hub.web.attempts import Attempts
from hub.web.callers import Callers
from hub.web.edge import Edge, Refusing
from hub.web.server import Bounds, Server

REFUSAL_BYTES = 768
READING_BYTES = 4096
WATCH_SECONDS = 15


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

    Raises DataDirectoryInUse, DataDirectoryNewer, DataDirectoryDamaged, or OSError for an address
    that cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with locked(directory), socket.create_server((host, port), family=family) as listener:
        async with embedded(directory, settings=settings, log=log) as (hub, web):
            await ensure_admin_token(directory, hub.writer, now=microseconds_now())
            # Contracts, regions and routes live as long as the process: nothing to collect there.
            gc.freeze()
            server = Server(
                web,
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
    log.info("hub.stopped")


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all parts stand on: storage, time, the log, the metrics."""

    directory: Path
    settings: Settings
    terms: Terms
    log: FilteringBoundLogger
    metrics: Metrics
    writer: Writer
    readers: Readers
    pages: Readers
    examinations: Readers


@dataclass(frozen=True, slots=True)
class Hub:
    """A running hub's parts."""

    policies: Policies
    current: CurrentPolicy
    known: Tokens
    uses: Uses
    cursors: Cursors
    arrivals: Arrivals
    backbone: SqlBackbone
    intake: Intake
    pull: Pull
    filler: Filler
    watch: Watch
    purger: Purger
    metrics: Metrics
    writer: Writer
    readiness: Readiness
    doctor: Doctor


@asynccontextmanager
async def embedded(
    directory: Path, *, settings: Settings, log: FilteringBoundLogger
) -> AsyncIterator[tuple[Hub, Edge]]:
    """A hub in this process on SQLite, and its HTTP side. The caller holds the lock."""
    sqlite = sqlite_module().sqlite_version
    metrics = Metrics(version=version("guantong"), sqlite=sqlite)
    if tuple(map(int, sqlite.split("."))) < FIRST_SAFE_SQLITE:
        log.warning("sqlite.old", version=sqlite, safe_from=".".join(map(str, FIRST_SAFE_SQLITE)))
    with closing(open_database(directory, readers=settings.readers + 2)) as database:
        ground = _Ground(
            directory=directory,
            settings=settings,
            terms=Terms.of(load_catalogue(), settings.retention),
            log=log,
            metrics=metrics,
            writer=Writer(
                database.writer,
                capacity=settings.queue_bytes,
                observer=WriterWatch(metrics, log),
                clock=time.perf_counter,
            ),
            readers=Readers(database.readers, threads=settings.readers),
            # The interpreter lock changes hands at each row: several threads that read pages of
            # a thousand rows get half of what one gets.
            pages=Readers(database.readers, threads=1),
            examinations=Readers(database.readers, threads=1),
        )
        metrics.watch_queue(
            works=lambda: ground.writer.depth,
            size=lambda: ground.writer.weight,
            capacity=settings.queue_bytes,
        )
        ground.writer.start()
        try:
            hub = await _assemble(ground, await ground.readers.run(keys_of))
            await hub.filler.resume()
            hub.watch.begin()
            hub.purger.start()
            try:
                yield hub, _web(ground, hub)
            finally:
                await hub.purger.stop()
                await hub.watch.stop()
                hub.doctor.stop()
                await hub.uses.stop()
        finally:
            await asyncio.to_thread(ground.writer.stop)
            ground.readers.stop()
            ground.pages.stop()
            ground.examinations.stop()


async def _assemble(ground: _Ground, keys: Mapping[str, bytes]) -> Hub:
    catalogue, marks = load_catalogue(), PartyMarks(keys["parties"])
    policies = Policies(
        catalogue=catalogue,
        regions=load_regions(),
        marks=marks,
        ceiling=Marking[ground.settings.ceiling],
    )
    current = CurrentPolicy(readers=ground.readers, policies=policies, monotonic=time.monotonic)
    cursors = Cursors(keys["cursors"], retired=retired_cursor_keys(keys))
    arrivals = Arrivals()
    readiness = Readiness(ground.writer, monotonic=time.monotonic)
    registrar = Registrar(policies=policies, clock=microseconds_now)
    await ground.writer.submit(registrar.load)
    backbone = SqlBackbone(
        writer=ground.writer,
        readers=ground.readers,
        registrar=registrar,
        registered=partial(_registered, arrivals, ground.metrics),
    )
    return Hub(
        policies=policies,
        current=current,
        known=Tokens(ground.readers),
        uses=Uses(
            write=lambda uses: ground.writer.submit(partial(policy_sql.note_uses, uses=uses)),
            pause=lambda: asyncio.sleep(60),
        ),
        cursors=cursors,
        arrivals=arrivals,
        backbone=backbone,
        intake=Intake(
            catalogue=catalogue,
            marks=marks,
            backbone=backbone,
            current_policy=current.get,
            record=partial(_record, ground.writer),
            pause=lambda: asyncio.sleep(0),
            clock=microseconds_now,
        ),
        pull=Pull(
            readers=ground.pages,
            policies=policies,
            cursors=cursors,
            arrivals=arrivals,
            keep=partial(_keep, ground.writer),
            clock=microseconds_now,
            monotonic=time.monotonic,
        ),
        filler=Filler(
            writer=ground.writer,
            readers=ground.readers,
            policies=policies,
            announce=arrivals.announce,
            pause=lambda: asyncio.sleep(0.5),
        ),
        watch=_watch(ground, policies),
        purger=_purger(ground),
        metrics=ground.metrics,
        writer=ground.writer,
        readiness=readiness,
        doctor=_doctor(ground, readiness),
    )


def _doctor(ground: _Ground, readiness: Readiness) -> Doctor:
    settings = ground.settings
    return Doctor(
        ground.examinations,
        patient=Patient(ground.directory, settings.max_connections, settings.queue_bytes),
        unready=readiness.reason,
        version=version("guantong"),
        clock=microseconds_now,
        monotonic=time.monotonic,
    )


def _watch(ground: _Ground, policies: Policies) -> Watch:
    return Watch(
        writer=ground.writer,
        readers=ground.readers,
        policies=policies,
        metrics=ground.metrics,
        clock=microseconds_now,
        pause=lambda: asyncio.sleep(WATCH_SECONDS),
        log=ground.log,
    )


def _purger(ground: _Ground) -> Purger:
    return Purger(
        writer=ground.writer,
        readers=ground.readers,
        terms=ground.terms,
        records_days=ground.settings.records_days,
        metrics=ground.metrics,
        log=ground.log,
        clock=microseconds_now,
        pause=lambda: asyncio.sleep(0.05),
        rest=lambda: asyncio.sleep(ground.settings.purge_seconds),
    )


def _web(ground: _Ground, hub: Hub) -> Edge:
    callers = Callers(
        hub.known,
        uses=hub.uses,
        attempts=Attempts(time.monotonic),
        policy=hub.current,
        metrics=ground.metrics,
        log=ground.log,
        clock=microseconds_now,
    )
    refusing = Refusing(ground.metrics)
    routes = [*_traffic(ground, hub, callers), *_administration(ground, hub, callers)]
    app = Starlette(
        routes=routes,
        exception_handlers={
            HubError: refusing.tell_error,
            HTTPException: refusing.tell_http,
            Exception: refusing.tell_fault,
        },
    )
    app.router.redirect_slashes = False
    return Edge(app, metrics=ground.metrics, log=ground.log)


def _traffic(ground: _Ground, hub: Hub, callers: Callers) -> list[Route]:
    """Where agencies publish and read."""
    settings, metrics, log = ground.settings, ground.metrics, ground.log
    limits = Limits(
        body=settings.max_body,
        batch=settings.max_batch,
        event=settings.max_event,
        data=settings.max_data,
        depth=settings.max_depth,
        values=settings.max_values,
        share_bytes=settings.share_bytes,
        share_requests=settings.share_requests,
    )
    return [
        *events.routes(intake=hub.intake, callers=callers, limits=limits, metrics=metrics, log=log),
        *subscriptions.routes(
            pull=hub.pull,
            cursors=hub.cursors,
            writer=ground.writer,
            readers=ground.readers,
            filler=hub.filler,
            catalogue=load_catalogue(),
            regions=load_regions(),
            callers=callers,
            current=hub.current,
            metrics=metrics,
            log=log,
            clock=microseconds_now,
            max_page=settings.max_page,
            max_wait=settings.max_wait,
            max_subscriptions=settings.max_subscriptions,
        ),
        *contracts.routes(catalogue=load_catalogue(), terms=ground.terms, callers=callers),
        *receipts.routes(readers=ground.readers, callers=callers),
        *explain.routes(
            readers=ground.readers, policies=hub.policies, callers=callers, clock=microseconds_now
        ),
        *web_reads.routes(
            readers=ground.readers,
            policies=hub.policies,
            callers=callers,
            max_page=settings.max_page,
        ),
    ]


def _administration(ground: _Ground, hub: Hub, callers: Callers) -> list[Route]:
    """Where the roles work."""
    measuring = Measuring(
        ground.directory,
        readers=ground.readers,
        policies=hub.policies,
        show=ground.metrics.measured,
        clock=microseconds_now,
        monotonic=time.monotonic,
    )
    return [
        *policy.routes(
            policies=hub.policies,
            current=hub.current,
            writer=ground.writer,
            readers=ground.readers,
            replays=Replays(readers=ground.readers, pause=lambda: asyncio.sleep(0.02)),
            arrivals=hub.arrivals,
            catalogue=load_catalogue(),
            regions=load_regions(),
            callers=callers,
            log=ground.log,
            clock=microseconds_now,
        ),
        *agencies.routes(
            policies=hub.policies,
            readers=ground.readers,
            callers=callers,
            max_page=ground.settings.max_page,
        ),
        *tokens.routes(
            known=hub.known,
            policies=hub.policies,
            writer=ground.writer,
            readers=ground.readers,
            callers=callers,
            log=ground.log,
            clock=microseconds_now,
            token_days=ground.settings.token_days,
            max_page=ground.settings.max_page,
        ),
        *acts.routes(readers=ground.readers, callers=callers, max_page=ground.settings.max_page),
        *status.routes(
            policies=hub.policies,
            silence=hub.watch.silence,
            writer=ground.writer,
            readers=ground.readers,
            metrics=ground.metrics,
            callers=callers,
            clock=microseconds_now,
            max_page=ground.settings.max_page,
        ),
        *health.routes(
            metrics=ground.metrics,
            measure=measuring.refresh,
            callers=callers,
            unready=hub.readiness.reason,
        ),
        *doctor.routes(doctor=hub.doctor, callers=callers),
    ]


async def _record(writer: Writer, outcomes: Sequence[Outcome], caller: Caller) -> None:
    """Keep refusals before they are answered."""
    work = partial(refusals.record, outcomes=outcomes, caller=caller.name, now=microseconds_now())
    faults = sum(len(o.faults) for o in outcomes if isinstance(o, Rejected))
    await writer.submit(work, weight=faults * REFUSAL_BYTES)


def _registered(arrivals: Arrivals, metrics: Metrics, registration: Registration) -> None:
    arrivals.announce(registration.touched)
    metrics.registered(strangers=registration.strangers)


async def _keep(writer: Writer, reading: Reading) -> bool:
    """Keep what was read before it leaves."""
    return await writer.submit(partial(reads.keep, reading=reading), weight=READING_BYTES)


def _say_ready(directory: Path, host: str, ready: Callable[[str], None], port: int) -> None:
    url = f"http://{host}:{port}"
    (directory / HUB_URL).write_text(url + "\n")
    ready(url)
