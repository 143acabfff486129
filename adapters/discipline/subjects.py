"""What a row says of each subject of a clue, by the number that the sender gave the subject."""

import re
from collections.abc import Iterator, Mapping, Set
from typing import Final

from adapters.kit.convert import Value, Wrong
from adapters.kit.mapping import Row
from adapters.kit.port import FaultKind, RowFault

LISTED: Final = "subject_nos"
ADDED: Final = "added_subject_nos"
# Subject and, of an organisation's people, which one.
Number = tuple[int, int]

_WHICH: Final = Wrong(
    FaultKind.MISMATCH,
    "没有写明是哪一名被反映对象",
    "这条线索有几名对象，请写成“1=内容；2=内容”，序号是移交时的对象序号",
)
_UNKNOWN: Final = Wrong(
    FaultKind.MISMATCH, "写了这条线索没有的对象序号", "请按移交时的对象序号填写"
)
_TWICE: Final = Wrong(FaultKind.MISMATCH, "同一对象写了两次", "请每名对象只写一次")
_NO_PARTS: Final = Wrong(
    FaultKind.MISMATCH,
    "的序号带有分号（如 2-1）",
    "只有受处分人和处分处理各栏可以给一个单位下的几个人编号",
)


def each(row: Row, field: str) -> Mapping[Number, Value]:
    """A numbered field by number. One thing without a number is said of the only subject."""
    sole = next(iter(_numbers(row, LISTED)), 1)
    return {_number(number, sole): value for number, value in row.of_each(field).items()}


def by_subject(row: Row, field: str) -> Mapping[int, Value]:
    """A numbered field by subject, in the order of the subjects."""
    return {subject: value for (subject, _), value in sorted(each(row, field).items())}


def unclear(row: Row, fields: tuple[str, ...], *, people: Set[str]) -> Iterator[RowFault]:
    """Of the numbered fields those whose numbers do not tell whom they mean; only those of
    `people` may number several within a subject."""
    listed, added = _numbers(row, LISTED), _numbers(row, ADDED)
    for field in fields:
        said = row.of_each(field)
        if "" in said and len(listed) + len(added) > 1:
            yield row.wrong(field, _WHICH)
        elif len(each(row, field)) < len(said):
            yield row.wrong(field, _TWICE)
        elif field not in people and any("-" in number for number in said):
            yield row.wrong(field, _NO_PARTS)
        # Of several additions the ledger shows the last one's subjects only.
        elif listed and not added and not set(by_subject(row, field)) <= set(listed):
            yield row.wrong(field, _UNKNOWN)


def unaccompanied(
    row: Row, companions: Mapping[str, str], kind: FaultKind, advice: str
) -> Iterator[RowFault]:
    """The fields that speak of a subject of whom the field they go with says nothing."""
    for field, main in companions.items():
        if not set(by_subject(row, field)) <= set(by_subject(row, main)):
            reason = f"所写的对象没有{row.fields[main].title}"
            yield row.wrong(field, Wrong(kind, reason, advice))


def _numbers(row: Row, field: str) -> list[int]:
    return [int(number) for number in re.findall("[0-9]{1,3}", row.text(field) or "")]


def _number(written: str, sole: int) -> Number:
    subject, _, person = written.partition("-")
    return int(subject or sole), int(person or 1)
