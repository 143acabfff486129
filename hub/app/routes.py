"""The HTTP side of a hub: every route, with the parts that it is given."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from contracts.catalogue import load_catalogue
from contracts.pages.site import site
from hub.app.ground import Ground, microseconds_now
from hub.app.parts import Hub
from hub.database.patience import Patience
from hub.delivery.turns import Turns
from hub.errors import HubError
from hub.evidence.impact import Impacts
from hub.journal.rehearsal import Replays
from hub.journal.subscriptions import PULL_ALONE
from hub.watch.measuring import Measuring
from hub.web import (
    acts,
    agencies,
    catalogue,
    contracts,
    cursors,
    deadletters,
    doctor,
    events,
    explain,
    feeds,
    health,
    impact,
    openapi,
    pages,
    policy,
    purges,
    receipts,
    status,
    subscriptions,
    tokens,
)
from hub.web import reads as web_reads
from hub.web.attempts import Attempts
from hub.web.callers import Callers
from hub.web.confirming import confirming
from hub.web.direct import Door
from hub.web.edge import Edge, Refusing
from hub.web.operation import Described


def web_side(ground: Ground, hub: Hub, *, missing: Callable[[], Mapping[str, str]]) -> Edge:
    """The application that a server runs; `missing` is what it serves without."""
    callers = _callers(ground, hub)
    publishing = events.route(
        intake=hub.intake,
        callers=callers,
        catalogue=load_catalogue(),
        limits=hub.limits,
        shares=hub.shares,
        accounts=hub.accounts,
        metrics=ground.metrics,
        pause=lambda: asyncio.sleep(0),
        patience=ground.patience,
    )
    parts = (_traffic, _evidence, _administration)
    told = [route for part in parts for route in part(ground, hub, callers)]
    if ground.settings.database is not None:
        told = confirming(told, callers)
    # What a page hands over is confirmed as its reading is kept.
    routes = [
        publishing,
        _pages(ground, hub, callers),
        *told,
        *_open(ground, hub, callers, missing),
    ]
    described = openapi.route_of(routes, version=version("guantong"))
    return _edge(ground, [*routes, described], {publishing.path.encode(): publishing.endpoint})


def health_side(
    ground: Ground,
    hub: Hub,
    role: Callable[[], health.Role],
    *,
    missing: Callable[[], Mapping[str, str]],
) -> Edge:
    """What a process without doors tells: metrics and health; `missing` is what it lacks."""
    told = _health(ground, hub, _callers(ground, hub), role=role, missing=missing)
    return _edge(ground, told, {})


def _callers(ground: Ground, hub: Hub) -> Callers:
    return Callers(
        hub.known,
        uses=hub.uses,
        attempts=Attempts(time.monotonic),
        policy=hub.current,
        metrics=ground.metrics,
        log=ground.log,
        clock=microseconds_now,
    )


def _edge(ground: Ground, routes: Sequence[Route], doors: Mapping[bytes, Door]) -> Edge:
    refusing = Refusing(ground.metrics)
    app = Starlette(
        routes=routes,
        exception_handlers={
            HubError: refusing.tell_error,
            HTTPException: refusing.tell_http,
            Exception: refusing.tell_fault,
        },
    )
    app.router.redirect_slashes = False
    return Edge(app, doors=doors, refusing=refusing, metrics=ground.metrics, log=ground.log)


def _traffic(ground: Ground, hub: Hub, callers: Callers) -> list[Described]:
    """Where agencies publish and read."""
    return [
        *_subscriptions(ground, hub, callers),
        impact.route(
            impacts=Impacts(
                readers=ground.readers,
                catalogue=load_catalogue(),
                codes=ground.codes,
                pause=lambda: asyncio.sleep(0.02),
            ),
            catalogue=load_catalogue(),
            callers=callers,
            clock=microseconds_now,
        ),
    ]


def _open(
    ground: Ground, hub: Hub, callers: Callers, missing: Callable[[], Mapping[str, str]]
) -> list[Described]:
    """What says nothing of any case."""
    return [
        *catalogue.routes(catalogue.Shelf(site(load_catalogue()))),
        *contracts.routes(catalogue=load_catalogue(), terms=ground.terms, callers=callers),
        *_health(ground, hub, callers, role=lambda: None, missing=missing),
        *doctor.routes(doctor=hub.doctor, callers=callers),
    ]


def _pages(ground: Ground, hub: Hub, callers: Callers) -> Described:
    """Where an agency reads its feeds."""
    return pages.route(
        pull=hub.pull,
        leaving=pages.Leaving(hub.delivered),
        callers=callers,
        max_page=ground.settings.max_page,
        max_wait=ground.settings.max_wait,
    )


def _subscriptions(ground: Ground, hub: Hub, callers: Callers) -> list[Described]:
    """Where an agency says what it wants."""
    settings, log = ground.settings, ground.log
    channels = PULL_ALONE if settings.kafka is None else (*PULL_ALONE, "kafka")
    return [
        *subscriptions.routes(
            wake=hub.pull.wake,
            cursors=hub.cursors,
            writer=ground.writer,
            readers=ground.asked,
            filler=hub.filler,
            catalogue=load_catalogue(),
            regions=ground.codes.regions(),
            channels=channels,
            callers=callers,
            log=log,
            clock=microseconds_now,
            max_page=settings.max_page,
            max_subscriptions=settings.max_subscriptions,
        ),
        cursors.route(
            wake=hub.pull.wake,
            cursors=hub.cursors,
            writer=ground.writer,
            readers=ground.asked,
            callers=callers,
            log=log,
        ),
        *deadletters.routes(
            pull=hub.pull,
            leaving=pages.Leaving(hub.delivered),
            readers=ground.asked,
            policies=hub.policies,
            callers=callers,
            clock=microseconds_now,
            max_page=settings.max_page,
        ),
    ]


def _evidence(ground: Ground, hub: Hub, callers: Callers) -> list[Described]:
    """Where it is asked what became of events, and who has seen them."""
    max_page = ground.settings.max_page
    # One question of a caller at a time, so that its others keep nobody else waiting.
    turns = Turns(most=1)
    return [
        *receipts.routes(readers=ground.asked, callers=callers, passed=hub.backbone.passed),
        *explain.routes(
            readers=ground.lookups,
            turns=turns,
            settled=partial(_settled, ground),
            policies=hub.policies,
            callers=callers,
            clock=microseconds_now,
            monotonic=time.monotonic,
            sleep=asyncio.sleep,
        ),
        *web_reads.routes(
            readers=ground.lookups,
            turns=turns,
            policies=hub.policies,
            callers=callers,
            max_page=max_page,
        ),
        *purges.routes(readers=ground.asked, callers=callers, max_page=max_page),
    ]


async def _settled(ground: Ground) -> None:
    """Wait until what was read before is on record."""
    await Patience(ground.database.answer).answer(ground.records.submit(lambda _connection: None))


def _administration(ground: Ground, hub: Hub, callers: Callers) -> list[Described]:
    """Where the roles work."""
    max_page = ground.settings.max_page
    return [
        *policy.routes(
            policies=hub.policies,
            current=hub.current,
            writer=ground.writer,
            readers=ground.asked,
            replays=Replays(readers=ground.readers, pause=lambda: asyncio.sleep(0.02)),
            arrivals=hub.arrivals,
            catalogue=load_catalogue(),
            regions=ground.codes.regions(),
            callers=callers,
            log=ground.log,
            clock=microseconds_now,
        ),
        *agencies.routes(
            policies=hub.policies, readers=ground.asked, callers=callers, max_page=max_page
        ),
        *tokens.routes(
            known=hub.known,
            policies=hub.policies,
            writer=ground.writer,
            readers=ground.asked,
            callers=callers,
            log=ground.log,
            clock=microseconds_now,
            token_days=ground.settings.token_days,
            max_page=max_page,
        ),
        *acts.routes(readers=ground.asked, callers=callers, max_page=max_page),
        *feeds.routes(readers=ground.asked, callers=callers, max_page=max_page),
        *status.routes(
            policies=hub.policies,
            silence=hub.watch.silence,
            writer=ground.writer,
            readers=ground.asked,
            metrics=ground.metrics,
            callers=callers,
            clock=microseconds_now,
            max_page=max_page,
        ),
    ]


def _health(
    ground: Ground,
    hub: Hub,
    callers: Callers,
    *,
    role: Callable[[], health.Role | None],
    missing: Callable[[], Mapping[str, str]],
) -> list[Described]:
    """What a process is asked by those who keep it running."""
    measuring = Measuring(
        space=ground.database.space,
        readers=ground.readers,
        policies=hub.policies,
        show=ground.metrics.measured,
        clock=microseconds_now,
        monotonic=time.monotonic,
    )
    return health.routes(
        metrics=ground.metrics,
        measure=measuring.refresh,
        callers=callers,
        unready=hub.readiness.reason,
        role=role,
        missing=missing,
    )
