"""The mark of a workbook that came from a template: whose it is, and which columns it had.

It stands on a sheet that people do not see, and goes with the workbook however they save it. A
workbook of an older template is read as its columns say, and what a later template added is taken
from the mapping (`Form.before`).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain
from typing import Final

from adapters.kit.port import FaultKind, RowFault, UnreadableFile
from adapters.kit.wanted import Form, Wanted, canonical

MARK: Final = "贯通模板"
GUIDE: Final = "填写说明"
# Sheets of a template on which nobody writes rows; the last one holds what people choose from.
_ASIDE: Final = frozenset({MARK, GUIDE, "贯通选项"})
_FIRST: Final = "贯通填报模板"
_ROWS: Final = ("适配器", "系统", "事件", "列")
_ADAPTER: Final = re.compile(r"[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39})?")
_VERSION: Final = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """`types` are event types with their versions ("issue.drafted 1.0"), `columns` the headings
    by their canonical names."""

    adapter: str
    system: str
    types: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def version(self) -> str:
        """The version of the template: a digest of what it makes, and of its columns."""
        told = "\n".join((*self.types, "", *self.columns))
        return sha256(told.encode()).hexdigest()[:_VERSION]

    def rows(self) -> tuple[tuple[str, ...], ...]:
        """What the sheet of the mark says."""
        said = ((self.adapter,), (self.system,), self.types, self.columns)
        told = zip(_ROWS, said, strict=True)
        return ((_FIRST, self.version), *((name, *cells) for name, cells in told))


def mark_in(rows: Sequence[Sequence[str]]) -> Mark | None:
    """The mark that these rows say; None when they say none, or one that was tampered with."""
    names = (_FIRST, *_ROWS)
    if tuple(row[0] if row else "" for row in rows[: len(names)]) != names:
        return None
    adapter, system, types, columns = (tuple(filter(None, r[1:])) for r in rows[1 : len(names)])
    if len(adapter) != 1 or len(system) != 1 or not _ADAPTER.fullmatch(adapter[0]):
        return None
    mark = Mark(adapter[0], system[0], types, columns)
    return mark if rows[0][1:2] == [mark.version] else None


@dataclass(frozen=True, slots=True)
class Marked:
    """What a marked workbook is read as: the columns wanted of it, what is taken for those that
    its template did not have yet (column → text), and what people should know."""

    wanted: Wanted
    before: dict[str, str]
    notices: tuple[RowFault, ...] = ()


def read_as(mark: Mark | None, wanted: Wanted) -> Marked:
    """What a workbook with this mark is read as. Raises UnreadableFile for another's."""
    form = wanted.form
    if mark is None or form is None:
        return Marked(wanted, {})
    types = {each.partition(" ")[0] for each in mark.types}
    # Of the adapters that are shipped two may read the same form, each for its agency.
    shipped = "." in mark.adapter and "." in form.adapter and mark.adapter != form.adapter
    if shipped or mark.system != form.system or types.isdisjoint(form.types):
        raise UnreadableFile(_misplaced(mark, form))
    also = dict(chain(wanted.also.items(), *(g.also.items() for g in wanted.lists.values())))
    had = {also.get(name, name) for name in mark.columns}
    before = {
        column: earlier.text
        for column, earlier in form.before.items()
        if column not in had and (not earlier.types or not earlier.types.isdisjoint(types))
    }
    notices = tuple(_lacking(column, text) for column, text in before.items())
    return Marked(replace(wanted, required=wanted.required - before.keys()), before, notices)


def aside(sheet: str, mark: Mark | None) -> bool:
    """Whether a sheet of a workbook holds no rows of people's: one of its template's own."""
    return sheet == MARK or (mark is not None and sheet in _ASIDE)


def column_names(names: Iterable[str]) -> tuple[str, ...]:
    """Columns as a mark names them."""
    return tuple(map(canonical, names))


def _misplaced(mark: Mark, form: Form) -> RowFault:
    reason = f"放错了文件夹：这是 {mark.adapter} 的填报模板，不是“{form.title}”的"
    advice = f"请放入 {mark.adapter} 的投放文件夹；要填“{form.title}”的，请换用它的模板"
    return RowFault(0, "", FaultKind.FILE, reason, advice)


def _lacking(column: str, text: str) -> RowFault:
    reason = f"这是旧模板，没有列“{column}”，按“{text}”处理"
    return RowFault(0, column, FaultKind.NOTICE, reason, "下次请用新模板填写")
