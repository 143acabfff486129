"""Views: what one recipient gets of an event, by field class.

Whole members are left out, nothing is altered. If nothing is left out, the data bytes are those
that were published.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Struct

from contracts.classes import FieldClass
from contracts.contract import Contract
from contracts.envelope import VIEWED
from contracts.fields import Field
from hub.event import Caveat, Entry, rfc3339, shown
from hub.policy.entitle import OPEN, Allowed

# Stands for an item's number in pointers that are told to recipients, so that counts do not leak.
ITEM: Final = "-"
# The attribute that names the published version of an event that was converted.
CONVERTED: Final = "hubconverted"
_TOLD: Final = VIEWED | {CONVERTED}
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class View(Struct, frozen=True, gc=False):
    """An event as one recipient gets it, in CloudEvents' JSON format; `withheld` pointers."""

    document: bytes
    withheld: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Cut:
    """What to do with one member: leave it out, or look inside.

    `droppable`: it may be left out when nothing remains in it, by its own class.
    """

    name: str
    withheld: bool
    many: bool
    droppable: bool
    inside: tuple["_Cut", ...]


class Sight(Struct, frozen=True, eq=False, gc=False):
    """What a recipient sees of the events of one contract that bear the same caveats.

    `hidden` is told of every event of which anything is; `sealed`: nothing of it was kept.
    `whole`: all of it is seen, whatever there is.
    """

    cuts: tuple[_Cut, ...]
    hidden: tuple[str, ...]
    sealed: bool
    whole: bool


def sight_of(contract: Contract, allowed: Allowed, *, caveats: int) -> Sight:
    """What whoever is allowed this much sees of such events; as a rule one object each time."""
    return _sight(contract, allowed.classes, allowed.masked, bool(caveats & Caveat.sealed))


@lru_cache(maxsize=4096)
def _sight(contract: Contract, classes: frozenset[FieldClass], masked: bool, sealed: bool) -> Sight:
    if sealed:
        # That there is a payload, and of which contract, everybody knows.
        return Sight((), tuple(f"/{field.name}" for field in contract.fields), True, False)
    sees_sources = FieldClass.F4 in classes and not masked
    always = () if sees_sources else contract.source_protected
    cuts = _cuts_of(contract, classes, masked)
    return Sight(cuts, always, False, not cuts)


def whole(entry: Entry, attributes: bytes, data: bytes) -> View:
    """An event with these attributes and data as it is where all of it is seen."""
    return View(_document(entry, attributes, data, ()), ())


def view_of(entry: Entry, sight: Sight) -> View:
    """The view of an event that is seen so."""
    if sight.sealed:
        attributes = _only_viewed(entry.attributes)
        return View(_document(entry, attributes, entry.data, sight.hidden), sight.hidden)
    if sight.whole:
        return whole(entry, entry.attributes, entry.data)
    payload = _decode(entry.data)
    found: dict[str, None] = {}
    _cut(payload, sight.cuts, "", found)
    withheld = (*(p for p in found if p not in sight.hidden), *sight.hidden)
    if not withheld:
        return whole(entry, entry.attributes, entry.data)
    # Written anew even if nothing was there to take out: spaces and nulls would tell.
    attributes = _only_viewed(entry.attributes)
    return View(_document(entry, attributes, _encode(payload), withheld), withheld)


def sees(contract: Contract, pointer: str, allowed: Allowed) -> bool:
    """Whether whoever is allowed this much may know of what stands at `pointer` (`/data/…`).

    Of an object, and of the whole payload, only who may see all that is in it.
    """
    cuts = _cuts_of(contract, allowed.classes, allowed.masked)
    for name in pointer.split("/")[2:]:
        if name == ITEM:
            continue
        cut = next((cut for cut in cuts if cut.name == name), None)
        if cut is None:
            return True
        if cut.withheld:
            return False
        cuts = cut.inside
    return not cuts


@lru_cache(maxsize=4096)
def _cuts_of(contract: Contract, classes: frozenset[FieldClass], masked: bool) -> tuple[_Cut, ...]:
    """Where such a recipient must look; empty when it may see all of the contract."""
    return tuple(_cuts(contract.fields, classes, masked))


def _cuts(fields: Iterable[Field], classes: frozenset[FieldClass], masked: bool) -> Iterable[_Cut]:
    for field in fields:
        inside = tuple(_cuts(field.parts, classes, masked))
        # An object of which nothing would remain is left out whole, so that counts do not leak.
        hollow = bool(field.parts) and sum(cut.withheld for cut in inside) == len(field.parts)
        left_out = masked and field.field_class not in OPEN and not field.in_summary
        withheld = field.field_class not in classes or left_out or hollow
        if withheld or inside:
            droppable = field.field_class is not FieldClass.F0
            yield _Cut(field.name, withheld, field.many, droppable, () if withheld else inside)


def _cut(
    document: dict[str, Any], cuts: tuple[_Cut, ...], above: str, found: dict[str, None]
) -> None:
    """Take the withheld members out of `document`, and note their pointers."""
    for cut in cuts:
        value = document.get(cut.name)
        pointer = f"{above}/{cut.name}"
        if cut.withheld:
            if document.pop(cut.name, None) is not None:
                found[pointer] = None
        elif value:
            inside: dict[str, None] = {}
            parts = value if cut.many else [value]
            for part in parts:
                _cut(part, cut.inside, f"{pointer}/{ITEM}" if cut.many else pointer, inside)
            # An item of which nothing is left withholds the array, or it would still be counted.
            if inside and cut.droppable and not all(parts):
                del document[cut.name]
                inside = {pointer: None}
            found.update(inside)


def _only_viewed(attributes: bytes) -> bytes:
    members: dict[str, Any] = _decode(attributes)
    if members.keys() <= _TOLD:
        return attributes
    return _encode({name: value for name, value in members.items() if name in _TOLD})


def _document(entry: Entry, attributes: bytes, data: bytes, withheld: tuple[str, ...]) -> bytes:
    told = f'","hubwithheld":"{" ".join(withheld)}' if withheld else ""
    added = (
        f',"hubreceipt":"{entry.receipt.hex()}","hubtime":"{rfc3339(entry.hubtime)}'
        f'","hubposition":"{shown(entry.position)}{told}","data":'
    )
    return b"".join((attributes[:-1], added.encode(), data, b"}"))
