"""A row of the course of a round → the steps that one inspected party has come through."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.inspection.filled import events, taken
from adapters.inspection.parts import org, person
from adapters.kit.convert import Wrong
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, out_of_order

_ORDERS: Final = (
    ("site_from", "site_to"),
    ("announced_on", "site_to"),
    ("announced_on", "entered_on"),
    ("entered_on", "planned_until"),
    ("entered_on", "left_on"),
    ("left_on", "report_due"),
    ("left_on", "closed_on"),
)
# In the order in which a team is listed.
_ROLES: Final = {
    "head": "head",
    "deputies": "deputy",
    "liaison": "liaison",
    "members": "member",
}
_HEADLESS: Final = Wrong(
    FaultKind.MISSING, "没有填写，而填写了组员", "填写副组长、联络员、组员的，请同时填写组长"
)
_STAYED_ON: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，而撤离日期晚于计划撤离日期",
    "请填写延期理由和延期批准人，或核对两个日期",
)
_NOT_ANNOUNCED: Final = Wrong(
    FaultKind.MISMATCH, "不在现场起止日期之内", "请核对受理截止日期和现场起止日期"
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The events of a row, but for what the kit adds; a function of the row alone."""
    steps = taken(row, _STEPS)
    case = f"{row.values['roundid']}/{row.values['targetid']}"
    return events(row, steps, contracts, case=case, wrong=_faults(row))


def _faults(row: Row) -> Iterator[RowFault]:
    yield from out_of_order(row, _ORDERS)
    if "head" not in row.values and any(field in row.values for field in _ROLES):
        yield row.wrong("head", _HEADLESS)
    left, planned = row.text("left_on"), row.text("planned_until")
    if left and planned and left > planned:
        for field in ("extension_reason", "extension_approved_by"):
            if field not in row.values:
                yield row.wrong(field, _STAYED_ON)
    first, last, until = (row.text(f) for f in ("site_from", "site_to", "reception_until"))
    if first and last and until and not first <= until <= last:
        yield row.wrong("reception_until", _NOT_ANNOUNCED)


def _whose(row: Row) -> dict[str, Any]:
    return {
        "roundid": row.text("roundid"),
        "targetid": row.text("targetid"),
        "target": org(row, "target", "target_uscc"),
    }


def _announced(row: Row) -> Mapping[str, Any]:
    return _whose(row) | {
        "kind": row.values["kind"],
        "team": row.text("team"),
        "announced_on": row.text("announced_on"),
        "period": {"from": row.text("site_from"), "to": row.text("site_to")},
        "supervised": row.text("supervised"),
        "accepted": row.text("accepted"),
        "passed_on": row.text("passed_on"),
        "reception": {
            "telephone": row.text("telephone"),
            "mailbox": row.text("mailbox"),
            "email": row.text("email"),
            "boxes": list(row.texts("boxes")) or None,
            "hours": row.text("hours"),
            "until": row.text("reception_until"),
        },
        "channels": row.values["channels"],
    }


def _entered(row: Row) -> Mapping[str, Any]:
    return _whose(row) | {
        "groupid": row.text("groupid"),
        "entered_on": row.text("entered_on"),
        "planned_until": row.text("planned_until"),
        "station": row.text("station"),
        "meeting": (
            {"held_on": row.text("meeting_on"), "attended": row.values.get("attended")}
            if "meeting_on" in row.values
            else None
        ),
        "methods": row.values.get("methods"),
        "members": [
            {"person": {"name": name}, "role": {"code": role}}
            for field, role in _ROLES.items()
            for name in (row.texts(field) or filter(None, (row.text(field),)))
        ],
    }


def _left(row: Row) -> Mapping[str, Any]:
    return _whose(row) | {
        "groupid": row.text("groupid"),
        "entered_on": row.text("entered_on"),
        "planned_until": row.text("planned_until"),
        "left_on": row.text("left_on"),
        "extension": (
            {
                "until": row.text("left_on"),
                "reason": row.text("extension_reason"),
                "approved_by": person(row, "extension_approved_by"),
            }
            if "extension_reason" in row.values
            else None
        ),
        "work": {name: row.values[name] for name in ("talks", "documents", "letters", "visits")},
        "issues": row.values["issues"],
        "clues": row.values["clues"],
        "report_due": row.text("report_due"),
    }


def _closed(row: Row) -> Mapping[str, Any]:
    return _whose(row) | {
        "closed_on": row.text("closed_on"),
        "issues": row.values["issues_fed_back"],
        "completed": row.values["completed"],
        "long_term": row.values.get("long_term"),
        "unfinished": row.values["unfinished"],
        "followed_up": row.text("followed_up"),
        "evaluation": row.values.get("evaluation"),
        "archive_no": row.text("archive_no"),
        "volumes": row.values.get("volumes"),
        "closed_by": person(row, "closed_by"),
    }


_STEPS: Final = (
    Step(
        type="inspection.announced",
        begun=("announced_on", "supervised", "accepted", "reception_until", "channels"),
        needed=(
            "announced_on",
            "kind",
            "team",
            "site_from",
            "site_to",
            "supervised",
            "accepted",
            "reception_until",
            "channels",
        ),
        at="announced_on",
        payload=_announced,
    ),
    Step(
        type="inspection.entered",
        begun=("entered_on", "planned_until", "station", "meeting_on", "head", "members"),
        needed=("groupid", "entered_on", "planned_until"),
        at="entered_on",
        payload=_entered,
    ),
    Step(
        type="inspection.left",
        begun=("left_on", "talks", "issues", "clues", "report_due"),
        needed=(
            "groupid",
            "entered_on",
            "planned_until",
            "left_on",
            "talks",
            "documents",
            "letters",
            "visits",
            "issues",
            "clues",
            "report_due",
        ),
        at="left_on",
        payload=_left,
    ),
    Step(
        type="inspection.closed",
        begun=("closed_on", "completed", "unfinished", "archive_no", "closed_by"),
        needed=(
            "closed_on",
            "issues_fed_back",
            "completed",
            "unfinished",
            "archive_no",
            "closed_by",
        ),
        at="closed_on",
        payload=_closed,
    ),
)
