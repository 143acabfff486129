"""A payload's members as people read them: what each is called, holds, and whether it is needed.

Read from the fields and the JSON Schema together. An object that families share is one line, which
names it; its own members are those of `shared_objects`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from contracts.common import LIST_KEYWORD, Payload
from contracts.contract import Contract
from contracts.fields import Field, fields_of, walk
from contracts.rules import RULES_KEYWORD
from contracts.values import FORMATS

Schema = Mapping[str, Any]
Pair = tuple[str, str]

# What every payload may carry beside its own members.
COMMON: Final = frozenset(Payload.model_fields)
_NUMBERS: Final[Mapping[str, Pair]] = {
    "gb11643": ("公民身份号码（18 位，核对校验码）", "citizen number, check digit verified"),
    "gb32100": (
        "统一社会信用代码（核对校验码）",
        "unified social credit code, check digit verified",
    ),
    "gb11714": ("组织机构代码（核对校验码）", "organisation code, check digit verified"),
    "region": ("行政区划代码（GB/T 2260，6 位）", "region code of GB/T 2260, 6 digits"),
}
_FORMATS: Final[Mapping[str, Pair]] = {
    "date": ("日期，如 2026-11-01", "date such as 2026-11-01"),
    "date-time": (
        "带时区的时间，如 2026-11-01T09:00:00+08:00",
        "time with its offset, such as 2026-11-01T09:00:00+08:00",
    ),
}
_SIMPLE: Final[Mapping[str, Pair]] = {
    "boolean": ("是 true 或否 false", "true or false"),
    "object": ("对象", "object"),
    "string": ("文本", "text"),
    "integer": ("整数", "whole number"),
}
_ANYTHING: Final[Pair] = ("值", "value")


@dataclass(frozen=True, slots=True)
class Line:
    """One member. `depth`: how many objects it stands in, the payload aside.

    `kind`: what it holds; `listed`: the code list that its code is from; `shared`: the name of the
    object that families share, if it holds one; `about`: what its name leaves open.
    """

    pointer: str
    depth: int
    field: Field
    needed: bool
    kind: Pair
    listed: str | None
    shared: str | None
    about: str | None


def outline(contract: Contract) -> tuple[Line, ...]:
    """The members of a contract's payload, each object before its own members."""
    schema = contract.schema()
    return tuple(_lines(contract.fields, schema, schema.get("$defs", {}), "", 0))


def object_outline(model: type[BaseModel]) -> tuple[Line, ...]:
    """The members of an object that families share, with the classes of their own."""
    schema = TypeAdapter(model).json_schema()
    return tuple(_lines(fields_of(model), schema, schema.get("$defs", {}), "", 0))


def shared_objects(contracts: Iterable[Contract]) -> dict[str, type[BaseModel]]:
    """The objects that families share, by name."""
    found: dict[str, type[BaseModel]] = {}
    for contract in contracts:
        for _, field in walk(contract.fields):
            if field.model is not None and is_shared(field.model):
                found[field.model.__name__] = field.model
    return dict(sorted(found.items()))


def own_models(contract: Contract) -> dict[str, type[BaseModel]]:
    """The objects that the family itself declares, by where they stand; the payload at `""`."""
    found: dict[str, type[BaseModel]] = {"": contract.model}
    for pointer, field in _own(contract.fields, ""):
        if field.model is not None and not is_shared(field.model):
            found.setdefault(pointer, field.model)
    return found


def _own(fields: tuple[Field, ...], above: str) -> Iterator[tuple[str, Field]]:
    for field in fields:
        pointer = f"{above}/{field.name}"
        yield pointer, field
        if field.model is not None and not is_shared(field.model):
            yield from _own(field.parts, f"{pointer}/-" if field.many else pointer)


def is_shared(model: type[BaseModel]) -> bool:
    """Whether it stands beside the families, in no family's folder and no package of one's own."""
    return model.__module__.rpartition(".")[0] == "contracts"


def _lines(
    fields: tuple[Field, ...], part: Schema, definitions: Schema, above: str, depth: int
) -> Iterator[Line]:
    for field in fields:
        member = part["properties"][field.name]
        shape = _without_null(member)
        pointer = f"{above}/{field.name}"
        shared = field.model is not None and is_shared(field.model)
        yield Line(
            pointer=pointer,
            depth=depth,
            field=field,
            needed=field.name in part.get("required", ()),
            kind=_kind(shape, definitions),
            listed=_list_of(shape),
            shared=field.model.__name__ if field.model is not None and shared else None,
            about=member.get("description"),
        )
        if field.parts and not shared:
            inner = _resolved(shape.get("items", shape), definitions)
            below = f"{pointer}/-" if field.many else pointer
            yield from _lines(field.parts, inner, definitions, below, depth + 1)


def _without_null(schema: Schema) -> Schema:
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    return choices[0] if len(choices) == 1 else schema


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    shape = _without_null(schema)
    if "$ref" in shape:
        found: Schema = definitions[shape["$ref"].removeprefix("#/$defs/")]
        return found
    return shape


def _list_of(shape: Schema) -> str | None:
    held = shape.get("items", shape)
    return held.get(LIST_KEYWORD) or _without_null(held).get(LIST_KEYWORD)


def _kind(shape: Schema, definitions: Schema) -> Pair:
    if shape.get("type") == "array":
        return _array(shape, definitions)
    resolved = _resolved(shape, definitions)
    if resolved is not shape:
        return _kind({"type": "object"} if "properties" in resolved else resolved, definitions)
    return _scalar(shape)


def _array(shape: Schema, definitions: Schema) -> Pair:
    kind, kind_en = _kind(_without_null(shape["items"]), definitions)
    least, most = shape.get("minItems", 0), shape.get("maxItems")
    bounds = [f"至少 {least}"] if least else []
    bounds_en = [f"at least {least}"] if least else []
    if most is not None:
        bounds.append(f"至多 {most:,}")
        bounds_en.append(f"at most {most:,}")
    bound = f"（{'、'.join(bounds)} 项）" if bounds else ""
    bound_en = f" ({', '.join(bounds_en)})" if bounds_en else ""
    return f"多项{bound}：{kind}", f"several{bound_en}: {kind_en}"


def _scalar(shape: Schema) -> Pair:
    allowed = shape.get("enum", [shape["const"]] if "const" in shape else None)
    if allowed is not None:
        return " · ".join(map(str, allowed)), "one of these"
    for rule in shape.get(RULES_KEYWORD, ()):
        if rule in _NUMBERS:
            return _NUMBERS[rule]
    if shape.get("format") in _FORMATS:
        return _FORMATS[shape["format"]]
    if "maxLength" in shape and shape.get("minLength") == 1:
        most = shape["maxLength"]
        return f"文本，至多 {most:,} 字", f"text, at most {most:,} characters"
    if shape.get("pattern") in FORMATS:
        told, told_en = FORMATS[shape["pattern"]]
        return told.removeprefix("应为").strip(), told_en.removeprefix("must be ")
    if shape.get("type") == "integer":
        return _integer(shape)
    return _SIMPLE.get(shape.get("type", ""), _ANYTHING)


def _integer(shape: Schema) -> Pair:
    least, most = shape.get("minimum"), shape.get("maximum")
    if least is None or most is None:
        return _SIMPLE["integer"]
    return f"整数，{least:,} 至 {most:,}", f"whole number, {least:,} to {most:,}"
