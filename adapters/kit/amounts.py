"""Amounts of money as people write them, exactly; never through binary floating point."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Final, Literal, cast, get_args

Unit = Literal["元", "千元", "万元", "亿元"]
UnitTold = Literal["元", "万元"]

# What is written behind an amount → the power of ten of a yuan.
_POWERS: Final = MappingProxyType(
    {"元": 0, "圆": 0, "千元": 3, "万": 4, "万元": 4, "百万元": 6, "千万元": 7, "亿": 8, "亿元": 8}
)
_NUMBER: Final = r"-?(?:[0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?:\.[0-9]{1,20})?"
_WRITTEN: Final = re.compile(
    rf"(?:人民币|RMB|CNY)?[:\s]*¥?\s*({_NUMBER})\s*({'|'.join(_POWERS)})?\s*[整正]?"
)
_ABOUT: Final = re.compile("[约近余多逾超几数]|左右|上下|以上|以下|不足|至少|不低于|不少于|大概")
_RANGE: Final = re.compile(r"[0-9元万亿]\s*(?:[-~至到—–－～]{1,2})\s*¥?[0-9]")
_CAPITALS: Final = re.compile("[零〇壹贰叁肆伍陆柒捌玖拾佰仟一二两三四五六七八九十百千]")
_UNITS: Final[tuple[Unit, ...]] = get_args(Unit)
_ENDS_WITH_UNIT: Final = re.compile(rf"\((?:单位[:为])?({'|'.join(_UNITS)})\)$")
# What a title says of all the amounts below it; of a price (元/人) it says nothing.
_TITLE: Final = re.compile(
    rf"单位[:为](?:人民币)?({'|'.join(_UNITS)})(?=$|币种|[^\w/])|{_ENDS_WITH_UNIT.pattern}"
)
# Longer is no amount, however the blanks in it stand.
_LONGEST: Final = 60
_MOST_DIGITS: Final = 15
_MOST_DIGITS_IN_YUAN: Final = 19
_MOST_PLACES: Final = 4
_MOST_PLACES_WRITTEN: Final = 8


class Unclear(Enum):
    """Why a text is no amount that can be taken over: reason, and what to do."""

    NOT_A_NUMBER = "不是人民币金额", "请填阿拉伯数字，如 12000.50 或 1.2万元；没有金额的请留空"
    ABOUT = "是约数", "请填确切的金额；只知道约数的请留空，并在文字说明中写明"
    RANGE = "是一个范围", "请填确切的金额；只知道范围的请留空，并在文字说明中写明"
    CAPITALS = "是大写（中文数字）金额", "请用阿拉伯数字填写，如 300000元"
    NO_UNIT = "没有写明单位（元还是万元）", "请在单元格或列名中写明，如 12.5万元、金额（万元）"
    TOO_FINE = "折合成元后小数超过 4 位", "请保留到分；用公式计算的，请用 ROUND 取两位小数"
    TOO_LARGE = "位数过多", "整数部分不超过 15 位，请核对单位"

    @property
    def reason(self) -> str:
        return self.value[0]

    @property
    def advice(self) -> str:
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in the unit that it was written in, as far as contracts know that unit."""

    number: Decimal
    unit: UnitTold

    @property
    def in_yuan(self) -> Decimal:
        return self.number.scaleb(4) if self.unit == "万元" else self.number

    @property
    def in_ten_thousands(self) -> Decimal:
        return self.number if self.unit == "万元" else self.number.scaleb(-4)


def unit_in(column: str) -> Unit | None:
    """The unit that a column's canonical name states at its end: `金额(万元)`."""
    found = _ENDS_WITH_UNIT.search(column)
    return cast("Unit", found[1]) if found else None


def without_unit(column: str) -> str:
    """A column's canonical name without the unit at its end."""
    return _ENDS_WITH_UNIT.sub("", column)


def unit_told(titles: Iterable[str]) -> Unit | None:
    """The one unit that canonical titles above a table state: `单位:万元`; None if they state none
    or several."""
    found = {match[1] or match[2] for title in titles for match in _TITLE.finditer(title)}
    return cast("Unit", found.pop()) if len(found) == 1 else None


def amount_of(written: str, unit: Unit | None = None) -> Amount | Unclear:
    """The amount that a half-width text states; `unit`: what a bare number is in."""
    match = _WRITTEN.fullmatch(written) if len(written) <= _LONGEST else None
    if match is None:
        return _why_not(written[:_LONGEST])
    said = match[2] or unit
    if said is None:
        return Unclear.NO_UNIT
    number = Decimal(match[1].replace(",", ""))
    if _places(number) > _MOST_PLACES_WRITTEN:
        return Unclear.TOO_FINE
    # At most 23 digits that count: nothing here is rounded.
    yuan = Decimal(digits(number)).scaleb(_POWERS[said])
    if _POWERS[said] >= _POWERS["万元"] and _places(yuan.scaleb(-4)) <= _MOST_PLACES:
        return _bounded(Amount(yuan.scaleb(-4), "万元"))
    return _bounded(Amount(yuan, "元"))


def yuan_of(written: str, unit: Unit | None = None) -> Decimal | Unclear:
    """The amount in yuan: up to 19 digits, beyond 15 of them without a fraction."""
    amount = amount_of(written, unit)
    if isinstance(amount, Unclear):
        return amount
    yuan = amount.in_yuan
    if _digits(yuan) > (_MOST_DIGITS if _places(yuan) else _MOST_DIGITS_IN_YUAN):
        return Unclear.TOO_LARGE
    return yuan


def decimal_of(written: str) -> Decimal | None:
    """A plain number of at most 8 places, with or without thousands separators, or None."""
    if not re.fullmatch(_NUMBER, written):
        return None
    number = Decimal(written.replace(",", ""))
    return number if _places(number) <= _MOST_PLACES_WRITTEN else None


def digits(number: Decimal) -> str:
    """The number without an exponent, and without zeros that say nothing."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _bounded(amount: Amount) -> Amount | Unclear:
    if _places(amount.number) > _MOST_PLACES:
        return Unclear.TOO_FINE
    return Unclear.TOO_LARGE if _digits(amount.number) > _MOST_DIGITS else amount


def _places(number: Decimal) -> int:
    return len(digits(number).partition(".")[2])


def _digits(number: Decimal) -> int:
    return len(digits(abs(number)).partition(".")[0])


def _why_not(text: str) -> Unclear:
    if _ABOUT.search(text):
        return Unclear.ABOUT
    if _RANGE.search(text):
        return Unclear.RANGE
    return Unclear.CAPITALS if _CAPITALS.search(text) else Unclear.NOT_A_NUMBER
