"""A row of a hand-over list → one clue, with all whom it is about.

People and bodies are numbered together, for what becomes of the clue is told by these numbers.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.inspection.filled import events
from adapters.inspection.parts import (
    addressees,
    documents,
    misaddressed,
    of_number,
    unnumbered,
)
from adapters.kit.bynumber import by_number
from adapters.kit.convert import Wrong
from adapters.kit.named import signed
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, out_of_order

_OF_PEOPLE: Final = ("person_unit", "person_post")
_OF_BODIES: Final = ("organisation_uscc",)
_OF_ALL: Final = ("authority", "subject_kind")
# What may be said once of all of them.
_ALIKE: Final = ("person_unit", *_OF_ALL)
_NOBODY: Final = Wrong(
    FaultKind.MISSING, "没有填写，被反映单位也没有填写", "请填被反映人或被反映单位"
)
_ALSO_A_PERSON: Final = Wrong(
    FaultKind.MISMATCH, "与被反映人用了同一序号", "人和单位一起编号，每个序号只用一次"
)
_UNKNOWN: Final = Wrong(
    FaultKind.MISMATCH, "写了没有对象的序号", "请按被反映人、被反映单位的序号填写"
)
_NO_AUTHORITY: Final = Wrong(
    FaultKind.MISSING, "没有写到每一对象", "各对象相同的只写一次，不写序号；不同的逐个按序号写"
)
_WITHOUT_SUBJECT: Final = Wrong(
    FaultKind.MISMATCH, "没有写明是哪一名对象", "这一行有几名对象，请写成“1=内容；2=内容”"
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The clue of a row, but for what the kit adds; a function of the row alone."""
    return events(
        row,
        [_TRANSFERRED],
        contracts,
        case=str(row.values["clueid"]),
        wrong=_faults(row),
        named={"to": addressees(row)},
    )


def _faults(row: Row) -> Iterator[RowFault]:
    yield from misaddressed(row)
    yield from unnumbered(row, "person", "organisation")
    people, bodies = by_number(row, "person").keys(), _bodies(row).keys()
    if not people and not bodies:
        yield row.wrong("person", _NOBODY)
        return
    if people & bodies:
        yield row.wrong("organisation", _ALSO_A_PERSON)
    for fields, known in ((_OF_PEOPLE, people), (_OF_BODIES, bodies), (_OF_ALL, people | bodies)):
        for field in fields:
            said = row.of_each(field)
            if "" in said and field not in _ALIKE and len(known) > 1:
                yield row.wrong(field, _WITHOUT_SUBJECT)
            elif "" not in said and not by_number(row, field).keys() <= known:
                yield row.wrong(field, _UNKNOWN)
    if any(of_number(row, "authority", number) is None for number in people | bodies):
        yield row.wrong("authority", _NO_AUTHORITY)
    yield from out_of_order(row, (("period_from", "period_to"), ("period_from", "at")))


def _transferred(row: Row) -> Mapping[str, Any]:
    return {
        "clueid": row.text("clueid"),
        "native_no": row.text("native_no"),
        "batch_no": row.text("batch_no"),
        "copies": row.values.get("copies"),
        "title": row.text("title"),
        "source": row.values["source"],
        "persons": [
            _subject(row, no) | {"person": _person(row, no, name)}
            for no, name in by_number(row, "person").items()
        ],
        "organisations": [
            _subject(row, no)
            | {"org": {"name": name, "uscc": of_number(row, "organisation_uscc", no)}}
            for no, name in _bodies(row).items()
        ],
        "discipline_kind": row.values["discipline_kind"],
        "summary": row.text("summary"),
        "amount_yuan": row.values.get("amount"),
        "period_from": row.text("period_from"),
        "period_to": row.text("period_to"),
        "found_in": _found_in(row),
        "basis": documents(row, "basis"),
        "reporter": _reporter(row),
        "confidentiality": row.values.get("confidentiality"),
        "urgency": row.values.get("urgency"),
        "handover": {
            "form": row.text("form"),
            "from": signed(row, "handed_by"),
            "at": row.text("at"),
        },
        "suggested_disposition": row.values.get("suggested_disposition"),
        "disclosure_embargo_until": row.text("embargo_until"),
        "repeat_of": row.text("repeat_of"),
    }


def _bodies(row: Row) -> Mapping[int, Any]:
    """The bodies by number; one that has none of its own comes behind the people."""
    bodies, people = by_number(row, "organisation"), by_number(row, "person")
    if "" in row.of_each("organisation") and people:
        return {max(people) + 1: next(iter(bodies.values()))}
    return bodies


def _subject(row: Row, number: int) -> dict[str, Any]:
    return {
        "subject_no": number,
        "authority": of_number(row, "authority", number),
        "discipline_kind": of_number(row, "subject_kind", number),
    }


def _person(row: Row, number: int, name: Any) -> Mapping[str, Any]:
    unit = of_number(row, "person_unit", number)
    return {
        "name": name,
        "org": {"name": unit} if unit else None,
        "post": of_number(row, "person_post", number),
    }


def _found_in(row: Row) -> Mapping[str, Any] | None:
    found = {name: row.text(name) for name in ("roundid", "targetid", "groupid")}
    return found if any(found.values()) else None


def _reporter(row: Row) -> Mapping[str, Any] | None:
    """That somebody reported and how many, never who."""
    said = {
        "kind": row.text("reporter_kind"),
        "count": row.values.get("reporter_count"),
        "sealed_ref": row.text("sealed_ref"),
    }
    if all(value is None for value in said.values()):
        return None
    return said | {"count": 0 if said["count"] is None else said["count"]}


_TRANSFERRED: Final = Step(
    type="clue.transferred",
    begun=("clueid",),
    needed=(),
    at="at",
    payload=_transferred,
)
