"""Days, months and moments as people and systems write them, in half-width text.

A moment without an offset is Beijing time. What is not certain is None, never a guess.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

BEIJING: Final = timezone(timedelta(hours=8))
_WEEKDAY: Final = r"(?:\s*\(?(?:星期|周)[一二三四五六日天]\)?)?"
_HOUR: Final = (
    r"(?:[T\s]*(上午|下午)?\s*([0-9]{1,2})[:时点](?:([0-9]{1,2})"
    r"(?:[:分]([0-9]{1,2})(?:\.[0-9]+)?秒?|分)?)?\s*(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_WRITTEN: Final = re.compile(
    r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*[日号]?" + _WEEKDAY + _HOUR
)
_COMPACT: Final = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:[T\s]?([0-9]{2}):?([0-9]{2}):?([0-9]{2})(?:[0-9]{3})?)?"
)
_MONTH: Final = re.compile(r"([0-9]{4})(?:\s*[-/.年]\s*([0-9]{1,2})月?|([0-9]{2}))")
# A spreadsheet counts days; five digits only, because four may as well be a year.
_SERIAL: Final = re.compile(r"[1-7][0-9]{4}(?:\.[0-9]{1,16})?")
_SERIAL_ZERO: Final = datetime(1899, 12, 30, tzinfo=BEIJING)
_TWO_DIGITS: Final = re.compile(
    r"[0-9]{1,2}[-/.年][0-9]{1,2}(?:[-/.月][0-9]{1,2}日?(?:[T\s].*)?|月)?"
)
# Longer is no day, however the blanks in it stand.
_LONGEST: Final = 48
_HAN_DAY: Final = re.compile(
    r"([〇○零一二三四五六七八九]{4})年(正|[一二三四五六七八九十]{1,2})月"
    r"(?:([一二三四五六七八九十]{1,3})[日号])?"
)
_HAN: Final = "〇一二三四五六七八九"


def moment_of(written: str, *, serial: bool = False) -> datetime | None:
    """The moment, or the beginning of the day; with `serial` also of a spreadsheet's day number."""
    if len(written) > _LONGEST:
        return None
    if serial and _SERIAL.fullmatch(written):
        days = Decimal(written)
        seconds = round((days % 1) * 86_400)
        return _SERIAL_ZERO + timedelta(days=int(days), seconds=seconds)
    written = _arabic(written)
    if match := _WRITTEN.fullmatch(written):
        *day, half, hour, minute, second, offset = match.groups()
        return _moment([*day, hour, minute, second], half, offset)
    if match := _COMPACT.fullmatch(written):
        return _moment(list(match.groups()))
    return None


def day_of(written: str) -> date | None:
    """The day, in Beijing, in any form that occurs but a spreadsheet's day number."""
    moment = moment_of(written)
    return moment.date() if moment else None


def month_of(written: str, *, serial: bool = False) -> date | None:
    """The first of the month, of a month or a day.

    `1972.1` is none: a spreadsheet makes it of 1972.10 too.
    """
    moment = moment_of(written, serial=serial)
    if moment is not None:
        return moment.date().replace(day=1)
    if len(written) > _LONGEST or lost_a_zero(written):
        return None
    match = _MONTH.fullmatch(_arabic(written))
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2] or match[3]), 1)
    except ValueError:
        return None


def lost_a_zero(written: str) -> bool:
    """Whether this is a month that may have been the tenth before a spreadsheet had it."""
    return re.fullmatch(r"[0-9]{4}\.1", written) is not None


def has_two_digit_year(written: str) -> bool:
    """Whether this is a day or month without its century, or without its year."""
    return _TWO_DIGITS.fullmatch(written) is not None


def may_be_serial(written: str) -> bool:
    """Whether this may be the number by which a spreadsheet counts a day."""
    return _SERIAL.fullmatch(written) is not None


def _moment(
    parts: list[str | None], half: str | None = None, offset: str | None = None
) -> datetime | None:
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    if half is not None and not 1 <= hour <= 12:
        return None
    if half == "下午" and hour < 12:
        hour += 12
    if half == "上午" and hour == 12:
        hour = 0
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=_zone(offset))
        return moment.astimezone(BEIJING)
    except (ValueError, OverflowError):
        return None


def _zone(offset: str | None) -> timezone:
    """Raises ValueError for one of a day or more."""
    if offset is None:
        return BEIJING
    if offset == "Z":
        return UTC
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def _arabic(written: str) -> str:
    """A day as official letters write it (二〇二六年十月三日) in digits; anything else as it is."""
    match = _HAN_DAY.fullmatch(written)
    if match is None:
        return written
    year = "".join(str(_digit(each)) for each in match[1])
    month = 1 if match[2] == "正" else _han_number(match[2])
    day = f"{_han_number(match[3])}日" if match[3] else ""
    return f"{year}年{month}月{day}"


def _han_number(written: str) -> int:
    """A number below 100; 0 for signs in no order that means one."""
    tens, ten, ones = written.partition("十")
    if not re.fullmatch(r"[一二三四五六七八九]?(十[一二三四五六七八九]?)?", written):
        return 0
    if not ten:
        return _digit(written)
    return 10 * (_digit(tens) if tens else 1) + (_digit(ones) if ones else 0)


def _digit(sign: str) -> int:
    return max(_HAN.find(sign), 0)
