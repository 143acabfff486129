"""What a ledger looks like, as its description says."""

import re
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, model_validator

from adapters.kit.present import said
from adapters.kit.sinks.columns import (
    Column,
    Description,
    Kept,
    Title,
    check_columns,
    several,
)
from contracts.codelists import code_list
from contracts.owncodes import Codes

LONGEST_NAME: Final = 31
_NAMED: Final = re.compile(r"\{([^{}:]+)(:?)\}")
# Where a formula counts working days: by the days off that are listed, none of a week besides.
_INTL: Final = "{:intl}"
_OFF: Final = "{:off}"
_NO_WEEKEND: Final = '"0000000"'


class LedgerColumn(Column):
    """A column of a ledger. People fill in those that are `editable`: from `choices` or the labels
    of `list` where there are any; `required` ones are marked until they are filled. A `formula` is
    computed by the spreadsheet, so that it may speak of today: `{title}` is the row's cell of that
    column, `{title:}` the whole column; `WORKDAY{:intl}(day,7{:off})`, or NETWORKDAYS so, counts
    working days by the installation's calendar."""

    editable: bool = False
    formula: Annotated[str | None, Field(max_length=8_000)] = None
    required: bool = False
    choices: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    width: Annotated[float, Field(gt=0, le=120)] = 16

    @model_validator(mode="after")
    def _filled_once(self) -> "LedgerColumn":
        if self.filled_by + self.editable + (self.formula is not None) != 1:
            raise ValueError("pointer、attribute、shows、formula、editable 须有且只有一个")
        if not self.editable and (self.required or self.choices):
            raise ValueError("required 和 choices 只用于 editable 的列")
        formula = self.formula or ""
        if "{:" in self._counting("") or formula.count(_INTL) != formula.count(_OFF):
            raise ValueError("按工作日历计算的公式写成 WORKDAY{:intl}(日期,天数{:off})")
        return self

    @property
    def reckons_with(self) -> tuple[str, ...]:
        """The titles of the columns that its formula names."""
        return tuple(title for title, _ in _NAMED.findall(self.formula or ""))

    @property
    def counts_days(self) -> bool:
        """Whether its formula counts working days by a calendar."""
        return _OFF in (self.formula or "")

    def formula_in(self, row: int, letters: Mapping[str, str], days_off: str) -> str:
        """The formula for a row; `letters` of the columns by title. `days_off`: the cells that list
        the days on which nobody works, blank for Saturdays and Sundays."""

        def cell(named: re.Match[str]) -> str:
            letter = letters[named[1]]
            return f"${letter}:${letter}" if named[2] else f"{letter}{row}"

        return "=" + _NAMED.sub(cell, self._counting(days_off))

    def _counting(self, days_off: str) -> str:
        intl, off = (".INTL", f",{_NO_WEEKEND},{days_off}") if days_off else ("", "")
        return (self.formula or "").replace(_INTL, intl).replace(_OFF, off)

    def choices_of(self, codes: Codes) -> tuple[str, ...]:
        """What people choose from; nothing where they may write what they like."""
        if not self.editable or self.choices:
            return self.choices
        if self.list is not None:
            return tuple(codes.list_of(self.list).labels.values())
        return (said(True), said(False)) if self.reads == "flag" else ()

    @property
    def only_these(self) -> bool:
        """Whether people may write nothing but what they can choose."""
        return bool(self.choices) or self.list is None or code_list(self.list).closed


class Ledger(Description):
    """`key` is the title of the column that names the case, or the titles of several that do so
    together. Where there are formulas, rows that people begin are reckoned with as the others
    are."""

    title: Title
    sheet: Annotated[str, Field(max_length=LONGEST_NAME, pattern=r"^[^\[\]:*?/\\'\s]+$")]
    key: Annotated[tuple[Title, ...], BeforeValidator(several), Field(min_length=1)]
    events: Annotated[Mapping[str, Kept], Field(min_length=1)]
    columns: Annotated[tuple[LedgerColumn, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _columns(self) -> "Ledger":
        check_columns(self.columns, self.events)
        titles = {column.title for column in self.columns}
        for title in self.key:
            if not any(c.title == title and c.pointer is not None for c in self.columns):
                raise ValueError(f"没有名为“{title}”且有 pointer 的列")
        if any(len(kept.key) != len(self.key) for kept in self.events.values()):
            raise ValueError("key 的列与 [events] 中 key 的指针须一样多")
        for column in self.columns:
            if unknown := set(column.reckons_with) - titles:
                raise ValueError(f"列“{column.title}”的公式提到没有的列 {'、'.join(unknown)}")
        return self

    @property
    def formulas(self) -> tuple[LedgerColumn, ...]:
        return tuple(column for column in self.columns if column.formula is not None)
