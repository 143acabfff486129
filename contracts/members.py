"""Member names of JSON objects: counting them cheaply, finding doubled ones exactly.

Parsers keep the last of two equal names, so the first would hide unvalidated in the stored bytes.
An exact check costs as much as the validation; this counts first. Without white space every member
shows as `":`, so counting those gives an upper bound of the members written. A parsed document with
just as many distinct members has none twice.
"""

import json
from typing import Any

from pydantic import BaseModel

from contracts.fields import holders_of

_WHITE = b" \t\r\n"


class DuplicateMember(ValueError):
    """A member name stands twice in one object."""


def written_at_most(document: bytes) -> int:
    """An upper bound of the members that `document`, which is valid JSON, writes at every depth."""
    return document.translate(None, _WHITE).count(b'":')


def members_of(part: BaseModel) -> int:
    """How many members the validated `part` was given, at every depth."""
    count = len(part.__pydantic_fields_set__)
    values = part.__dict__
    for name, simple in holders_of(type(part)):
        held = values[name]
        if not held:
            continue
        if simple:
            count += len(held.__pydantic_fields_set__)
        elif isinstance(held, tuple):
            for item in held:
                count += members_of(item)
        else:
            count += members_of(held)
    return count


def has_duplicates(document: bytes, part: BaseModel) -> bool:
    """Whether a name stands twice in one object of `document`, of which `part` is the reading."""
    given = members_of(part)
    # Every member has its colon: where text has none, this is the cheapest bound of all.
    if document.count(b":") == given or written_at_most(document) == given:
        return False
    try:
        refuse_duplicates(document)
    except DuplicateMember:
        return True
    return False


def refuse_duplicates(document: bytes) -> None:
    """Read `document` member by member. Raises DuplicateMember."""
    json.loads(document, object_pairs_hook=_distinct)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise DuplicateMember
    return members
