"""A row of the petition interface table → `petition.case_transferred`.

The letter's text is not among the fields (`mapping.toml`): a summary is what the bureau wrote as
the overview. Who accuses stands under `accuser`, which the hub protects as a source.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from adapters.kit.convert import Wrong, tidy_name
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from contracts.agency import AddressError, parse_addresses
from contracts.contract import Contract
from contracts.petition.v1 import ACCUSATION

_AS_THEY_ARE: Final = (
    "petitionid",
    "handling",
    "form",
    "purpose",
    "place",
    "date",
    "people",
    "joint",
    "repeat",
    "threat",
    "anonymous",
    "litigation",
    "summary",
)
_ACCUSED: Final = frozenset({"accused_name", "accused_rank", "accused_post", "accused_unit"})
_LETTER: Final = "信访信息系统原件编号"
_LEVELS: Final = ("content_name", "content_second", "content_third")
# Every level has two digits: a spreadsheet took the zero in front.
_ZERO_LOST: Final = re.compile("[0-9]{5}")
_OUTSIDE_BRACKETS: Final = r"(?![^（(]*[）)])"
_SEVERAL: Final = re.compile(rf"[;；、,，\n]+{_OUTSIDE_BRACKETS}")
# One person's post may itself be a list: 党组成员、副局长.
_SEVERAL_POSTS: Final = re.compile(rf"[;；\n]+{_OUTSIDE_BRACKETS}")


def translate(row: Row, contracts: Mapping[str, Contract]) -> tuple[Translated | RowFault, ...]:
    """The event of a row, but for what the kit adds; a function of the row alone."""
    contract = contracts["petition.case_transferred"]
    parts = accused, content, address = _accused(row), _content(row), _address(row)
    if (
        isinstance(accused, RowFault)
        or isinstance(content, RowFault)
        or isinstance(address, RowFault)
    ):
        return tuple(part for part in parts if isinstance(part, RowFault))
    case = str(row.values["petitionid"])
    payload = {name: row.values.get(name) for name in _AS_THEY_ARE} | {
        "native": _native(row),
        "aliases": _letter(row),
        "content_class": content,
        _whose(row): _person(row),
        "accused": accused or None,
        "due": {"date": row.values["due"]} if "due" in row.values else None,
    }
    event = Translated(
        native=case,
        attributes=contract_attributes(contract)
        | {
            "time": str(row.values["registered"]),
            "region": str(row.values["place"]),
            "correlationid": f"petition:{case}",
        }
        | address,
        data=payload_bytes(contract, payload),
    )
    return (event,)


def _native(row: Row) -> Mapping[str, Any]:
    return {
        "xfjbh": row.text("petitionid"),
        "xfxs": row.text("native_form"),
        "xfmd": row.text("native_purpose"),
        "nrfl": row.text("native_content"),
    }


def _letter(row: Row) -> list[dict[str, Any]] | None:
    """Where the letter itself is kept: by its number whoever may see it finds it at the bureau."""
    number = row.text("letter")
    return [{"system": _LETTER, "number": number}] if number else None


def _content(row: Row) -> dict[str, str] | RowFault:
    """The class of the matter; its name from the top down where levels have columns."""
    content = row.values["content_class"]
    assert isinstance(content, dict), "a code"
    if _ZERO_LOST.fullmatch(content["code"]):
        return row.wrong("content_class", _NO_ZERO)
    first, *deeper = (row.text(level) for level in _LEVELS)
    named = {"label": "/".join(filter(None, (first, *deeper)))} if any(deeper) else {}
    return {**content, **named}


def _address(row: Row) -> dict[str, str] | RowFault:
    """Matters of the courts are addressed to political and legal affairs alone (诉访分离)."""
    written = row.text("litigation_to")
    if not row.values.get("litigation") or not written:
        return {}
    to = written.replace("{place}", str(row.values["place"]))
    try:
        parse_addresses(to)
    except AddressError:
        return row.wrong("litigation_to", _NO_ADDRESS)
    return {"to": to}


def _whose(row: Row) -> str:
    purpose = row.values["purpose"]
    accusation = isinstance(purpose, dict) and purpose["code"] == ACCUSATION
    return "accuser" if accusation else "petitioner"


def _person(row: Row) -> Mapping[str, Any] | None:
    known = {name: row.text(name) for name in ("name", "idno", "phone", "address")}
    return known if any(known.values()) else None


def _accused(row: Row) -> list[dict[str, Any]] | RowFault:
    """Whom the matter is about. Several stand in one cell, in the same order in every column.

    One unit serves all names; several units of one name or none are accused each, so that each is
    kept from receiving the matter. Anything else could blame the wrong one and is a fault.
    """
    if _ACCUSED.isdisjoint(row.values):
        return []
    names = _several(_SEVERAL, row.text("accused_name"))
    units = _several(_SEVERAL, row.text("accused_unit"))
    details = {
        "rank": _several(_SEVERAL_POSTS, row.text("accused_rank")),
        "post": _several(_SEVERAL_POSTS, row.text("accused_post")),
    }
    people = max(len(names), 1 if any(details.values()) else 0)
    for what, given in details.items():
        if len(given) not in (0, people):
            return row.wrong(f"accused_{what}", _UNCLEAR)
    if people > 1 and len(units) not in (0, 1, people):
        return row.wrong("accused_unit", _UNCLEAR)
    if people > 1 and len(units) == 1:
        units *= people
    columns = {"name": names, **details}
    return [
        {name: given[place] for name, given in columns.items() if place < len(given)}
        | ({"unit": {"name": units[place]}} if place < len(units) else {})
        for place in range(max(people, len(units)))
    ]


def _several(between: re.Pattern[str], text: str | None) -> list[str]:
    return [part for part in map(tidy_name, between.split(text)) if part] if text else []


_UNCLEAR: Final = Wrong(
    FaultKind.MISMATCH,
    "的项数与被反映人姓名对不上",
    "请按姓名的顺序逐项填写，用分号隔开",
)
_NO_ADDRESS: Final = Wrong(
    FaultKind.IDENTIFIER,
    "不是贯通的单位地址",
    "请写成 political-legal@510104 或 510104.political-legal.court 这样的地址，或者留空",
)
_NO_ZERO: Final = Wrong(
    FaultKind.CODE,
    "代码只有 5 位，开头的 0 可能被表格软件去掉了",
    "请把该列设为“文本”格式，按系统中的 6 位代码重新填写",
)
