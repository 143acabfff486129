"""Reading what a request carries, within limits."""

import re
from datetime import datetime
from typing import Final

from starlette.requests import Request

from hub.errors import BadRequest, TooLarge
from hub.event import microseconds

MOST_FORM: Final = 4 * 1024 * 1024
_SECONDS: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?", re.ASCII)


def header(request: Request, name: bytes) -> str | None:
    """The first header of a name in lower case; without the mapping that Starlette makes of all."""
    for given, value in request.scope["headers"]:
        if given == name:
            text: str = value.decode("latin-1")
            return text
    return None


def expected_length(request: Request, *, most: int) -> int:
    """How long the body may become: as it is stated, else `most`."""
    stated = header(request, b"content-length") or ""
    return min(int(stated), most) if stated.isdigit() else most


async def read_body(request: Request, *, most: int = MOST_FORM) -> bytes:
    """The whole body. Raises TooLarge as soon as it is too long, BadRequest if it breaks off."""
    stated = header(request, b"content-length")
    if stated is not None and (not stated.isdigit() or int(stated) > most):
        raise TooLarge(f"{most} bytes")
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("the body broke off")
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > most:
            raise TooLarge(f"{most} bytes")
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def number(request: Request, name: str, *, default: int, most: int) -> int:
    """A whole number from the query, brought within its bounds. Raises BadRequest."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise BadRequest(name)
    return max(1, min(int(text), most))


def place_after(request: Request) -> int:
    """The number that `after` names, 0 for the start of a list. Raises BadRequest."""
    text = request.query_params.get("after", "0")
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise BadRequest("after")
    return int(text)


def moment(request: Request, name: str, *, default: int) -> int:
    """A time from the query, microseconds UTC. Raises BadRequest."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        return microseconds(datetime.fromisoformat(text))
    except (ValueError, TypeError, OverflowError) as malformed:
        raise BadRequest(f"{name}=2026-11-01T00:00:00%2B08:00") from malformed


def seconds(request: Request, name: str, *, most: float) -> float:
    """A time from the query, at most `most` seconds, 0 when it is absent. Raises BadRequest."""
    text = request.query_params.get(name, "0")
    if not _SECONDS.fullmatch(text):
        raise BadRequest(name)
    return min(float(text), most)
