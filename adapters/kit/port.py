"""What passes through an adapter, and the three ports of the kit: `Source`, `Reader`, `Sink`.

The way in: a source brings documents → a reader takes records from each → the field map and the
translation make events of them → these wait in the spool → they are sent. The way out: a page of
a subscription's events → sinks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from adapters.kit.amounts import Unit


class CannotRun(Exception):
    """An adapter cannot run; the text tells why, and where, whoever runs it."""


class Away(Exception):
    """What an adapter reads from or writes to is not there; only waiting helps. The text says what
    is away, never what was read or written. `wait`: seconds that it asks to be left alone for."""

    def __init__(self, told: str, wait: float = 0.0) -> None:
        super().__init__(told)
        self.wait = wait


class FaultKind(StrEnum):
    """What is wrong with a row, as the error report names it."""

    FILE = "文件无法读取"
    HEADER = "表头不符"
    NOTICE = "表头提示"
    CELLS = "列数不符"
    SYNTAX = "格式错误"
    QUOTES = "引号不成对"
    MISSING = "缺少必填项"
    TOO_LONG = "内容过长"
    SCIENTIFIC = "科学计数法"
    DATE = "日期无效"
    FLAG = "是否值无效"
    NUMBER = "数值无效"
    MONEY = "金额无效"
    FORMULA = "公式出错"
    IDENTIFIER = "编号无效"
    REGION = "区划代码无效"
    CODE = "代码不在代码表"
    CITIZEN_ID = "证件号码无效"
    MISMATCH = "多项对应不清"
    BALANCE = "借贷不平"
    STEP = "办理步骤不符"
    OPENING = "找不到来文"
    DELETED = "原系统已删除"
    PROGRAM = "转换程序出错"
    CONTRACT = "不符合契约"
    REFUSED = "贯通拒收"


@dataclass(frozen=True, slots=True)
class RowFault:
    """What a person has to put right, in Chinese; nothing in it repeats what a cell says.

    `row` counts as a spreadsheet does, from 1 and with the title rows, 0 for the file as a whole;
    `column` is the column's name in the field map (people are shown the document's own), empty for
    the row as a whole; `sheet` is the sheet of a workbook
    or the member of an archive, empty where there is but one.
    """

    row: int
    column: str
    kind: FaultKind
    reason: str
    advice: str
    sheet: str = ""


class Place(Struct, frozen=True, array_like=True):
    """Where a record stands: the document's name, the row as a spreadsheet counts it, from 1 (of
    XML and JSON: which record), and the sheet or member if there are several."""

    file: str
    row: int
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Unbalanced:
    """What is entered under one number and has two sides that differ: the row of its table where
    it begins, the table as `Place.sheet` names it, and by how much the first side is greater."""

    row: int
    sheet: str
    excess: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """What was counted of a table whose rows are not kept.

    `columns` are those that stand in it; `first` and `last` the days that its rows name;
    `unbalanced` goes by the numbers; `faults` are cells that could not be counted.
    """

    rows: int
    columns: tuple[str, ...]
    sums: Mapping[str, Decimal]
    first: date | None
    last: date | None
    unbalanced: Mapping[str, Unbalanced]
    faults: tuple[RowFault, ...]


class Record(Struct, frozen=True):
    """One record: the wanted columns by canonical name, as the document wrote them.

    `number` is its ordinal in the document, rising from 1, not always by 1. `groups` are the parts
    that a record holds many of (the family members of a form), each with its own columns; `places`
    tells where each part of a group stands that has a row of its own. `units`: what bare amounts of
    a column are in, where the document says it above them, and `part_units` the same of each part
    that has a row of its own. `totals` are of parts too many to be
    kept (the vouchers of a year), by the name of their table. `unread` names parts
    that stand in the document and that nobody reads.
    """

    number: int
    place: Place
    columns: Mapping[str, str]
    groups: Mapping[str, Sequence[Mapping[str, str]]] = {}
    places: Mapping[str, Sequence[Place]] = {}
    units: Mapping[str, Unit] = {}
    part_units: Mapping[str, Sequence[Mapping[str, Unit]]] = {}
    totals: Mapping[str, Totals] = {}
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that the reader could not take apart, and why."""

    number: int
    place: Place
    faults: tuple[RowFault, ...]


class UnreadableFile(Exception):
    """The document ends here: nothing behind this point can be read."""

    def __init__(self, *faults: RowFault) -> None:
        super().__init__("；".join(fault.reason for fault in faults))
        self.faults = faults


class Reader(Protocol):
    """The records of one document, in its order.

    Reading the same document gives the same records under the same numbers. Memory does not grow
    with the length of the document. A record that cannot be taken apart comes as `Unreadable` in
    its place. Opening one raises UnreadableFile for a document of which nothing can be read.
    """

    @property
    def notices(self) -> tuple[RowFault, ...]:
        """What the head of the document says that people should know, though it can be read."""
        ...

    @property
    def rows(self) -> int | None:
        """How far the numbers go at most, for showing progress; None when nobody knows."""
        ...

    def read(self, after: int = 0) -> Iterator[Record | Unreadable]:
        """The records numbered above `after`. Raises UnreadableFile where reading cannot go on."""
        ...


@dataclass(frozen=True, slots=True)
class Brought:
    """A document that a source brought: what people call it, and the source's place behind it.

    `position` is the source's own writing (at most 64 KiB), kept with the document in one step.
    """

    name: str
    position: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a document: rows with something in them, by how they ended.

    `complete` is False when part of it could not be read; `answers` are the files that tell people
    what to put right, none when there is nothing.
    """

    read: int
    accepted: int
    duplicate: int
    rejected: int
    complete: bool
    answers: tuple[Path, ...]


class Source(Protocol):
    """Brings documents, each whole and once.

    The bytes are on disk (also after a power cut) before `bring` answers; the position that comes
    with them is remembered in the same transaction as the document. So whoever is killed between
    the two is asked again from the position before, and brings the same again; a document is never
    passed over. A source is used by one thread.
    """

    def bring(self, position: str, into: Path) -> Brought | None:
        """Write the next document behind `position` ("" at first) into the new file `into`.

        None when there is nothing now, and then `into` does not exist. Raises Away when only
        waiting helps, CannotRun when somebody has to do something, and OSError.
        """
        ...

    def finished(self, name: str, outcome: Outcome) -> None:
        """A document was read to its end and the hub has answered for all of it (the ack).

        Called at least once for each, in the order brought, also after kill -9 in between.
        """
        ...


class Sink(Protocol):
    """Where a subscription's events end up in the form that the agency opens.

    A sink is used by one thread.
    """

    def take(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Take events (as `HubClient.pull` gives them) in the order of the subscription; none when
        nothing came for a while.

        When it returns, all of them are durable; it may be called again with the same events,
        also after kill -9 in the middle, and then changes nothing twice (`hubreceipt` names an
        event; a restored hub may give its position to another). What it has no use for it passes
        over. Raises Away when only waiting helps, CannotRun when somebody has to do something, and
        OSError.
        """
        ...


class Translated(Struct, frozen=True, array_like=True):
    """A record as an event, but for what the kit adds (source, id, address, `supersedes`, and for
    a reply its opening).

    `native` is the number that the agency's own system gave to the matter. Attributes and data
    are a function of the record alone, so that reading it again gives the same bytes. `places`
    tells which parts of the data have rows of their own: where these stand, by JSON Pointer into
    the data.
    """

    native: str
    attributes: Mapping[str, str]
    data: bytes
    places: Mapping[str, Place] = {}

    @property
    def type(self) -> str:
        return self.attributes["type"]
