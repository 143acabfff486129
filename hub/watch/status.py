"""What operators are told of a hub at one moment: read in one snapshot, bounded, no content."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final

from hub.database.connection import Connection
from hub.event import pack
from hub.journal.register import SHARD
from hub.policy.policy import Policies
from hub.watch import sql
from hub.watch.rhythm import BEIJING, Rhythm, day_of
from hub.watch.silence import Absence, Silence
from hub.watch.watching import EVENTS_A_STEP

MOST_REFUSED: Final = 100_000
MOST_FEED_ROWS: Final = 200_000
DAY: Final = 24 * sql.HOUR


@dataclass(frozen=True, slots=True)
class Reading:
    """What an agency's subscriptions have before them.

    `lag`: entries after the committed cursors, at least these where not `complete`. `oldest`:
    hubtime of the first of them.
    """

    subscriptions: int
    lag: int
    complete: bool
    oldest: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One agency: events accepted and refused today (Beijing), when it last spoke, its rhythm."""

    agency: str
    name: str
    accepted: int
    refused: int
    last: int | None
    rhythm: Rhythm | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class Status:
    """The hub at the moment `now`. Times are microseconds UTC.

    `untallied`: events that the tallies have not come to. `refused`: events of the last 24 hours
    by first error, the newest of them where not `refused_complete`. `more`: whether there are
    agencies after these.
    """

    now: int
    policy: int
    extent: sql.Extent
    untallied: int
    refused: Counter[str]
    refused_complete: bool
    absences: tuple[Absence, ...]
    agencies: tuple[Standing, ...]
    more: bool


def read_status(
    connection: Connection,
    *,
    policies: Policies,
    silence: Silence,
    after: str,
    most: int,
    now: int,
) -> Status:
    """The status, with at most `most` of the registered agencies, those after an id."""
    policy = policies.seen_by(connection)
    names = {a.id: a.name for a in policy.registry.agencies.values() if a.id > after}
    chosen = sorted(names)[:most]
    midnight = day_of(now // sql.HOUR) * 24 - BEIJING
    refused = sql.refused(
        connection, since=now - DAY, midnight=midnight * sql.HOUR, most=MOST_REFUSED
    )
    by_code: Counter[str] = Counter()
    today: Counter[str] = Counter()
    for some in refused:
        by_code[some.code] += some.events
        today[some.caller] += some.today
    accepted, spoke, tallied = _spoken(connection, chosen, midnight=midnight)
    in_force = {a: last for a, last in spoke.items() if policy.registry.agencies[a].takes_part(now)}
    rhythms = silence.rhythms(connection, in_force, now=now)
    readings = _readings(connection, chosen)
    extent = sql.extent(connection, SHARD)
    return Status(
        now=now,
        policy=policy.version,
        extent=extent,
        untallied=pack(SHARD, extent.registered) - tallied,
        refused=by_code,
        refused_complete=by_code.total() < MOST_REFUSED,
        absences=silence.absences(connection, now=now),
        agencies=tuple(
            Standing(
                agency=agency,
                name=names[agency],
                accepted=accepted[agency],
                refused=today[agency],
                last=spoke.get(agency),
                rhythm=rhythms.get(agency),
                reading=readings.get(agency, _NOTHING),
            )
            for agency in chosen
        ),
        more=len(names) > most,
    )


def _spoken(
    connection: Connection, agencies: Sequence[str], *, midnight: int
) -> tuple[Counter[str], dict[str, int], int]:
    """Events since midnight, the last hubtime, both by agency; and how far that is complete.

    The tallies lag by seconds: what came since is counted here.
    """
    events: Counter[str] = Counter()
    spoke: dict[str, int] = {}
    for agency, last, count in sql.newest_tallies(connection, agencies, since=midnight):
        spoke[agency] = last
        events[agency] = count
    fresh, until = sql.untallied(connection, sql.tallied(connection, SHARD), most=EVENTS_A_STEP)
    chosen = frozenset(agencies)
    for tally in fresh:
        if tally.agency in chosen:
            spoke[tally.agency] = max(tally.last, spoke.get(tally.agency, 0))
            events[tally.agency] += tally.events if tally.hour >= midnight else 0
    return events, spoke, until.position


def _readings(connection: Connection, agencies: Sequence[str]) -> dict[str, Reading]:
    count = sql.count_subscriptions(connection, agencies)
    unread = sql.unread(connection, agencies, most=max(1, MOST_FEED_ROWS // max(1, count)))
    times = sql.registered_at(connection, (u.oldest for u in unread if u.oldest is not None))
    return {
        agency: _reading(list(some), times)
        for agency, some in groupby(unread, key=attrgetter("agency"))
    }


def _reading(unread: Sequence[sql.Unread], times: dict[int, int]) -> Reading:
    oldest = [times[u.oldest] for u in unread if u.oldest in times]
    return Reading(
        subscriptions=len(unread),
        lag=sum(u.entries for u in unread),
        complete=all(u.complete for u in unread),
        oldest=min(oldest, default=None),
    )


_NOTHING: Final = Reading(subscriptions=0, lag=0, complete=True, oldest=None)
