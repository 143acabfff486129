"""A row of the list of problems → one finding of an audit."""

import re
from collections.abc import Iterator
from typing import Any, Final

from adapters.audit.findings import (
    KINDS_OF_MONEY,
    amounts,
    finding_of,
    in_another_class,
    in_halves,
    of_project,
    treatments,
)
from adapters.kit.convert import Scalar, Wrong
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.placing import payload_of
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, moment

_TREATED: Final = {
    "turn_in": "turn_in",
    "restore": "restore",
    "adjust": "adjust",
    "treated_otherwise": "other",
}
_OF_RESPONSIBLE: Final = ("responsibility", "responsible_post", "responsible_unit")
_BESIDES: Final = frozenset(
    {
        *KINDS_OF_MONEY,
        *_TREATED,
        *_OF_RESPONSIBLE,
        "finding_no",
        "class",
        "class_detail",
        "basis",
        "responsible",
        "treatments",
    }
)
_BASIS: Final = re.compile(
    r"(?:《([^《》]+)》|(.+?))\s*(第[0-9一二三四五六七八九十百零〇]+条.*)?", re.DOTALL
)
_NOBODY: Final = Wrong(
    FaultKind.MISMATCH,
    "没有相应的责任人",
    "请写成“1=内容；2=内容”，序号是“责任人”栏中的次序；对各人都相同的，只写一次",
)
_UNTOLD: Final = Wrong(
    FaultKind.MISSING,
    "没有对每一名责任人填写",
    "请写成“1=直接责任；2=领导责任”，序号是“责任人”栏中的次序；都相同的只写一次",
)
_NOT_RECTIFIED: Final = Wrong(
    FaultKind.MISSING,
    "没有填写",
    "填写整改金额或日期的，请同时填写整改情况：已完成、基本完成、未完成",
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The event of a row, but for what the kit adds; a function of the row alone."""
    finding = finding_of(row)
    faults = tuple(_faults(row))
    if isinstance(finding, RowFault):
        return (finding, *faults)
    if faults:
        return faults
    contract = contracts["audit.finding_reported"]
    attributes = contract_attributes(contract) | {"time": moment(str(row.values["document_date"]))}
    payload = payload_bytes(contract, _payload(row, finding))
    return (Translated(native=finding, attributes=attributes, data=payload),)


def _faults(row: Row) -> Iterator[RowFault]:
    yield from of_project(row)
    yield from in_halves(row, ("occurred_from", "occurred_to"))
    yield from in_another_class(row)
    if "rectified" not in row.values and {"rectified_money", "rectified_on"} & row.values.keys():
        yield row.wrong("rectified", _NOT_RECTIFIED)
    yield from _of_people(row)


def _of_people(row: Row) -> Iterator[RowFault]:
    people = {str(place) for place, _ in enumerate(row.texts("responsible"), 1)}
    said = {field: row.of_each(field).keys() for field in _OF_RESPONSIBLE}
    beyond = [field for field in said if not said[field] <= (people and people | {""})]
    yield from (row.wrong(field, _NOBODY) for field in beyond)
    types = said["responsibility"]
    if people and not beyond and not (types >= people or "" in types):
        yield row.wrong("responsibility", _UNTOLD)


def _payload(row: Row, finding: str) -> dict[str, Any]:
    payload = payload_of(row, besides=_BESIDES) | {
        "findingid": finding,
        "class": row.values.get("class_detail", row.values["class"]),
        "amounts": amounts(row, KINDS_OF_MONEY) or None,
        "basis": [_basis(text) for text in row.texts("basis")] or None,
        "responsible": _responsible(row) or None,
        "treatments": treatments(row, _TREATED, "treatments") or None,
    }
    document, kind = payload["stated_in"], row.values["document_kind"]
    if "title" not in document and isinstance(kind, dict):
        document["title"] = kind["label"]
    return payload


def _basis(text: str) -> dict[str, str | None]:
    """A rule, and the article that stands behind its name."""
    match = _BASIS.fullmatch(text)
    assert match is not None, "the pattern takes every text"
    return {"law": match[1] or match[2], "article": match[3]}


def _responsible(row: Row) -> list[dict[str, Any]]:
    def told(field: str, place: int) -> Scalar | None:
        said = row.of_each(field)
        return said.get(str(place), said.get(""))

    auditee = {"name": row.text("auditee"), "uscc": row.text("auditee_uscc")}
    return [
        {
            "person": {
                "name": name,
                "org": {"name": unit} if (unit := told("responsible_unit", place)) else auditee,
                "post": told("responsible_post", place),
            },
            "responsibility": told("responsibility", place),
        }
        for place, name in enumerate(row.texts("responsible"), 1)
    ]
