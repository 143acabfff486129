"""Metrics and health."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal, NotRequired, TypedDict

from starlette.requests import Request
from starlette.responses import Response

from hub.metrics import Metrics
from hub.web.callers import Callers
from hub.web.operation import Answer, Content, Described, Operation, found, in_json
from hub.web.problems import answer

Role = Literal["writer", "standby"]


class Life(TypedDict):
    """The process answers."""

    status: Literal["live"]


class Readiness(TypedDict):
    """Whether the hub can serve, and if not, why. Of the processes that may write to the journal
    each says whether it does. `missing`: what it serves without, such as Kafka; `detail`: what is
    known of why.
    """

    status: Literal["ready", "unready"]
    reason: NotRequired[str]
    missing: NotRequired[list[str]]
    detail: NotRequired[str]
    role: NotRequired[Role]


def routes(
    *,
    metrics: Metrics,
    measure: Callable[[], Awaitable[None]],
    callers: Callers,
    unready: Callable[[], Awaitable[str | None]],
    role: Callable[[], Role | None] = lambda: None,
    missing: Callable[[], Mapping[str, str]],
) -> list[Described]:
    """`unready` tells why the hub cannot serve, or None; `missing` what it can serve without, and
    as far as is known why. Health needs no token, metrics a role.

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
        reason, known, without = await unready(), role(), missing()
        part: dict[str, Any] = {} if known is None else {"role": known}
        if without:
            part["missing"] = list(without)
            if any(without.values()):
                part["detail"] = "; ".join(filter(None, without.values()))
        if reason is not None:
            return answer({"status": "unready", "reason": reason, **part}, 503)
        return answer({"status": "ready", **part})

    return [
        Described("/metrics", exposition, _METRICS),
        Described("/health/live", live, _LIVE),
        Described("/health/ready", ready, _READY),
    ]


_METRICS: Final = Operation(
    "指标（Prometheus 文本格式） / the metrics, as Prometheus reads them",
    callers=("operator",),
    answers={200: Answer("全部指标 / every metric", (Content((str,), "text/plain"),))},
)
_LIVE: Final = Operation("进程在运行 / the process runs", callers=(), answers=found(Life))
_READY: Final = Operation(
    "能否提供服务 / whether the hub can serve",
    callers=(),
    answers={
        200: Answer("能 / it can", in_json(Readiness)),
        503: Answer("暂时不能 / it cannot at the moment", in_json(Readiness)),
    },
)
