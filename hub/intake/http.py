"""The CloudEvents HTTP binding: a request's headers and body → the events it carries.

Knows no web framework: headers come as lower-case byte pairs.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Raw

from hub.errors import BatchMalformed, HeaderMalformed, TooDeep, TooLarge, UnsupportedMediaType
from hub.intake.forms import BATCH, PAYLOAD, STRUCTURED, media_type, read_document, read_parts
from hub.intake.limits import Limits, items_of
from hub.intake.submitted import Submitted

Headers = Iterable[tuple[bytes, bytes]]

_BAD_PERCENT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_split = msgspec.json.Decoder(list[Raw]).decode


def read_events(headers: Headers, body: bytes, limits: Limits) -> Sequence[Submitted]:
    """The events of a request, in order; those that cannot be read as flawed.

    Raises UnsupportedMediaType, BatchMalformed, HeaderMalformed, TooLarge or TooDeep for the
    request as a whole.
    """
    pairs = [(name, value) for name, value in headers]
    media = media_type([value for name, value in pairs if name == b"content-type"])
    if media is None:
        raise UnsupportedMediaType("UTF-8")
    if media == BATCH:
        return _read_batch(body, limits)
    if media == STRUCTURED:
        return [read_document(body, limits)]
    if media == PAYLOAD:
        return [read_parts(_attributes(pairs), body, limits)]
    raise UnsupportedMediaType(f"{BATCH}, {STRUCTURED}, {PAYLOAD} + ce-*")


def _read_batch(body: bytes, limits: Limits) -> Sequence[Submitted]:
    try:
        events = [bytes(event) for event in _split(body)]
    except RecursionError as deep:
        raise TooDeep from deep
    except (msgspec.MsgspecError, UnicodeDecodeError) as malformed:
        # One event that is no JSON must not take the others with it.
        found = items_of(body)
        if found is None:
            raise BatchMalformed from malformed
        events = found
    if len(events) > limits.batch:
        raise TooLarge(f"{limits.batch} events")
    return [read_document(event, limits) for event in events]


def _attributes(pairs: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """The attributes that headers carry."""
    attributes: dict[str, str] = {}
    for name, value in pairs:
        if name.startswith(b"ce-"):
            attribute = name[3:].decode("latin-1")
            if attribute in attributes or attribute == "datacontenttype":
                raise HeaderMalformed
            attributes[attribute] = _decoded(value)
        elif name == b"content-type":
            attributes["datacontenttype"] = value.decode("latin-1")
    return attributes


def _decoded(value: bytes) -> str:
    """One percent-decoding of UTF-8, and nothing else."""
    if not value.isascii() or _BAD_PERCENT.search(value):
        raise HeaderMalformed
    try:
        return unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError as malformed:
        raise HeaderMalformed from malformed
