"""The version that a subscription has pinned: what is handed over is in that version, or parked.

The journal keeps what was published; a conversion is made each time it is read.
"""

from typing import Final

import msgspec

from contracts.catalogue import Catalogue
from contracts.contract import Contract
from contracts.conversion import Inconvertible
from hub.event import Caveat, Entry

CONVERTED: Final = "hubconverted"
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
