"""A row of the weekly (or monthly) report → what a team, or a round, did and found."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from contracts.codelists import code_list
from contracts.contract import Contract

# A focus's field bears its code.
_IN: Final = "in_"
_TOTALS: Final = ("total_papers", "total_immediate", "total_clues")
_NO_TOTAL: Final = Wrong(
    FaultKind.MISSING, "没有填写，而填了别的累计数", "请填累计发现问题数，或清空各累计数"
)
_NO_PARTY: Final = Wrong(
    FaultKind.MISMATCH, "的序号与“各党组织编号”的序号不一致", "请按同样的序号填写编号和阶段"
)


def translate(row: Row, contracts: Mapping[str, Contract]) -> tuple[Translated | RowFault, ...]:
    """The event of a row, but for what the kit adds; a function of the row alone."""
    faults = tuple(_faults(row))
    return faults or (_reported(row, contracts["progress.reported"]),)


def _faults(row: Row) -> Iterator[RowFault]:
    if "total_issues" not in row.values and any(field in row.values for field in _TOTALS):
        yield row.wrong("total_issues", _NO_TOTAL)
    parties = row.of_each("target_ids").keys()
    if row.of_each("target_stage").keys() != parties:
        yield row.wrong("target_stage", _NO_PARTY)
    if not row.of_each("target_left_on").keys() <= parties:
        yield row.wrong("target_left_on", _NO_PARTY)


def _reported(row: Row, contract: Contract) -> Translated:
    said = row.values
    payload = {
        "handlers": [{"name": name} for name in row.texts("reporters")] or None,
        "roundid": said["roundid"],
        "groupid": said.get("groupid"),
        "targetid": said.get("targetid"),
        "cadence": said["cadence"],
        "number": said["number"],
        "reported_on": said["reported_on"],
        "period": {"from": said["from"], "to": said["to"]},
        "work": {name: said[name] for name in ("talks", "documents", "letters", "visits")},
        "found": _found(row),
        "total": _total(row),
        "targets": _targets(row) or None,
        "next_plan": said["next_plan"],
        "difficulties": said.get("difficulties"),
        "remark": said.get("remark"),
    }
    matter = (said["roundid"], said.get("groupid"), said["cadence"], said["number"])
    return Translated(
        native="/".join(str(part) for part in matter if part is not None),
        attributes=contract_attributes(contract)
        | {
            "time": f"{said['reported_on']}T00:00:00+08:00",
            "correlationid": f"{contract.family}:{said['roundid']}",
        },
        data=payload_bytes(contract, payload),
    )


def _found(row: Row) -> dict[str, Any]:
    said, labels = row.values, code_list("inspection_focus").labels
    codes = {field: field.removeprefix(_IN) for field in row.fields if field.startswith(_IN)}
    by_focus = [
        {"focus": {"code": code, "label": labels[code]}, "issues": said[field]}
        for field, code in codes.items()
        if field in said
    ]
    return {
        "issues": said["issues"],
        "by_focus": by_focus or None,
        "papers": said.get("papers"),
        "immediate": said.get("immediate"),
        "clues": said.get("clues"),
    }


def _total(row: Row) -> dict[str, Any] | None:
    said = row.values
    if "total_issues" not in said:
        return None
    return {
        "issues": said["total_issues"],
        "papers": said.get("total_papers"),
        "immediate": said.get("total_immediate"),
        "clues": said.get("total_clues"),
    }


def _targets(row: Row) -> list[dict[str, Any]]:
    stages, left = row.of_each("target_stage"), row.of_each("target_left_on")
    return [
        {"targetid": party, "stage": stages[number], "left_on": left.get(number)}
        for number, party in row.of_each("target_ids").items()
    ]
