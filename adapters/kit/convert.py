"""Conversions: one cell → one JSON value, or what is wrong with it. Each has a name in `READINGS`.

A conversion sees a cell that is not blank, the rule of its field and the codes in use. It is a
function of these: no clock, no memory. What it answers about a wrong cell never repeats the cell.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Final, Protocol

from adapters.kit.port import FaultKind
from contracts.codelists import CodeList
from contracts.identifiers import citizen_id_fault
from contracts.owncodes import Codes

Value = str | int | bool | dict[str, str]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A cell that cannot be taken over. `reason` goes on from the field's title."""

    kind: FaultKind
    reason: str
    advice: str


class Rule(Protocol):
    """What a conversion may know of its field."""

    @property
    def longest(self) -> int | None:
        """Most characters of a text."""
        ...

    @property
    def list(self) -> str | None:
        """Name of the code list."""
        ...

    @property
    def aliases(self) -> Mapping[str, str]:
        """What a site writes → what the conversion understands."""
        ...


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that is not blank, beside the cell of its label column, if the rule names one."""

    text: str
    label: str | None = None


_INVISIBLE: Final = re.compile("[\u200b\u200c\u200d\u200e\u200f\u2060\ufeff]")
_BETWEEN_HAN: Final = re.compile(
    r"(?<=[\u3400-\u9fff\uf900-\ufaff·])\s+(?=[\u3400-\u9fff\uf900-\ufaff·])"
)
_SCIENTIFIC: Final = re.compile(r"[0-9](\.[0-9]+)?[Ee]\+[0-9]{2,}")
_TRUE: Final = frozenset({"是", "有", "1", "y", "yes", "t", "true"})
_FALSE: Final = frozenset({"否", "无", "0", "n", "no", "f", "false"})
_DAY: Final = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?"
    r"(?:[T ]+([0-9]{1,2})[:时]([0-9]{1,2})(?:[:分]([0-9]{1,2})(?:\.[0-9]+)?秒?|分)?)?"
)
_COMPACT: Final = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2})(?:[0-9]{3})?)?"
)
_YEARS: Final = range(1900, 2100)
_BEIJING: Final = timezone(timedelta(hours=8))
_MOST_NAMED: Final = 20
_AS_TEXT: Final = "请在表格软件中把该列设为“文本”格式，重新填写后导出"


def bare(cell: str) -> str:
    """The cell without blanks (also full-width and invisible ones) around it."""
    visible = cell if cell.isascii() else _INVISIBLE.sub("", cell)
    return visible.strip()


def plain(cell: str) -> str:
    """A number or code as meant: half-width, without what spreadsheets put around it."""
    half_width = unicodedata.normalize("NFKC", bare(cell))
    if half_width.startswith('="') and half_width.endswith('"'):
        half_width = half_width[2:-1]
    return half_width.removeprefix("'").strip()


def tidy_name(text: str) -> str:
    """A name on one line, without the blanks that pad Chinese characters apart."""
    return _BETWEEN_HAN.sub("", " ".join(bare(text).split()))


def day_of(cell: str) -> date | None:
    """The day of a cell in any form that occurs; None when it is none."""
    moment = _moment(cell)
    return moment.date() if moment else None


def _moment(cell: str) -> datetime | None:
    written = plain(cell)
    match = _DAY.fullmatch(written) or _COMPACT.fullmatch(written)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=_BEIJING)
    except ValueError:
        return None


def _text(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    lines = cell.text.replace("\r\n", "\n").replace("\r", "\n").replace("\v", "\n")
    return _within(bare(lines), rule.longest or 2_000)


def _line(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    return _within(" ".join(bare(cell.text).split()), rule.longest or 200)


def _name(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """A name of a person or body: blanks between Chinese characters are padding."""
    return _within(tidy_name(cell.text), rule.longest or 200)


def _within(text: str, longest: int) -> str | Wrong:
    if len(text) <= longest:
        return text
    reason = f"超过 {longest} 字（现有 {len(text)} 字）"
    return Wrong(FaultKind.TOO_LONG, reason, f"请缩写到 {longest} 字以内")


def _number(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """Digits that are a name, not an amount: telephone, account and other numbers."""
    number = plain(cell.text)
    return _scientific(number) or _within(number, rule.longest or 64)


def _identifier(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    number = plain(cell.text)
    if scientific := _scientific(number):
        return scientific
    if not re.fullmatch(r"[^\s\x00-\x20\x7f]{1,64}", number):
        reason = "含有空格或不可见字符，或超过 64 字"
        return Wrong(FaultKind.IDENTIFIER, reason, "请按原系统中的编号填写")
    return number


def _scientific(number: str) -> Wrong | None:
    if _SCIENTIFIC.fullmatch(number):
        reason = "被表格软件改成了科学计数法，原来的数字已经丢失"
        return Wrong(FaultKind.SCIENTIFIC, reason, _AS_TEXT)
    return None


def _date(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    day = day_of(cell.text)
    if day is None or day.year not in _YEARS:
        return Wrong(FaultKind.DATE, "不是有效的日期", "请写成 2026/10/03 这样的日期")
    return day.isoformat()


def _time(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """A moment as Chinese systems write it, without an offset: Beijing time."""
    moment = _moment(cell.text)
    if moment is None or moment.year not in _YEARS:
        return Wrong(FaultKind.DATE, "不是有效的时间", "请写成 2026/10/03 09:05:00 这样的时间")
    return moment.isoformat()


def _flag(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    written = plain(cell.text)
    meant = rule.aliases.get(written, written).casefold()
    if meant in _TRUE | _FALSE:
        return meant in _TRUE
    return Wrong(FaultKind.FLAG, "不是“是”或“否”", "请填 是、否、1 或 0")


def _integer(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    number = plain(cell.text)
    if not re.fullmatch(r"-?([0-9]{1,12}|[0-9]{1,3}(,[0-9]{3}){1,3})(\.0+)?", number):
        return Wrong(FaultKind.NUMBER, "不是整数", "请填阿拉伯数字，不加单位或文字")
    return int(number.partition(".")[0].replace(",", ""))


def _region(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    written = plain(cell.text)
    code = rule.aliases.get(written, written)
    if scientific := _scientific(code):
        return scientific
    if not re.fullmatch(r"[0-9]{6}([0-9]{6})?", code):
        reason = "不是 6 位（或 12 位）行政区划代码"
        return Wrong(FaultKind.REGION, reason, "请填代码而不是地名，注意表格软件可能去掉了数字")
    if not codes.regions().known(code[:6]):
        reason = "不在行政区划代码表（GB/T 2260）或本地补充表中"
        return Wrong(
            FaultKind.REGION, reason, "请核对代码；开发区等无正式代码的，请管理员加入补充表"
        )
    return code[:6]


def _code(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """A member of the rule's list, by code, label or alias; an open list takes others by label."""
    assert rule.list is not None, "a mapping names a list for every code"
    members = codes.list_of(rule.list)
    written = plain(cell.text)
    code = _member(rule.aliases.get(written, written), members)
    if code is not None:
        return {"code": code, "label": members.labels[code]}
    if scientific := _scientific(written):
        return scientific
    if members.closed or cell.label is None or len(written) > 32:
        return _not_listed(members)
    return {"code": written, "label": " ".join(bare(cell.label).split())[:200]}


