"""Values of a database: as JSON has them, as a position keeps them, and how they stand in time."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from adapters.kit.port import CannotRun

# A time without a zone may be anybody's.
FAR_AHEAD: Final = 26 * 3_600.0
# What JSON has as it is.
PLAIN: Final = frozenset({str, int, bool, type(None)})
_BEIJING: Final = timezone(timedelta(hours=8))
_DIGITS: Final = 64
_COMPACT: Final = re.compile(r"[0-9]{14,20}\Z")
_ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def cell(name: str, value: Any) -> Any:
    """A value as JSON has it, exactly; numbers with a point are texts, times too: Beijing's.

    Raises CannotRun for what is no text.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return repr(value)
        case Decimal():
            plain = value.is_finite() and abs(value.adjusted()) < _DIGITS
            return f"{value:f}" if plain else str(value)
        case datetime():
            return _local(value).isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case timedelta() | UUID():
            return str(value)
        case list() | tuple():
            return [cell(name, each) for each in value]
        case dict():
            return {str(member): cell(name, each) for member, each in value.items()}
    raise CannotRun(f"列 {name} 不是文本（{type(value).__name__}），请从 columns 中去掉")


def _local(value: datetime) -> datetime:
    if value.tzinfo is None:
        return value
    try:
        return value.astimezone(_BEIJING).replace(tzinfo=None)
    except OverflowError:
        # The end of all time, which systems write for "never".
        return value.replace(tzinfo=None)


def packed(value: Any) -> list[str] | None:
    """One of a pair, for a position. Raises CannotRun for what has no order of its own."""
    match value:
        case None:
            return None
        case datetime():
            return ["datetime", value.isoformat()]
        case date():
            return ["date", value.isoformat()]
        case int() | str() | Decimal() | UUID():
            return [type(value).__name__.lower(), str(value)]
    kind = type(value).__name__
    raise CannotRun(f"changed、key 应为时间、数字或文本，不能是 {kind}")


_UNPACKED: Final[dict[str, Callable[[str], Any]]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "int": int,
    "str": str,
    "decimal": Decimal,
    "uuid": UUID,
}


def unpacked(packed: list[str] | None) -> Any:
    if packed is None:
        return None
    kind, written = packed
    return _UNPACKED[kind](written)


def _time_of(value: Any) -> datetime | None:
    """The time that a value of `changed` is or says, as texts do that sort by it."""
    match value:
        case datetime():
            return value
        case date():
            return datetime(value.year, value.month, value.day)  # noqa: DTZ001
        case str() if _COMPACT.match(value):
            return _parsed(lambda: datetime.strptime(value[:14], "%Y%m%d%H%M%S"))  # noqa: DTZ007
        case str() if _ISO.match(value):
            return _parsed(lambda: datetime.fromisoformat(value))
    return None


def _parsed(parse: Callable[[], datetime]) -> datetime | None:
    try:
        return parse()
    except ValueError:
        return None


def moment_of(value: Any) -> float | None:
    """Seconds since 1970, by UTC where no zone is told."""
    at = _time_of(value)
    if at is None:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def earlier(value: Any, overlap: int) -> Any:
    """The value of `changed` so much before, in its own form; None where it has no such order."""
    if isinstance(value, int | Decimal):
        return value - overlap
    at, span = _time_of(value), timedelta(seconds=overlap)
    if at is None:
        return None
    match value:
        case datetime():
            return value - span
        case date():
            return (at - span).date()
        case str() if len(value) == 10:
            return (at - span).date().isoformat()
        case str() if _COMPACT.match(value):
            return f"{at - span:%Y%m%d%H%M%S}"
    timespec = "microseconds" if "." in value else "seconds"
    return (at - span).isoformat(sep=value[10], timespec=timespec)
