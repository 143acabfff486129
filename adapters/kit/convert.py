"""Conversions: one cell → one JSON value, or what is wrong with it. Each has a name in `READINGS`.

A conversion sees a cell that is not blank, the rule of its field and the codes in use. It is a
function of these: no clock, no memory. What it answers about a wrong cell never repeats the cell.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Protocol

from msgspec import Struct

from adapters.kit.amounts import Unclear, Unit, amount_of, decimal_of, digits, yuan_of
from adapters.kit.days import has_two_digit_year, lost_a_zero, may_be_serial, moment_of, month_of
from adapters.kit.identifiers import CITIZEN_ID_FAULTS, USCC_FAULTS
from adapters.kit.port import FaultKind
from adapters.kit.regions import above, regions_named
from contracts.codelists import CodeList
from contracts.identifiers import citizen_id_fault, uscc_fault
from contracts.owncodes import Codes

Scalar = str | int | bool | dict[str, str] | list[str] | list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Numbered:
    """What a cell says of each of several subjects, by their numbers (`numbered.py`)."""

    parts: Mapping[str, Scalar]


Value = Scalar | Numbered


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
    def label_column(self) -> str | None:
        """Where the label of a code stands that an open list has not."""
        ...

    @property
    def aliases(self) -> Mapping[str, str]:
        """What a site writes → what the conversion understands."""
        ...

    @property
    def values(self) -> tuple[str, ...]:
        """What a choice may be."""
        ...

    @property
    def unit(self) -> Unit | None:
        """What a bare amount is in."""
        ...

    @property
    def serial(self) -> bool:
        """Whether a number may be a spreadsheet's count of days."""
        ...


class Cell(Struct, frozen=True):
    """A cell that is not blank, beside the cell of its label column, if the rule names one, and the
    unit that the document says above it."""

    text: str
    label: str | None = None
    unit: Unit | None = None


_INVISIBLE: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_BETWEEN_HAN: Final = re.compile(
    r"(?<=[\u3400-\u9fff\uf900-\ufaff·])\s+(?=[\u3400-\u9fff\uf900-\ufaff·])"
)
_SCIENTIFIC: Final = re.compile(r"[0-9](\.[0-9]+)?[Ee]\+[0-9]{2,}")
_IDENTIFIER: Final = re.compile(r"[^\s\x00-\x20\x7f]{1,64}")
_TRUE: Final = frozenset({"是", "有", "√", "1", "y", "yes", "t", "true"})
_FALSE: Final = frozenset({"否", "无", "×", "0", "n", "no", "f", "false"})
_YEARS: Final = range(1900, 2100)
_MOST_ITEMS: Final = 100
# What stands in brackets is passed over as a whole.
_BRACKETS: Final = r"[（(][^（()）]*[）)]"
_LINES: Final = re.compile(rf"{_BRACKETS}|([;；\n]+)")
_ITEMS: Final = re.compile(rf"{_BRACKETS}|([;；、,，\n]+)")
_MOST_NAMED: Final = 20
_AS_TEXT: Final = "请在表格软件中把该列设为“文本”格式，重新填写后导出"


def bare(cell: str) -> str:
    """The cell without blanks (also full-width and invisible ones) around it."""
    return (cell if cell.isprintable() else _INVISIBLE.sub("", cell)).strip()


def plain(cell: str) -> str:
    """A number or code as meant: half-width, without what spreadsheets put around it."""
    if cell.isascii() and cell.isalnum():
        return cell
    half_width = unicodedata.normalize("NFKC", bare(cell))
    if half_width.startswith('="') and half_width.endswith('"'):
        half_width = half_width[2:-1]
    return half_width.removeprefix("'").strip()


def tidy_name(text: str) -> str:
    """A name on one line, without the blanks that pad Chinese characters apart."""
    return _BETWEEN_HAN.sub("", " ".join(bare(text).split()))


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
    if not _IDENTIFIER.fullmatch(number):
        reason = "含有空格或不可见字符，或超过 64 字"
        return Wrong(FaultKind.IDENTIFIER, reason, "请按原系统中的编号填写")
    return number


def _scientific(number: str) -> Wrong | None:
    if "+" in number and _SCIENTIFIC.fullmatch(number):
        reason = "被表格软件改成了科学计数法，原来的数字已经丢失"
        return Wrong(FaultKind.SCIENTIFIC, reason, _AS_TEXT)
    return None


