"""The rows of a year's plan → the plan, project by project."""

import re
from collections.abc import Iterator
from typing import Any, Final

from adapters.audit.findings import of_project
from adapters.kit.convert import Wrong, plain
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.placing import payload_of
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, moment

_YEAR: Final = re.compile(r"((?:19|20)[0-9]{2})年?度?")
_NO_YEAR: Final = Wrong(FaultKind.DATE, "不是四位年份", "请写成 2026 或 2026年度")
_TWICE: Final = Wrong(FaultKind.MISMATCH, "在同一计划中重复", "一个项目只填一行，请核对编号")
_NO_ROUND: Final = Wrong(
    FaultKind.MISSING, "没有填写，而联动方式是巡审同步", "巡审同步的，请填写巡视巡察轮次"
)
_NO_LEADER: Final = Wrong(
    FaultKind.MISSING, "没有填写，而项目类型是经济责任审计", "请填写被审计的领导干部"
)
_BACKWARDS: Final = Wrong(FaultKind.DATE, "早于计划开始月份", "请核对两个月份")


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The event of a plan's rows, but for what the kit adds; a function of them alone."""
    if faults := tuple(_faults(row)):
        return faults
    contract = contracts["audit.plan_shared"]
    event = Translated(
        native=str(row.values["planid"]),
        attributes=contract_attributes(contract) | {"time": moment(str(row.values["shared_on"]))},
        data=payload_bytes(contract, _payload(row)),
    )
    return (event,)


def _faults(row: Row) -> Iterator[RowFault]:
    if _year(row) is None:
        yield row.wrong("year", _NO_YEAR)
    seen = set()
    for part in row.groups["projects"]:
        if part.values["auditprojectid"] in seen:
            yield part.wrong("auditprojectid", _TWICE)
        seen.add(part.values["auditprojectid"])
        yield from of_project(part)
        if _is(part, "linkage", "joint") and "roundid" not in part.values:
            yield part.wrong("roundid", _NO_ROUND)
        if _is(part, "kind", "accountability") and not part.values.keys() & {
            "leader",
            "leader_post",
        }:
            yield part.wrong("leader", _NO_LEADER)
        if (part.text("ends") or "9999-12") < (part.text("starts") or ""):
            yield part.wrong("ends", _BACKWARDS)


def _is(part: Row, field: str, code: str) -> bool:
    value = part.values.get(field)
    return isinstance(value, dict) and value["code"] == code


def _year(row: Row) -> str | None:
    match = _YEAR.fullmatch(plain(row.text("year") or ""))
    return match[1] if match else None


def _payload(row: Row) -> dict[str, Any]:
    projects = [payload_of(part)["projects"][0] for part in row.groups["projects"]]
    return payload_of(row) | {"year": _year(row), "projects": projects}
