"""CloudEvents' binding for Kafka, on the way out: a page's events → records of a feed's topic.

Binary mode: an attribute a header, the view's payload the value. Knows no client library.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from contracts.catalogue import Catalogue
from contracts.contract import Contract
from contracts.faults import Fault
from hub.backbone.records import Header, headers_of
from hub.delivery.dispatch import Page

FEEDS: Final = "feed."
# A feed has one: its order is the feed's.
PARTITION: Final = 0
TOO_LARGE: Final = Fault(
    "record_too_large",
    "",
    "该事件超过此订阅的 Kafka 主题所能接受的大小，请经 HTTP 取用，或增大主题的 max.message.bytes",
    "the event is larger than this subscription's topic of Kafka takes: ask for it over HTTP, or"
    " raise the topic's max.message.bytes",
)
_WITHHELD: Final = "hubwithheld"
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_attribute = msgspec.json.Decoder(str | bool | int).decode
_value = msgspec.json.Decoder().decode


class FeedRecord(Struct, frozen=True, gc=False):
    """What is written of one event; `version` and whether fields are `withheld` are its view's."""

    position: int
    version: str
    withheld: bool
    key: bytes | None
    value: bytes
    headers: list[Header]


def topic_of(agency: str, id_: str) -> str:
    """The topic of a subscription; its id is what stands behind the last dot."""
    return f"{FEEDS}{agency}.{id_}"


def records_of(page: Page, catalogue: Catalogue) -> list[FeedRecord]:
    """What a page hands over, in its order."""
    return [
        _record(position, _members(document), catalogue)
        for position, document in zip(page.delivered, page.documents, strict=True)
    ]


def _record(position: int, document: dict[str, Raw], catalogue: Catalogue) -> FeedRecord:
    data = bytes(document.pop("data"))
    attributes = {name: _attribute(value) for name, value in document.items()}
    version = str(attributes["dataschema"]).rpartition(":")[2]
    contract = catalogue.find(str(attributes["type"]), version)
    return FeedRecord(
        position=position,
        version=version,
        withheld=_WITHHELD in attributes,
        key=None if contract is None else _key(contract, data),
        value=data,
        headers=list(headers_of(attributes)),
    )


def _key(contract: Contract, data: bytes) -> bytes | None:
    """The event's key, of what the recipient may see: none, where that does not hold the case."""
    value: Any = _value(data)
    for step in contract.key.split("/")[1:]:
        value = value.get(step) if isinstance(value, dict) else None
    return None if value is None else f"{contract.family}:{value}".encode()
