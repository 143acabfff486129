"""What several of the inspection offices' files say alike: people, units, addresses, items."""

from collections.abc import Iterator
from typing import Any, Final

from adapters.kit.bynumber import by_number
from adapters.kit.convert import Scalar, Wrong
from adapters.kit.port import FaultKind, RowFault
from adapters.kit.rows import Row
from contracts.agency import AddressError, AgencyId, AgencyIdError, parse_addresses

_NO_ADDRESS: Final = Wrong(
    FaultKind.IDENTIFIER,
    "不是贯通的机构地址",
    "请填机构编号，如 510100.discipline，几个用空格隔开；按机关种类发送的，填“收件机关”",
)
_NO_REGION: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，而“收件机关”已填",
    "请填收件机关所在地的行政区划，或请管理员在站点映射中写明",
)
_TWICE: Final = Wrong(FaultKind.MISMATCH, "在这张清单中已有一行", "同一编号在一张清单中只能有一行")
_WHICH: Final = Wrong(
    FaultKind.MISMATCH, "没有写明是哪一项", "同一行有几项，请写成“1=内容；2=内容”"
)


def person(row: Row, field: str) -> dict[str, Any] | None:
    """Whoever a cell names, as a `Handler` or a `PersonRef`."""
    name = row.text(field)
    return {"name": name} if name else None


def org(row: Row, name: str, uscc: str = "") -> dict[str, Any] | None:
    """The unit that a cell names, as an `OrgRef`; `uscc` is the field of its number."""
    called = row.text(name)
    return {"name": called, "uscc": row.text(uscc)} if called else None


def documents(row: Row, field: str) -> list[dict[str, Any]]:
    """The papers that a cell lists by their titles, as `DocRef`s."""
    return [{"title": title} for title in row.texts(field)]


def day(row: Row, field: str) -> dict[str, Any] | None:
    """A date by which something is owed, as a `Due`."""
    date = row.text(field)
    return {"date": date} if date else None


def letter(row: Row, docno: str = "docno") -> dict[str, Any] | None:
    """The official letter by its number, as a `Letter`."""
    number = row.text(docno)
    return {"docno": number} if number else None


def of_number(row: Row, field: str, number: int) -> Scalar | None:
    """What a numbered field says of one number; what stands without one is said of all."""
    said = row.of_each(field)
    return said[""] if "" in said else by_number(row, field).get(number)


def numbered_otherwise(row: Row, main: str, *fields: str) -> Iterator[RowFault]:
    """Fields that speak of a number of which `main` says nothing."""
    known = by_number(row, main).keys()
    title = row.fields[main].title
    for field in fields:
        said = row.of_each(field)
        if said and "" not in said and not by_number(row, field).keys() <= known:
            reason, advice = f"所写的序号没有相应的{title}", f"请按“{title}”的序号填写"
            yield row.wrong(field, Wrong(FaultKind.MISMATCH, reason, advice))


def unnumbered(row: Row, *fields: str) -> Iterator[RowFault]:
    """Of fields that name several things one that does not say which it means."""
    if any(len(row.of_each(field)) > 1 for field in fields):
        for field in fields:
            if "" in row.of_each(field):
                yield row.wrong(field, _WHICH)


def repeated(parts: tuple[Row, ...], field: str) -> Iterator[RowFault]:
    """Rows of a list that have the number of a row above them."""
    seen = set()
    for part in parts:
        if part.values[field] in seen:
            yield part.wrong(field, _TWICE)
        seen.add(part.values[field])


def problem(part: Row) -> dict[str, Any]:
    """A row of a list of issues, as the contracts of feedback and rectification say it."""
    return {
        "issueid": part.text("issueid"),
        "category": part.values["category"],
        "subcategory": part.values.get("subcategory"),
        "issue": part.text("issue"),
        "manifestation": part.text("manifestation"),
        "track": part.values["track"],
        "focus": part.values.get("focus"),
        "key_attention": part.values.get("attention"),
        "attention_reasons": part.values.get("attention_reasons"),
    }


def addressees(row: Row, by_id: str = "to", by_kind: str = "to_kinds") -> str | None:
    """Whom an event goes to: agencies by id, or the front desks of the kinds in the row's region;
    None where the row names nobody."""
    kinds, region = row.values.get(by_kind), row.text("to_region")
    named = [row.text(by_id) or ""]
    if isinstance(kinds, list):
        named += [f"{kind['code']}@{region}" for kind in kinds if isinstance(kind, dict)]
    return " ".join(filter(None, named)) or None


def misaddressed(row: Row, by_id: str = "to", by_kind: str = "to_kinds") -> Iterator[RowFault]:
    """What keeps the addressees of a row from being addresses."""
    if by_kind in row.values and "to_region" not in row.values:
        yield row.wrong("to_region", _NO_REGION)
    try:
        parse_addresses(row.text(by_id) or "")
    except AddressError:
        if by_id in row.values:
            yield row.wrong(by_id, _NO_ADDRESS)


def agency_of(target: str) -> str | None:
    """The agency that a party's number names, for parties that the hub knows."""
    try:
        return str(AgencyId.parse(target))
    except AgencyIdError:
        return None


def effect(row: Row) -> dict[str, Any] | None:
    """What rectification brought about, in figures; None where none is filled in."""
    figures = {
        "recovered": row.values.get("recovered"),
        "returned": row.values.get("returned"),
        "people_sanctioned": row.values.get("sanctioned"),
        "people_reminded": row.values.get("reminded"),
        "rules_made": row.values.get("rules_made"),
        "rules_revised": row.values.get("rules_revised"),
    }
    return figures if any(value is not None for value in figures.values()) else None
