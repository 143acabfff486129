"""What passes through an adapter: records from a source, faults for people, events for the hub."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class CannotRun(Exception):
    """An adapter cannot run; the text tells why, and where, whoever runs it."""


class FaultKind(StrEnum):
    """What is wrong with a row, as the error report names it."""

    FILE = "文件无法读取"
    HEADER = "表头不符"
    NOTICE = "表头提示"
    CELLS = "列数不符"
    QUOTES = "引号不成对"
    MISSING = "缺少必填项"
    TOO_LONG = "内容过长"
    SCIENTIFIC = "科学计数法"
    DATE = "日期无效"
    FLAG = "是否值无效"
    NUMBER = "数值无效"
    IDENTIFIER = "编号无效"
    REGION = "区划代码无效"
    CODE = "代码不在代码表"
    CITIZEN_ID = "证件号码无效"
    MISMATCH = "多项对应不清"
    CONTRACT = "不符合契约"
    REFUSED = "贯通拒收"


@dataclass(frozen=True, slots=True)
class RowFault:
    """What a person has to put right, in Chinese; nothing in it repeats what a cell says.

    `row` counts as a spreadsheet does, from 1 and with the title rows, 0 for the file as a whole;
    `column` is the column's name, empty for the row as a whole.
    """

    row: int
    column: str
    kind: FaultKind
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands: the file's name and the row as a spreadsheet counts it, from 1."""

    file: str
    row: int


@dataclass(frozen=True, slots=True)
class Record:
    """One record: the wanted columns by name, as the source wrote them.

    `ack` settles this record and every one before it: a source that is opened again, also after
    kill -9, goes on behind the last one settled. It never fails for having been called before.
    """

    place: Place
    columns: Mapping[str, str]
    ack: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that the source could not take apart, and why; it is settled like any other."""

    place: Place
    faults: tuple[RowFault, ...]
    ack: Callable[[], None]


class UnreadableFile(Exception):
    """The source ends here: nothing behind this point can be read."""

    def __init__(self, *faults: RowFault) -> None:
        super().__init__("；".join(fault.reason for fault in faults))
        self.faults = faults


class Source(Protocol):
    """Records in the order of the source, each with its acknowledgement.

    Reading the same content gives the same records at the same places. Memory does not grow with
    the length of the source. What was settled (`Record.ack`) is not read again; what was read and
    not settled is. A record that cannot be taken apart comes as `Unreadable` in its place.
    """

    @property
    def notices(self) -> tuple[RowFault, ...]:
        """What the head of the source says that people should know, though it can be read."""
        ...

    def read(self) -> Iterator[Record | Unreadable]:
        """The records that are not settled. Raises UnreadableFile where reading cannot go on."""
        ...


@dataclass(frozen=True, slots=True)
class Translated:
    """A record as an event, but for what the run adds (source, id, address, `supersedes`).

    `native` is the number that the agency's own system gave to the matter. Attributes and data
    are a function of the record alone, so that reading it again gives the same bytes.
    """

    native: str
    attributes: Mapping[str, str]
    data: bytes
