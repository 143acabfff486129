"""What the rows of several registers say alike: which finding, how much of what, and when."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.port import FaultKind, RowFault
from adapters.kit.rows import Row
from contracts.codelists import code_list
from contracts.contract import Contract

Contracts = Mapping[str, Contract]
Parts = list[dict[str, Any]]

_MIDNIGHT: Final = "T00:00:00+08:00"
_UNNUMBERED: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，也没有审计问题编号",
    "请填问题在本项目中的序号；系统另有编号的填“审计问题编号”",
)


def finding_of(row: Row) -> str | RowFault:
    """The number of a finding: its own, or that of its project and its place in the list, so that a
    zero that a spreadsheet took away (3 for 03) makes no other finding of it."""
    if own := row.text("findingid"):
        return own
    project, number = row.values["auditprojectid"], row.text("finding_no")
    if number is None:
        return row.wrong("finding_no", _UNNUMBERED)
    return f"{project}-{number.zfill(2) if number.isdecimal() else number}"


def moment(day: str) -> str:
    """A day or a time as a time: a day begins at midnight in Beijing."""
    return day if "T" in day else f"{day}{_MIDNIGHT}"


def member(list_: str, code: str) -> dict[str, str]:
    """A code of a list with its label."""
    return {"code": code, "label": code_list(list_).members[code].label}


def amounts(row: Row, fields: Mapping[str, str]) -> Parts:
    """`MoneyOfKind`s: `fields` are field → kind of money."""
    return [
        {"kind": member("audit_money_kind", kind), "money": row.values[field]}
        for field, kind in fields.items()
        if field in row.values
    ]


def treatments(row: Row, fields: Mapping[str, str], named: str | None = None) -> Parts:
    """`Treatment`s: `fields` are field → treatment of the amount, `named` is the field of those of
    which no amount need be told."""
    of_money = {code: row.values[field] for field, code in fields.items() if field in row.values}
    told = row.values.get(named) if named else None
    codes = (
        [each["code"] for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    )
    return [
        {"treatment": member("audit_treatment", code), "money": of_money.get(code)}
        for code in dict.fromkeys([*codes, *of_money])
    ]


def in_halves(row: Row, *spans: tuple[str, str]) -> Iterator[RowFault]:
    """The blank end of a span of days of which the other is filled in."""
    for pair in spans:
        for field, other in (pair, pair[::-1]):
            if other in row.values and field not in row.values:
                title = row.fields[other].title
                yield row.wrong(
                    field, Wrong(FaultKind.MISSING, "没有填写", f"填了“{title}”的，请同时填写")
                )
