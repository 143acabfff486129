"""GET /v1/reads: who has seen what, for auditors; GET /v1/strangers, for security officers."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.database.connection import Connection
from hub.database.readers import Readers
from hub.errors import BadRequest, NotFound
from hub.event import receipt_of, rfc3339, shown
from hub.evidence import seen
from hub.evidence.seen import Place, Sighting, Sightings
from hub.journal.openings import record_of
from hub.policy.policy import Policies
from hub.web.body import moment, number
from hub.web.callers import Callers
from hub.web.problems import answer

_PLACE: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})", re.ASCII)
_EVER: Final = 2**62


def routes(*, readers: Readers, policies: Policies, callers: Callers, max_page: int) -> list[Route]:
    """Lists go on at `after`; a part of a case's list may be empty and yet not the last."""

    async def sightings(request: Request) -> Response:
        await callers.with_role(request, "auditor")
        most, after = number(request, "limit", default=100, most=max_page), _after(request)
        ask = _asked(request)
        part = await readers.run(partial(ask, after=after, most=most, policies=policies))
        if part is None:
            raise NotFound
        return answer({"items": [_shown(s) for s in part.items], "next": _next(part.next)})

    async def strangers(request: Request) -> Response:
        await callers.with_role(request, "security")
        most, after = number(request, "limit", default=100, most=max_page), _after(request)
        look = partial(seen.strangers, after=after.position, most=most, policies=policies)
        found = await readers.run(look)
        items = [
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

    return [Route("/v1/reads", sightings), Route("/v1/strangers", strangers)]


Ask = Callable[..., Sightings | None]


def _asked(request: Request) -> Ask:
    """What is asked: an event, a case, or an agency in a time. Raises BadRequest."""
    query = request.query_params
    match query.get("source"), query.get("id"), query.get("case"), query.get("agency"):
        case str(source), str(event_id), None, None:
            return partial(_of_event, receipt=receipt_of(source, event_id))
        case None, None, str(key), None:
            return partial(seen.of_case, key=key)
        case None, None, None, str(agency):
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


def _shown(sighting: Sighting) -> dict[str, Any]:
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
