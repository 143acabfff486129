"""An agency's usual rhythm, and whether it is silent: pure, from tallies and an hour.

Hours are counted from 1970 UTC; days and weekdays are Beijing's, which has no summer time. What is
decided here, and why so, is told in decision 13.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Final

# China's one civil time, hours ahead of UTC.
BEIJING: Final = 8
LEARNED_WEEKS: Final = 8
# With less, a new agency's first pauses would be taken for silence.
LEAST_WEEKS: Final = 3
RARE: Final = 1 / 1000
# Fewer agencies than this have no common day off: each is looked at by itself.
MANY: Final = 5
_WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What an agency usually does, and what that says of its present gap.

    Learned from `weeks` weeks. `weekday`: events that this weekday usually brings. `expected`: the
    events that the whole hours since it last spoke usually bring. `chance`: how likely such a gap
    is.
    """

    weeks: int
    weekday: float
    expected: float
    chance: float

    @property
    def silent(self) -> bool:
        """Whether the gap is too long to have come about by chance."""
        return self.chance <= RARE


@dataclass(frozen=True, slots=True)
class Turnout:
    """How many agencies spoke on a day, and how many do on such a weekday."""

    spoke: int
    usual: int

    @property
    def off(self) -> bool:
        """Whether most were away: a holiday, or a fault that is none of theirs."""
        return self.usual >= MANY and 2 * self.spoke < self.usual


def rhythm(
    tallies: Mapping[int, int], *, last: int, hour: int, off: Collection[int] = ()
) -> Rhythm | None:
    """The rhythm of an agency, None while it is too new to have one.

    `tallies`: hour → events; `last`: the hour in which it last spoke; `hour`: the one that runs;
    `off`: days of which nothing is learned, and that are held against nobody.
    """
    last_day = day_of(last)
    weeks = min(LEARNED_WEEKS, (last_day - day_of(min(tallies, default=last))) // _WEEK)
    if weeks < LEAST_WEEKS:
        return None
    # The gap must not be part of what it is compared with, so learning ends where it begins.
    learned = [d for d in range(last_day - weeks * _WEEK, last_day) if d not in off]
    usual = [_Weekday([d for d in learned if d % _WEEK == n], tallies) for n in range(_WEEK)]
    expected, chance = 0.0, 1.0
    for day, start, end in _gap(last + 1, hour):
        if day not in off:
            expected += usual[day % _WEEK].events(start, end)
            chance *= usual[day % _WEEK].chance_of_none(start, end)
    today = usual[day_of(hour) % _WEEK]
    return Rhythm(weeks, today.events(0, 24), expected, chance)


def turnout(speakers: Mapping[int, int], day: int) -> Turnout:
    """How the day compares with the same weekdays of `speakers`: day → agencies that spoke."""
    days = range(min(speakers, default=day), max(speakers, default=day) + 1)
    others = [speakers.get(d, 0) for d in days if d % _WEEK == day % _WEEK and d != day]
    return Turnout(speakers.get(day, 0), median_low(others) if others else 0)


def days_off(speakers: Mapping[int, int], *, until: int) -> frozenset[int]:
    """The days before `until` on which most agencies were away."""
    days = range(min(speakers, default=until), until)
    return frozenset(day for day in days if turnout(speakers, day).off)


def day_of(hour: int) -> int:
    """The Beijing day of an hour, counted from 1970."""
    return (hour + BEIJING) // 24


class _Weekday:
    """What one weekday brought on the days that were learned from."""

    def __init__(self, days: Sequence[int], tallies: Mapping[int, int]) -> None:
        brought = [[tallies.get(d * 24 + h - BEIJING, 0) for h in range(24)] for d in days]
        self._days = len(days)
        self._events = [sum(hours[h] for hours in brought) for h in range(24)]
        # A bit for each hour in which the agency spoke.
        self._spoke = [sum(1 << h for h in range(24) if hours[h]) for hours in brought]

    def events(self, start: int, end: int) -> float:
        """How many events the hours from `start` to before `end` bring on average."""
        return sum(self._events[start:end]) / max(1, self._days)

    def chance_of_none(self, start: int, end: int) -> float:
        """How likely those hours bring nothing.

        The hours of a day are one observation, since a day off takes them all. Half a miss is
        presumed before one has been seen, so that no day is taken for certain.
        """
        span = (1 << end) - (1 << start)
        missed = sum(not spoke & span for spoke in self._spoke)
        return (2 * missed + 1) / (2 * self._days + 1)


def _gap(start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The hours from `start` to before `end`, day by day: the day, and hours of that day."""
    while start < end:
        day = day_of(start)
        midnight = day * 24 - BEIJING
        until = min(end, midnight + 24)
        yield day, start - midnight, until - midnight
        start = until
