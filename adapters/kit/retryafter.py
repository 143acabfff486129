"""How long a server asks to be left alone."""

from email.utils import parsedate_to_datetime


def seconds_asked(written: str, now: float) -> float | None:
    """The seconds that a `Retry-After` asks for, which may be a number or a date; None for what is
    neither. `now` is in seconds since 1970."""
    if written.isascii() and written.isdigit() and len(written) < 9:
        return float(written)
    try:
        return max(parsedate_to_datetime(written).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError):
        return None
