"""A row of the ledger of rectification → the steps that one item has come through."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from adapters.inspection.filled import events, taken
from adapters.inspection.parts import (
    addressees,
    agency_of,
    day,
    misaddressed,
    org,
    person,
)
from adapters.kit.convert import Wrong
from adapters.kit.named import signed
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, out_of_order

_ORDERS: Final = (
    ("assigned_on", "due"),
    ("assigned_on", "closed_on"),
    ("checked_on", "closed_on"),
    ("closed_on", "reopened_on"),
    ("reopened_on", "reopen_due"),
    ("overdue_on", "explain_by"),
)
_TO_NOBODY: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，而党组织编号不是贯通的机构编号",
    "请填责任单位在贯通的机构编号（或收件机关），否则这一事项会发给每个被巡视巡察党组织",
)
_NOT_YET: Final = Wrong(
    FaultKind.STEP, "不晚于完成期限", "没有逾期的不发提醒；请核对统计日期和完成期限"
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The events of a row, but for what the kit adds; a function of the row alone."""
    return events(
        row,
        taken(row, _STEPS),
        contracts,
        case=str(row.values["itemid"]),
        wrong=_faults(row),
        named={"to": _whom(row)},
    )


def _faults(row: Row) -> Iterator[RowFault]:
    if _whom(row) is None and taken(row, _STEPS):
        yield row.wrong("to", _TO_NOBODY)
    yield from misaddressed(row)
    yield from out_of_order(row, _ORDERS)
    if (days := _days_overdue(row)) is not None and days <= 0:
        yield row.wrong("overdue_on", _NOT_YET)


def _whom(row: Row) -> str | None:
    """Whom the item is for: without an address it would go to every inspected party."""
    return addressees(row) or agency_of(row.text("targetid") or "")


def _due(row: Row) -> str | None:
    """The day by which the item is due now."""
    return row.text("reopen_due") or row.text("due")


def _days_overdue(row: Row) -> int | None:
    counted, due = row.text("overdue_on"), _due(row)
    if counted is None or due is None:
        return None
    return (date.fromisoformat(counted) - date.fromisoformat(due)).days


def _whose(row: Row) -> dict[str, Any]:
    return {
        "itemid": row.text("itemid"),
        "roundid": row.text("roundid"),
        "unit": org(row, "unit", "unit_uscc"),
    }


def _assigned(row: Row) -> Mapping[str, Any]:
    across = "level_reason" in row.values
    return _whose(row) | {
        "targetid": row.text("targetid"),
        "scope": "cross-level" if across else "same-level",
        "level_reason": row.text("level_reason"),
        "problem": {
            "issueid": row.text("issueid"),
            "category": row.values["category"],
            "subcategory": row.values.get("subcategory"),
            "issue": row.text("issue"),
            "manifestation": row.text("manifestation"),
            "track": row.values["track"],
            "focus": row.values.get("focus"),
        },
        "cooperating": [{"name": name} for name in row.texts("cooperating")],
        "requirement": row.text("requirement"),
        "target_state": row.text("target_state"),
        "assigned_on": row.text("assigned_on"),
        "due": row.text("due"),
        "reports": row.text("reports"),
    }


def _closed(row: Row) -> Mapping[str, Any]:
    return _whose(row) | {
        "completion": row.values["completion"],
        "long_term": row.values.get("long_term"),
        "follow_up": row.text("follow_up"),
        "checked_on": row.text("checked_on"),
        "checked_by": signed(row, "checked_by"),
        "methods": row.values["methods"],
        "opinion": row.text("opinion"),
        "closed_on": row.text("closed_on"),
        "approved_by": person(row, "approved_by"),
    }


def _reopened(row: Row) -> Mapping[str, Any]:
    return _whose(row) | {
        "closed_on": row.text("closed_on"),
        "reopened_on": row.text("reopened_on"),
        "reason": row.values["reopen_reason"],
        "text": row.text("reopen_text"),
        "amount": row.values.get("reopen_amount"),
        "requirement": row.text("reopen_requirement"),
        "due": row.text("reopen_due"),
        "approved_by": person(row, "reopen_approved_by"),
    }


def _overdue(row: Row) -> Mapping[str, Any]:
    return _whose(row) | {
        "completion": row.values["overdue_completion"],
        "due": day(row, "reopen_due") or day(row, "due"),
        "as_of": row.text("overdue_on"),
        "days": _days_overdue(row),
        "way": row.values["way"],
        "explain_by": row.text("explain_by"),
    }


_STEPS: Final = (
    Step(
        type="rectification.item_assigned",
        begun=("assigned_on", "issue", "manifestation", "requirement", "reports"),
        needed=(
            "assigned_on",
            "category",
            "issue",
            "manifestation",
            "track",
            "requirement",
            "due",
        ),
        at="assigned_on",
        payload=_assigned,
    ),
    Step(
        type="rectification.item_closed",
        begun=("closed_on", "checked_on", "checked_by", "methods", "opinion"),
        needed=(
            "closed_on",
            "completion",
            "checked_on",
            "checked_by",
            "methods",
            "opinion",
            "approved_by",
        ),
        at="closed_on",
        payload=_closed,
    ),
    Step(
        type="rectification.item_reopened",
        begun=("reopened_on", "reopen_reason", "reopen_text", "reopen_requirement"),
        needed=(
            "closed_on",
            "reopened_on",
            "reopen_reason",
            "reopen_text",
            "reopen_requirement",
            "reopen_due",
            "reopen_approved_by",
        ),
        at="reopened_on",
        payload=_reopened,
    ),
    Step(
        type="rectification.overdue",
        begun=("overdue_on", "way", "explain_by"),
        needed=("overdue_on", "overdue_completion", "way", "due"),
        at="overdue_on",
        payload=_overdue,
        again="overdue_on",
    ),
)
