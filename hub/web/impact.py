"""GET /v1/contracts/{type}/{version}/impact: whom a new or retired version touches."""

from collections.abc import Callable
from typing import Final, TypedDict

from starlette.requests import Request
from starlette.responses import Response

from contracts.catalogue import Catalogue
from hub.errors import NotFound, Overloaded
from hub.event import rfc3339
from hub.evidence.impact import MOST_REPLAYED, Impact, Impacts
from hub.web.body import number
from hub.web.callers import Callers
from hub.web.operation import Described, Operation, Parameter, Time, found, in_path
from hub.web.problems import answer

DAYS: Final = 90
MOST_DAYS: Final = 3_660
REPLAYED: Final = 1_000
_DAY: Final = 24 * 3600 * 1_000_000


class PublisherTouched(TypedDict):
    """An agency that has published the type, and in which version."""

    agency: str
    version: str
    events: int
    last: Time


class SubscriptionTouched(TypedDict):
    """A subscription that gets the type; `pin`: in which version; `pages` it has read of late."""

    agency: str
    id: str
    pin: str | None
    pages: int
    last: Time | None


class FaultCounted(TypedDict):
    """What kept events from having a form in the version: the first fault of each, no values."""

    code: str
    pointer: str
    events: int


class Replayed(TypedDict):
    """How the newest events of the type fare under the version."""

    valid: int
    converted: int
    inconvertible: int
    sealed: int
    faults: list[FaultCounted]


class ImpactShown(TypedDict):
    """Whom a version touches; `complete`: all of the time asked for has been looked at."""

    type: str
    version: str
    since: Time
    events: int
    complete: bool
    publishers: list[PublisherTouched]
    subscriptions: list[SubscriptionTouched]
    replayed: Replayed


def route(
    *, impacts: Impacts, catalogue: Catalogue, callers: Callers, clock: Callable[[], int]
) -> Described:
    """The operator's, before a version is brought in or retired."""

    async def impact(request: Request) -> Response:
        await callers.with_role(request, "operator")
        type_, version = request.path_params["type"], request.path_params["version"]
        target = catalogue.find(type_, version)
        if target is None:
            raise NotFound
        days = number(request, "days", default=DAYS, most=MOST_DAYS)
        replayed = number(request, "replay", default=REPLAYED, most=MOST_REPLAYED)
        since = max(0, clock() - days * _DAY)
        found_out = await impacts.of(target, since=since, replayed=replayed)
        return answer(_shown(type_, version, found_out))

    return Described("/v1/contracts/{type}/{version}/impact", impact, _IMPACT)


def _days(most: int) -> dict[str, object]:
    return {"type": "integer", "minimum": 1, "maximum": most}


_IMPACT: Final = Operation(
    "契约版本的变动会影响谁 / whom a contract version touches",
    callers=("operator",),
    parameters=(
        in_path("type", "事件类型 / the event type", {"type": "string"}),
        in_path("version", "拟启用或停用的版本 / to be brought in or retired", {"type": "string"}),
        Parameter("days", "看最近多少天 / of how many days", {**_days(MOST_DAYS), "default": DAYS}),
        Parameter(
            "replay",
            "以最近多少件事件试行 / tried on so many events",
            {**_days(MOST_REPLAYED), "default": REPLAYED},
        ),
    ),
    answers=found(ImpactShown),
    errors=(NotFound, Overloaded),
)


def _shown(type_: str, version: str, impact: Impact) -> ImpactShown:
    verdicts = impact.verdicts
    return {
        "type": type_,
        "version": version,
        "since": rfc3339(impact.since),
        "events": impact.events,
        "complete": impact.complete,
        "publishers": [
            {"agency": agency, "version": used, "events": of.events, "last": rfc3339(of.last)}
            for (agency, used), of in sorted(impact.publishers.items())
        ],
        "subscriptions": [
            {
                "agency": s.agency,
                "id": s.id,
                "pin": s.pin,
                "pages": s.pages,
                "last": None if s.last is None else rfc3339(s.last),
            }
            for s in sorted(impact.subscriptions, key=lambda s: (s.agency, s.id))
        ],
        "replayed": {
            "valid": verdicts["valid"],
            "converted": verdicts["converted"],
            "inconvertible": verdicts["inconvertible"],
            "sealed": verdicts["sealed"],
            "faults": [
                {"code": code, "pointer": pointer, "events": events}
                for (code, pointer), events in impact.faults.most_common()
            ],
        },
    }
