"""What events say, as people read it in a cell: the conversions' way back.

These functions never raise: what has not the shape that was asked for is shown as text.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from adapters.kit.amounts import Amount, UnitTold, digits
from adapters.kit.days import BEIJING
from contracts.codelists import CodeList

Shape = Literal["text", "code", "date", "time", "month", "money", "number", "flag"]
# What a cell may hold. Days and moments stand as ISO texts of Beijing's clock, amounts as decimal
# texts: what writes the cell knows the kind from the shape.
Plain = str | int | bool

# What XML and terminals cannot hold; tab and line feed stay.
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AMOUNT: Final = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,4})?")


def at(pointer: str, document: Any) -> Iterator[Any]:
    """The values at a JSON Pointer, `-` for every item of an array; none for absent and null."""
    if document is None:
        return
    if not pointer:
        yield document
        return
    step, slash, rest = pointer.removeprefix("/").partition("/")
    if isinstance(document, Mapping):
        name = step.replace("~1", "/").replace("~0", "~")
        yield from at(slash + rest, document.get(name))
    elif isinstance(document, list) and step == "-":
        for item in document:
            yield from at(slash + rest, item)


def shown(
    value: Any, shape: Shape = "text", *, unit: UnitTold = "元", codes: CodeList | None = None
) -> Plain:
    """A value for a cell of that shape. `unit`: of amounts; `codes`: what a code means."""
    match shape, value:
        case "flag", bool():
            return value
        case "number", int() if not isinstance(value, bool):
            return value
        case (("date" | "month"), str()):
            day = _day(value)
            return said(value) if day is None else day.isoformat()[: 7 if shape == "month" else 10]
        case "time", str():
            moment = in_beijing(value)
            return said(value) if moment is None else moment.isoformat()
        case "money", _:
            amount = amount_in(value)
            return said(value) if amount is None else _in(amount, unit)
        case "code", {"code": str(code)} | str(code) if codes is not None:
            return codes.labels.get(code) or said(value)
    return said(value)


def said(value: Any, between: str = "、") -> str:
    """A value in one text: codes by label, people and bodies by name, several `between` each."""
    match value:
        case None:
            return ""
        case bool():
            return "是" if value else "否"
        case str():
            moment = in_beijing(value)
            return printable(value) if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
        case list():
            return between.join(text for item in value if (text := said(item, between)))
        case {"amount": str(amount), "unit": str(unit)}:
            return printable(f"{amount}{unit}")
        case {"from": str(first), "to": str(last)}:
            return printable(f"{first} 至 {last}")
        case {"result": inner, "detail_ref": str(ref)}:
            return f"{said(inner, between)}（{printable(ref)}）"
        case {"label": str(named)} | {"name": str(named)} | {"title": str(named)}:
            return printable(named)
        case (
            {"person": inner}
            | {"org": inner}
            | {"result": inner}
            | {"code": inner}
            | {"date": inner}
        ):
            return said(inner, between)
        case Mapping():
            return printable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return printable(str(value))


def printable(text: str) -> str:
    """The text with a mark in place of what cannot be shown."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def in_beijing(text: str) -> datetime | None:
    """What the clock in Beijing shows at a moment of an event, to the second, or None."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text).astimezone(BEIJING)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=None, microsecond=0)


def amount_in(value: Any) -> Amount | None:
    """The amount that an amount with its unit, or a text in yuan, says; None for anything else."""
    match value:
        case {"amount": str(number), "unit": "元" | "万元" as unit} if _AMOUNT.fullmatch(number):
            return Amount(Decimal(number), unit)
        case str() if _AMOUNT.fullmatch(value):
            return Amount(Decimal(value), "元")
    return None


def _in(amount: Amount, unit: UnitTold) -> str:
    return digits(amount.in_yuan if unit == "元" else amount.in_ten_thousands)


def _day(text: str) -> date | None:
    """The day of a day, a month or a moment."""
    if moment := in_beijing(text):
        return moment.date()
    written = f"{text}-01" if re.fullmatch("[0-9]{4}-[0-9]{2}", text) else text
    try:
        return date.fromisoformat(written) if _DAY.fullmatch(written) else None
    except ValueError:
        return None
