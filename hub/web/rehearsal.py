"""A policy's dry run: how it is asked for, and how its difference and replay are told."""

import re
from dataclasses import dataclass
from typing import Final, NotRequired, TypedDict

from starlette.requests import Request

from contracts.catalogue import Catalogue
from contracts.region import Regions
from hub.errors import BadRequest
from hub.event import rfc3339
from hub.journal.rehearsal import Replay
from hub.policy.difference import PartDifference, difference
from hub.policy.document import PolicyDocument
from hub.policy.findings import Finding
from hub.policy.lint import lint
from hub.policy.policy import Policy
from hub.web.operation import Time

_TIME: Final = re.compile(r"([1-9][0-9]{0,3})([dh])")
_UNITS: Final = {"d": 24 * 3600 * 1_000_000, "h": 3600 * 1_000_000}
_LONGEST: Final = 366 * _UNITS["d"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A dry run; `replayed`: on the events of how long, in microseconds, None for on none."""

    replayed: int | None


class TallyShown(TypedDict):
    """How many events of a type change for an agency; `example` is the newest one's receipt id."""

    agency: str
    type: str
    example: str
    allowed: int
    denied: int
    wider: int
    narrower: int


# A member is called `from`, which is no name in Python.
ReplayShown = TypedDict(
    "ReplayShown",
    {
        "from": Time,
        "events": int,
        "decisions": int,
        "complete": bool,
        "changes": list[TallyShown],
    },
)


class Rehearsed(TypedDict):
    """What a document changes of the policy `version`, what is odd in it, what it would do."""

    version: int
    changed: bool
    agencies: PartDifference
    grants: PartDifference
    recusals: PartDifference
    rounds: PartDifference
    lint: tuple[Finding, ...]
    replay: NotRequired[ReplayShown]


def asked_by(request: Request) -> Asked | None:
    """The dry run that a query asks for; None for no query at all.

    Raises BadRequest for any other: what is not understood must not become the real thing.
    """
    if not request.url.query:
        return None
    given = request.query_params.multi_items()
    asked = dict(given)
    replayed = _time(asked.pop("replay")) if "replay" in asked else None
    if asked != {"dry_run": "true"} or len(given) > 1 + (replayed is not None):
        raise _not_understood()
    return Asked(replayed)


def differences(
    standing: Policy,
    document: PolicyDocument,
    *,
    catalogue: Catalogue,
    regions: Regions,
    now: int,
) -> Rehearsed:
    """What a document changes of the standing policy, and what is odd in it."""
    changes = difference(standing.document, document)
    return {
        "version": standing.version,
        "changed": changes.changed,
        "agencies": changes.agencies,
        "grants": changes.grants,
        "recusals": changes.recusals,
        "rounds": changes.rounds,
        "lint": lint(document, catalogue=catalogue, regions=regions, now=now),
    }


def shown(replay: Replay) -> ReplayShown:
    """What a replay has found, by agency and type; `from` is as far back as it has come."""
    return {
        "from": rfc3339(replay.since if replay.complete else replay.reached),
        "events": replay.events,
        "decisions": replay.decisions,
        "complete": replay.complete,
        "changes": [
            {
                "agency": agency,
                "type": type_,
                "example": tally.example,
                "allowed": tally.allowed,
                "denied": tally.denied,
                "wider": tally.wider,
                "narrower": tally.narrower,
            }
            for (agency, type_), tally in sorted(replay.changes.items())
        ],
    }


def _time(text: str) -> int:
    match = _TIME.fullmatch(text)
    length = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < length <= _LONGEST:
        raise _not_understood()
    return length


def _not_understood() -> BadRequest:
    return BadRequest(
        "查询参数只能是 dry_run=true，可加 replay=30d 或 12h（不超过 366d）"
        " / the query is dry_run=true, with replay=30d or 12h if wanted (at most 366d)"
    )
