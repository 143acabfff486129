"""POST /v1/events: the HTTP door."""

from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict, cast

from msgspec import Meta
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from contracts.catalogue import Catalogue
from contracts.envelope import REQUIRED, Attributes
from contracts.faults import Fault
from contracts.lifetime import told_in_headers
from hub.database.patience import Patience
from hub.errors import (
    BadRequest,
    BatchMalformed,
    HeaderMalformed,
    HubError,
    Invalid,
    ShareExceeded,
    TooDeep,
    UnsupportedMediaType,
)
from hub.event import Accepted, Duplicate, Outcome, Receipt, Rejected, State, rfc3339, shown
from hub.intake.accept import Intake, Mode
from hub.intake.accounts import Accounts
from hub.intake.forms import BATCH, STRUCTURED
from hub.intake.http import read_events
from hub.intake.limits import Limits
from hub.intake.shares import WEIGHT, Shares
from hub.intake.submitted import Submitted
from hub.metrics import Metrics
from hub.policy.tokens import Caller
from hub.web.body import expected_length, read_body
from hub.web.callers import Callers
from hub.web.operation import (
    RETIRING,
    Answer,
    Content,
    Described,
    Operation,
    Parameter,
    Time,
    in_json,
)
from hub.web.problems import PROBLEM, FaultShown, Problem, answer, errors_of, problem


class ReceiptShown(TypedDict):
    """The hub's statement about an event; `digest` is the SHA-256 of its data, in hex.

    `errors`: why one that was accepted could not be registered, and is `refused`.
    """

    id: str
    state: State
    source: str
    event_id: str
    type: str
    digest: str
    position: str | None
    hubtime: Time | None
    errors: NotRequired[list[FaultShown]]


class Result(TypedDict):
    """What became of one event; source and id as far as they could be read."""

    source: str | None
    id: str | None
    status: Literal["accepted", "duplicate", "rejected"]
    receipt: ReceiptShown | None
    errors: list[FaultShown]


class Results(TypedDict):
    """What became of each event, in the order sent."""

    results: list[Result]


class AllRejected(Problem):
    """None of the events was accepted."""

    results: list[Result]


def route(
    *,
    intake: Intake,
    callers: Callers,
    catalogue: Catalogue,
    limits: Limits,
    shares: Shares,
    accounts: Accounts,
    metrics: Metrics,
    pause: Callable[[], Awaitable[None]],
    patience: float | None,
) -> Described:
    """The route of the door.

    A request waits for storage for `patience` seconds in all, None for as long as it takes.
    `pause` lets the others that came in the same turn of the loop catch up. Requests that are
    read, examined, answered and accounted for abreast take half the time of the same one after the
    other, since each step finds its code and its data in the processor's caches.
    """

    async def publish(request: Request) -> Response:
        started = perf_counter()
        left = Patience(patience)
        caller = await left.answer(callers.of(request))
        mode = _mode_of(request)
        with shares.claim(caller.name) as claim:
            claim.add(expected_length(request, most=limits.body))
            submitted = await read(request, caller, left)
            claim.add(len(submitted) * WEIGHT)
            outcomes = await intake.accept(submitted, mode=mode, caller=caller, patience=left)
            faults = sum(len(o.faults) for o in outcomes if isinstance(o, Rejected))
            shares.faulted(caller.name, faults)
        seconds = perf_counter() - started

        async def account() -> None:
            await pause()
            accounts.admitted(outcomes, caller=caller.name, mode=mode, seconds=seconds)

        await pause()
        used = accounts.retiring(submitted, caller=caller.name)
        response = _answer(outcomes, _told_of(used, catalogue))
        # Nobody waits for it who waits for the answer.
        response.background = BackgroundTask(account)
        return response

    async def read(request: Request, caller: Caller, left: Patience) -> Sequence[Submitted]:
        try:
            body = await read_body(request, most=limits.body)
            return read_events(request.scope["headers"], body, limits)
        except HubError as unreadable:
            await intake.refuse(unreadable, caller, patience=left)
            shares.faulted(caller.name, 1)
            if caller.agency is not None:
                metrics.unreadable(agency=caller.agency, code=unreadable.code)
            raise

    return Described("/v1/events", publish, _publishing(catalogue, limits), method="POST")


