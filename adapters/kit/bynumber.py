"""What a row says of each subject of a case, or of each item of a list, by its number."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from adapters.kit.convert import Scalar, Wrong
from adapters.kit.port import FaultKind, RowFault
from adapters.kit.rows import Row

# A ledger shows the subjects of a clue as they were handed over, people and bodies apart or not,
# and those that were added last.
_LISTED: Final = ("subject_nos", "person_nos", "organisation_nos")
_ADDED: Final = "added_subject_nos"
# Subject and, of an organisation's people, which one.
Number = tuple[int, int]

_WHICH: Final = Wrong(
    FaultKind.MISMATCH,
    "没有写明是哪一名对象",
    "这一件有几名对象，请写成“1=内容；2=内容”，序号是移交时的对象序号",
)
_UNKNOWN: Final = Wrong(FaultKind.MISMATCH, "写了这一件没有的对象序号", "请按移交时的对象序号填写")
_TWICE: Final = Wrong(FaultKind.MISMATCH, "的同一序号写了两次", "请每个序号只写一次")
_NO_PARTS: Final = Wrong(
    FaultKind.MISMATCH,
    "的序号带有连字符（如 2-1）",
    "这一栏只写一级序号，如“1=内容；2=内容”",
)


def each(row: Row, field: str) -> Mapping[Number, Scalar]:
    """A numbered field by number. One thing without a number is said of the only subject."""
    said = row.of_each(field)
    sole = next(iter(_numbers(row, *_LISTED)), 1) if "" in said else 1
    return {_number(number, sole): value for number, value in said.items()}


def by_number(row: Row, field: str) -> Mapping[int, Scalar]:
    """A numbered field by subject (or by item of a list), in the order of the numbers."""
    return {subject: value for (subject, _), value in sorted(each(row, field).items(), key=_first)}


def unclear(row: Row, *, people: Collection[str] = ()) -> Iterator[RowFault]:
    """Of the numbered fields those whose numbers do not tell whom they mean; only fields of
    `people` may number several within a subject."""
    listed, added = _numbers(row, *_LISTED), _numbers(row, _ADDED)
    for field in row.values:
        said = row.of_each(field)
        if "" in said and len(listed) + len(added) > 1:
            yield row.wrong(field, _WHICH)
        elif len(each(row, field)) < len(said):
            yield row.wrong(field, _TWICE)
        elif field not in people and any("-" in number for number in said):
            yield row.wrong(field, _NO_PARTS)
        # Of several additions the ledger shows the last one's subjects only.
        elif listed and not added and not set(by_number(row, field)) <= set(listed):
            yield row.wrong(field, _UNKNOWN)


def unaccompanied(
    row: Row, field: str, main: str, kind: FaultKind = FaultKind.MISMATCH
) -> Iterator[RowFault]:
    """A field that speaks of a number of which the field it goes with says nothing."""
    if field in row.values and not set(by_number(row, field)) <= set(by_number(row, main)):
        title = row.fields[main].title
        wrong = Wrong(kind, f"所写的序号没有相应的{title}", f"请先按同样的序号填写{title}")
        yield row.wrong(field, wrong)


def _numbers(row: Row, *fields: str) -> list[int]:
    written = " ".join(row.text(field) or "" for field in fields)
    return [int(number) for number in re.findall("[0-9]{1,3}", written)]


def _number(written: str, sole: int) -> Number:
    subject, _, person = written.partition("-")
    return int(subject or sole), int(person or 1)


def _first(item: tuple[Number, Scalar]) -> Number:
    return item[0]
