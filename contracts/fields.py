"""The fields of a payload model as a tree: name, field class, how often. Read once per contract."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from contracts.classes import Classed, FieldClass, Mark


class UnclassifiedField(TypeError):
    """A field of a payload model carries no field class with its name, or more than one."""


@dataclass(frozen=True, slots=True)
class Field:
    """One declared member of an object, by its JSON name and the name people have for it.

    `many`: an array of what `parts` says; `model`: the object that they make up, if it is one.
    `in_summary`: whoever gets only a summary sees it too, if the class was granted.
    """

    name: str
    title: str
    title_en: str
    field_class: FieldClass
    many: bool
    parts: tuple["Field", ...]
    in_summary: bool = False
    model: type[BaseModel] | None = None


def fields_of(model: type[BaseModel]) -> tuple[Field, ...]:
    """The members of `model` in declaration order; a member's class is the highest on its path.

    Raises UnclassifiedField.
    """
    return tuple(_fields(model, FieldClass.F0, summarised=False))


def walk(fields: tuple[Field, ...], prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Every field with its JSON Pointer, array indexes written `-`, parents first."""
    for field in fields:
        pointer = f"{prefix}/{field.name}"
        yield pointer, field
        yield from walk(field.parts, f"{pointer}/-" if field.many else pointer)


@cache
def holders_of(model: type[BaseModel]) -> tuple[tuple[str, bool], ...]:
    """The attributes of `model` that hold objects, alone or in an array.

    The mark says that it is a single object which holds no further ones.
    """
    shapes = ((name, _shape(info.annotation)) for name, info in model.model_fields.items())
    return tuple((name, not many and not holders_of(m)) for name, (m, many) in shapes if m)


def _fields(model: type[BaseModel], above: FieldClass, *, summarised: bool) -> Iterator[Field]:
    for name, info in model.model_fields.items():
        marks = [mark for mark in info.metadata if isinstance(mark, Classed)]
        if len(marks) != 1:
            raise UnclassifiedField(f"{model.__name__}.{name}")
        own = marks[0].field_class
        effective = max(above, own)
        # What is declared F0 goes with the object it stands in.
        in_summary = Mark.in_summary in info.metadata or (summarised and own is FieldClass.F0)
        part, many = _shape(info.annotation)
        parts = tuple(_fields(part, effective, summarised=in_summary)) if part else ()
        yield Field(
            name=info.alias or name,
            title=marks[0].title,
            title_en=marks[0].title_en,
            field_class=effective,
            many=many,
            parts=parts,
            in_summary=in_summary,
            model=part,
        )


def _shape(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model inside an annotation, and whether it stands in an array."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _shape(get_args(annotation)[0])
    if origin in (Union, UnionType):
        inner = [arm for arm in get_args(annotation) if arm is not type(None)]
        return _shape(inner[0])
    if origin is tuple:
        return _shape(get_args(annotation)[0])[0], True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    return None, False
