"""A row of the bureau's handling export → what became of the case, one event for each step.

A row holds all steps of a case, each in its own columns, and grows from export to export. The
event of a step is made of its columns alone (and of who handles the case), so a step that did not
change gives the same event again. An event's time is the day of its step.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.kit.convert import Wrong, plain, tidy_name
from adapters.kit.days import day_of
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from contracts.contract import Contract

_SYSTEM: Final = "信访信息系统"
_DUTY: Final = ("unit", "task", "by")

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Step:
    """A step of a case: its type, the field of its day, and its payload.

    The fields of a step begin as its day's does, up to the "_".
    """

    type: str
    day: str
    payload: Callable[[Row], "Payload | RowFault"]

    @property
    def prefix(self) -> str:
        return self.day.partition("_")[0] + "_"


def translate(row: Row, contracts: Mapping[str, Contract]) -> tuple[Translated | RowFault, ...]:
    """The events of a row in the order of their days, and what is wrong with it."""
    made: list[tuple[str, Translated]] = []
    faults: list[RowFault] = []
    for step in _STEPS:
        if not any(name.startswith(step.prefix) for name in row.values):
            continue
        day = row.text(step.day)
        payload = step.payload(row) if day else row.wrong(step.day, _NO_DAY)
        if isinstance(payload, RowFault):
            faults.append(payload)
        else:
            made.append((str(day), _event(row, contracts[step.type], str(day), payload)))
    return (*(event for _, event in sorted(made, key=lambda each: each[0])), *faults)


def _event(row: Row, contract: Contract, day: str, payload: Payload) -> Translated:
    """A case that came under another's number goes by that one, and has the own as an alias."""
    own = row.text("petitionid")
    case = row.text("opening") or own
    turn = row.text("turn")
    aliases = [{"system": _SYSTEM, "number": own}] if own != case else None
    return Translated(
        native=f"{case}-{turn}" if turn else str(case),
        attributes=contract_attributes(contract)
        | {"time": f"{day}T00:00:00+08:00", "region": str(row.values["place"])},
        data=payload_bytes(contract, {"petitionid": case, "aliases": aliases, **payload}),
    )


def _accepted(row: Row) -> Payload:
    extension = {
        "until": row.text("accepted_extended_until"),
        "reason": row.text("accepted_extension_reason"),
        "approved_by": _named(row, "accepted_extension_approver"),
    }
    return {
        "accepted_on": row.text("accepted_on"),
        "register_no": row.text("accepted_register_no"),
        "organ": _named(row, "organ"),
        "responsible": _named(row, "responsible"),
        "notice_no": row.text("accepted_notice_no"),
        "notified_on": row.text("accepted_notified_on"),
        "due": _due(row, "due", [extension] if any(extension.values()) else None),
    }


def _rejected(row: Row) -> Payload | RowFault:
    if "accepted_on" in row.values and _day(row, "accepted_on") <= _day(row, "rejected_on"):
        return row.wrong("rejected_on", _ACCEPTED)
    return {
        "decided_on": row.text("rejected_on"),
        "organ": _named(row, "organ"),
        "reason": row.values.get("rejected_reason"),
        "explanation": row.text("rejected_explanation"),
        "basis": _lines(row, "rejected_basis"),
        "proper_channel": row.text("rejected_proper_channel"),
        "concluded_by": row.text("rejected_concluded_by"),
        "notice_no": row.text("rejected_notice_no"),
        "notified_on": row.text("rejected_notified_on"),
        "approved_by": _named(row, "rejected_approver"),
    }


def _objected(row: Row) -> Payload | RowFault:
    if "accepted_on" in row.values and _day(row, "accepted_on") < _day(row, "objected_on"):
        return row.wrong("objected_on", _ACCEPTED)
    return {
        "received_on": row.text("received_on"),
        "objected_on": row.text("objected_on"),
        "organ": _named(row, "organ"),
        "reason": row.values.get("objected_reason"),
        "explanation": row.text("objected_explanation"),
        "basis": _lines(row, "objected_basis"),
        "proper_organ": _named(row, "objected_proper_organ"),
        "repeats": row.text("objected_repeats"),
        "approved_by": _named(row, "objected_approver"),
    }


def _objection_decided(row: Row) -> Payload:
    organs = row.texts("objection_assigned_to")
    return {
        "result": row.values.get("objection_result"),
        "decided_on": row.text("objection_decided_on"),
        "assigned_to": [{"name": tidy_name(organ)} for organ in organs] or None,
        "explanation": row.text("objection_explanation"),
        "due": _due(row, "objection_due"),
        "decided_by": _named(row, "objection_decider"),
    }


