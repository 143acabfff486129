"""POST /v1/events: the HTTP door."""

from collections.abc import Sequence
from time import monotonic, perf_counter
from typing import Any, Final, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.typing import FilteringBoundLogger

from hub.errors import BadRequest, HubError, Invalid
from hub.event import Accepted, Duplicate, Outcome, Receipt, Rejected, rfc3339, shown
from hub.intake.accept import Intake, Mode
from hub.intake.http import read_events
from hub.intake.limits import Limits
from hub.intake.shares import Shares
from hub.intake.submitted import Submitted
from hub.metrics import Metrics
from hub.policy.tokens import Caller
from hub.web.body import expected_length, read_body
from hub.web.callers import Callers
from hub.web.problems import answer, errors_of, problem

MOST_RECEIPTS_LOGGED: Final = 10
# What an event weighs in the hub beside the bytes it came in.
WEIGHT: Final = 1024


def routes(
    *,
    intake: Intake,
    callers: Callers,
    limits: Limits,
    metrics: Metrics,
    log: FilteringBoundLogger,
) -> list[Route]:
    """The route of the door."""
    shares = Shares(
        requests=limits.share_requests,
        size=limits.share_bytes,
        exceeded=metrics.share_exceeded,
        monotonic=monotonic,
    )

    async def publish(request: Request) -> Response:
        started = perf_counter()
        caller = await callers.of(request)
        mode = request.query_params.get("mode", "each")
        if mode not in ("each", "all"):
            raise BadRequest("mode=each|all")
        with shares.claim(caller.name) as claim:
            claim.add(expected_length(request, most=limits.body))
            submitted = await read(request, caller)
            claim.add(len(submitted) * WEIGHT)
            outcomes = await intake.accept(submitted, mode=cast(Mode, mode), caller=caller)
            faults = sum(len(o.faults) for o in outcomes if isinstance(o, Rejected))
            shares.faulted(caller.name, faults)
        seconds = perf_counter() - started
        metrics.admitted(outcomes, agency=caller.name, seconds=seconds)
        _log(log, outcomes, caller=caller.name, mode=mode, seconds=seconds)
        return _answer(outcomes)

    async def read(request: Request, caller: Caller) -> Sequence[Submitted]:
        try:
            body = await read_body(request, most=limits.body)
            return read_events(request.headers.raw, body, limits)
        except HubError as unreadable:
            await intake.refuse(unreadable, caller)
            shares.faulted(caller.name, 1)
            if caller.agency is not None:
                metrics.unreadable(agency=caller.agency, code=unreadable.code)
            raise

    return [Route("/v1/events", publish, methods=["POST"])]


def receipt_shown(receipt: Receipt) -> dict[str, Any]:
    """A receipt as the outside has it."""
    return {
        "id": receipt.id,
        "state": receipt.state,
        "source": receipt.source,
        "event_id": receipt.event_id,
        "type": receipt.type,
        "digest": receipt.digest.hex(),
        "position": None if receipt.position is None else shown(receipt.position),
        "hubtime": None if receipt.hubtime is None else rfc3339(receipt.hubtime),
    }


def _answer(outcomes: list[Outcome]) -> Response:
    """200 when all are accepted or duplicate, 422 when none is, 207 for some."""
    results = [_result(outcome) for outcome in outcomes]
    rejected = sum(isinstance(outcome, Rejected) for outcome in outcomes)
    if rejected and rejected == len(outcomes):
        return problem(Invalid(f"{rejected}"), results=results)
    return answer({"results": results}, 207 if rejected else 200)


def _result(outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case Accepted(receipt=receipt):
            return _taken("accepted", receipt)
        case Duplicate(receipt=receipt):
            return _taken("duplicate", receipt)
        case Rejected():
            return {
                "source": outcome.source,
                "id": outcome.id,
                "status": "rejected",
                "receipt": None,
                "errors": errors_of(outcome.faults),
            }


def _taken(status: str, receipt: Receipt) -> dict[str, Any]:
    return {
        "source": receipt.source,
        "id": receipt.event_id,
        "status": status,
        "receipt": receipt_shown(receipt),
        "errors": [],
    }


def _log(
    log: FilteringBoundLogger, outcomes: list[Outcome], *, caller: str, mode: str, seconds: float
) -> None:
    taken = [outcome.receipt.id for outcome in outcomes if isinstance(outcome, Accepted)]
    rejected = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    log.info(
        "events.admitted",
        caller=caller,
        mode=mode,
        accepted=len(taken),
        duplicate=len(outcomes) - len(taken) - len(rejected),
        rejected=len(rejected),
        codes=sorted({fault.code for outcome in rejected for fault in outcome.faults}),
        receipts=taken[:MOST_RECEIPTS_LOGGED],
        seconds=round(seconds, 6),
    )
