"""An agency's rhythm and its silences, on invented calendars. Weeks start on Monday 2026-08-03."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, timezone

import pytest

from hub.watch.rhythm import Turnout, day_of, days_off, rhythm, turnout

BEIJING = timezone(timedelta(hours=8))
MONDAY = date(2026, 8, 3)
OFFICE = range(9, 17)


def hour(day: date, of_day: int) -> int:
    """An hour of a Beijing day, since 1970 UTC."""
    moment = datetime(day.year, day.month, day.day, tzinfo=BEIJING) + timedelta(hours=of_day)
    return int(moment.timestamp()) // 3600


def day(week: int, weekday: int) -> date:
    """A day by its week, from 0, and weekday, from Monday as 0."""
    return MONDAY + timedelta(weeks=week, days=weekday)


def office(
    weeks: Iterable[int], *, hours: Iterable[int] = OFFICE, events: int = 5, days: range = range(5)
) -> dict[int, int]:
    """The tallies of an agency that speaks in these hours of the working days."""
    hours = list(hours)
    return {hour(day(w, d), h): events for w in weeks for d in days for h in hours}


def at(tallies: dict[int, int], now: int, *, off: Iterable[date] = ()) -> tuple[bool, float, float]:
    """Whether the agency is silent in an hour, events expected, and the chance of the gap."""
    days = {number(day) for day in off}
    found = rhythm(tallies, last=max(tallies), hour=now, off=days)
    assert found is not None
    return found.silent, round(found.expected, 3), round(found.chance, 6)


def number(day: date) -> int:
    """A day as the tallies count it."""
    return day_of(hour(day, 0))


def test_an_agency_that_speaks_in_office_hours_is_not_missed_at_night_or_on_a_week_end() -> None:
    tallies = office(range(9))
    friday = day(8, 4)
    assert at(tallies, hour(friday, 17)) == (False, 0, 1)
    assert at(tallies, hour(day(9, 0), 0)) == (False, 0, 1)
    assert at(tallies, hour(day(9, 0), 9)) == (False, 0, 1)


def test_only_whole_hours_count() -> None:
    tallies = office(range(9))
    # In the hour from nine to ten nothing is missed yet, however far it has run.
    assert at(tallies, hour(day(9, 0), 9)) == (False, 0, 1)
    assert at(tallies, hour(day(9, 0), 10)) == (False, 5, round(1 / 17, 6))
    # The hour in which it spoke is none of the gap.
    assert at({**tallies, hour(day(9, 0), 9): 1}, hour(day(9, 0), 10)) == (False, 0, 1)


def test_an_agency_that_stops_is_silent_on_the_third_day_in_its_first_usual_hour() -> None:
    tallies = office(range(9))
    monday, tuesday, wednesday = (day(9, n) for n in range(3))
    assert at(tallies, hour(tuesday, 0)) == (False, 40, round(1 / 17, 6))
    assert at(tallies, hour(wednesday, 9)) == (False, 80, round(1 / 17**2, 6))
    assert at(tallies, hour(wednesday, 10)) == (True, 85, round(1 / 17**3, 6))
    # When it speaks again, all is well at once.
    assert at({**tallies, hour(wednesday, 10): 1}, hour(wednesday, 11)) == (False, 0, 1)
    assert at(tallies, hour(monday, 9)) == (False, 0, 1)


def test_many_events_in_one_hour_say_no_more_than_one() -> None:
    """A clerk who sends a hundred rows once a day is missed by the day, not by the row."""
    daily = office(range(9), hours=[15], events=100)
    assert at(daily, hour(day(9, 1), 15)) == (False, 100, round(1 / 17, 6))
    assert at(daily, hour(day(9, 1), 16)) == (False, 200, round(1 / 17**2, 6))
    assert at(daily, hour(day(9, 2), 15)) == (False, 200, round(1 / 17**2, 6))
    assert at(daily, hour(day(9, 2), 16)) == (True, 300, round(1 / 17**3, 6))


def test_each_weekday_has_its_own_rhythm() -> None:
    wednesdays = office(range(9), days=range(2, 3))
    assert at(wednesdays, hour(day(9, 2), 0)) == (False, 0, 1)
    assert at(wednesdays, hour(day(10, 0), 0)) == (False, 40, round(1 / 17, 6))
    assert at(wednesdays, hour(day(11, 2), 10)) == (True, 85, round(1 / 17**3, 6))
    found = [rhythm(wednesdays, last=max(wednesdays), hour=hour(day(9, n), 12)) for n in range(7)]
    assert [r and r.weekday for r in found] == [0, 0, 40, 0, 0, 0, 0]


@pytest.mark.parametrize(("weeks", "learned"), [(1, None), (3, None), (4, 3), (6, 5), (20, 8)])
def test_a_new_agency_has_no_rhythm_before_three_whole_weeks(
    weeks: int, learned: int | None
) -> None:
    # The week that runs is not whole.
    tallies = office(range(weeks))
    found = rhythm(tallies, last=max(tallies), hour=hour(day(weeks + 4, 0), 0))
    assert (found and found.weeks) == learned


def test_an_agency_that_never_spoke_has_no_rhythm() -> None:
    assert rhythm({}, last=hour(MONDAY, 0), hour=hour(day(9, 0), 0)) is None


def test_the_less_is_known_the_longer_it_takes() -> None:
    def days_until_silent(weeks: int) -> int:
        tallies = office(range(weeks))
        rest = (hour(day(weeks, n), 0) for n in range(1, 60))
        return next(n for n, now in enumerate(rest, start=1) if at(tallies, now)[0])

    assert [days_until_silent(weeks) for weeks in (4, 5, 6, 9)] == [4, 4, 3, 3]


def test_a_week_that_was_empty_widens_what_is_usual_but_does_not_blind() -> None:
    tallies = office(w for w in range(9) if w != 6)
    assert at(tallies, hour(day(9, 3), 9)) == (False, 105, round((3 / 17) ** 3, 6))
    assert at(tallies, hour(day(9, 3), 10)) == (True, 109.375, round((3 / 17) ** 4, 6))


def test_an_agency_that_speaks_now_and_then_is_missed_after_many_times_its_usual_pause() -> None:
    seldom = {hour(day(w, w % 5), 10): 1 for w in range(9)}
    rest = [hour(day(9, n), 0) for n in range(200)]
    weeks = next(n for n, now in enumerate(rest) if at(seldom, now)[0]) / 7
    assert 5 < weeks < 9


def test_the_gap_does_not_make_itself_usual() -> None:
    tallies = office(range(9))
    year = at(tallies, hour(day(9 + 52, 0), 0))
    assert year == (True, 52 * 200, 0)


def test_days_on_which_most_were_away_are_neither_held_against_nor_learned_from() -> None:
    tallies = office(range(9))
    holiday = [day(9, n) for n in range(5)]
    assert at(tallies, hour(day(10, 0), 9), off=holiday) == (False, 0, 1)
    # It comes back later than the others.
    assert at(tallies, hour(day(10, 2), 10), off=holiday)[0]

    # Learned from seven weeks instead of eight, of which one was missed.
    tallies = office(w for w in range(9) if w != 6)
    gone = [day(6, n) for n in range(5)]
    assert at(tallies, hour(day(9, 2), 10), off=gone) == (True, 85, round(1 / 15**3, 6))


def test_a_day_off_is_one_on_which_fewer_than_half_as_many_speak_as_usual() -> None:
    speakers = dict(_turnouts(usual=20, weeks=9))
    holiday = [day(6, n) for n in range(5)]
    speakers.update({number(d): 3 for d in holiday})
    del speakers[number(holiday[2])]
    speakers[number(day(7, 0))] = 10
    assert days_off(speakers, until=number(day(9, 0))) == {number(d) for d in holiday}
    assert turnout(speakers, number(holiday[0])) == Turnout(spoke=3, usual=20)
    assert turnout(speakers, number(holiday[2])) == Turnout(spoke=0, usual=20)
    # The day that runs may have none yet.
    assert turnout(speakers, number(day(9, 0))) == Turnout(spoke=0, usual=20)
    assert turnout({}, number(MONDAY)) == Turnout(spoke=0, usual=0)


def test_a_few_agencies_have_no_day_off_in_common() -> None:
    speakers = dict(_turnouts(usual=4, weeks=9))
    speakers[number(day(6, 0))] = 0
    assert days_off(speakers, until=number(day(9, 0))) == frozenset()


def _turnouts(*, usual: int, weeks: int) -> Iterator[tuple[int, int]]:
    for week in range(weeks):
        for n in range(5):
            yield number(day(week, n)), usual
