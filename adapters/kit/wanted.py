"""What a field map needs of a document: the reader's order."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

# The column in which answers say what is wrong; nobody reads it.
PROBLEMS: Final = "需修改的问题"


@dataclass(frozen=True, slots=True)
class WantedGroup:
    """Parts that a record holds many of: where they stand (a path below the record), and the
    columns of each, name → title.

    With `by` in place of `each` they are the rows, one below the other, that say the same in this
    column of the record. With both they are the rows of a list: `each` stands in the names of its
    sheets, and the column is there as in the record. `required`, `also` and `amounts` are then as
    in `Wanted`.
    """

    each: str
    titles: Mapping[str, str]
    by: str = ""
    required: frozenset[str] = frozenset()
    also: Mapping[str, str] = field(default_factory=dict)
    amounts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WantedTotals:
    """A table of which only totals are wanted: what people call it, where each of its rows may
    stand (paths below the record), and the columns that are added up (name → columns, of which
    the first that says something counts).

    `day`: columns that date a row, the first that says something counts. Where the sums named in
    `sides` must agree for all rows of one number, `numbered_by` are the columns of that number.
    """

    title: str
    each: tuple[str, ...]
    sums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    day: tuple[str, ...] = ()
    numbered_by: tuple[str, ...] = ()
    sides: tuple[str, str] | None = None

    @property
    def columns(self) -> frozenset[str]:
        """Those whose cells count."""
        return frozenset([*chain(*self.sums.values()), *self.day, *self.numbered_by])


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a workbook says in a column that its template did not have yet. `types`: only one whose
    template makes one of these events, none for all."""

    text: str
    types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Form:
    """Which templates an adapter reads: its own, which are those of its system that make one of its
    events, whatever a folder of the agency's is called. `before`: column → what was so before it
    was asked for."""

    adapter: str
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
    outermost. `amounts` are the columns of money: their names in a document may have a unit at the
    end (`金额(万元)`). `sheets` are patterns (`*`, `?`) of the sheets of a workbook or the members
    of an archive that count, none for all; those of lists always do.

    `whole`: the document is one record, all members of an archive together; then the columns
    "#sha256" and "#size" say what its bytes are. `largest`: bytes that it may have, where that is
    not what any document may have. `form`: which workbooks that came from a template are its own,
    None where nobody asks. `images` are columns that hold a picture in base64: of these a reader
    gives what `image.Picture` says. `mended`: XML as careless systems write it is repaired
    (`mending`). `key` is the column by which a package's tables belong together, "" where the
    document is no package; `password` opens one that is locked.
    """

    titles: Mapping[str, str]
    required: frozenset[str]
    ignored: frozenset[str]
    also: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, WantedGroup] = field(default_factory=dict)
    tables: Mapping[str, WantedTotals] = field(default_factory=dict)
    records: str = ""
    sheets: tuple[str, ...] = ()
    amounts: frozenset[str] = frozenset()
    whole: bool = False
    largest: int | None = None
    form: Form | None = None
    images: frozenset[str] = frozenset()
    mended: bool = False
    key: str = ""
    password: str = field(default="", repr=False)

    @property
    def gathered(self) -> str:
        """The name of the group whose parts are rows; "" when every row is a record."""
        below = (name for name, group in self.groups.items() if group.by and not group.each)
        return next(below, "")

    @property
    def lists(self) -> Mapping[str, WantedGroup]:
        """The groups that are lists on sheets of their own."""
        return {name: group for name, group in self.groups.items() if group.by and group.each}


def canonical(name: str) -> str:
    """A column's name for comparing: half-width, lower case, no blanks, no star of a form."""
    half_width = unicodedata.normalize("NFKC", name)
    return re.sub(r"[\s\u200b\ufeff]+", "", half_width).strip("*").casefold()
