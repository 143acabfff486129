"""XML as careless systems write it: what is repaired, and nothing else.

An `&` that begins no reference becomes `&amp;`, a `<br>` that is never closed `<br/>`. References
are left to the parser, which knows the five of XML and refuses all others.
"""

import re
from dataclasses import dataclass
from typing import Final

from adapters.kit.port import FaultKind, RowFault, UnreadableFile

# Every alternative begins with a sign of its own, so that text is passed over fast. What is not
# closed goes on to the end, and is looked through once.
_BROKEN: Final = re.compile(
    r"&(?!(?:[A-Za-z][A-Za-z0-9]{0,30}|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)"
    r"|<(?:(!\[CDATA\[(?:.*?\]\]>|.*)|!--(?:.*?-->|.*))|[Bb][Rr][ \t]*>(?!\s*</[Bb][Rr]))",
    re.DOTALL,
)

# Careless, and not made to be repaired.
_MOST: Final = 200_000


@dataclass(frozen=True, slots=True)
class Mended:
    """A repaired text, and what people are told of it."""

    text: str
    notices: tuple[RowFault, ...]


def mended(text: str) -> Mended:
    """The text of a document, repaired. CDATA and comments stay as they are. Raises UnreadableFile
    for one with more than 200,000 places to repair."""
    lines: list[int] = []

    def mend(found: re.Match[str]) -> str:
        if found[1]:
            return found[0]
        if len(lines) == _MOST:
            reason = f"XML 有超过 {_MOST} 处 & 或 <br> 没有按规定书写"
            advice = "请核对文件是否正确，或请系统厂家改正后重新导出"
            raise UnreadableFile(RowFault(0, "", FaultKind.FILE, reason, advice))
        lines.append(found.start())
        return "&amp;" if found[0] == "&" else "<br/>"

    whole = _BROKEN.sub(mend, text)
    if not lines:
        return Mended(text, ())
    first = text.count("\n", 0, lines[0]) + 1
    reason = f"XML 有 {len(lines)} 处 & 或 <br> 没有按规定书写（先见于第 {first} 行），已按原意读取"
    advice = "内容没有改动；请告知系统厂家把 & 写成 &amp;，<br> 写成 <br/>"
    return Mended(whole, (RowFault(0, "", FaultKind.NOTICE, reason, advice),))
