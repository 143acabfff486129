"""The CloudEvents Kafka binding: a record's headers and value → the event it carries.

Knows no client library. A topic is its agency's own, so its name says who speaks. Reading raises
nothing: what cannot be read is flawed, and its errors say so as those of an event do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts.faults import Fault
from hub.intake.forms import PAYLOAD, STRUCTURED, media_type, read_document, read_parts
from hub.intake.limits import Limits
from hub.intake.submitted import Flawed, Submitted

DOORS: Final = "intake."
ANSWERS: Final = "rejected."
# Of every door, whichever agency's.
PATTERN: Final = r"^intake\..+"
_ATTRIBUTE: Final = "ce_"

# A name, and its value: Kafka tells a value that is none from one that is empty.
Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it came; `at` is its time in milliseconds since 1970.

    `headers` is None where not even its parts can be told.
    """

    topic: str
    partition: int
    offset: int
    at: int
    key: bytes | None
    headers: Headers | None
    value: bytes | None

    @property
    def size(self) -> int:
        """Its bytes, those of its headers included."""
        around = sum(len(name) + len(value or b"") for name, value in self.headers or ())
        return len(self.key or b"") + len(self.value or b"") + around


def agency_of(topic: str) -> str:
    """Whose a door is."""
    return topic.removeprefix(DOORS)


def read_record(record: Record, limits: Limits) -> Submitted:
    """The event that a record carries."""
    if record.headers is None:
        return Flawed(None, None, (_UNREADABLE,))
    stated = [value or b"" for name, value in record.headers if name == "content-type"]
    media = media_type(stated)
    attributed = any(name.startswith(_ATTRIBUTE) for name, _ in record.headers)
    # Without attributes a payload is no event. CloudEvents' SDK for Python, up to 1.x, writes a
    # document under the media type of its payload.
    if media == STRUCTURED or (media == PAYLOAD and not attributed):
        return read_document(record.value or b"", limits)
    if media != PAYLOAD:
        return Flawed(None, None, (_MEDIA_TYPE,))
    attributes = _attributes(record.headers, stated[0])
    if attributes is None:
        return Flawed(None, None, (_HEADERS,))
    return read_parts(attributes, record.value or b"", limits)


def _attributes(headers: Headers, media: bytes) -> dict[str, str] | None:
    """The attributes that headers carry, UTF-8 as it is; None where they cannot be told."""
    attributes = {"datacontenttype": media.decode("latin-1")}
    for name, value in headers:
        if name.startswith(_ATTRIBUTE):
            attribute = name.removeprefix(_ATTRIBUTE)
            if attribute in attributes or value is None:
                return None
            try:
                attributes[attribute] = value.decode()
            except UnicodeDecodeError:
                return None
    return attributes


_MEDIA_TYPE: Final = Fault(
    "unsupported_media_type",
    "",
    "须有一个 UTF-8 的头 content-type：application/cloudevents+json，"
    "或 application/json 并以 ce_ 开头的头携带属性；一条记录一个事件，不接受批",
    "one header content-type in UTF-8: application/cloudevents+json, or application/json with the"
    " attributes in ce_ headers; a record carries one event, never a batch",
)
_HEADERS: Final = Fault(
    "header_malformed",
    "",
    "ce_ 开头的头须为 UTF-8，各出现一次；内容类型只写在 content-type",
    "ce_ headers are UTF-8, once each; the content type stands in content-type alone",
)
_UNREADABLE: Final = Fault(
    "record_unreadable",
    "",
    "记录（或同批中在它之前的）无法解析：头的名称须为 UTF-8，压缩只用 gzip 或不压缩；改后重发",
    "the record, or one before it in its batch, cannot be parsed: names of headers are UTF-8,"
    " compression is gzip or none; send it again so",
)
