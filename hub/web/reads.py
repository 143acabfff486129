"""GET /v1/reads: who has seen what, for auditors; GET /v1/strangers, for security officers."""

import re
from collections.abc import Callable
from functools import partial
from typing import Final, TypedDict

from starlette.requests import Request
from starlette.responses import Response

from hub.database.connection import Connection
from hub.database.readers import Readers
from hub.delivery.turns import Turns
from hub.errors import BadRequest, NotFound
from hub.event import receipt_of, rfc3339, shown
from hub.evidence import seen
from hub.evidence.seen import Place, Sighting, Sightings
from hub.journal.openings import record_of
from hub.policy.policy import Policies
from hub.web.body import moment, number
from hub.web.callers import Callers
from hub.web.operation import (
    Described,
    Operation,
    Page,
    Parameter,
    Time,
    after,
    found,
    limit,
)
from hub.web.problems import answer

_PLACE: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})", re.ASCII)
_EVER: Final = 2**62
_AFTER: Final = after({"type": "string", "pattern": "^[0-9]{1,18}-[0-9]{1,18}$"})


class GrantShown(TypedDict):
    """A grant that a reading rested on."""

    id: str
    purpose: str


class SightingShown(TypedDict):
    """That an agency was handed an event; what is null is no longer kept."""

    at: Time
    agency: str
    subscription: str
    channel: str
    token: int
    policy: int
    position: str
    receipt: str | None
    source: str | None
    id: str | None
    type: str | None
    key: str | None
    classes: list[str]
    masked: bool
    grants: list[GrantShown]


class Stranger(TypedDict):
    """An event whose parties no registered agency is."""

    receipt: str
    type: str
    publisher: str
    region: str
    position: str
    hubtime: Time
    unmatched_parties: int


def routes(
    *, readers: Readers, turns: Turns, policies: Policies, callers: Callers, max_page: int
) -> list[Described]:
    """Lists go on at `after`; a part of a list may be empty and yet not the last."""

    async def sightings(request: Request) -> Response:
        caller = await callers.with_role(request, "auditor")
        most, place = number(request, "limit", default=100, most=max_page), _after(request)
        ask = _asked(request)
        async with turns.take(caller.name):
            part = await readers.run(partial(ask, after=place, most=most, policies=policies))
        if part is None:
            raise NotFound
        return answer({"items": [_shown(s) for s in part.items], "next": _next(part.next)})

    async def strangers(request: Request) -> Response:
        caller = await callers.with_role(request, "security")
        most, place = number(request, "limit", default=100, most=max_page), _after(request)
        look = partial(seen.strangers, after=place.position, most=most, policies=policies)
        async with turns.take(caller.name):
            found = await readers.run(look)
        items: list[Stranger] = [
            {
                "receipt": entry.receipt.hex(),
                "type": entry.type,
                "publisher": entry.publisher,
                "region": entry.region,
                "position": shown(entry.position),
                "hubtime": rfc3339(entry.hubtime),
                "unmatched_parties": count,
            }
            for entry, count in found.items
        ]
        return answer({"items": items, "next": _next(found.next)})

    return [
        Described("/v1/reads", sightings, _of_reads(max_page)),
        Described("/v1/strangers", strangers, _of_strangers(max_page)),
    ]


def _of_reads(max_page: int) -> Operation:
    text, time = {"type": "string"}, {"type": "string", "format": "date-time"}
    return Operation(
        "谁看过某事件、某案件，或某机构看过什么 / who has seen an event or a case, or what one has",
        callers=("auditor",),
        parameters=(
            Parameter("source", "事件的 source，与 id 同用 / an event's, with id", text),
            Parameter("id", "事件的 id，与 source 同用 / an event's, with source", text),
            Parameter("case", "案件，如 clue:XS-1 / an event key", text),
            Parameter("agency", "机构编号 / an agency's id", text),
            Parameter("since", "自此时起，与 agency 同用 / since, with agency", time),
            Parameter("until", "至此时止，与 agency 同用 / until, with agency", time),
            limit(max_page),
            _AFTER,
        ),
        answers=found(Page[SightingShown]),
        errors=(NotFound,),
    )


def _of_strangers(max_page: int) -> Operation:
    return Operation(
        "所涉单位未登记的事件 / events whose parties no registered agency is",
        callers=("security",),
        parameters=(limit(max_page), _AFTER),
        answers=found(Page[Stranger]),
    )


Ask = Callable[..., Sightings | None]


def _asked(request: Request) -> Ask:
    """What is asked: an event, a case, or an agency in a time. Raises BadRequest."""
    query = request.query_params
    in_time = not query.keys().isdisjoint(("since", "until"))
    match query.get("source"), query.get("id"), query.get("case"), query.get("agency"), in_time:
        case str(source), str(event_id), None, None, False:
            return partial(_of_event, receipt=receipt_of(source, event_id))
        case None, None, str(key), None, False:
            return partial(seen.of_case, key=key)
        case None, None, None, str(agency), _:
            since, until = (
                moment(request, "since", default=0),
                moment(request, "until", default=_EVER),
            )
            return partial(seen.of_agency, agency=agency, since=since, until=until)
        case _:
            raise BadRequest("source + id | case | agency [since] [until]")


def _of_event(
    connection: Connection, *, receipt: bytes, after: Place, most: int, policies: Policies
) -> Sightings | None:
    event = record_of(connection, receipt)
    if event is None:
        return None
    return seen.of_event(connection, event.position, after=after, most=most, policies=policies)


def _shown(sighting: Sighting) -> SightingShown:
    event, row = sighting.event, sighting.row
    return {
        "at": rfc3339(row.read_at),
        "agency": row.agency,
        "subscription": row.subscription_id,
        "channel": row.channel,
        "token": row.token,
        "policy": row.policy,
        "position": shown(sighting.position),
        "receipt": event.receipt.hex() if event else None,
        "source": event.source if event else None,
        "id": event.id if event else None,
        "type": event.type if event else None,
        "key": event.key if event else None,
        "classes": sorted(sighting.outcome.classes),
        "masked": sighting.outcome.masked,
        "grants": [{"id": id_, "purpose": why} for id_, why in sighting.grants.items()],
    }


def _after(request: Request) -> Place:
    text = request.query_params.get("after", "0-0")
    match = _PLACE.fullmatch(text)
    if match is None:
        raise BadRequest("after")
    return Place(int(match[1]), int(match[2]))


def _next(place: Place | None) -> str | None:
    return None if place is None else f"{place.position}-{place.number}"
