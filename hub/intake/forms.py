"""An event in either form of CloudEvents, whichever binding brought it: one document, or attributes
beside a payload. Reading raises nothing: what cannot be read is flawed.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw

from contracts.agency import SourceError, publisher_of
from contracts.envelope import (
    DOUBLED,
    LONGEST_ID,
    TOO_DEEP,
    Envelope,
    read_members,
    read_structured,
)
from contracts.faults import Fault
from hub.intake.limits import Limits, has_more_values, is_deeper
from hub.intake.submitted import Flawed, Submitted

BATCH: Final = "application/cloudevents-batch+json"
STRUCTURED: Final = "application/cloudevents+json"
PAYLOAD: Final = "application/json"
_MEDIA: Final = re.compile(
    r"\s*([\w.+-]+/[\w.+-]+)\s*(?:;\s*charset\s*=\s*\"?([\w-]+)\"?\s*)?", re.ASCII
)


def media_type(stated: Sequence[bytes]) -> str | None:
    """The media type that is stated, in lower case; None unless it is one, of UTF-8."""
    match = _MEDIA.fullmatch(stated[0].decode("latin-1")) if len(stated) == 1 else None
    if match is None or (match[2] or "utf-8").lower() not in ("utf-8", "utf8"):
        return None
    return match[1].lower()


def read_document(document: bytes, limits: Limits) -> Submitted:
    """An event in the structured form."""
    if len(document) > limits.event:
        return Flawed(None, None, (_too_large("", limits.event),))
    if is_deeper(document, limits.depth):
        return Flawed(None, None, (TOO_DEEP,))
    read = read_structured(document)
    if not isinstance(read, Envelope):
        members = _members_in(document)
        # Of a member written twice nobody can say which one was meant.
        data = None if DOUBLED in read else members.get("data")
        return _flawed(members, data, read, limits)
    return _with_data_checked(read, limits)


def read_parts(members: Mapping[str, Any], data: bytes, limits: Limits) -> Submitted:
    """An event in the binary form: its attributes by name, its payload."""
    if len(data) > limits.data:
        return _flawed(members, None, (_too_large("/data", limits.data),), limits)
    if is_deeper(data, limits.depth):
        return _flawed(members, None, (TOO_DEEP,), limits)
    read = read_members(members, data)
    if not isinstance(read, Envelope):
        return _flawed(members, data, read, limits)
    return _with_data_checked(read, limits)


def _with_data_checked(envelope: Envelope, limits: Limits) -> Submitted:
    fault = _fault_of_size(envelope.data, limits)
    if fault is None:
        return envelope
    return Flawed(envelope.attributes.source, envelope.attributes.id, (fault,))


def _fault_of_size(data: bytes, limits: Limits) -> Fault | None:
    if len(data) > limits.data:
        return _too_large("/data", limits.data)
    if has_more_values(data, limits.values):
        return Fault(
            "too_many",
            "/data",
            f"数据项过多（最多 {limits.values} 项）；大件请以 DocRef 引用",
            f"more than {limits.values} values: refer to large things by DocRef",
        )
    return None


def _flawed(
    members: Mapping[str, Any], data: object, faults: tuple[Fault, ...], limits: Limits
) -> Flawed:
    """What can be told of an event with these members, whatever their types."""
    source, event_id, dataschema = (members.get(n) for n in ("source", "id", "dataschema"))
    try:
        publisher_of(source if isinstance(source, str) else "")
    except SourceError:
        source = None
    tellable = isinstance(event_id, str) and len(event_id) <= LONGEST_ID and event_id.isprintable()
    return Flawed(
        source=source,
        id=event_id if tellable else None,
        faults=faults,
        dataschema=dataschema if isinstance(dataschema, str) else None,
        data=data if isinstance(data, bytes) and not _fault_of_size(data, limits) else None,
    )


def _members_in(document: bytes) -> dict[str, Any]:
    """The members of an event that has faults: texts, and `data` as bytes."""
    try:
        members = msgspec.json.decode(document, type=dict[str, Raw])
        values = {name: msgspec.json.decode(raw) for name, raw in members.items() if name != "data"}
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return {}
    return values | ({"data": bytes(members["data"])} if "data" in members else {})


def _too_large(pointer: str, limit: int) -> Fault:
    return Fault(
        "event_too_large",
        pointer,
        f"超过上限 {limit} 字节；大件请以 DocRef 引用",
        f"larger than {limit} bytes: refer to large things by DocRef",
    )
