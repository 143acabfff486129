"""The resume of an appointment form: lines that begin with a span of months, and their rest."""

import re
from dataclasses import dataclass
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.days import month_of
from adapters.kit.port import FaultKind

_HALF_WIDTH: Final = str.maketrans("０１２３４５６７８９．／", "0123456789./")
_MONTH: Final = r"[12][0-9]{3}(?:\s*[./年]\s*[0-9]{1,2}\s*月?|[0-9]{2}(?![0-9]))"
# Programs and people draw the line between two months in many ways.
_SPAN: Final = re.compile(
    rf"\s*({_MONTH})\s*(?:[-－—―–‒─~～〜至]\s*)+({_MONTH}|至?今|现在)?\s*(.*)", re.DOTALL
)
_YEAR: Final = re.compile(r"[12][0-9]{3}(?!年度)")
_LONGEST_SPAN: Final = 40
_LONGEST_TEXT: Final = 200
_BREAK: Final = re.compile(r"<br[ \t]*/?>|\r\n?|[\v\f]", re.IGNORECASE)


@dataclass(slots=True)
class _Stage:
    """A stage as far as its lines were read; `line` is where it begins."""

    line: int
    begin: str
    end: str | None
    text: str


def lines_of(text: str) -> list[str]:
    """The lines of a form's text, however they were divided: also `<br>` is written into it."""
    return _BREAK.sub("\n", text).split("\n")


def prose(text: str) -> str | None:
    """A form's text without blank lines and padding; None of nothing."""
    lines = (" ".join(line.split()) for line in lines_of(text))
    return "\n".join(line for line in lines if line) or None


def resume(text: str) -> list[dict[str, Any]] | Wrong:
    """The stages of a resume. A line without a span belongs to the stage before it."""
    stages: list[_Stage] = []
    for number, line in enumerate(lines_of(text), start=1):
        head, rest = line[:_LONGEST_SPAN].translate(_HALF_WIDTH), line[_LONGEST_SPAN:]
        if span := _SPAN.match(head):
            begin, end = _month(span[1]), _month(span[2])
            until = span[2] or span[3]
            if begin is None or (end is None and _YEAR.match(until)):
                return _wrong(number, "的年月无效")
            stages.append(_Stage(number, begin, end, (span[3] + rest).strip()))
        elif stages:
            stages[-1].text = _joined(stages[-1].text, line.strip())
        elif line.strip():
            return _wrong(number, "没有起止年月")
    for stage in stages:
        if not stage.text:
            return _wrong(stage.line, "没有写经历")
        if len(stage.text) > _LONGEST_TEXT:
            return _wrong(stage.line, f"起的一段经历超过 {_LONGEST_TEXT} 字")
    return [
        {"from": each.begin, "to": each.end, "text": " ".join(each.text.split())} for each in stages
    ]


def _joined(before: str, more: str) -> str:
    """A line goes on where the form broke it: Chinese without a blank."""
    apart = before[-1:].isascii() and more[:1].isascii() and before and more
    return f"{before} {more}" if apart else before + more


def _month(written: str | None) -> str | None:
    month = month_of(re.sub(r"\s", "", written or ""))
    return f"{month:%Y-%m}" if month else None


def _wrong(line: int, what: str) -> Wrong:
    return Wrong(
        FaultKind.DATE,
        f"第 {line} 行{what}",
        "每段经历写成“2010.05--2012.08  单位和职务”一行，现任的不写截止年月，过长的分成几段",
    )
