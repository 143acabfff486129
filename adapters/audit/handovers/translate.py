"""A row of the register of hand-over letters (审计移送处理书) → a clue that an audit came upon."""

from collections.abc import Iterator
from typing import Any, Final

from adapters.audit.findings import addressed, in_halves, member
from adapters.kit.bynumber import by_number, unaccompanied, unclear
from adapters.kit.convert import Scalar, Wrong
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.named import ENCIPHERED, named_in_cipher, signed
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, moment

_AMOUNTS: Final = {
    "accepted": "accepted",
    "embezzled": "embezzled",
    "violation": "violation",
    "loss": "loss",
    "evaded": "evaded",
    "other_amount": "other",
}
_COMPANIONS: Final = {
    "person_post": "person",
    "person_unit": "person",
    "person_unit_uscc": "person_unit",
    "org_uscc": "org",
}
_AS_THEY_ARE: Final = (
    "clueid",
    "native_no",
    "batch_no",
    "copies",
    "title",
    "discipline_kind",
    "summary",
    "amount_yuan",
    "period_from",
    "period_to",
    "confidentiality",
    "urgency",
)
# What is said once is said of every subject; anything else must say of which.
_OF_EACH: Final = ("person", "person_post", "org", "org_uscc", "own_kind")
_KIND: Final = "审计移送处理书"
_PROJECT: Final = "审计项目"
_NOBODY: Final = Wrong(
    FaultKind.MISSING, "没有填写，也没有被反映单位", "请填写被移送的人，或者被移送的单位"
)
_UNKNOWN: Final = Wrong(
    FaultKind.MISMATCH, "所写的序号没有相应的人或单位", "人和单位共用一套序号，请按此填写"
)
_WHICH: Final = Wrong(
    FaultKind.MISMATCH,
    "没有写明是哪一对象",
    "有几名对象的，请写成“1=内容；2=内容”，人和单位共用一套序号",
)
_WHOSE: Final = Wrong(
    FaultKind.MISSING,
    "没有对每一对象填写",
    "请写成“1=市管；2=县管”，人和单位共用一套序号；都相同的只写一次",
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The event of a row, but for what the kit adds; a function of the row alone."""
    if faults := tuple(_faults(row)):
        return faults
    contract = contracts["clue.transferred"]
    to = row.text("to")
    event = Translated(
        native=str(row.values["clueid"]),
        attributes=contract_attributes(contract)
        | {"time": moment(str(row.values["at"]))}
        | ({"to": to} if to else {}),
        data=payload_bytes(contract, _payload(row)),
    )
    return (event,)


def _faults(row: Row) -> Iterator[RowFault]:
    yield from addressed(row)
    yield from in_halves(row, ("period_from", "period_to"))
    yield from unclear(row)
    yield from (row.wrong(field, ENCIPHERED) for field in named_in_cipher(row))
    for field, main in _COMPANIONS.items():
        if "" not in row.of_each(field):
            yield from unaccompanied(row, field, main)
    persons, orgs = by_number(row, "person"), by_number(row, "org")
    subjects = persons.keys() | orgs.keys()
    if not subjects:
        yield row.wrong("person", _NOBODY)
        return
    if len(persons) + len(orgs) > 1:
        yield from (row.wrong(field, _WHICH) for field in _OF_EACH if "" in row.of_each(field))
    for field in ("authority", "own_kind"):
        if "" not in row.of_each(field) and not by_number(row, field).keys() <= subjects:
            yield row.wrong(field, _UNKNOWN)
    if any(_said(row, "authority", number) is None for number in subjects):
        yield row.wrong("authority", _WHOSE)


def _said(row: Row, field: str, number: int) -> Scalar | None:
    """What a field says of a subject, or of all of them."""
    return row.of_each(field).get("", by_number(row, field).get(number))


def _payload(row: Row) -> dict[str, Any]:
    custodian, project = row.text("custodian"), row.text("project")
    return {name: row.values.get(name) for name in _AS_THEY_ARE} | {
        "letter": {"docno": row.text("native_no"), "kind": _KIND},
        "source": member("clue_source", "audit"),
        "aliases": [{"system": _PROJECT, "number": project}] if project else None,
        "persons": list(_persons(row)) or None,
        "organisations": list(_organisations(row)) or None,
        "amounts": [
            {"kind": member("clue_amount_kind", kind), "yuan": row.values[field]}
            for field, kind in _AMOUNTS.items()
            if field in row.values
        ]
        or None,
        "basis": [{"title": title, "custodian": custodian} for title in row.texts("basis")] or None,
        "handover": {
            "form": row.text("form"),
            "from": signed(row, "from"),
            "at": moment(str(row.values["at"])),
        },
        "suggested_disposition": row.values.get("suggested"),
        "disclosure_embargo_until": row.text("embargo"),
    }


def _persons(row: Row) -> Iterator[dict[str, Any]]:
    for number, name in by_number(row, "person").items():
        unit = _said(row, "person_unit", number)
        person = {
            "name": name,
            "org": {"name": unit, "uscc": _said(row, "person_unit_uscc", number)} if unit else None,
            "post": _said(row, "person_post", number),
        }
        yield _subject(row, number) | {"person": person}


def _organisations(row: Row) -> Iterator[dict[str, Any]]:
    for number, name in by_number(row, "org").items():
        yield _subject(row, number) | {
            "org": {"name": name, "uscc": _said(row, "org_uscc", number)}
        }


def _subject(row: Row, number: int) -> dict[str, Scalar | None]:
    return {
        "subject_no": number,
        "authority": _said(row, "authority", number),
        "discipline_kind": _said(row, "own_kind", number),
    }
