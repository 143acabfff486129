"""A cell that says something of each of several subjects: `1=初步核实；2=予以了结`."""

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Final

from adapters.kit.convert import Cell, Numbered, Rule, Scalar, Value, Wrong, bare, plain
from adapters.kit.port import FaultKind
from contracts.owncodes import Codes

Reading = Callable[[Cell, Rule, Codes], Value | Wrong]

MOST_PARTS: Final = 100
_BETWEEN: Final = re.compile(r"[;；\n]")
# People also number as in a list: "1.", "2、". What follows is no digit then: 1.5 is no number 1.
_NUMBER: Final = r"([0-9０-９]{1,3}(?:[-－][0-9０-９]{1,2})?)\s*(?:[=＝:：]|[.．、](?![0-9０-９]))"
_NUMBERED: Final = re.compile(rf"{_NUMBER}(.*)", re.DOTALL)
_BEFORE_NUMBER: Final = re.compile(rf"[;；\n](?=\s*{_NUMBER})")
_ADVICE: Final = "请写成“1=内容；2=内容”，各项用分号隔开，每个序号写一次"


def numbered(
    cell: Cell, rule: Rule, codes: Codes, each: Reading, *, prose: bool = False
) -> Numbered | Wrong:
    """The cell taken apart, every part read by `each`: number → value, in the cell's order.

    A number may have a part of its own ("2-1": the first of subject 2). "" stands for a cell that
    says one thing and numbers nothing. Semicolons and lines divide parts; in `prose` only those
    before a number do.
    """
    text = cell.text.replace("\r\n", "\n").replace("\r", "\n")
    written = [part for part in map(bare, _parts(text, prose=prose)) if part]
    if len(written) > MOST_PARTS:
        return Wrong(FaultKind.MISMATCH, f"超过 {MOST_PARTS} 项", _ADVICE)
    parts: dict[str, Scalar] = {}
    for place, part in enumerate(written, start=1):
        number, said = _taken_apart(part)
        if not said or number in parts or (not number and len(written) > 1):
            return Wrong(
                FaultKind.MISMATCH, f"第 {place} 项没有写明序号、序号重复或没有内容", _ADVICE
            )
        meant = rule.aliases.get(plain(said), said)
        value = each(Cell(meant, cell.label, cell.unit), rule, codes)
        assert not isinstance(value, Numbered), "a part is not numbered again"
        if isinstance(value, Wrong):
            return replace(value, reason=f"第 {place} 项{value.reason}") if number else value
        parts[number] = value
    return Numbered(parts)


def _parts(text: str, *, prose: bool) -> list[str]:
    if not prose:
        return _BETWEEN.split(text)
    ends = [found.start() for found in _BEFORE_NUMBER.finditer(text)]
    return [text[a:b].lstrip(";；") for a, b in pairwise([0, *ends, len(text)])]


def _taken_apart(part: str) -> tuple[str, str]:
    match = _NUMBERED.fullmatch(part)
    if match is None:
        return "", part
    return "-".join(str(int(number)) for number in plain(match[1]).split("-")), bare(match[2])
