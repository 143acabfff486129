"""A row of the register of secondments → who is asked for, who comes, who goes home and how.

Slots and people stand in cells under their numbers; what is alike for all of them is said once.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.inspection.filled import events, taken
from adapters.inspection.parts import (
    addressees,
    day,
    letter,
    misaddressed,
    numbered_otherwise,
    of_number,
    org,
    person,
)
from adapters.kit.bynumber import by_number
from adapters.kit.convert import Wrong
from adapters.kit.named import signed
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, out_of_order

# What goes with each slot or person, number by number, and what none may be without.
_COMPANIONS: Final = {
    "slot_count": ("slot_skill", "slot_role", "slot_from", "slot_to", "full_time"),
    "lent": (
        "lent_post",
        "lent_slot",
        "lent_from",
        "lent_to",
        "recusal",
        "recusalid",
        "skill_level",
    ),
    "returned": (
        "served_from",
        "served_to",
        "end_reason",
        "end_note",
        "grade",
        "appraisal",
        "tasks",
    ),
}
_NEEDED: Final = {
    "slot_count": ("slot_skill", "slot_from", "slot_to"),
    "lent": ("lent_slot", "lent_from", "lent_to", "recusal"),
    "returned": ("served_from", "served_to", "end_reason"),
}
_RECEIPTS: Final = {"secondment.confirmed": "receipt", "secondment.declined": "receipt"}
_COMPLETED: Final = "completed"
_BOTH: Final = Wrong(
    FaultKind.STEP,
    "已填写，而同一行又填了派出人员",
    "派出和不予派出只填一种；派出不足的填未能派出人数",
)
_NO_APPRAISAL: Final = Wrong(
    FaultKind.MISSING,
    "没有写到每一名任务完成返回的人员",
    "任务完成的，请逐人填鉴定等次、鉴定意见和鉴定人",
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The events of a row, but for what the kit adds; a function of the row alone."""
    return events(
        row,
        taken(row, _STEPS),
        contracts,
        case=str(row.values["secondmentid"]),
        wrong=_faults(row),
        named={"to": addressees(row)},
        receipts=_RECEIPTS,
    )


def _faults(row: Row) -> Iterator[RowFault]:
    yield from misaddressed(row)
    if _DECLINED.taken(row) and _CONFIRMED.taken(row):
        yield row.wrong("refusal_reason", _BOTH)
    for main, fields in _COMPANIONS.items():
        yield from numbered_otherwise(row, main, *fields)
        for field in _NEEDED[main]:
            if any(of_number(row, field, number) is None for number in by_number(row, main)):
                title = row.fields[main].title
                reason, advice = (
                    f"没有写到每一项{title}",
                    f"请按“{title}”的序号填写，相同的只写一次",
                )
                yield row.wrong(field, Wrong(FaultKind.MISSING, reason, advice))
    for number in by_number(row, "returned"):
        if _code(of_number(row, "end_reason", number)) == _COMPLETED:
            for field in ("grade", "appraisal"):
                if of_number(row, field, number) is None:
                    yield row.wrong(field, _NO_APPRAISAL)
            if "appraised_by" not in row.values:
                yield row.wrong("appraised_by", _NO_APPRAISAL)
    yield from out_of_order(row, (("requested_at", "due"), ("requested_at", "ended_on")))


def _requested(row: Row) -> Mapping[str, Any]:
    counts = by_number(row, "slot_count")
    return {
        "letter": letter(row),
        "secondmentid": row.text("secondmentid"),
        "roundid": row.text("roundid"),
        "purpose": row.text("purpose"),
        "slots": [
            {
                "slot_no": no,
                "count": count,
                "skill": of_number(row, "slot_skill", no),
                "role": of_number(row, "slot_role", no),
                "period": _period(row, "slot_from", "slot_to", no),
                "full_time": of_number(row, "full_time", no),
            }
            for no, count in counts.items()
        ],
        "total": sum(count for count in counts.values() if isinstance(count, int)),
        "conditions": list(row.texts("conditions")),
        "recusal_rules": list(row.texts("recusal_rules")),
        "report_to": row.text("report_to"),
        "contact": row.text("contact"),
        "due": day(row, "due"),
    }


