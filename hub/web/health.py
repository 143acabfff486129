"""Metrics and health."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.database.readers import Readers
from hub.metrics import Metrics
from hub.policy import issuing
from hub.web.callers import Callers
from hub.web.problems import answer


def routes(
    *,
    metrics: Metrics,
    readers: Readers,
    callers: Callers,
    unready: Callable[[], Awaitable[str | None]],
    clock: Callable[[], int],
) -> list[Route]:
    """`unready` tells why the hub cannot serve, or None. Health needs no token, metrics a role."""

    async def exposition(request: Request) -> Response:
        await callers.with_role(request, "operator")
        metrics.expiring(await readers.run(partial(issuing.expiring, now=clock())))
        body, media_type = metrics.exposition()
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