def _told_of(used: Sequence[str], catalogue: Catalogue) -> dict[str, str]:
    """Headers that say of versions that they are to be retired."""
    if not used:
        return {}
    return told_in_headers(catalogue.retiring[urn].lifetime for urn in used)


def _publishing(catalogue: Catalogue, limits: Limits) -> Operation:
    """A payload's own schema is read where its contract is, `/v1/contracts/{type}/{version}`."""
    of_contracts = [
        {
            "title": contract.title,
            "properties": {"type": {"const": contract.type}, "dataschema": {"const": contract.urn}},
            "externalDocs": {"url": f"/v1/contracts/{contract.type}/{contract.version}"},
        }
        for contract in catalogue
    ]
    more = {"required": [*REQUIRED, "data"], "oneOf": of_contracts}
    event: Any = Annotated[Attributes, Meta(extra_json_schema=more)]
    batch: Any = Annotated[list[event], Meta(max_length=limits.batch)]
    return Operation(
        "发布事件：单个或一批 / publish an event or a batch",
        callers=("agency",),
        parameters=(
            Parameter(
                "mode",
                "逐个受理，或全有或全无 / each by itself, or all or none",
                {"enum": ["each", "all"], "default": "each"},
            ),
            *(
                Parameter(f"ce-{name}", "仅二进制模式 / binary mode alone", _TEXT, place="header")
                for name in REQUIRED
            ),
        ),
        body=(
            Content((batch,), BATCH),
            Content((event,), STRUCTURED),
            Content((Any,), "application/json"),
        ),
        answers={
            200: Answer("全部受理或已知 / all accepted or known", in_json(Results), RETIRING),
            207: Answer("部分受理 / some accepted", in_json(Results), RETIRING),
            422: Answer("全部退回 / none accepted", (Content((AllRejected,), PROBLEM),), RETIRING),
        },
        errors=(
            BatchMalformed,
            HeaderMalformed,
            TooDeep,
            UnsupportedMediaType,
            Invalid,
            ShareExceeded,
        ),
    )


_TEXT: Final = {"type": "string"}


def _mode_of(request: Request) -> Mode:
    # Nearly all say nothing, which parsing a query would cost more than to see.
    mode = request.query_params.get("mode", "each") if request.scope["query_string"] else "each"
    if mode not in ("each", "all"):
        raise BadRequest("mode=each|all")
    return cast(Mode, mode)


def receipt_shown(receipt: Receipt, faults: Sequence[Fault] = ()) -> ReceiptShown:
    """A receipt as the outside has it."""
    statement: ReceiptShown = {
        "id": receipt.id,
        "state": receipt.state,
        "source": receipt.source,
        "event_id": receipt.event_id,
        "type": receipt.type,
        "digest": receipt.digest.hex(),
        "position": None if receipt.position is None else shown(receipt.position),
        "hubtime": None if receipt.hubtime is None else rfc3339(receipt.hubtime),
    }
    if faults:
        statement["errors"] = errors_of(faults)
    return statement


def _answer(outcomes: list[Outcome], headers: dict[str, str]) -> Response:
    """200 when all are accepted or duplicate, 422 when none is, 207 for some."""
    results = [result_of(outcome) for outcome in outcomes]
    rejected = sum(isinstance(outcome, Rejected) for outcome in outcomes)
    if rejected and rejected == len(outcomes):
        response = problem(Invalid(f"{rejected}"), results=results)
    else:
        response = answer({"results": results}, 207 if rejected else 200)
    if headers:
        response.headers.update(headers)
    return response


def result_of(outcome: Outcome) -> Result:
    """What a publisher is told of one event, over whichever door it came."""
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


def _taken(status: Literal["accepted", "duplicate"], receipt: Receipt) -> Result:
    return {
        "source": receipt.source,
        "id": receipt.event_id,
        "status": status,
        "receipt": receipt_shown(receipt),
        "errors": [],
    }