def _date(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    written = plain(cell.text)
    moment = moment_of(written, serial=rule.serial)
    if moment is None or moment.year not in _YEARS:
        return _no_day(written, "不是有效的日期", "请写成 2026/10/03 这样的日期")
    return moment.date().isoformat()


def _time(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """A moment as Chinese systems write it, without an offset: Beijing time."""
    written = plain(cell.text)
    moment = moment_of(written, serial=rule.serial)
    if moment is None or moment.year not in _YEARS:
        return _no_day(written, "不是有效的时间", "请写成 2026/10/03 09:05:00 这样的时间")
    return moment.isoformat()


def _month(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    written = plain(cell.text)
    month = month_of(written, serial=rule.serial)
    if lost_a_zero(written):
        reason = "可能是 1 月，也可能是被表格软件去掉了末尾 0 的 10 月"
        return Wrong(FaultKind.DATE, reason, "请写成 1972.01 或 1972.10，并把该列设为“文本”格式")
    if month is None or month.year not in _YEARS:
        return _no_day(written, "不是有效的年月", "请写成 1972.04 这样的年月")
    return f"{month:%Y-%m}"


def _no_day(written: str, reason: str, advice: str) -> Wrong:
    if has_two_digit_year(written):
        return Wrong(FaultKind.DATE, "没有写出四位年份", advice)
    if may_be_serial(written):
        reason = "是表格软件的日期序列号"
        return Wrong(FaultKind.DATE, reason, "请在表格软件中把该列设为“日期”格式后导出")
    return Wrong(FaultKind.DATE, reason, advice)


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


def _decimal(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """A number as a decimal text; thousands separators go."""
    written = plain(cell.text)
    if (number := decimal_of(written)) is not None:
        return digits(number)
    advice = "请填阿拉伯数字，不加单位或文字，小数不超过 8 位"
    return _scientific(written) or Wrong(FaultKind.NUMBER, "不是数值", advice)


def _money(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """An amount in the unit that the cell, the document above it or the rule says."""
    written = plain(cell.text)
    amount = amount_of(written, cell.unit or rule.unit)
    if isinstance(amount, Unclear):
        return _unclear(written, amount)
    return {"amount": digits(amount.number), "unit": amount.unit}


def _yuan(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """The same, as a decimal text in yuan."""
    written = plain(cell.text)
    amount = yuan_of(written, cell.unit or rule.unit)
    if isinstance(amount, Unclear):
        return _unclear(written, amount)
    return digits(amount)


def _unclear(written: str, why: Unclear) -> Wrong:
    return _scientific(written) or Wrong(FaultKind.MONEY, why.reason, why.advice)


def _region(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """A region by its code, or by a name that only one has."""
    written = plain(cell.text)
    code = rule.aliases.get(written, written)
    if scientific := _scientific(code):
        return scientific
    if not re.search("[0-9]", code):
        return _region_named(code, codes)
    if not re.fullmatch(r"[0-9]{6}([0-9]{6})?", code):
        reason = "不是 6 位（或 12 位）行政区划代码"
        return Wrong(FaultKind.REGION, reason, "请填完整的代码，注意表格软件可能去掉了数字")
    if not codes.regions().known(code[:6]):
        reason = "不在行政区划代码表（GB/T 2260）或本地补充表中"
        advice = "请核对代码；开发区等无正式代码的，请管理员加入补充表"
        return Wrong(FaultKind.REGION, reason, advice)
    return code[:6]


def _region_named(name: str, codes: Codes) -> Value | Wrong:
    regions = codes.regions()
    if len(found := regions_named(name, regions)) == 1:
        return found[0]
    if not found:
        reason = "不是行政区划代码，也不是现行区划的全称"
        advice = "请填 6 位代码，或带“省、市、县、区”的全称；开发区等请管理员加入补充表"
        return Wrong(FaultKind.REGION, reason, advice)
    shown = "、".join(f"{code}（{above(code, regions)}）" for code in found[:_MOST_NAMED])
    return Wrong(
        FaultKind.REGION, "是几个地方共有的地名", f"请填代码，或在前面写明省、市；有：{shown}"
    )


def _code(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """A member of the rule's list, by code, label or alias; an open list takes others by label."""
    members = _list(rule, codes)
    written = plain(cell.text)
    if (known := _member(written, rule, codes)) is not None:
        return known
    if scientific := _scientific(written):
        return scientific
    if members.closed or cell.label is None or len(written) > 32:
        return _not_listed(members, labelled=bool(rule.label_column) and not members.closed)
    return {"code": written, "label": " ".join(bare(cell.label).split())[:200]}


def _codes(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """Members of the rule's list, each once; a label may itself hold a comma."""
    found: dict[str, dict[str, str]] = {}
    for part in _parts(_LINES, plain(cell.text)):
        whole = _member(part, rule, codes)
        for each in [part] if whole else _parts(_ITEMS, part):
            known = whole or _member(each, rule, codes)
            if known is None:
                return _scientific(each) or _not_listed(_list(rule, codes), labelled=False)
            found[known["code"]] = known
    return list(found.values()) if found else _not_listed(_list(rule, codes), labelled=False)


def _list(rule: Rule, codes: Codes) -> CodeList:
    assert rule.list is not None, "a mapping names a list for every code"
    return codes.list_of(rule.list)


def _member(written: str, rule: Rule, codes: Codes) -> dict[str, str] | None:
    members = _list(rule, codes)
    meant = rule.aliases.get(written, written)
    code = meant if meant in members.members else _labels(codes, members.name).get(meant)
    return None if code is None else {"code": code, "label": members.members[code].label}


@lru_cache(maxsize=256)
def _labels(codes: Codes, name: str) -> Mapping[str, str]:
    """Label → code, the first in the order of the form."""
    members = codes.list_of(name).members.values()
    return {plain(member.label): member.code for member in reversed(tuple(members))}


def _not_listed(members: CodeList, *, labelled: bool) -> Wrong:
    listed = list(members.members.values())
    # A long list is told by its branches.
    named = listed if len(listed) <= _MOST_NAMED else [m for m in listed if m.parent is None]
    shown = [f"{member.code} {member.label}" for member in named[:_MOST_NAMED]]
    reason, advice = f"不在代码表 {members.name} 中", f"可用：{'、'.join(shown)}"
    if labelled:
        return Wrong(FaultKind.CODE, f"{reason}，又没有名称", f"请在名称列填写名称；{advice}")
    own = "" if members.closed else "；另有叫法的，请管理员在站点映射的 aliases 中写明是哪一项"
    return Wrong(FaultKind.CODE, reason, f"{advice}{own}")


def _choice(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """One of the rule's values, as it is or by an alias."""
    written = plain(cell.text)
    meant = rule.aliases.get(written, written)
    for value in rule.values:
        if meant in (value, plain(value)):
            return value
    named = [value for value in rule.values if value not in rule.aliases.values()]
    shown = "、".join([*rule.aliases, *named][:_MOST_NAMED])
    return Wrong(FaultKind.CODE, "不是可填的几项之一", f"可填：{shown}")


def _lines(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """Several texts in one cell, divided by semicolons or line breaks."""
    return _several(_parts(_LINES, cell.text), rule)


def _names(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """Several names in one cell, divided by semicolons, commas or line breaks."""
    return _several([tidy_name(part) for part in _parts(_ITEMS, cell.text)], rule)


def _parts(between: re.Pattern[str], text: str) -> list[str]:
    text = text.replace("\r", "\n").replace("\v", "\n")
    ends = [(found.start(), found.end()) for found in between.finditer(text) if found[1]]
    starts = [0, *(end for _, end in ends)]
    stops = [*(start for start, _ in ends), len(text)]
    lines = (" ".join(bare(text[a:b]).split()) for a, b in zip(starts, stops, strict=True))
    return [line for line in lines if line]


def _several(items: list[str], rule: Rule) -> Value | Wrong:
    if not items:
        return Wrong(FaultKind.MISSING, "只有分隔符，没有内容", "请填写内容，或留空")
    if len(items) > _MOST_ITEMS:
        reason = f"超过 {_MOST_ITEMS} 项（现有 {len(items)} 项）"
        return Wrong(FaultKind.TOO_LONG, reason, f"请减少到 {_MOST_ITEMS} 项以内")
    longest = max(items, key=len)
    within = _within(longest, rule.longest or 200)
    return items if within == longest else within


def _citizen_id(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """GB 11643. Whether the birth date has come is left to the contract, which knows the day."""
    number = plain(cell.text).upper()
    if scientific := _scientific(number):
        return scientific
    fault = citizen_id_fault(number, today=date.max)
    if fault is not None:
        advice = "请与证件原件核对；表格软件会改动长数字，该列应设为“文本”格式"
        return Wrong(FaultKind.CITIZEN_ID, CITIZEN_ID_FAULTS[fault], advice)
    return number


def _uscc(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """GB 32100; blanks and hyphens between the groups go."""
    number = re.sub(r"[\s-]+", "", plain(cell.text)).upper()
    if (fault := uscc_fault(number)) is not None:
        return Wrong(FaultKind.IDENTIFIER, USCC_FAULTS[fault], "请与登记证书核对")
    return number


_IMAGE: Final = re.compile(r"image/[a-z]{1,8} [0-9]{1,8} ([0-9a-f]{64})")


def _image(cell: Cell, rule: Rule, codes: Codes) -> Value | Wrong:
    """The SM3 digest of a picture, as a reader tells of it."""
    told = _IMAGE.fullmatch(cell.text)
    if told is None:
        reason = "不是 JPEG、PNG、GIF 或 BMP 图片，或者已损坏、超过 8 MiB"
        return Wrong(FaultKind.SYNTAX, reason, "请重新插入照片，或删去后提供")
    return told[1]


READINGS: Final[Mapping[str, Callable[[Cell, Rule, Codes], Value | Wrong]]] = MappingProxyType(
    {
        "text": _text,
        "line": _line,
        "name": _name,
        "number": _number,
        "identifier": _identifier,
        "date": _date,
        "time": _time,
        "month": _month,
        "flag": _flag,
        "integer": _integer,
        "decimal": _decimal,
        "money": _money,
        "yuan": _yuan,
        "region": _region,
        "code": _code,
        "codes": _codes,
        "choice": _choice,
        "lines": _lines,
        "names": _names,
        "citizen_id": _citizen_id,
        "uscc": _uscc,
        "image": _image,
    }
)
