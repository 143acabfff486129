"""A payload from fields that say themselves where they stand in it: by their `pointers`."""

from collections.abc import Collection
from typing import Any

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
