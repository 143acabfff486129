"""The version that a subscription has pinned: what is handed over is in that version, or parked.

The journal keeps what was published; a conversion is made each time it is read.
"""

import re
from dataclasses import replace
from typing import Final

import msgspec

from contracts.catalogue import Catalogue
from contracts.contract import Contract
from contracts.conversion import Inconvertible
from contracts.faults import Fault
from hub.delivery.view import CONVERTED, ITEM, sees
from hub.event import Caveat, Entry
from hub.policy.entitle import Allowed

_NUMBERED: Final = re.compile(r"/[0-9]+(?=/|$)")
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def in_version(
    entry: Entry, contract: Contract, version: str, *, catalogue: Catalogue
) -> tuple[Entry, Contract]:
    """An event and its contract in a version of its type. Raises Inconvertible.

    `dataschema` then names that version, and `hubconverted` the one that was published. What is
    sealed has no payload here: it stays as it was published.
    """
    target = catalogue.find(entry.type, version)
    if target is None:
        raise Inconvertible(
            f"本节点没有 {entry.type} {version}", f"no {entry.type} {version} at this node"
        )
    if target is contract or entry.caveats & Caveat.sealed:
        return entry, contract
    attributes = _decode(entry.attributes)
    attributes |= {"dataschema": target.urn, CONVERTED: contract.urn}
    carried = msgspec.structs.replace(
        entry,
        version=version,
        attributes=_encode(attributes),
        data=catalogue.route(entry.type, contract.version, version).carry(entry.data),
    )
    return carried, target


def no_form(wanted: Contract | None, why: Fault | None, allowed: Allowed) -> Fault:
    """Why an event has no form in a version, as far as a recipient may know of its payload.

    `why`: what that version's contract says of it. Numbers of items are not told.
    """
    if wanted is not None and why is not None:
        pointer = _NUMBERED.sub(f"/{ITEM}", why.pointer)
        if sees(wanted, pointer, allowed):
            return replace(why, pointer=pointer)
    return Fault(
        "inconvertible",
        "",
        "该事件在所定的契约版本中没有对应形式",
        "the event has no form in the version that was pinned",
    )
