"""A payload from fields that say themselves where they stand in it: by their `pointers`; and which
row a part of a payload comes from.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from adapters.kit.port import Place
from adapters.kit.rows import Row


def payload_of(row: Row, besides: Collection[str] = ()) -> dict[str, Any]:
    """The row's values where the first pointer of each field says; an item `-` is the first of its
    list, `1` the second. Fields of the names `besides` are left out.
    """
    payload: dict[str, Any] = {}
    for name, value in row.values.items():
        if name not in besides:
            pointers = row.fields[name].pointers or (f"/{name}",)
            _place(payload, pointers[0].rpartition(":")[2].split("/")[1:], value)
    return payload


def places_of(parts: Iterable[Row], pointer: str) -> dict[str, Place]:
    """Where the rows stand that became the items, in this order, of the list at a pointer."""
    return {f"{pointer}/{number}": part.place for number, part in enumerate(parts)}


def place_at(pointer: str, places: Mapping[str, Place]) -> Place | None:
    """Of an event's member the row that it comes from: that of the innermost part around it
    (`Translated.places`); None outside of them."""
    at = pointer.removeprefix("/data")
    while at and at not in places:
        at = at.rpartition("/")[0]
    return places.get(at)


def _place(part: dict[str, Any], steps: list[str], value: object) -> None:
    step, below = steps[0], steps[1:]
    if not below:
        part[step] = value
    elif below[0] == "-" or below[0].isdecimal():
        items = part.setdefault(step, [])
        number = 0 if below[0] == "-" else int(below[0])
        items.extend({} for _ in range(number + 1 - len(items)))
        _place(items[number], below[1:], value)
    else:
        _place(part.setdefault(step, {}), below, value)
