"""Events as bytes: the payload in the contract's order, the envelope around it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from adapters.kit.port import Translated
from contracts.contract import Contract
from contracts.fields import Field

_ORDER: Final = (
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "datacontenttype",
    "dataschema",
    "region",
    "to",
    "cc",
    "correlationid",
    "supersedes",
)


def payload_bytes(contract: Contract, payload: Mapping[str, Any]) -> bytes:
    """A payload as compact JSON, members in the contract's order, without those that are None.

    Raises ValueError for a member that the contract does not declare.
    """
    return _compact(_ordered(payload, contract.fields))


def contract_attributes(contract: Contract) -> dict[str, str]:
    """The attributes that every event of a contract has."""
    return {
        "specversion": "1.0",
        "type": contract.type,
        "dataschema": contract.urn,
        "datacontenttype": "application/json",
    }


def event_id(translated: Translated) -> str:
    """The native number and a digest of the data: what is corrected gets another id."""
    return f"{translated.native}-{hashlib.sha256(translated.data).hexdigest()[:12]}"


def sealed(translated: Translated, **added: str | None) -> bytes:
    """The whole event as structured CloudEvents JSON; `data` stands in it byte for byte."""
    attributes = {**translated.attributes, **{k: v for k, v in added.items() if v is not None}}
    known = {name: attributes.pop(name) for name in _ORDER if name in attributes}
    envelope = _compact(known | dict(sorted(attributes.items())))
    return envelope[:-1] + b',"data":' + translated.data + b"}"


def _ordered(value: Mapping[str, Any], fields: tuple[Field, ...]) -> dict[str, Any]:
    undeclared = value.keys() - {field.name for field in fields}
    if undeclared:
        raise ValueError(f"not in the contract: {', '.join(sorted(undeclared))}")
    return {
        field.name: _part(value[field.name], field)
        for field in fields
        if value.get(field.name) is not None
    }


def _part(value: Any, field: Field) -> Any:
    if not field.parts:
        return value
    if field.many:
        return [_ordered(item, field.parts) for item in value]
    return _ordered(value, field.parts)


def _compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
