"""The JSON Schema of views: what is left of a payload for a recipient who may not see all of it."""

from collections.abc import Mapping, Set
from typing import Any

from contracts.classes import CLASS_KEYWORD, F0
from contracts.contract import Contract

Schema = dict[str, Any]


def view_schema(contract: Contract) -> Schema:
    """The contract's schema with every member optional that may be withheld; all else stands.

    A view drops whole members and alters no value. A grant may lack F0 too, so nothing is sure to
    be seen at the top. A member declared F0 inside a withheld object goes with that object, so it
    stays required where the object is seen. Defaults of optional
    members are left out: in a view, absent may mean withheld.
    """
    schema = contract.schema()
    definitions: Mapping[str, Schema] = schema.get("$defs", {})
    _loosen(schema, set(schema.get("properties", ())))
    for part in definitions.values():
        members = part.get("properties", {})
        _loosen(part, {n for n in members if _may_be_withheld(members[n], definitions)})
    schema["$id"] = f"{contract.urn}:view"
    return schema


def _loosen(part: Schema, withheld: Set[str]) -> None:
    part["required"] = [name for name in part.get("required", ()) if name not in withheld]
    for name in withheld:
        part["properties"][name].pop("default", None)


def _may_be_withheld(member: Schema, definitions: Mapping[str, Schema]) -> bool:
    """By its class, or because nothing visible may remain in it."""
    if member[CLASS_KEYWORD] != F0:
        return True
    part = _object_in(member, definitions)
    return part is not None and all(
        _may_be_withheld(inner, definitions) for inner in part["properties"].values()
    )


def _object_in(schema: Schema, definitions: Mapping[str, Schema]) -> Schema | None:
    """The object that a member holds, by itself, as an alternative to null or in an array."""
    if "$ref" in schema:
        return definitions[schema["$ref"].removeprefix("#/$defs/")]
    if "items" in schema:
        return _object_in(schema["items"], definitions)
    found = (_object_in(choice, definitions) for choice in schema.get("anyOf", ()))
    return next((part for part in found if part is not None), None)
