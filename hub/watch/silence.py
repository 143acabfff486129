"""Whose rhythm is broken: what was learned of agencies, held for the hour in which it holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Final

from hub.database.connection import Connection
from hub.journal.register import SHARD
from hub.watch import sql
from hub.watch.rhythm import (
    BEIJING,
    LEARNED_WEEKS,
    MANY,
    Rhythm,
    Turnout,
    day_of,
    days_off,
    rhythm,
    turnout,
)

# A week more than is learned from, so that the day of the last event need not be whole.
KEPT_HOURS: Final = (LEARNED_WEEKS + 1) * 7 * 24


@dataclass(frozen=True, slots=True)
class Absence:
    """Most agencies of a province were away on its last working day, counted from 1970."""

    region: str
    day: int
    turnout: Turnout


@dataclass(frozen=True, slots=True)
class _Hour:
    """What holds for the hour that runs, as far as the tallies have come."""

    hour: int
    tallied: int
    off: Mapping[str, frozenset[int]]
    absences: tuple[Absence, ...]
    rhythms: dict[str, tuple[int, Rhythm | None]] = field(default_factory=dict)


class Silence:
    """Learns rhythms when they are asked for; each once an hour, or when its agency has spoken."""

    def __init__(self) -> None:
        self._held: _Hour | None = None

    def rhythms(
        self, connection: Connection, spoke: Mapping[str, int], *, now: int
    ) -> dict[str, Rhythm]:
        """The rhythms of agencies that have one. `spoke`: agency → hubtime of its last event."""
        held = self._hour(connection, now)
        found = {}
        for agency, moment in spoke.items():
            last = moment // sql.HOUR
            known = held.rhythms.get(agency)
            if known is None or known[0] != last:
                tallies = sql.tallies_of(connection, agency)
                off = held.off.get(agency[:2], frozenset())
                known = last, rhythm(tallies, last=last, hour=held.hour, off=off)
                held.rhythms[agency] = known
            if known[1] is not None:
                found[agency] = known[1]
        return found

    def absences(self, connection: Connection, *, now: int) -> tuple[Absence, ...]:
        """The provinces whose agencies are away together."""
        return self._hour(connection, now).absences

    def _hour(self, connection: Connection, now: int) -> _Hour:
        hour, tallied = now // sql.HOUR, sql.tallied(connection, SHARD).hubtime // sql.HOUR
        held = self._held
        if held is None or (held.hour, held.tallied) != (hour, tallied):
            held = self._held = _learn(connection, hour, tallied)
        return held


def _learn(connection: Connection, hour: int, tallied: int) -> _Hour:
    today = day_of(hour)
    since = hour - KEPT_HOURS
    whole = _speakers(connection, since=since, before=24)
    so_far = _speakers(connection, since=since, before=(hour + BEIJING) % 24)
    off, absences = {}, []
    for province, speakers in whole.items():
        past = {day: count for day, count in speakers.items() if day < today}
        present = so_far.get(province, {})
        away = days_off(past, until=today)
        off[province] = away | {today} if turnout(present, today).off else away
        absence = _absence(province, past, present, today)
        if absence is not None:
            absences.append(absence)
    return _Hour(hour, tallied, off, tuple(absences))


def _absence(
    province: str, past: Mapping[int, int], present: Mapping[int, int], today: int
) -> Absence | None:
    """Whether most were away on the last day on which many usually speak; today counts so far."""
    seen = [(today, turnout(present, today))]
    seen += [(day, turnout(past, day)) for day in range(today - 1, today - 8, -1)]
    day, last = next(((d, t) for d, t in seen if t.usual >= MANY), seen[0])
    return Absence(f"{province}0000", day, last) if last.off else None


def _speakers(connection: Connection, *, since: int, before: int) -> dict[str, dict[int, int]]:
    """By province: day → how many agencies spoke before that hour of the day."""
    rows = sql.speakers(connection, since=since, before=before, ahead=BEIJING)
    by_province = groupby(sorted(rows), key=itemgetter(0))
    return {province: {day: count for _, day, count in days} for province, days in by_province}