def _confirmed(row: Row) -> Mapping[str, Any]:
    return {
        "secondmentid": row.text("secondmentid"),
        "home": org(row, "home", "home_uscc"),
        "persons": [
            {
                "slot_no": of_number(row, "lent_slot", no),
                "person": {"name": name, "post": of_number(row, "lent_post", no)},
                "period": _period(row, "lent_from", "lent_to", no),
                "recusal_declared": of_number(row, "recusal", no),
                "recusalid": of_number(row, "recusalid", no),
                "skill_level": of_number(row, "skill_level", no),
            }
            for no, name in by_number(row, "lent").items()
        ],
        "shortfall": row.values.get("shortfall"),
        "shortfall_note": row.text("shortfall_note"),
        "contact": row.text("home_contact"),
        "approved_by": person(row, "approved_by"),
    }


def _declined(row: Row) -> Mapping[str, Any]:
    return {
        "secondmentid": row.text("secondmentid"),
        "refusal": {
            "reason": row.values["refusal_reason"],
            "note": row.text("refusal_note"),
            "approved_by": person(row, "approved_by"),
            "alternative": row.text("alternative"),
        },
    }


def _ended(row: Row) -> Mapping[str, Any]:
    return {
        "secondmentid": row.text("secondmentid"),
        "roundid": row.text("roundid"),
        "home": org(row, "home", "home_uscc"),
        "returns": [
            {
                "person": {"name": name},
                "period": _period(row, "served_from", "served_to", no),
                "reason": of_number(row, "end_reason", no),
                "note": of_number(row, "end_note", no),
                "appraisal": _appraisal(row, no),
            }
            for no, name in by_number(row, "returned").items()
        ],
        "closed": row.values["closed"],
        "remaining": row.values.get("remaining"),
        "ended_on": row.text("ended_on"),
        "handlers": signed(row, "ended_by"),
    }


def _appraisal(row: Row, number: int) -> Mapping[str, Any] | None:
    grade = of_number(row, "grade", number)
    if grade is None:
        return None
    return {
        "grade": grade,
        "text": of_number(row, "appraisal", number),
        "tasks": of_number(row, "tasks", number),
        "appraised_by": person(row, "appraised_by"),
    }


def _period(row: Row, first: str, last: str, number: int) -> Mapping[str, Any]:
    return {"from": of_number(row, first, number), "to": of_number(row, last, number)}


def _code(value: Any) -> object:
    return value["code"] if isinstance(value, dict) else value


_CONFIRMED: Final = Step(
    type="secondment.confirmed",
    begun=("lent", "lent_slot", "recusal", "shortfall_note"),
    needed=("answered_at", "home", "lent", "home_contact", "approved_by"),
    at="answered_at",
    payload=_confirmed,
)
_DECLINED: Final = Step(
    type="secondment.declined",
    begun=("refusal_reason", "refusal_note"),
    needed=("answered_at", "refusal_reason", "refusal_note", "approved_by"),
    at="answered_at",
    payload=_declined,
)
_STEPS: Final = (
    Step(
        type="secondment.requested",
        begun=("requested_at", "purpose", "slot_count", "slot_skill"),
        needed=("requested_at", "purpose", "slot_count", "contact"),
        at="requested_at",
        payload=_requested,
    ),
    _CONFIRMED,
    _DECLINED,
    Step(
        type="secondment.ended",
        begun=("ended_on", "returned", "end_reason", "grade", "ended_by"),
        needed=("ended_on", "home", "returned", "closed", "ended_by"),
        at="ended_on",
        payload=_ended,
        again="ended_on",
    ),
)