def _replied(row: Row) -> Payload | RowFault:
    duties = _duties(row)
    if isinstance(duties, RowFault):
        return duties
    return {
        "purpose": row.values.get("purpose"),
        "reply_no": row.text("no_of_reply"),
        "organ": _named(row, "organ"),
        "replied_on": row.text("replied_on"),
        "served_on": row.text("replied_served_on"),
        "facts": row.text("replied_facts"),
        "opinion": row.values.get("replied_opinion"),
        "explanation": row.text("replied_explanation"),
        "basis": _lines(row, "replied_basis"),
        "duties": duties,
        "review_organ": _named(row, "replied_review_organ"),
        "review_until": row.text("replied_review_until"),
    }


def _closed(row: Row) -> Payload:
    return {
        "closed_on": row.text("closed_on"),
        "organ": _named(row, "organ"),
        "reason": row.values.get("closed_reason"),
        "result": row.text("closed_result"),
        "decision_no": row.text("closed_decision_no"),
        "answered_on": row.text("closed_answered_on"),
        "satisfaction": row.values.get("closed_satisfaction"),
        "paid": row.values.get("closed_paid"),
        "merged_into": row.text("closed_merged_into"),
    }


def _review_decided(row: Row) -> Payload:
    return _review(row, "review") | {
        "decision_no": row.text("no_of_review"),
        "organ": _named(row, "organ_of_review"),
        "reviewed_no": row.text("no_of_reply"),
        "reviewed_organ": _named(row, "organ"),
        "rereview_organ": _named(row, "review_rereview_organ"),
        "rereview_until": row.text("review_rereview_until"),
    }


def _rereview_decided(row: Row) -> Payload:
    return _review(row, "rereview") | {
        "decision_no": row.text("rereview_no"),
        "organ": _named(row, "rereview_organ"),
        "reviewed_no": row.text("no_of_review"),
        "reviewed_organ": _named(row, "organ_of_review"),
        "final_told_on": row.text("rereview_final_told_on"),
    }


def _review(row: Row, step: str) -> Payload:
    return {
        "asked_on": row.text(f"{step}_asked_on"),
        "decided_on": row.text(f"{step}_decided_on"),
        "hearing_on": row.text(f"{step}_hearing_on"),
        "result": row.values.get(f"{step}_result"),
        "facts": row.text(f"{step}_facts"),
        "opinion": row.text(f"{step}_opinion"),
        "changed_to": row.text(f"{step}_changed_to"),
        "again_by": _due(row, f"{step}_again_by"),
        "served_on": row.text(f"{step}_served_on"),
    }


# As they follow one another on one day.
_STEPS: Final = (
    _Step("petition.objected", "objected_on", _objected),
    _Step("petition.objection_decided", "objection_decided_on", _objection_decided),
    _Step("petition.accepted", "accepted_on", _accepted),
    _Step("petition.rejected", "rejected_on", _rejected),
    _Step("petition.replied", "replied_on", _replied),
    _Step("petition.closed", "closed_on", _closed),
    _Step("petition.review_decided", "review_decided_on", _review_decided),
    _Step("petition.rereview_decided", "rereview_decided_on", _rereview_decided),
)


def _day(row: Row, field: str) -> str:
    return str(row.values[field])


def _named(row: Row, field: str) -> Payload | None:
    """An organ, or a person who signed, by name."""
    name = row.text(field)
    return {"name": name} if name else None


def _due(row: Row, field: str, extended: list[Payload] | None = None) -> Payload | None:
    day = row.text(field)
    return {"date": day, "extended": extended} if day or extended else None


def _lines(row: Row, field: str) -> list[str] | None:
    return list(row.texts(field)) or None


def _duties(row: Row) -> list[Payload] | RowFault | None:
    """Who is to do what by when: three columns with as many items each, in the same order."""
    units, tasks, days = (row.texts(f"replied_duty_{part}") for part in _DUTY)
    for part, given in zip(_DUTY, (units, tasks, days), strict=True):
        if len(given) != len(tasks):
            return row.wrong(f"replied_duty_{part}", _UNCLEAR)
    by = [day_of(plain(day)) for day in days]
    if not all(by):
        return row.wrong("replied_duty_by", _NO_DAYS)
    duties = zip(units, tasks, by, strict=True)
    return [
        {"no": number, "unit": {"name": tidy_name(unit)}, "task": task, "by": str(day)}
        for number, (unit, task, day) in enumerate(duties, start=1)
    ] or None


_NO_DAY: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，而同一环节的其他列已经填写",
    "请补填日期；该环节尚未发生的，请把同一环节的其他列清空",
)
_ACCEPTED: Final = Wrong(
    FaultKind.STEP,
    "在受理之后：受理以后不能再提异议，也不能再报不予受理",
    "请核对两处日期；受理填错的，请清空受理各列",
)
_UNCLEAR: Final = Wrong(
    FaultKind.MISMATCH, "的项数与落实事项对不上", "请按落实事项的顺序逐项填写，用分号隔开"
)
_NO_DAYS: Final = Wrong(
    FaultKind.DATE, "中有的不是有效的日期", "请逐项写成 2026/10/03 这样的日期，用分号隔开"
)
