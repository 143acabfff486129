"""The messages of the AsyncAPI document: every version, as published and as handed over."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from contracts.asyncapi.schemas import (
    EVENT,
    HEADERS,
    PAYLOAD_TYPE,
    VIEW,
    VIEW_HEADERS,
    named,
    reference,
)
from contracts.contract import Contract

Json = dict[str, Any]

STRUCTURED_TYPE: Final = "application/cloudevents+json"
# How a message's name ends: a view, and either of them with its attributes as headers.
VIEWED: Final = ".view"
BINARY: Final = ".binary"
REFUSAL: Final = "refusal"
KAFKA_BINDINGS: Final = "0.5.0"
_KEYED: Final = "keyed"

MESSAGE_BINDINGS: Final[Mapping[str, Json]] = {
    _KEYED: {
        "kafka": {
            "key": {
                "type": ["string", "null"],
                "description": (
                    "案件键 <族>:<案件编号>，同一案件因此在同一分区；报送时建议如此；"
                    "feed 中，看不到案件编号的机构键为空"
                    " / the event's key, by which a case keeps to one partition; in publishing,"
                    " what is advised; in a feed null where the view does not hold the case"
                ),
            },
            "bindingVersion": KAFKA_BINDINGS,
        }
    }
}


def messages(contracts: Iterable[Contract]) -> dict[str, Json]:
    """Four of each version: published or viewed, one document or headers beside a payload."""
    found: dict[str, Json] = {REFUSAL: _refusal()}
    for contract in contracts:
        name, data = named(contract), reference(named(contract))
        told = contract.description_en
        found[name] = _structured(contract, name, EVENT, data, told)
        found[f"{name}{BINARY}"] = _binary(contract, f"{name}{BINARY}", HEADERS, data, told)
        where = f"/v1/contracts/{contract.type}/{contract.version}/view"
        seen = {"type": "object", "description": f"符合 {where} 的视图 / a view, see {where}"}
        told, name = "What one recipient may see of it.", f"{name}{VIEWED}"
        found[name] = _structured(contract, name, VIEW, seen, told)
        found[f"{name}{BINARY}"] = _binary(contract, f"{name}{BINARY}", VIEW_HEADERS, seen, told)
    return found


def _structured(contract: Contract, name: str, envelope: str, data: Json, told: str) -> Json:
    own = {**_fixed(contract), "data": data}
    narrowed = {"properties": own, "required": ["data"]}
    payload = {"allOf": [reference(envelope), narrowed]}
    return _message(contract, name, told, {"contentType": STRUCTURED_TYPE, "payload": payload})


def _binary(contract: Contract, name: str, envelope: str, data: Json, told: str) -> Json:
    own = {f"ce_{attribute}": held for attribute, held in _fixed(contract).items()}
    headers = {"type": "object", "allOf": [reference(envelope), {"properties": own}]}
    parts = {"contentType": PAYLOAD_TYPE, "headers": headers, "payload": data}
    return _message(contract, name, told, parts)


def _fixed(contract: Contract) -> Json:
    return {"type": {"const": contract.type}, "dataschema": {"const": contract.urn}}


def _message(contract: Contract, name: str, told: str, parts: Json) -> Json:
    return {
        "name": name,
        "title": f"{contract.title} / {contract.title_en}",
        "description": told,
        "bindings": {"$ref": f"#/components/messageBindings/{_KEYED}"},
        **parts,
    }


def _refusal() -> Json:
    """What a publisher is told of a record that was refused: the same as over HTTP."""
    text, texts = {"type": "string"}, ("code", "pointer", "message", "message_en")
    fault = {name: text for name in texts} | {"retryable": {"type": "boolean"}}
    told = {
        "source": {"type": ["string", "null"]},
        "id": {"type": ["string", "null"]},
        "status": {"const": "rejected"},
        "receipt": {"type": "null"},
        "errors": {"type": "array", "items": _whole(fault)},
    }
    number = {"type": "string", "pattern": "^[0-9]+$"}
    place = {
        "content-type": {"const": PAYLOAD_TYPE},
        "topic": {"type": "string", "pattern": r"^intake\."},
        "partition": number,
        "offset": number,
    }
    key = {"type": "string", "description": "同原记录 / that of the record"}
    return {
        "name": REFUSAL,
        "title": "退回及其原因 / a refusal and its reasons",
        "description": (
            "头指明是哪一条记录；没有其内容。 / The headers say which record, never its content."
        ),
        "contentType": PAYLOAD_TYPE,
        "headers": _whole(place),
        "payload": _whole(told),
        "bindings": {"kafka": {"key": key, "bindingVersion": KAFKA_BINDINGS}},
    }


def _whole(members: Json) -> Json:
    return {"type": "object", "properties": members, "required": [*members]}
