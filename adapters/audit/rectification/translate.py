"""The rows of a project in the ledger of rectification → one report, finding by finding.

A finding of which nothing is filled in yet is not reported; a project of which nothing is filled in
gives nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from adapters.audit.findings import finding_of, member, numbers_in, treatments
from adapters.kit.bynumber import by_number, unaccompanied, unclear
from adapters.kit.convert import Wrong
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.placing import payload_of, places_of
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, moment

_DONE: Final = "2"
_NAMES: Final = frozenset({"finding_no", "findingid"})
_SETTLED: Final = {
    "turn_in": "turn_in",
    "restore": "restore",
    "adjust": "adjust",
    "settled_otherwise": "other",
}
_REPORT: Final = "审计整改情况报告"
_UNTOLD: Final = Wrong(
    FaultKind.MISSING, "没有填写", "请填 已完成、基本完成或未完成；还没有情况的，请清空这一行的各栏"
)
_NO_DAY: Final = Wrong(FaultKind.MISSING, "没有填写", "请填所报情况截至哪一天")
_TOO_LATE: Final = Wrong(
    FaultKind.DATE, "晚于截止日期", "截止日期之后的措施请留待下一次报告，或者核对日期"
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The event of a project's rows, but for what the kit adds; a function of them alone."""
    told = [part for part in row.groups["findings"] if part.values.keys() - _NAMES]
    if not told:
        return ()
    if faults := tuple(_faults(row, told)):
        return faults
    contract, day = contracts["audit.rectification_reported"], str(row.values["as_of"])
    event = Translated(
        native=f"{row.values['auditprojectid']}/{day}",
        attributes=contract_attributes(contract) | {"time": moment(day)},
        data=payload_bytes(contract, _payload(row, told)),
        places=places_of(told, "/items"),
    )
    return (event,)


def _faults(row: Row, told: Sequence[Row]) -> Iterator[RowFault]:
    day = row.text("as_of")
    if day is None:
        yield row.wrong("as_of", _NO_DAY)
    yield from numbers_in(row, told)
    for part in told:
        yield from _of_finding(part, day)


def _of_finding(part: Row, day: str | None) -> Iterator[RowFault]:
    yield from unclear(part)
    yield from unaccompanied(part, "measure_kind", "measure")
    yield from unaccompanied(part, "measure_on", "measure")
    if "completion" not in part.values:
        yield part.wrong("completion", _UNTOLD)
    if day and any(str(on) > day for on in by_number(part, "measure_on").values()):
        yield part.wrong("measure_on", _TOO_LATE)


def _is_done(part: Row) -> bool:
    completion = part.values["completion"]
    return isinstance(completion, dict) and completion["code"] == _DONE


def _payload(row: Row, told: Sequence[Row]) -> dict[str, Any]:
    listed = len(row.groups["findings"])
    counted = {"finding_count": listed, "done_count": sum(map(_is_done, told))}
    payload = counted | payload_of(row) | {"items": [_item(row, part) for part in told]}
    if report := payload.get("report"):
        payload["report"] = {"title": _REPORT} | report
    return payload


def _item(row: Row, part: Row) -> dict[str, Any]:
    kinds, days = by_number(part, "measure_kind"), by_number(part, "measure_on")
    other = member("rectification_measure_kind", "other")
    return {
        "findingid": finding_of(row, part),
        "completion": part.values["completion"],
        "measures": [
            {"kind": kinds.get(number, other), "text": text, "on": days.get(number)}
            for number, text in by_number(part, "measure").items()
        ]
        or None,
        "settled": treatments(part, _SETTLED) or None,
        "rules_made": part.values.get("rules_made"),
        "people_sanctioned": part.values.get("people_sanctioned"),
        "obstacle": part.text("obstacle"),
        "planned_for": part.text("planned_for"),
        "evidence": [{"title": title} for title in part.texts("evidence")] or None,
    }
