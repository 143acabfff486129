"""The account books of one unit and year → `dataset.published`: what they are, and control totals.

No line of the books is told, only which tables there are, how many rows each has, and that what
was debited was credited. The books themselves stay where they are, known by their digest.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from adapters.kit.amounts import digits
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.port import FaultKind, RowFault, Totals, Translated, Unbalanced
from adapters.kit.readers.patterns import quoted
from adapters.kit.rows import Row
from contracts.contract import Contract
from contracts.identifiers import organisation_code_fault, uscc_fault

_MOST_TOLD: Final = 200
_ORGANISATION: Final = "组织机构代码"
_USCC: Final = "统一社会信用代码"
_USCC_LENGTH: Final = 18
_LONGEST_LINE: Final = 200
# What the contract lets a file's size be; a larger one is told in words.
_MOST_COUNTED: Final = 1_000_000_000


def translate(row: Row, contracts: Mapping[str, Contract]) -> tuple[Translated | RowFault, ...]:
    """The event of a set of books; a function of its header and totals alone."""
    contract = contracts["dataset.published"]
    faults = tuple(_faults(row))
    if faults:
        return faults
    payload = _payload(row)
    event = Translated(
        native=str(payload["datasetid"]),
        attributes=contract_attributes(contract) | {"time": f"{payload['as_of']}T00:00:00+08:00"},
        data=payload_bytes(contract, payload),
    )
    return (event,)


def _faults(row: Row) -> Iterator[RowFault]:
    if not _is_dated(row):
        yield _no_vouchers(row)
        return
    unbalanced = _unbalanced(row)
    if len(unbalanced) > int(str(row.values["known_unbalanced"])):
        yield from (_differs(each) for each in unbalanced[:_MOST_TOLD])
        if len(unbalanced) > _MOST_TOLD:
            yield _and_more(len(unbalanced) - _MOST_TOLD)


def _payload(row: Row) -> dict[str, Any]:
    organisation = _organisation(row)
    numbered_as = _USCC if len(organisation or "") == _USCC_LENGTH else _ORGANISATION
    book, unit, year = (str(row.values[name]) for name in ("book", "unit", "year"))
    title = f"{unit}{year}年度会计账簿（{row.values['book_name']}）"[:_LONGEST_LINE]
    first, last = _days(row)
    numbers = [("电子账簿编号", book), (numbered_as, organisation)]
    return {
        "aliases": [{"system": system, "number": number} for system, number in numbers if number],
        "datasetid": f"{organisation or unit}-{book}-{year}",
        "title": title,
        "covers": _covers(row),
        "period": {"from": first, "to": last},
        "as_of": last,
        "table": {
            "file": {
                "title": title,
                "sha256": row.values["sha256"],
                "size": _size(row) if _size(row) <= _MOST_COUNTED else None,
                "stored_at": row.text("stored_at"),
            },
            "format": "gbt24589",
            "rows": sum(totals.rows for totals in row.totals.values()),
            "columns": list(_columns(row)),
        },
        "linked_by": [numbered_as] if organisation else None,
        "allowed_uses": row.values["uses"],
        "use_until": row.text("use_until"),
        "contact": row.text("contact"),
    }


def _covers(row: Row) -> str:
    tables = "；".join(
        _counted(row, name, row.totals[name]) for name in row.tables if name in row.totals
    )
    software = " ".join(filter(None, (row.text("software"), row.text("version"))))
    made_with = f"会计软件：{software}。" if software else ""
    unidentified = "" if _organisation(row) else f"{_ORGANISATION}没有填写，或校验位不符。"
    unit, year, currency = row.values["unit"], row.values["year"], row.values["currency"]
    uncounted = f"没有计数的部分：{quoted(row.unread)}。" if row.unread else ""
    told = f"{unit} {year} 年度会计账簿，本位币{currency}。{tables}。"
    size = "" if _size(row) <= _MOST_COUNTED else f"文件共 {_size(row)} 字节。"
    return f"{told}{uncounted}{made_with}{unidentified}{size}"


def _counted(row: Row, name: str, totals: Totals) -> str:
    rule = row.tables[name]
    told = f"{rule.title} {totals.rows} 行"
    if rule.balance is None or not any(totals.sums.values()):
        return told
    one, other = (_money(totals.sums[side]) for side in rule.balance.sides)
    told = f"{told}，借方合计 {one}，贷方合计 {other}"
    if totals.unbalanced:
        return f"{told}，{len(totals.unbalanced)} 张凭证借贷不平（已核实）"
    return f"{told}，每张凭证借贷相等"


def _columns(row: Row) -> Iterator[dict[str, Any]]:
    """The columns that stand in the books, table by table, as `记账凭证/科目编号`."""
    for name, rule in row.tables.items():
        amounts = {column for columns in rule.sums.values() for column in columns}
        for column in row.totals[name].columns if name in row.totals else ():
            yield {
                "name": f"{rule.title}/{column}",
                "unit": row.text("currency") if column in amounts else None,
                "sensitivity": rule.classes.get(column, rule.otherwise),
            }


def _organisation(row: Row) -> str | None:
    """The number of the unit whose books they are; None where it is none."""
    code = (row.text("orgcode") or "").replace("-", "").upper()
    sound = organisation_code_fault(code) is None or uscc_fault(code) is None
    return code if sound else None


def _size(row: Row) -> int:
    return int(str(row.values["size"]))


def _days(row: Row) -> tuple[str, str]:
    """The first and the last day that a voucher has."""
    firsts = [totals.first for totals in row.totals.values() if totals.first]
    lasts = [totals.last for totals in row.totals.values() if totals.last]
    return min(firsts).isoformat(), max(lasts).isoformat()


def _is_dated(row: Row) -> bool:
    return any(totals.first for totals in row.totals.values())


def _unbalanced(row: Row) -> list[Unbalanced]:
    every = (each for totals in row.totals.values() for each in totals.unbalanced.values())
    return sorted(every, key=lambda each: (each.sheet, each.row))


def _no_vouchers(row: Row) -> RowFault:
    titles = row.tables["vouchers"].each
    reason = "没有记账凭证，或凭证都没有日期"
    advice = f"请核对导出是否完整；元素名称不同的，在站点映射中写明（现在读取 {'、'.join(titles)}）"
    return RowFault(0, "", FaultKind.MISSING, reason, advice)


def _differs(each: Unbalanced) -> RowFault:
    reason = "这一行所在的凭证，借方合计与贷方合计不相等"
    advice = "请对照原账核实；导出不全的重新导出，原账如此的由管理员在站点映射中写明已核实的张数"
    return RowFault(each.row, "", FaultKind.BALANCE, reason, advice, each.sheet)


def _and_more(number: int) -> RowFault:
    reason = f"另有 {number} 张凭证借贷不平，没有一一列出"
    return RowFault(0, "", FaultKind.BALANCE, reason, "请核对导出是否完整")


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}" if amount == round(amount, 2) else digits(amount)
