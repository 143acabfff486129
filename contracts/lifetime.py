"""Until when a version of a contract may be used, and how its users are told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from email.utils import format_datetime
from typing import Final

# The days of a lifetime are days in China, whatever the machine's own zone.
CHINA: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Until when a version may be used: none of it says "for good".

    `deprecated`: from that day publishers and subscribers are told to move on; `sunset`: from that
    day nothing is published under it; `successor`: what to use instead, as `clue.transferred 2.0`.
    """

    deprecated: date | None = None
    sunset: date | None = None
    successor: str | None = None


def morning(day: date) -> datetime:
    """The moment that a day begins."""
    return datetime.combine(day, time(), CHINA)


def told_in_headers(lifetimes: Iterable[Lifetime]) -> dict[str, str]:
    """HTTP headers that tell users of these when the first of them goes (RFC 9745, RFC 8594)."""
    found = list(lifetimes)
    headers: dict[str, str] = {}
    deprecated = [one.deprecated for one in found if one.deprecated is not None]
    if deprecated:
        headers["Deprecation"] = f"@{int(morning(min(deprecated)).timestamp())}"
    sunset = [one.sunset for one in found if one.sunset is not None]
    if sunset:
        moment = morning(min(sunset)).astimezone(UTC)
        headers["Sunset"] = format_datetime(moment, usegmt=True)
    return headers
