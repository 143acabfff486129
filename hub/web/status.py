"""The state of the hub, for operators: who speaks, who is silent, who lags, what is refused."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from importlib.metadata import version
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

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
from hub.web.problems import answer

_EPOCH: Final = date(1970, 1, 1)


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
) -> list[Route]:
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
        return answer(
            {
                "version": version("guantong"),
                "started": rfc3339(started),
                "queue": writer.depth,
                **_hub(status),
                "items": items,
                "next": items[-1]["agency"] if status.more else None,
            }
        )

    return [Route("/v1/status", show)]


def _hub(status: Status) -> dict[str, Any]:
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


def _away(absence: Absence) -> dict[str, Any]:
    return {
        "region": absence.region,
        "day": (_EPOCH + timedelta(days=absence.day)).isoformat(),
        "spoke": absence.turnout.spoke,
        "usual": absence.turnout.usual,
    }


def _agency(standing: Standing, repeated: int) -> dict[str, Any]:
    reading, rhythm = standing.reading, standing.rhythm
    learned = rhythm and {
        "silent": rhythm.silent,
        "expected": round(rhythm.expected, 1),
        "chance": float(f"{rhythm.chance:.2g}"),
        "weekday": round(rhythm.weekday, 1),
        "weeks": rhythm.weeks,
    }
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
