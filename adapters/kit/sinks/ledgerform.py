"""What a ledger looks like, as its description says."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field, model_validator

from adapters.kit.present import said
from adapters.kit.sinks.columns import Column, Description, Kept, Title, check_columns
from contracts.codelists import code_list
from contracts.owncodes import Codes

LONGEST_NAME: Final = 31


class LedgerColumn(Column):
    """A column of a ledger. People fill in those that are `editable`: from `choices` or the labels
    of `list` where there are any; `required` ones are marked until they are filled."""

    editable: bool = False
    required: bool = False
    choices: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    width: Annotated[float, Field(gt=0, le=120)] = 16

    @model_validator(mode="after")
    def _filled_once(self) -> "LedgerColumn":
        if self.filled_by + self.editable != 1:
            raise ValueError("pointer、attribute、shows、editable 须有且只有一个")
        if not self.editable and (self.required or self.choices):
            raise ValueError("required 和 choices 只用于 editable 的列")
        return self

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
    """`key` is the title of the column that names the case."""

    title: Title
    sheet: Annotated[str, Field(max_length=LONGEST_NAME, pattern=r"^[^\[\]:*?/\\'\s]+$")]
    key: Title
    events: Annotated[Mapping[str, Kept], Field(min_length=1)]
    columns: Annotated[tuple[LedgerColumn, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _columns(self) -> "Ledger":
        check_columns(self.columns, self.events)
        if not any(c.title == self.key and c.pointer is not None for c in self.columns):
            raise ValueError(f"没有名为“{self.key}”且有 pointer 的列")
        return self
