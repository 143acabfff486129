"""One fault tried, or the same several times, and what came of it as a line of a table."""

import itertools
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from random import Random
from typing import Final
from unicodedata import east_asian_width

from tests.faults.cases import Case, F
from tests.faults.field import NotHere
from tests.faults.judge import Harm, Pauses, harm_of, pauses_of
from tests.faults.load import CHANGING, busy

HEAD: Final = (
    "故障 fault",
    "次 times",
    "事件 events",
    "一次答复 longest answer, s",
    "发布停顿 longest pause of publishers, s",
    "有退回者 where refused, s",
    "整批 of all or none, s",
    "读取停顿 of readers, s",
    "换门者 of those that change doors, s",
    "Kafka 报送 produced, s",
    "其读取 until read, s",
    "选主 election, s",
    "停机 machine still, s",
    "丢 lost",
    "重 doubled",
    "乱序 reordered",
    "空号 gaps",
    "时间倒退 time back",
    "半批 torn",
    "退而又收 refused yet kept",
    "退而未告 untold",
    "结论 verdict",
)
NO_HARM: Final = Harm(0, 0, 0, 0, 0, 0, 0, 0)
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a fault; `skipped` says why it could not be tried."""

    name: str
    times: int
    events: int
    pauses: Pauses
    harm: Harm
    skipped: str = ""

    @property
    def is_well(self) -> bool:
        """Whether no harm was done."""
        return self.harm == NO_HARM

    def and_also(self, other: "Tried") -> "Tried":
        """Both, of one fault."""
        return Tried(
            self.name,
            self.times + other.times,
            self.events + other.events,
            Pauses(*map(max, astuple(self.pauses), astuple(other.pauses))),
            Harm(*map(sum, zip(astuple(self.harm), astuple(other.harm), strict=True))),
            self.skipped,
        )


def tried(case: Case[F], field: F, dice: Random, *, times: int) -> Tried:
    """Try a fault so many times in a row while the hub is busy.

    Fails where the hub does not go on, or a client is told something else than it should be.
    """
    first, first_refusal = field.next_number(), field.next_refusal()
    skipped = ""
    name = f"f{next(_numbers)}"
    with busy(field.cluster, name, producers=field.producers) as load:
        load.await_answers(dice.randrange(6, 40))
        try:
            for _ in range(times):
                case.act(field, load, dice)
        except NotHere as reason:
            skipped, times = str(reason), 0
        load.await_answers(20)
    field.await_whole()
    positions = range(first, field.next_number())
    return Tried(
        case.name,
        times,
        sum(len(each.accepted) for each in (*load.answered, *load.produced)),
        pauses_of(
            load.answered,
            load.seen,
            slowest=load.slowest,
            changing=CHANGING,
            produced=load.produced,
            election=load.election,
            still=load.still,
        ),
        harm_of(
            load.answered,
            load.seen,
            field.kept_since(first),
            positions,
            field.recorded_since(first_refusal),
            produced=load.produced,
            told=field.told(),
        ),
        skipped,
    )


def table(rows: Sequence[Tried]) -> str:
    """As Markdown, columns aligned."""
    cells = [HEAD, *map(_cells, rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| "
        + " | ".join(c + " " * (w - _width(c)) for c, w in zip(row, widths, strict=True))
        + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _cells(row: Tried) -> tuple[str, ...]:
    pauses = (f"{seconds:.1f}" if seconds else "–" for seconds in astuple(row.pauses))
    verdict = "OK" if row.is_well else "FAIL"
    counts = map(str, astuple(row.harm))
    told = f"SKIP: {row.skipped}" if row.skipped else verdict
    return (row.name, str(row.times), str(row.events), *pauses, *counts, told)


def _width(text: str) -> int:
    return sum(1 + (east_asian_width(c) in "WF") for c in text)
