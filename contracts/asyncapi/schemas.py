"""The schemas of the AsyncAPI document: envelopes, their headers, the payloads of all contracts."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from contracts.contract import Contract
from contracts.envelope import KNOWN, REQUIRED, VIEWED
from contracts.outline import own_models, shared_objects
from contracts.publishing import released

Json = dict[str, Any]

EVENT: Final = "CloudEvent"
VIEW: Final = "CloudEventView"
HEADERS: Final = "CloudEventHeaders"
VIEW_HEADERS: Final = "CloudEventViewHeaders"
PAYLOAD_TYPE: Final = "application/json"

_DEFS: Final = "#/$defs/"
_PREFIX: Final = "ce_"
# What the hub adds to what it hands over.
_ADDED: Final[Mapping[str, str]] = {
    "hubreceipt": "受理回执编号 / the receipt of the event",
    "hubtime": "登记时间 / when it was registered",
    "hubposition": "登记位置，可用于去重 / its place in the journal: by it a repeat is known",
    "hubwithheld": "隐去的字段，JSON Pointer，以空格分隔 / pointers of what is withheld",
    "hubconverted": "原来发布的契约版本 / the version that was published, where this is another",
}
_ALWAYS_ADDED: Final = ("hubreceipt", "hubtime", "hubposition")


def named(contract: Contract) -> str:
    """How a contract is called in the document."""
    return f"{contract.type}-{contract.version}"


def reference(name: str) -> Json:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def schemas(contracts: Iterable[Contract]) -> dict[str, Json]:
    """The payloads, and what they refer to: a shared object once, a family's own by its version."""
    found = _envelopes()
    for contract in contracts:
        schema = released(contract)
        definitions: Mapping[str, Json] = schema.pop("$defs", {})
        own = {model.__name__ for model in own_models(contract).values()}
        shared = shared_objects((contract,)).keys() - own
        names = {d: d if d in shared else f"{named(contract)}.{d}" for d in definitions}
        for name, definition in definitions.items():
            written = _rewritten(definition, names)
            if json.dumps(found.setdefault(names[name], written)) != json.dumps(written):
                raise ValueError(f"{names[name]} stands for two things")
        payload = {name: held for name, held in schema.items() if name not in {"$schema", "$id"}}
        found[named(contract)] = _rewritten(payload, names)
    return found


def _envelopes() -> dict[str, Json]:
    """An event and a view, each as one document and as headers beside a payload."""
    published, viewed = _attributes(KNOWN), {**_attributes(VIEWED), **_added()}
    always = (*REQUIRED, *_ALWAYS_ADDED)
    return {
        EVENT: _envelope("CloudEvents 1.0（JSON 格式） / in the JSON format", published, REQUIRED),
        VIEW: _envelope("交付的视图，同上 / a view, as handed over", viewed, always),
        HEADERS: _headers("属性在 ce_ 开头的头中 / attributes as headers", published, REQUIRED),
        VIEW_HEADERS: _headers("视图的属性，同上 / those of a view", viewed, always),
    }


def _attributes(names: Iterable[str]) -> dict[str, Json]:
    members: dict[str, Json] = {name: {"type": "string"} for name in sorted(names)}
    members["specversion"] = {"const": "1.0"}
    members["time"]["format"] = "date-time"
    return members


def _added() -> dict[str, Json]:
    return {name: {"type": "string", "description": told} for name, told in _ADDED.items()}


def _envelope(described: str, members: Mapping[str, Json], required: Iterable[str]) -> Json:
    return {
        "type": "object",
        "description": described,
        "properties": members,
        "required": sorted(required),
    }


def _headers(described: str, members: Mapping[str, Json], required: Iterable[str]) -> Json:
    """CloudEvents' binding for Kafka in its binary mode: UTF-8 as it is, not percent-encoded."""
    own = {f"{_PREFIX}{n}": held for n, held in members.items() if n != "datacontenttype"}
    stated = {"content-type": {"type": "string", "pattern": f"^{PAYLOAD_TYPE}"}}
    needed = ("content-type", *(f"{_PREFIX}{name}" for name in required))
    return _envelope(described, {**stated, **own}, needed)


def _rewritten(value: Any, names: Mapping[str, str]) -> Any:
    """With its references turned to the components; what stands beside one is kept."""
    if isinstance(value, list):
        return [_rewritten(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    written = {name: _rewritten(held, names) for name, held in value.items()}
    if isinstance(value.get("$ref"), str) and value["$ref"].startswith(_DEFS):
        to = reference(names[value["$ref"].removeprefix(_DEFS)])
        others = {name: held for name, held in written.items() if name != "$ref"}
        return {"allOf": [to], **others} if others else to
    return written
