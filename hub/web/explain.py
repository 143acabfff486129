"""GET /v1/explain: why an agency did, or did not, get an event; told by who asks."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final, get_args

from starlette.requests import Request
from starlette.responses import Response

from contracts.agency import SourceError, publisher_of
from contracts.conversion import Inconvertible
from contracts.envelope import LONGEST_ID
from hub.database.connection import Connection
from hub.database.readers import Readers
from hub.delivery.turns import Turns
from hub.delivery.version import in_version
from hub.delivery.view import sight_of, view_of
from hub.errors import BadRequest, NotFound
from hub.event import Caveat, Marking, Record, receipt_of, rfc3339, shown
from hub.evidence import account
from hub.evidence.account import Asked, Seen
from hub.evidence.reads import Outcome
from hub.evidence.sql import ReadRow
from hub.journal import sql
from hub.journal.openings import record_of
from hub.journal.register import receipt_of_record
from hub.policy.entitle import Allowed, Decision, Denied, Ground
from hub.policy.policy import Policies, Policy
from hub.policy.wording import wording
from hub.web.callers import Callers
from hub.web.events import receipt_shown
from hub.web.explained import (
    AddressShown,
    DecisionShown,
    EventJudged,
    GroundShown,
    ReadingJudged,
    ReadingShown,
    RefusalShown,
    Refused,
    SubscriptionStands,
    ToAuditor,
    ToAuditorOfOne,
    Told,
    ToPublisher,
    ToSubscriber,
)
from hub.web.operation import Described, Operation, Parameter, found
from hub.web.problems import answer

MOST_REFUSALS: Final = 20
# Longer than looking into any event takes once the index has been gone through.
STEP_SECONDS: Final = 0.05


def routes(
    *,
    readers: Readers,
    turns: Turns,
    settled: Callable[[], Awaitable[None]],
    policies: Policies,
    callers: Callers,
    clock: Callable[[], int],
    monotonic: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> list[Described]:
    """The auditor is told each step; a publisher whether it arrived; a subscriber what it got.

    `settled` waits until what left before is on record, also that nothing was handed over. What a
    subscriber did not get is denied after a whole number of steps: how long it took to find out
    would tell whether there is such an event.
    """

    async def got(source: str, event_id: str, own: str) -> Told | None:
        began, receipt = monotonic(), receipt_of(source, event_id)
        look = partial(_subscriber, receipt=receipt, agency=own, policies=policies)
        told = await readers.run(look)
        if told is None:
            await sleep(STEP_SECONDS - (monotonic() - began) % STEP_SECONDS)
        return told

    async def explain(request: Request) -> Response:
        caller = await callers.of(request)
        source, event_id, agency = (request.query_params.get(n) for n in ("source", "id", "agency"))
        if source is None or event_id is None or len(event_id) > LONGEST_ID:
            raise BadRequest("source, id")
        ask = partial(_told, source=source, event_id=event_id, policies=policies, now=clock())
        async with turns.take(caller.name):
            if "auditor" in caller.roles:
                await settled()
                told = await readers.run(partial(ask, to=_auditor, agency=agency))
            else:
                own = await callers.agency_of(request)
                if _publisher_in(source) == own:
                    told = await readers.run(partial(ask, to=_publisher, agency=own))
                elif agency in (None, own):
                    told = await got(source, event_id, own)
                else:
                    told = None
        if told is None:
            raise NotFound
        return answer(told)

    return [Described("/v1/explain", explain, _EXPLAIN)]


_EXPLAIN: Final = Operation(
    "某机构为什么收到或没有收到某事件 / why an agency did, or did not, get an event",
    callers=("agency", "auditor"),
    parameters=(
        Parameter("source", "事件的 source / the event's", {"type": "string"}, required=True),
        Parameter(
            "id",
            "事件的 id / the event's",
            {"type": "string", "maxLength": LONGEST_ID},
            required=True,
        ),
        Parameter("agency", "说明哪个机构 / about which agency", {"type": "string"}),
    ),
    answers=found(*get_args(Told)),
    errors=(NotFound,),
)


def _told(
    connection: Connection,
    *,
    source: str,
    event_id: str,
    to: "Teller",
    agency: str | None,
    policies: Policies,
    now: int,
) -> Told | None:
    """What is told of an event, or of its refusals if it was never registered."""
    event = record_of(connection, receipt_of(source, event_id))
    if event is not None:
        return to(connection, event, agency, policies, now)
    caller = agency if to is _publisher else None
    refused = sql.refusals_of(
        connection, caller=caller, source=source, event_id=event_id, most=MOST_REFUSALS
    )
    if not refused:
        return None
    errors: list[RefusalShown] = [
        {"code": r.code, "pointer": r.pointer, "at": rfc3339(r.refused_at)} for r in refused
    ]
    told: Refused = {
        "event": {"source": source, "id": event_id, "state": "refused"},
        "errors": errors,
    }
    return told


def _publisher(
    connection: Connection, event: Record, own: str | None, policies: Policies, now: int
) -> ToPublisher:
    """Its state, and when what each address names first got it; not who else did."""
    registry = policies.seen_by(connection).registry
    first: dict[str, int] = {}
    for _, row, _ in account.deliveries(connection, event.position):
        first.setdefault(row.agency, row.read_at)
    addresses: list[AddressShown] = []
    for address in f"{event.to} {event.cc}".split():
        times = [first[id_] for id_ in registry.resolve(address) if id_ in first]
        addresses.append({"address": address, "delivered": rfc3339(min(times)) if times else None})
    receipt = receipt_shown(receipt_of_record(event))
    return {"event": receipt, "delivered": bool(first), "addresses": addresses}


def _subscriber(
    connection: Connection, *, receipt: bytes, agency: str, policies: Policies
) -> ToSubscriber | None:
    """What it got, and when; an event that it did not get is unknown to it."""
    found = account.delivered_to(connection, receipt, agency)
    if found is None:
        return None
    event, readings = found
    pins = account.Pins(connection, event, agency)
    return {
        "event": {
            "source": event.source,
            "id": event.id,
            "type": event.type,
            "receipt": event.receipt.hex(),
            "position": shown(event.position),
            "hubtime": rfc3339(event.hubtime),
        },
        "agency": agency,
        "readings": [
            _reading(row, outcome, event, policies, pins.read(row, outcome))
            for row, outcome in readings
        ],
    }


def _auditor(
    connection: Connection, event: Record, agency: str | None, policies: Policies, now: int
) -> ToAuditor | ToAuditorOfOne:
    """Everything but what the event says."""
    policy = policies.seen_by(connection)
    told = _event(event, policy)
    if agency is None:
        readers = {row.agency for _, row, _ in account.deliveries(connection, event.position)}
        return {"event": told, "delivered_to": sorted(readers)}
    of = account.account(connection, event, agency, policies=policies, now=now)
    decision = None if of.now is None else _decision(of.now, policy)
    return {
        "event": told,
        "agency": agency,
        "registered": of.now is not None,
        "subscriptions": [_asked(asked) for asked in of.asked],
        "readings": [_seen(seen, event, policies) for seen in of.seen],
        "now": {"policy": policy.version, "decision": decision},
    }


Teller = Callable[[Connection, Record, str | None, Policies, int], Told]


def _event(event: Record, policy: Policy) -> EventJudged:
    return {
        **receipt_shown(receipt_of_record(event)),
        "version": event.version,
        "publisher": event.publisher,
        "region": event.region,
        "key": event.key,
        "to": event.to.split(),
        "cc": event.cc.split(),
        "audience": event.audience.split(),
        "dataclassification": Marking(event.marking).name,
        "caveats": [c.name.replace("_", "-") for c in Caveat if event.caveats & c],
        "expires": None if event.expires is None else rfc3339(event.expires),
        "unmatched_parties": policy.registry.strangers(event.parties),
    }


def _asked(asked: Asked) -> SubscriptionStands:
    then = asked.then
    return {
        "id": asked.id,
        "event": asked.place,
        "asked_then": None if then is None else then.model_dump(mode="json", exclude={"id"}),
        "standing": asked.standing,
        "committed_past": asked.reached,
        "expired_unread": asked.expired,
    }


def _seen(seen: Seen, event: Record, policies: Policies) -> ReadingJudged:
    return {
        **_reading(seen.row, seen.outcome, event, policies, seen.version),
        "policy": seen.row.policy,
        "allowed": seen.outcome.allowed,
        "grounds": _grounds(seen.grounds, seen.policy),
    }


def _reading(
    row: ReadRow, outcome: Outcome, event: Record, policies: Policies, version: str
) -> ReadingShown:
    return {
        "at": rfc3339(row.read_at),
        "subscription": row.subscription_id,
        "version": version,
        "channel": row.channel,
        "token": row.token,
        "classes": sorted(outcome.classes),
        "masked": outcome.masked,
        "reason": outcome.reason,
        "withheld": list(_withheld(outcome, event, policies, version)),
    }


def _withheld(outcome: Outcome, event: Record, policies: Policies, version: str) -> tuple[str, ...]:
    """What the view left out; nothing can be said where today's program makes none of it."""
    contract = policies.catalogue.find(event.type, event.version)
    if not outcome.allowed or contract is None:
        return ()
    try:
        read, target = in_version(event, contract, version, catalogue=policies.catalogue)
    except Inconvertible:
        return ()
    seen = Allowed(outcome.classes, outcome.masked)
    return view_of(read, sight_of(target, seen, caveats=event.caveats)).withheld


def _decision(decision: Decision, policy: Policy) -> DecisionShown:
    grounds = _grounds(decision.grounds, policy)
    match decision:
        case Allowed(classes=classes, masked=masked):
            return {
                "allowed": True,
                "step": None,
                "reason": None,
                "classes": sorted(classes),
                "masked": masked,
                "grounds": grounds,
            }
        case Denied(step=step, reason=reason):
            return {
                "allowed": False,
                "step": step,
                "reason": reason,
                "classes": [],
                "masked": False,
                "grounds": grounds,
            }


def _grounds(grounds: Iterable[Ground], policy: Policy) -> list[GroundShown]:
    """In the order of the steps; the decision looks at step 4 last."""
    return [_ground(ground, policy) for ground in sorted(grounds, key=lambda ground: ground.step)]


def _ground(ground: Ground, policy: Policy) -> GroundShown:
    message, message_en = wording(ground, policy)
    return {
        "step": ground.step,
        "code": ground.code,
        "facts": list(ground.facts),
        "message": message,
        "message_en": message_en,
    }


def _publisher_in(source: str) -> str | None:
    try:
        return str(publisher_of(source))
    except SourceError:
        return None
