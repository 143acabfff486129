"""A row of the register of the three letters → what others are asked to help with."""

import re
from collections.abc import Iterator
from typing import Any, Final

from adapters.audit.findings import addressed, finding_id, of_project
from adapters.kit.bynumber import by_number, unclear
from adapters.kit.convert import plain
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.placing import payload_of
from adapters.kit.port import RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, moment

_PLACE: Final = re.compile(r"第?\s*([0-9]{1,4})\s*[项条个号]?")
_BESIDES: Final = frozenset({"asked", "findingids", "attached", "to"})


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The event of a row, but for what the kit adds; a function of the row alone."""
    if faults := tuple(_faults(row)):
        return faults
    contract = contracts["audit.assistance_requested"]
    to = row.text("to")
    event = Translated(
        native=str(row.values["requestid"]),
        attributes=contract_attributes(contract)
        | {"time": moment(str(row.values["issued_on"]))}
        | ({"to": to} if to else {}),
        data=payload_bytes(contract, _payload(row)),
    )
    return (event,)


def _faults(row: Row) -> Iterator[RowFault]:
    yield from of_project(row)
    yield from addressed(row)
    yield from unclear(row)


def _payload(row: Row) -> dict[str, Any]:
    project = str(row.values["auditprojectid"])
    return payload_of(row, besides=_BESIDES) | {
        "asked": [{"no": no, "text": text} for no, text in by_number(row, "asked").items()],
        "findingids": [_finding(project, each) for each in row.texts("findingids")] or None,
        "attached": [{"title": title} for title in row.texts("attached")] or None,
    }


def _finding(project: str, written: str) -> str:
    """A finding by its number, or by its place in the project's list (3, 第3项)."""
    place = _PLACE.fullmatch(plain(written))
    return finding_id(project, place[1]) if place else written
