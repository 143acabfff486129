"""A row of the briefing form → what this organ tells of a party to be inspected, or why nothing.

What is told of each matter, and of each figure, stands in one cell under the matter's number.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.kit.bynumber import by_number, unaccompanied, unclear
from adapters.kit.convert import Wrong
from adapters.kit.named import ENCIPHERED, named_in_cipher, org, signed
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, answered, missing, out_of_order

_COMPANIONS: Final = {
    "item_date": "item_title",
    "item_class": "item_title",
    "item_money": "item_title",
    "item_text": "item_title",
    "item_title": "item_text",
    "indicator_name": "indicator_code",
    "indicator_unit": "indicator_code",
    "indicator_value": "indicator_code",
    "indicator_code": "indicator_value",
}
_BOTH: Final = Wrong(
    FaultKind.STEP,
    "已填写，而同一行又填了通报的内容",
    "通报和不予通报只填一种；部分不予通报的，另填一行",
)
_NEITHER: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，也没有通报的内容和不予通报的理由",
    "没有可报的，请在“零报告”填“是”",
)
_ANOTHER_ROUND: Final = Wrong(
    FaultKind.STEP,
    "不是商请函的轮次",
    "又有一轮的商请函到了：请改为“商请轮次”，并按新的商请函重新填写",
)
# What a letter brings with it, and what is so unless somebody says otherwise.
_ASKED: Final = frozenset(
    {
        "asked_round",
        "targetid",
        "target",
        "target_uscc",
        "section",
        "receipt",
        "correlation",
    }
)
_NAMELESS: Final = Wrong(
    FaultKind.MISSING, "没有填写", "填写统一社会信用代码的，请同时填写党组织名称"
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The event of a row, but for what the kit adds; a function of the row alone. A letter that
    nobody has answered yet gives nothing."""
    if row.values.keys() <= _ASKED:
        return ()
    step = _DECLINED if _DECLINED.taken(row) else _PROVIDED
    faults = tuple(_faults(row, step, contracts))
    return faults or (
        answered(row, step, contracts, case=f"{row.values['roundid']}/{row.values['targetid']}"),
    )


def _faults(row: Row, step: Step, contracts: Contracts) -> Iterator[RowFault]:
    if _DECLINED.taken(row) and _PROVIDED.taken(row):
        yield row.wrong("refusal_reason", _BOTH)
    if not (_DECLINED.taken(row) or _PROVIDED.taken(row)):
        yield row.wrong("nothing", _NEITHER)
        return
    yield from missing(row, step, contracts)
    if row.values.get("asked_round", row.values.get("roundid")) != row.values.get("roundid"):
        yield row.wrong("roundid", _ANOTHER_ROUND)
    if "target_uscc" in row.values and "target" not in row.values:
        yield row.wrong("target", _NAMELESS)
    yield from (row.wrong(field, ENCIPHERED) for field in named_in_cipher(row))
    yield from unclear(row)
    for field, main in _COMPANIONS.items():
        yield from unaccompanied(row, field, main)
    yield from out_of_order(row, (("period_from", "period_to"),))


def _provided(row: Row) -> Mapping[str, Any]:
    return _whose(row) | {
        "target": _target(row),
        "period": {"from": row.text("period_from"), "to": row.text("period_to")},
        "nothing_to_report": row.values.get("nothing"),
        "indicators": _listed(
            row,
            "indicator_code",
            code="indicator_code",
            name="indicator_name",
            value="indicator_value",
            unit="indicator_unit",
        ),
        "items": _listed(
            row,
            "item_title",
            title="item_title",
            text="item_text",
            date="item_date",
            money="item_money",
            **{"class": "item_class"},
        ),
        "leaders": signed(row, "leaders"),
        "omitted_marked": row.values.get("omitted"),
        "custodian": row.text("custodian"),
    }


def _declined(row: Row) -> Mapping[str, Any]:
    return _whose(row) | {
        "topic_nos": [int(no) for no in re.findall("[0-9]{1,3}", row.text("topic_nos") or "")],
        "refusal": {
            "reason": row.values["refusal_reason"],
            "note": row.text("refusal_note"),
            "approved_by": {"name": row.text("refusal_approved_by")},
            "alternative": row.text("alternative"),
        },
    }


def _whose(row: Row) -> dict[str, Any]:
    docno = row.text("docno")
    return {
        "letter": {"docno": docno} if docno else None,
        "roundid": row.text("roundid"),
        "targetid": row.text("targetid"),
        "section": row.values["section"],
    }


def _target(row: Row) -> Mapping[str, Any] | None:
    named = org(row.text("target"))
    return named | {"uscc": row.text("target_uscc")} if named else None


def _listed(row: Row, by: str, **fields: str) -> list[Mapping[str, Any]]:
    """What the numbered fields say together, number by number."""
    said = {member: by_number(row, field) for member, field in fields.items()}
    return [
        {member: values.get(number) for member, values in said.items()}
        for number in by_number(row, by)
    ]


_PROVIDED: Final = Step(
    type="briefing.provided",
    begun=("nothing", "item_title", "item_text", "indicator_code", "indicator_value", "omitted"),
    needed=("roundid", "at", "period_from", "period_to"),
    at="at",
    payload=_provided,
)
_DECLINED: Final = Step(
    type="briefing.declined",
    begun=("refusal_reason", "refusal_note"),
    needed=("roundid", "at", "refusal_reason", "refusal_note", "refusal_approved_by"),
    at="at",
    payload=_declined,
)
