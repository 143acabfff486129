"""A cell that says something of each of several subjects: `1=初步核实；2=予以了结`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from adapters.kit.convert import Cell, Rule, Value, Wrong, bare, plain
from adapters.kit.port import FaultKind
from contracts.owncodes import Codes

Reading = Callable[[Cell, Rule, Codes], Value | Wrong]

MOST_PARTS: Final = 100
_BETWEEN: Final = re.compile(r"[;；\n]")
# People also number as in a list: "1.", "2、". What follows is no digit then: 1.5 is no number 1.
_NUMBERED: Final = re.compile(
    r"([0-9０-９]{1,3}(?:[-－][0-9０-９]{1,2})?)\s*(?:[=＝:：]|[.．、](?![0-9０-９]))(.*)"
)
_ADVICE: Final = "请写成“1=内容；2=内容”，各项用分号隔开，每个序号写一次"


@dataclass(frozen=True, slots=True)
class Numbered:
    """What a cell says, by the number of the subject, in the cell's order.

    A number may have a part of its own ("2-1": the first of subject 2). "" stands for a cell that
    says one thing and numbers nothing.
    """

    parts: Mapping[str, Value]


def numbered(cell: Cell, rule: Rule, codes: Codes, each: Reading) -> Numbered | Wrong:
    """The cell taken apart, every part read by `each`."""
    text = cell.text.replace("\r\n", "\n").replace("\r", "\n")
    written = [part for part in map(bare, _BETWEEN.split(text)) if part]
    if len(written) > MOST_PARTS:
        return Wrong(FaultKind.MISMATCH, f"超过 {MOST_PARTS} 项", _ADVICE)
    parts: dict[str, Value] = {}
    for place, part in enumerate(written, start=1):
        number, said = _taken_apart(part)
        if not said or number in parts or (not number and len(written) > 1):
            return Wrong(
                FaultKind.MISMATCH, f"第 {place} 项没有写明序号、序号重复或没有内容", _ADVICE
            )
        value = each(replace(cell, text=rule.aliases.get(plain(said), said)), rule, codes)
        if isinstance(value, Wrong):
            return replace(value, reason=f"第 {place} 项{value.reason}") if number else value
        parts[number] = value
    return Numbered(parts)


def _taken_apart(part: str) -> tuple[str, str]:
    match = _NUMBERED.fullmatch(part)
    if match is None:
        return "", part
    return "-".join(str(int(number)) for number in plain(match[1]).split("-")), bare(match[2])
