"""What a field map needs of a document: the reader's order."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

# The column in which answers say what is wrong; nobody reads it.
PROBLEMS: Final = "需修改的问题"


@dataclass(frozen=True, slots=True)
class WantedGroup:
    """Parts that a record holds many of: where they stand (a path below the record), and the
    columns of each, name → title."""

    each: str
    titles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a workbook says in a column that its template did not have yet. `types`: only one whose
    template makes one of these events, none for all."""

    text: str
    types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Form:
    """Which templates a mapping reads: those of its system that make one of its events. `before`:
    column → what was so before it was asked for."""

    title: str
    system: str
    types: frozenset[str]
    before: Mapping[str, Earlier]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns a mapping reads: name → title, those it cannot do without, those it passes over.

    Names are canonical (`canonical`); `also` are other names for them, name → column. In XML and
    JSON a column is a path below the record, its members divided by "/" and an attribute marked
    with "@" ("head/msgid", "@name"). `records` is where the records stand: of XML the path of
    their element below the root or its bare name, of JSON the path of their list, "" for the
    outermost. `sheets` are patterns (`*`, `?`) of the sheets of a workbook or the members of an
    archive that count, none for all. `form`: which workbooks that came from a template are its
    own, None where nobody asks.
    """

    titles: Mapping[str, str]
    required: frozenset[str]
    ignored: frozenset[str]
    also: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, WantedGroup] = field(default_factory=dict)
    records: str = ""
    sheets: tuple[str, ...] = ()
    form: Form | None = None


def canonical(name: str) -> str:
    """A column's name for comparing: half-width, lower case, no blanks, no star of a form."""
    half_width = unicodedata.normalize("NFKC", name)
    return re.sub(r"[\s\u200b\ufeff]+", "", half_width).strip("*").casefold()
