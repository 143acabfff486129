"""The envelope: CloudEvents 1.0 with the extension attributes of this field.

Reading keeps the payload's bytes as they came and the attributes as they were published. The way
is fast where an event has only known attributes, once each; everything else, errors included, goes
the thorough way, which names every fault.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from contracts.agency import AddressError, SourceError, parse_addresses, publisher_of
from contracts.faults import Fault
from contracts.lifetime import CHINA
from contracts.members import written_at_most

Text: TypeAlias = str | UnsetType
Value: TypeAlias = str | bool | int

LONGEST_VALUE: Final = 2048
LONGEST_ID: Final = 256
MOST_EXTENSIONS: Final = 32


class Attributes(Struct, omit_defaults=True, gc=False):
    """The attributes the hub knows; `data` is the payload's bytes, taken out after reading."""

    specversion: str
    id: str
    source: str
    type: str
    time: str
    dataschema: str
    datacontenttype: Text = UNSET
    subject: Text = UNSET
    region: Text = UNSET
    to: Text = UNSET
    cc: Text = UNSET
    phase: Text = UNSET
    correlationid: Text = UNSET
    causationid: Text = UNSET
    roundid: Text = UNSET
    dataclassification: Text = UNSET
    classperiod: Text = UNSET
    caveats: Text = UNSET
    replydue: Text = UNSET
    supersedes: Text = UNSET
    resendof: Text = UNSET
    sequence: Text = UNSET
    expirytime: Text = UNSET
    partitionkey: Text = UNSET
    traceparent: Text = UNSET
    tracestate: Text = UNSET
    recordedtime: Text = UNSET
    data: Raw | UnsetType = UNSET


_DATA: Final = b',"data":'
REQUIRED: Final = ("specversion", "id", "source", "type", "time", "dataschema")
KNOWN: Final = frozenset(Attributes.__struct_fields__) - {"data"}
# What a view may carry: `subject` is free text of the publisher and stays behind.
VIEWED: Final = KNOWN - {"subject"}
# What a resend may change without being another event; the content type is always JSON.
INCIDENTAL: Final = frozenset({"traceparent", "tracestate", "recordedtime", "datacontenttype"})

CAVEATS: Final = ("source-protected", "no-forward", "sealed")
MARKINGS: Final = ("public", "internal", "mimi", "jimi", "juemi")
PHASES: Final = ("plan", "pre", "on", "post", "any")


class Envelope(Struct, frozen=True, gc=False):
    """An event as published: its attributes, the same as a JSON object, the payload's bytes."""

    attributes: Attributes
    encoded: bytes
    data: bytes


_decode = msgspec.json.Decoder(Attributes).decode
_encode = msgspec.json.Encoder().encode
_NAME: Final = re.compile(r"[a-z0-9]{1,20}")
_VISIBLE: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*")
_RECEIPT: Final = re.compile(r"[0-9a-f]{32}")
_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)"
)
_JSON_TYPE: Final = re.compile(r"application/json(?:\s*;\s*charset=\"?utf-8\"?)?", re.IGNORECASE)


def read_structured(document: bytes) -> Envelope | tuple[Fault, ...]:
    """Read an event in CloudEvents' JSON format; all faults of its envelope."""
    try:
        attributes = _decode(document)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return _read_thoroughly(document)
    if attributes.data is UNSET:
        return _read_thoroughly(document)
    data = bytes(attributes.data)
    attributes.data = UNSET
    encoded = _encode(attributes)
    # No JSON text says the same in fewer bytes than `encoded`. A document that is no longer than
    # that, with its payload, has room neither for an unknown member nor for one written twice.
    if len(document) != len(encoded) + len(_DATA) + len(data) and _writes_more(
        document, encoded, data
    ):
        return _read_thoroughly(document)
    faults = tuple(attribute_faults(attributes, encoded))
    return faults or Envelope(attributes, encoded, data)


def read_members(members: Mapping[str, Value], data: bytes) -> Envelope | tuple[Fault, ...]:
    """Build an event from its attributes and payload; all faults of its envelope."""
    faults = [*_member_faults(members)]
    if not data:
        faults.append(_required("data"))
    if faults:
        return tuple(faults)
    known = {name: value for name, value in members.items() if name in KNOWN}
    attributes = msgspec.convert(known, Attributes)
    encoded = _encode(members)
    faults.extend(attribute_faults(attributes, encoded))
    return tuple(faults) or Envelope(attributes, encoded, data)


