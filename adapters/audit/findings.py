"""What the rows of several registers say alike: which finding, how much of what, to whom."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.port import FaultKind, RowFault
from adapters.kit.rows import Row
from contracts.agency import AddressError, parse_addresses
from contracts.codelists import code_list

# Field → kind of the money in it.
KINDS_OF_MONEY: Final = MappingProxyType(
    {
        "violation": "violation",
        "irregular": "irregular",
        "waste": "waste",
        "other_money": "other",
    }
)
Parts = list[dict[str, Any]]

_UNNUMBERED: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，也没有审计问题编号",
    "请填问题在本项目中的序号；系统另有编号的填“审计问题编号”",
)
_OTHER_BRANCH: Final = Wrong(
    FaultKind.MISMATCH, "不属于所填的问题分类", "请核对问题分类和问题子类，子类须在该分类之下"
)
_TWICE: Final = Wrong(
    FaultKind.MISMATCH, "在同一项目中重复", "一个问题只填一行；请核对问题序号或审计问题编号"
)
_NO_LEADER: Final = Wrong(FaultKind.MISSING, "没有填写", "填写职务的，请同时填写姓名")
_NO_ADDRESS: Final = Wrong(
    FaultKind.IDENTIFIER,
    "不是机构编号或收件地址",
    "请填 510100.discipline 这样的机构编号，几个用空格分开；不填的按站点映射的收件单位",
)


def finding_of(row: Row, part: Row | None = None) -> str | RowFault:
    """The number of a finding, of a row or of one `part` of it: its own, or that of its project and
    its place in the list. A zero that a spreadsheet took away (3 for 03) makes no other of it."""
    told = part or row
    if own := told.text("findingid"):
        return own
    if number := told.text("finding_no"):
        return finding_id(str(row.values["auditprojectid"]), number)
    return told.wrong("finding_no", _UNNUMBERED)


def finding_id(project: str, number: str) -> str:
    """A finding by its place in the list of a project; the place as people write it."""
    return f"{project}-{f'{int(number):02}' if number.isdecimal() else number}"


def member(list_: str, code: str) -> dict[str, str]:
    """A code of a list with its label."""
    return {"code": code, "label": code_list(list_).members[code].label}


def in_another_class(row: Row) -> Iterator[RowFault]:
    """A narrower class that does not stand below the class that a row names."""
    detail = row.values.get("class_detail")
    if isinstance(detail, dict) and not _below(detail["code"], row.values["class"]):
        yield row.wrong("class_detail", _OTHER_BRANCH)


def _below(detail: str, class_: object) -> bool:
    members = code_list("audit_finding_class").members
    above = class_["code"] if isinstance(class_, dict) else None
    # A local code of an open list has no place in it that is known here.
    return detail not in members or above in (detail, members[detail].parent)


def numbers_in(row: Row, parts: Sequence[Row]) -> Iterator[RowFault]:
    """Among the findings of a project those without a number, and those that were there before."""
    seen = set()
    for part in parts:
        finding = finding_of(row, part)
        if isinstance(finding, RowFault):
            yield finding
        elif finding in seen:
            yield part.wrong("findingid" if "findingid" in part.values else "finding_no", _TWICE)
        else:
            seen.add(finding)


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
    items = told if isinstance(told, list) else []
    codes = {each["code"]: each for each in items if isinstance(each, dict)}
    # Of a treatment that the installation added, the row knows the label.
    return [
        {
            "treatment": codes.get(code) or member("audit_treatment", code),
            "money": of_money.get(code),
        }
        for code in dict.fromkeys([*codes, *of_money])
    ]


def of_project(row: Row) -> Iterator[RowFault]:
    """What is wrong with what a row says of its project."""
    yield from in_halves(row, ("period_from", "period_to"))
    if "leader_post" in row.values and "leader" not in row.values:
        yield row.wrong("leader", _NO_LEADER)


def addressed(row: Row) -> Iterator[RowFault]:
    """What is wrong with whom a row addresses itself."""
    try:
        parse_addresses(row.text("to") or "")
    except AddressError:
        if "to" in row.values:
            yield row.wrong("to", _NO_ADDRESS)


def in_halves(row: Row, *spans: tuple[str, str]) -> Iterator[RowFault]:
    """The blank end of a span of days of which the other is filled in."""
    for pair in spans:
        for field, other in (pair, pair[::-1]):
            if other in row.values and field not in row.values:
                title = row.fields[other].title
                yield row.wrong(
                    field, Wrong(FaultKind.MISSING, "没有填写", f"填了“{title}”的，请同时填写")
                )
