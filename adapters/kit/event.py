"""Events as bytes: the payload in the contract's order, the envelope around it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from msgspec import json

from adapters.kit.port import Translated
from contracts.contract import Contract
from contracts.fields import Field

_ORDER: Final[tuple[str, ...]] = (
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
    return json.encode(_ordered(payload, _plan(contract)))


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


def receipt_id(source: str, event: str) -> str:
    """The id of the receipt that the hub gives, or gave, for an event."""
    return hashlib.sha256(f"{source}\n{event}".encode()).hexdigest()[:32]


def sealed(translated: Translated, **added: str | None) -> bytes:
    """The whole event as structured CloudEvents JSON; `data` stands in it byte for byte."""
    attributes = {**translated.attributes, **{k: v for k, v in added.items() if v is not None}}
    ordered = {name: attributes[name] for name in _ORDER if name in attributes}
    if len(ordered) < len(attributes):
        ordered |= {name: attributes[name] for name in sorted(attributes.keys() - ordered)}
    return json.encode(ordered)[:-1] + b',"data":' + translated.data + b"}"


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of a payload: its parts in order, none for a plain value; whether it is a list."""

    name: str
    many: bool
    parts: "dict[str, _Member]"


@cache
def _plan(contract: Contract) -> dict[str, _Member]:
    return _members(contract.fields)


def _members(fields: tuple[Field, ...]) -> dict[str, _Member]:
    return {f.name: _Member(f.name, f.many, _members(f.parts)) for f in fields}


def _ordered(value: Mapping[str, Any], members: dict[str, _Member]) -> dict[str, Any]:
    if undeclared := [name for name in value if name not in members]:
        raise ValueError(f"not in the contract: {', '.join(sorted(undeclared))}")
    ordered = {}
    for name, member in members.items():
        part = value.get(name)
        if part is None:
            continue
        if member.parts:
            inner = member.parts
            part = [_ordered(p, inner) for p in part] if member.many else _ordered(part, inner)
        ordered[name] = part
    return ordered
