"""The rows of one act of supervision, a row for each finding → its record, for the party supervised
and whoever the site copies."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.named import org, signed
from adapters.kit.placing import places_of
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, made, out_of_order
from contracts.agency import AddressError, parse_addresses

_TWICE: Final = Wrong(
    FaultKind.MISMATCH, "与同一次监督的另一条相同", "请给每条发现情况不同的序号，从 1 起"
)
_UNTOLD: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，而同一行的其他各栏已填",
    "每条发现情况须有序号、发现情况和纠正要求；没有发现问题的，这几栏都不填",
)
_NOT_LOOKED_AT: Final = Wrong(
    FaultKind.MISMATCH, "不在监督事项编号中", "请改正，或在“监督事项编号”列补上该事项"
)
_NO_DUE: Final = Wrong(FaultKind.MISSING, "没有填写，而有发现情况", "请填写要求纠正的期限")
_NEEDLESS_DUE: Final = Wrong(
    FaultKind.MISMATCH, "已填写，而没有发现情况", "没有发现问题的不填纠正期限"
)
_NO_ADDRESS: Final = Wrong(
    FaultKind.IDENTIFIER,
    "没有填写贯通的机构地址",
    "党组织编号不是贯通的机构编号时，请填被监督党组织的机构编号，如 510100.inspected-party.…",
)
_UNTITLED: Final = Wrong(FaultKind.MISSING, "没有填写，而文件文号已填", "请填文件名称")


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The record that the rows make, but for what the kit adds; never to all of the region."""
    faults = tuple(_faults(row))
    return faults or (
        made(
            row,
            _RECORDED,
            contracts,
            case=str(row.values["supervisionid"]),
            to=_to(row),
            correlationid=row.text("correlation"),
        ),
    )


def _faults(row: Row) -> Iterator[RowFault]:
    findings = _findings(row)
    yield from out_of_order(row, (("at", "correction_due"),))
    if findings and "correction_due" not in row.values:
        yield row.wrong("correction_due", _NO_DUE)
    if not findings and "correction_due" in row.values:
        yield row.wrong("correction_due", _NEEDLESS_DUE)
    if "document_no" in row.values and "document" not in row.values:
        yield row.wrong("document", _UNTITLED)
    if _to(row) is None:
        yield row.wrong("to", _NO_ADDRESS)
    seen = set()
    for finding in findings:
        for field in ("no", "text", "required"):
            if field not in finding.values:
                yield finding.wrong(field, _UNTOLD)
        number, item = finding.values.get("no"), finding.text("itemid")
        if number is not None and number in seen:
            yield finding.wrong("no", _TWICE)
        seen.add(number)
        if item and item not in row.texts("itemids"):
            yield finding.wrong("itemid", _NOT_LOOKED_AT)


def _findings(row: Row) -> list[Row]:
    return [finding for finding in row.groups["findings"] if finding.values]


def _to(row: Row) -> str | None:
    """The party's address; None where the row has none."""
    said = row.text("to") or str(row.values["targetid"])
    try:
        return said if parse_addresses(said) else None
    except AddressError:
        return None


def _recorded(row: Row) -> Mapping[str, Any]:
    title = row.text("document")
    fields = ("no", "itemid", "text", "required")
    target = org(row.text("target")) or {}
    return {
        "supervisionid": row.text("supervisionid"),
        "roundid": row.text("roundid"),
        "targetid": row.text("targetid"),
        "target": target | {"uscc": row.text("target_uscc")},
        "sector": row.values["sector"],
        "supervised_on": row.text("at"),
        "methods": row.values["methods"],
        "itemids": [*row.texts("itemids")],
        "findings": [
            {field: finding.values.get(field) for field in fields} for finding in _findings(row)
        ],
        "correction_due": row.text("correction_due"),
        "handlers": signed(row, "handlers"),
        "documents": [{"title": title, "docno": row.text("document_no")}] if title else [],
    }


_RECORDED: Final = Step(
    type="rectification.supervision_recorded",
    begun=("supervisionid",),
    needed=("at",),
    at="at",
    payload=_recorded,
    places=lambda row: places_of(_findings(row), "/findings"),
)
