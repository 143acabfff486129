"""Metrics and health."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.metrics import Metrics
from hub.web.callers import Callers
from hub.web.problems import answer


def routes(
    *,
    metrics: Metrics,
    measure: Callable[[], Awaitable[None]],
    callers: Callers,
    unready: Callable[[], Awaitable[str | None]],
) -> list[Route]:
    """`unready` tells why the hub cannot serve, or None. Health needs no token, metrics a role.

    `measure` renews the gauges that are read of the database.
    """
    scraping = asyncio.Lock()

    async def exposition(request: Request) -> Response:
        await callers.with_role(request, "operator")
        # One scrape at a time, on a thread: the series of thousands of agencies take a while.
        async with scraping:
            metrics.found_ready(await unready() is None)
            await measure()
            body, media_type = await asyncio.to_thread(metrics.exposition)
        return Response(body, 200, {"Cache-Control": "no-store", "Content-Type": media_type})

    async def live(_request: Request) -> Response:
        return answer({"status": "live"})

    async def ready(_request: Request) -> Response:
        reason = await unready()
        if reason is not None:
            return answer({"status": "unready", "reason": reason}, 503)
        return answer({"status": "ready"})

    return [
        Route("/metrics", exposition),
        Route("/health/live", live),
        Route("/health/ready", ready),
    ]
