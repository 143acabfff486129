"""The rows of a project in the list of problems → the report that lists them."""

from collections.abc import Iterator
from typing import Any, Final

from adapters.audit.findings import (
    KINDS_OF_MONEY,
    addressed,
    amounts,
    finding_of,
    in_another_class,
    numbers_in,
    of_project,
)
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.placing import payload_of, places_of
from adapters.kit.port import RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, moment

_REPORT: Final = "审计报告"
_DECISION: Final = "审计决定书"
_TOTALS: Final = {
    "total_violation": "violation",
    "total_irregular": "irregular",
    "total_waste": "waste",
}
_BESIDES: Final = frozenset({*_TOTALS, "to"})


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The event of a project's rows, but for what the kit adds; a function of them alone."""
    if faults := tuple(_faults(row)):
        return faults
    contract, to = contracts["audit.report_shared"], row.text("to")
    event = Translated(
        native=str(row.values["auditprojectid"]),
        attributes=contract_attributes(contract)
        | {"time": moment(str(row.values["issued_on"]))}
        | ({"to": to} if to else {}),
        data=payload_bytes(contract, _payload(row)),
        places=places_of(row.groups["findings"], "/findings"),
    )
    return (event,)


def _faults(row: Row) -> Iterator[RowFault]:
    yield from of_project(row)
    yield from addressed(row)
    yield from numbers_in(row, row.groups["findings"])
    for part in row.groups["findings"]:
        yield from in_another_class(part)


def _payload(row: Row) -> dict[str, Any]:
    payload = payload_of(row, besides=_BESIDES)
    report = {"title": _REPORT, "date": row.text("issued_on")} | payload.get("report", {})
    decision = payload.get("decision")
    parts = row.groups["findings"]
    said = (part.text("suggestion") for part in parts)
    return payload | {
        "report": report,
        "decision": {"title": _DECISION} | decision if decision else None,
        # One suggestion may be made of several findings.
        "suggestions": list(dict.fromkeys(filter(None, said))) or None,
        "totals": amounts(row, _TOTALS) or None,
        "finding_count": len(parts),
        "findings": [_finding(row, part) for part in parts],
    }


def _finding(row: Row, part: Row) -> dict[str, Any]:
    return {
        "findingid": finding_of(row, part),
        "class": part.values.get("class_detail", part.values["class"]),
        "title": part.text("title"),
        "amounts": amounts(part, KINDS_OF_MONEY) or None,
    }
