"""Account books of an invented unit, as an accounting program exports them.

    python -m tests.adapters.account_books FILE VOUCHERS

writes such books, reads them, and prints the most memory that this took, in KiB.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from adapters.kit.adapter import load
from adapters.kit.port import Record
from adapters.kit.readers.opening import opened
from tests.resident import most_resident

HEADER = """<?xml version="1.0" encoding="{encoding}"?>
<会计核算数据><公共档案><电子账簿><电子账簿编号>001</电子账簿编号><电子账簿名称>示例局总账</电子账簿名称>\
<会计核算单位>示范市示例局</会计核算单位><组织机构代码>MB0000019</组织机构代码><本位币>人民币</本位币>\
<会计年度>2025</会计年度></电子账簿></公共档案><总账>
"""
LINE = """<记账凭证><记账凭证日期>2025{month:02}15</记账凭证日期><会计年度>2025</会计年度>\
<会计期间号>{month:02}</会计期间号><记账凭证类型编号>记</记账凭证类型编号><记账凭证编号>{number}</记账凭证编号>\
<记账凭证行号>{line}</记账凭证行号><记账凭证摘要>示例支出第{number}号</记账凭证摘要><科目编号>{account}</科目编号>\
<借方本币金额>{debit}</借方本币金额><贷方本币金额>{credit}</贷方本币金额><制单人>李样板</制单人></记账凭证>
"""
END = "</总账></会计核算数据>\n"


def books(vouchers: int, *, encoding: str = "gb18030") -> Iterator[str]:
    """A set of books piece by piece: so many vouchers of two lines each, in twelve months."""
    yield HEADER.format(encoding=encoding)
    for number in range(vouchers):
        voucher = {"month": number * 12 // vouchers + 1, "number": number}
        amount = f"{number % 9_000 + 1}.{number % 100:02}"
        yield LINE.format(**voucher, line=1, account="5001", debit=amount, credit="0.00")
        yield LINE.format(**voucher, line=2, account="1002", debit="0.00", credit=amount)
    yield END


def write_books(path: Path, vouchers: int, *, encoding: str = "gb18030") -> None:
    """The same in a file."""
    with path.open("w", encoding=encoding) as file:
        file.writelines(books(vouchers, encoding=encoding))


def read_books(path: Path) -> int:
    """How many rows the vouchers of the books have."""
    with opened(path, path.name, load("audit.books").mapping.wanted) as reader:
        (record,) = reader.read()
    assert isinstance(record, Record)
    return record.totals["vouchers"].rows


if __name__ == "__main__":
    file, count = Path(sys.argv[1]), int(sys.argv[2])
    write_books(file, count)
    assert read_books(file) == 2 * count
    sys.stdout.write(str(most_resident()))
