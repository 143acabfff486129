"""The state of the hub, for operators: who speaks, who is silent, who lags, what is refused."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from importlib.metadata import version
from typing import Final, TypedDict

from starlette.requests import Request
from starlette.responses import Response

from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.event import pack, rfc3339, shown
from hub.journal.register import SHARD
from hub.metrics import Metrics
from hub.policy.policy import Policies
from hub.watch.silence import Absence, Silence
from hub.watch.status import Standing, Status, read_status
from hub.web.body import number
from hub.web.callers import Callers
from hub.web.operation import Described, Operation, Time, after, found, limit
from hub.web.problems import answer

_EPOCH: Final = date(1970, 1, 1)


class JournalShown(TypedDict):
    """How much is registered; `untallied`: events that the tallies have not come to."""

    registered: int
    oldest: str | None
    newest: str | None
    untallied: int
    bytes: int


class RefusedShown(TypedDict):
    """Events refused in the last 24 hours, by first error."""

    codes: dict[str, int]
    complete: bool


class Away(TypedDict):
    """A region most of whose agencies said nothing on a day."""

    region: str
    day: str
    spoke: int
    usual: int


class Today(TypedDict):
    """An agency's events of the day, Beijing time."""

    accepted: int
    refused: int


class SinceStart(TypedDict):
    """An agency's events since the hub started."""

    duplicate: int


class RhythmShown(TypedDict):
    """An agency's usual rhythm, and whether its silence is unusual."""

    silent: bool
    expected: float
    chance: float
    weekday: float
    weeks: int


class AgencyStands(TypedDict):
    """One agency; `lag`: entries after its committed cursors, at least these if not complete."""

    agency: str
    name: str
    today: Today
    since_start: SinceStart
    last: Time | None
    rhythm: RhythmShown | None
    subscriptions: int
    lag: int
    lag_complete: bool
    oldest: Time | None


class HubStands(TypedDict):
    """The hub at one moment."""

    now: Time
    policy: int
    journal: JournalShown
    refused: RefusedShown
    away: list[Away]


class StatusShown(HubStands):
    """The hub, and a part of the list of its agencies."""

    version: str
    started: Time
    queue: int
    items: list[AgencyStands]
    next: str | None


def routes(
    *,
    policies: Policies,
    silence: Silence,
    writer: Writer,
    readers: Readers,
    metrics: Metrics,
    callers: Callers,
    clock: Callable[[], int],
    max_page: int,
) -> list[Described]:
    """For the role operator."""
    started = clock()

    async def show(request: Request) -> Response:
        await callers.with_role(request, "operator")
        read = partial(
            read_status,
            policies=policies,
            silence=silence,
            after=request.query_params.get("after", ""),
            most=number(request, "limit", default=100, most=max_page),
            now=clock(),
        )
        status = await readers.run(read)
        repeated = metrics.duplicates()
        items = [_agency(standing, repeated[standing.agency]) for standing in status.agencies]
        told: StatusShown = {
            "version": version("guantong"),
            "started": rfc3339(started),
            "queue": writer.depth,
            **_hub(status),
            "items": items,
            "next": items[-1]["agency"] if status.more else None,
        }
        return answer(told)

    return [Described("/v1/status", show, _status(max_page))]


def _status(max_page: int) -> Operation:
    return Operation(
        "贯通的现况：谁在说、谁沉默、谁滞后、退回了什么"
        " / the state of the hub: who speaks, who is silent, who lags, what is refused",
        callers=("operator",),
        parameters=(limit(max_page), after({"type": "string"})),
        answers=found(StatusShown),
    )


def _hub(status: Status) -> HubStands:
    extent = status.extent
    newest = shown(pack(SHARD, extent.registered)) if extent.registered else None
    return {
        "now": rfc3339(status.now),
        "policy": status.policy,
        "journal": {
            "registered": extent.registered,
            "oldest": None if extent.oldest is None else shown(extent.oldest),
            "newest": newest,
            "untallied": status.untallied,
            "bytes": extent.size,
        },
        "refused": {"codes": dict(status.refused), "complete": status.refused_complete},
        "away": [_away(absence) for absence in status.absences],
    }


def _away(absence: Absence) -> Away:
    return {
        "region": absence.region,
        "day": (_EPOCH + timedelta(days=absence.day)).isoformat(),
        "spoke": absence.turnout.spoke,
        "usual": absence.turnout.usual,
    }


def _agency(standing: Standing, repeated: int) -> AgencyStands:
    reading, rhythm = standing.reading, standing.rhythm
    learned: RhythmShown | None = (
        None
        if rhythm is None
        else {
            "silent": rhythm.silent,
            "expected": round(rhythm.expected, 1),
            "chance": float(f"{rhythm.chance:.2g}"),
            "weekday": round(rhythm.weekday, 1),
            "weeks": rhythm.weeks,
        }
    )
    return {
        "agency": standing.agency,
        "name": standing.name,
        "today": {"accepted": standing.accepted, "refused": standing.refused},
        "since_start": {"duplicate": repeated},
        "last": None if standing.last is None else rfc3339(standing.last),
        "rhythm": learned,
        "subscriptions": reading.subscriptions,
        "lag": reading.lag,
        "lag_complete": reading.complete,
        "oldest": None if reading.oldest is None else rfc3339(reading.oldest),
    }
