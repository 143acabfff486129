"""The HTTP side of a hub: every route, with the parts that it is given."""

import asyncio
import time
from functools import partial
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from contracts.catalogue import load_catalogue
from contracts.pages.site import site
from hub.app.ground import Ground, microseconds_now
from hub.app.parts import Hub
from hub.delivery.turns import Turns
from hub.errors import HubError
from hub.evidence.impact import Impacts
from hub.intake.limits import Limits
from hub.journal.rehearsal import Replays
from hub.settings import Settings
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
from hub.web.edge import Edge, Refusing
from hub.web.operation import Described


def web_side(ground: Ground, hub: Hub) -> Edge:
    """The application that a server runs."""
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
    publishing = events.route(
        intake=hub.intake,
        callers=callers,
        catalogue=load_catalogue(),
        limits=_limits(ground.settings),
        metrics=ground.metrics,
        log=ground.log,
        pause=lambda: asyncio.sleep(0),
    )
    parts = (_traffic, _evidence, _administration)
    routes = [publishing, *(route for part in parts for route in part(ground, hub, callers))]
    app = Starlette(
        routes=[*routes, openapi.route_of(routes, version=version("guantong"))],
        exception_handlers={
            HubError: refusing.tell_error,
            HTTPException: refusing.tell_http,
            Exception: refusing.tell_fault,
        },
    )
    app.router.redirect_slashes = False
    return Edge(
        app,
        doors={publishing.path.encode(): publishing.endpoint},
        refusing=refusing,
        metrics=ground.metrics,
        log=ground.log,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        body=settings.max_body,
        batch=settings.max_batch,
        event=settings.max_event,
        data=settings.max_data,
        depth=settings.max_depth,
        values=settings.max_values,
        share_bytes=settings.share_bytes,
        share_requests=settings.share_requests,
    )


def _traffic(ground: Ground, hub: Hub, callers: Callers) -> list[Described]:
    """Where agencies publish and read."""
    return [
        *_subscriptions(ground, hub, callers),
        *catalogue.routes(catalogue.Shelf(site(load_catalogue()))),
        *contracts.routes(catalogue=load_catalogue(), terms=ground.terms, callers=callers),
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


def _subscriptions(ground: Ground, hub: Hub, callers: Callers) -> list[Described]:
    """Where an agency says what it wants, and gets it."""
    settings, log = ground.settings, ground.log
    leaving = pages.Leaving(catalogue=load_catalogue(), metrics=ground.metrics, log=log)
    return [
        *subscriptions.routes(
            wake=hub.pull.wake,
            cursors=hub.cursors,
            writer=ground.writer,
            readers=ground.readers,
            filler=hub.filler,
            catalogue=load_catalogue(),
            regions=ground.codes.regions(),
            callers=callers,
            log=log,
            clock=microseconds_now,
            max_page=settings.max_page,
            max_subscriptions=settings.max_subscriptions,
        ),
        pages.route(
            pull=hub.pull,
            leaving=leaving,
            callers=callers,
            max_page=settings.max_page,
            max_wait=settings.max_wait,
        ),
        cursors.route(
            cursors=hub.cursors,
            writer=ground.writer,
            readers=ground.readers,
            callers=callers,
            log=log,
        ),
        *deadletters.routes(
            pull=hub.pull,
            leaving=leaving,
            readers=ground.readers,
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
        *receipts.routes(readers=ground.readers, callers=callers),
        *explain.routes(
            readers=ground.lookups,
            turns=turns,
            settled=partial(ground.writer.submit, lambda _connection: None),
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
        *purges.routes(readers=ground.readers, callers=callers, max_page=max_page),
    ]


def _administration(ground: Ground, hub: Hub, callers: Callers) -> list[Described]:
    """Where the roles work."""
    max_page = ground.settings.max_page
    measuring = Measuring(
        space=ground.database.space,
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
            regions=ground.codes.regions(),
            callers=callers,
            log=ground.log,
            clock=microseconds_now,
        ),
        *agencies.routes(
            policies=hub.policies, readers=ground.readers, callers=callers, max_page=max_page
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
            max_page=max_page,
        ),
        *acts.routes(readers=ground.readers, callers=callers, max_page=max_page),
        *status.routes(
            policies=hub.policies,
            silence=hub.watch.silence,
            writer=ground.writer,
            readers=ground.readers,
            metrics=ground.metrics,
            callers=callers,
            clock=microseconds_now,
            max_page=max_page,
        ),
        *health.routes(
            metrics=ground.metrics,
            measure=measuring.refresh,
            callers=callers,
            unready=hub.readiness.reason,
        ),
        *doctor.routes(doctor=hub.doctor, callers=callers),
    ]