def _member(written: str, members: CodeList) -> str | None:
    if written in members.labels:
        return written
    return next((code for code, label in members.labels.items() if label == written), None)


def _not_listed(members: CodeList) -> Wrong:
    listed = list(members.members.values())
    # A long list is told by its branches.
    named = listed if len(listed) <= _MOST_NAMED else [m for m in listed if m.parent is None]
    shown = [f"{member.code} {member.label}" for member in named[:_MOST_NAMED]]
    advice = f"可用：{'、'.join(shown)}"
    if members.closed:
        return Wrong(FaultKind.CODE, f"不在代码表 {members.name} 中", advice)
    reason = f"不在代码表 {members.name} 中，又没有名称"
    return Wrong(FaultKind.CODE, reason, f"请在名称列填写名称；{advice}")


_CITIZEN_ID_FAULTS: Final = {
    "length": "不是 18 位",
    "characters": "含有数字和 X 以外的字符",
    "date": "中的出生日期无效",
    "check_digit": "校验位不符",
}


def _citizen_id(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """GB 11643. Whether the birth date has come is left to the contract, which knows the day."""
    number = plain(cell.text).upper()
    if scientific := _scientific(number):
        return scientific
    fault = citizen_id_fault(number, today=date.max)
    if fault is not None:
        reason = _CITIZEN_ID_FAULTS[fault]
        return Wrong(
            FaultKind.CITIZEN_ID,
            reason,
            "请与证件原件核对；表格软件会改动长数字，该列应设为“文本”格式",
        )
    return number


READINGS: Final[Mapping[str, Callable[[Cell, Rule, Codes], Value | Wrong]]] = MappingProxyType(
    {
        "text": _text,
        "line": _line,
        "name": _name,
        "number": _number,
        "identifier": _identifier,
        "date": _date,
        "time": _time,
        "flag": _flag,
        "integer": _integer,
        "region": _region,
        "code": _code,
        "citizen_id": _citizen_id,
    }
)
