"""Events as bytes: the payload in the contract's order, the envelope around it."""

import hashlib
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final

from msgspec import Struct, ValidationError, convert, defstruct, field, json

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
    try:
        return json.encode(convert(payload, _plan(contract)))
    except ValidationError as error:
        raise ValueError(f"not in the contract: {error}") from None


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
    ordered = {name: attributes[name] for name in _ordered(tuple(attributes))}
    return json.encode(ordered)[:-1] + b',"data":' + translated.data + b"}"


@lru_cache(maxsize=1_000)
def _ordered(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the envelope in its order, and behind them the others."""
    return (*(name for name in _ORDER if name in names), *sorted({*names}.difference(_ORDER)))


@cache
def _plan(contract: Contract) -> type[Struct]:
    plan = _object(contract.type, contract.fields)
    # msgspec learns a type when it is first used, and may crash the process if two threads first
    # use it at once: nobody gets it before that is done.
    convert({}, plan)
    return plan


def _object(name: str, fields: tuple[Field, ...]) -> type[Struct]:
    """What takes the members of an object and writes them in order; what they hold is not judged.

    The names of its own say nothing, for those of members may be any.
    """
    members = [
        (f"member{n}", _held(each) | None, field(default=None, name=each.name))
        for n, each in enumerate(fields)
    ]
    return defstruct(name, members, omit_defaults=True, forbid_unknown_fields=True)


def _held(member: Field) -> Any:
    if not member.parts:
        return Any
    part = _object(member.name, member.parts)
    return list[part] if member.many else part  # type: ignore[valid-type]