def attribute_faults(attributes: Attributes, encoded: bytes) -> list[Fault]:
    """What is wrong with known attributes, each by its own rule; `encoded` is their JSON."""
    short = len(encoded) <= LONGEST_VALUE
    judge = _faults_of_repeated if short else _faults_of_repeated.__wrapped__
    faults = list(judge(*_repeated(attributes)))
    if not 1 <= len(attributes.id) <= LONGEST_ID:
        faults.append(_ID_LENGTH)
    if not is_time(attributes.time):
        faults.append(_not_a_time("time"))
    for name, time in (
        ("expirytime", attributes.expirytime),
        ("recordedtime", attributes.recordedtime),
    ):
        if time is not UNSET and not is_time(time):
            faults.append(_not_a_time(name))
    if attributes.causationid is not UNSET and not _RECEIPT.fullmatch(attributes.causationid):
        faults.append(_RECEIPT_FORMAT)
    # JSON escapes all control characters but DEL; short ASCII without either needs no second look.
    if not short or not encoded.isascii() or b"\\" in encoded or b"\x7f" in encoded:
        for name in KNOWN:
            value = getattr(attributes, name)
            if value is not UNSET:
                faults.extend(_text_faults(name, value))
    return faults


def _writes_more(document: bytes, encoded: bytes, data: bytes) -> bool:
    """Whether `document` may write members beside those of `encoded`, of its payload and `data`."""
    # Without a backslash `encoded` has a `":` for each member and no other.
    around = written_at_most(document) - written_at_most(data)
    return b"\\" in encoded or around != encoded.count(b'":') + 1


@lru_cache(maxsize=4096)
def _faults_of_repeated(specversion: str, source: str, *others: Text) -> tuple[Fault, ...]:
    """The faults of the attributes that a publisher repeats from event to event."""
    faults = []
    if specversion != "1.0":
        faults.append(_fault("specversion", "specversion", "须为 1.0", "must be 1.0"))
    try:
        publisher_of(source)
    except SourceError:
        faults.append(_SOURCE_FORMAT)
    for (name, holds), value in zip(_RULES.items(), others, strict=True):
        if value is not UNSET and not holds(value):
            faults.append(_FAULTS[name])
    return tuple(faults)


def moment_of(time: str) -> datetime:
    """An RFC 3339 time that passed the check, with its offset."""
    return datetime.fromisoformat(time.upper())


def day_of(time: str) -> date:
    """The day of an RFC 3339 time that passed the check, as it is in China."""
    if time.endswith("+08:00"):
        return date.fromisoformat(time[:10])
    moment = moment_of(time)
    try:
        return moment.astimezone(CHINA).date()
    except OverflowError:  # on the first or last day of all years
        return moment.date()


def _read_thoroughly(document: bytes) -> Envelope | tuple[Fault, ...]:
    try:
        raw: dict[str, Raw] = msgspec.json.decode(document, type=dict[str, Raw])
        pairs = json.loads(document.decode(), object_pairs_hook=list)
    except RecursionError:
        return (TOO_DEEP,)
    except (ValueError, msgspec.MsgspecError):
        return (_NOT_AN_EVENT,)
    if len(pairs) != len(raw):
        return (DOUBLED,)
    members = {name: value for name, value in pairs if name != "data"}
    return read_members(members, bytes(raw["data"]) if "data" in raw else b"")


def _member_faults(members: Mapping[str, Any]) -> Iterator[Fault]:
    for name in REQUIRED:
        if name not in members:
            yield _required(name)
    if "data_base64" in members:
        yield Fault(
            "data_base64", "/data_base64", "数据须为 JSON，不接受 data_base64", "data must be JSON"
        )
    extensions = members.keys() - KNOWN - {"data_base64"}
    if len(extensions) > MOST_EXTENSIONS:
        yield Fault(
            "too_many", "", f"扩展属性过多（最多 {MOST_EXTENSIONS} 个）", "too many extensions"
        )
    if any(name.startswith("hub") for name in extensions):
        yield Fault(
            "attribute_reserved", "", "hub 开头的属性由系统填写，请删除", "hub… is set by the hub"
        )
    if not all(_NAME.fullmatch(name) and name != "data" for name in extensions):
        yield Fault(
            "attribute_name",
            "",
            "扩展属性名须为 1 至 20 个小写字母或数字",
            "extension names are 1 to 20 lower-case letters or digits",
        )
    for name in members.keys() & KNOWN:
        if not isinstance(members[name], str):
            yield Fault("type", f"/{name}", "应为文本", "must be a string")
    for name in extensions:
        yield from _extension_faults(members[name])


def _extension_faults(value: object) -> Iterator[Fault]:
    if isinstance(value, str):
        yield from _text_faults("", value)
    elif not isinstance(value, bool | int) or not -(2**31) <= value < 2**31:
        yield Fault(
            "type",
            "",
            "扩展属性值须为文本、布尔或整数",
            "extensions are strings, booleans, integers",
        )


def _text_faults(name: str, value: str) -> Iterator[Fault]:
    pointer = f"/{name}" if name else ""
    if len(value) > LONGEST_VALUE:
        yield Fault(
            "too_long", pointer, f"内容过长（最多 {LONGEST_VALUE} 字）", "the value is too long"
        )
    if not _VISIBLE.fullmatch(value):
        yield Fault(
            "control_character", pointer, "含有控制字符", "control characters are not allowed"
        )


def is_time(value: str) -> bool:
    """Whether a value is an RFC 3339 time with its offset."""
    if not _RFC3339.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        return False
    return True


def _are_addresses(value: str) -> bool:
    try:
        parse_addresses(value)
    except AddressError:
        return False
    return True


def _are_caveats(value: str) -> bool:
    words = value.split(" ")
    return len(words) == len(set(words)) and set(words) <= set(CAVEATS)


def _fault(code: str, name: str, message: str, message_en: str) -> Fault:
    return Fault(code, f"/{name}", message, message_en)


def _required(name: str) -> Fault:
    return _fault("required", name, "缺少必填项", "this attribute is required")


def _not_a_time(name: str) -> Fault:
    return _fault(
        "time_format",
        name,
        "时间须符合 RFC 3339 并带时区，如 2026-11-01T09:00:00+08:00",
        "an RFC 3339 time with its offset, such as 2026-11-01T09:00:00+08:00",
    )


_ADDRESSES = ("收件地址格式不对或过多", "not a list of addresses, or too many")
_RULES: Final[Mapping[str, Callable[[str], bool]]] = {
    "datacontenttype": lambda value: _JSON_TYPE.fullmatch(value) is not None,
    "region": lambda value: len(value) == 6 and value.isdigit() and value.isascii(),
    "to": _are_addresses,
    "cc": _are_addresses,
    "phase": PHASES.__contains__,
    "dataclassification": MARKINGS.__contains__,
    "caveats": _are_caveats,
}
_repeated: Final = attrgetter("specversion", "source", *_RULES)
_FAULTS: Final = {
    "datacontenttype": _fault(
        "content_type",
        "datacontenttype",
        "数据须为 UTF-8 的 application/json",
        "must be application/json, UTF-8",
    ),
    "region": _fault(
        "region_unknown", "region", "行政区划代码须为 6 位数字", "a region code has 6 digits"
    ),
    "to": _fault("address_format", "to", *_ADDRESSES),
    "cc": _fault("address_format", "cc", *_ADDRESSES),
    "phase": _fault(
        "value_not_allowed", "phase", f"可用：{'、'.join(PHASES)}", f"one of {', '.join(PHASES)}"
    ),
    "dataclassification": _fault(
        "classification_unknown",
        "dataclassification",
        f"密级标识不认识，可用：{'、'.join(MARKINGS)}",
        f"unknown marking; one of {', '.join(MARKINGS)}",
    ),
    "caveats": _fault(
        "caveat_unknown",
        "caveats",
        f"处理要求不认识或重复，可用：{'、'.join(CAVEATS)}（以空格分隔）",
        f"unknown or repeated caveat; of {', '.join(CAVEATS)}, separated by spaces",
    ),
}
_ID_LENGTH: Final = _fault(
    "id_length", "id", f"须为 1 至 {LONGEST_ID} 个字符", f"1 to {LONGEST_ID} characters"
)
_SOURCE_FORMAT: Final = _fault(
    "source_format",
    "source",
    "source 须为 /<机构编号>[/<系统>…]",
    "source must be /<agency id>[/<system>…]",
)
_RECEIPT_FORMAT: Final = _fault(
    "receipt_format",
    "causationid",
    "须为所答复事件的回执号（hubreceipt）",
    "must be the opening's receipt id",
)
TOO_DEEP: Final = Fault("too_deep", "", "JSON 嵌套过深", "the JSON is nested too deeply")
_NOT_AN_EVENT: Final = Fault(
    "json_invalid", "", "不是合法的 JSON 对象", "not a JSON object in UTF-8"
)
DOUBLED: Final = Fault(
    "duplicate_member",
    "",
    "同一对象中有重名成员，请只保留一个",
    "a member name stands twice: keep one",
)
