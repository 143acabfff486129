"""What each kind of exchange says, from the columns that all kinds share."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from adapters.kit.bynumber import by_number
from adapters.kit.named import org, signed
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Step


def _signed_for(row: Row) -> Mapping[str, Any]:
    items, notes = by_number(row, "item_place"), by_number(row, "items")
    return _about(row) | {
        "signed_at": row.text("at"),
        "signed_by": signed(row, "handlers"),
        "register_no": row.text("register_no"),
        "items": row.values["count"],
        "pages": row.values.get("pages"),
        "complete": row.values["complete"],
        "digest_agrees": row.values.get("digest_agrees"),
        "discrepancies": [
            {"kind": kind, "item": items.get(no), "note": notes.get(no)}
            for no, kind in by_number(row, "discrepancy").items()
        ],
    }


def _supplement_requested(row: Row) -> Mapping[str, Any]:
    reasons, places = by_number(row, "item_reason"), by_number(row, "item_place")
    return _about(row) | {
        "items": [
            {"no": no, "what": what, "reason": reasons.get(no), "place": places.get(no)}
            for no, what in by_number(row, "items").items()
        ],
        "requested_on": _day(row),
        "due": {"date": row.text("until")},
        "pauses": row.values["pauses"],
        "paused_from": row.text("paused_from"),
    }


def _supplemented(row: Row) -> Mapping[str, Any]:
    corrections, why_not = by_number(row, "items"), by_number(row, "item_why_not")
    return _about(row) | {
        "items": [
            {
                "no": no,
                "supplied": supplied,
                "correction": corrections.get(no),
                "reason": why_not.get(no),
            }
            for no, supplied in by_number(row, "item_done").items()
        ],
        "supplied_on": _day(row),
        "handlers": signed(row, "handlers"),
    }


def _urged(row: Row) -> Mapping[str, Any]:
    days = by_number(row, "item_by")
    return _about(row) | {
        "kind": row.values["kind"],
        "times": row.values.get("times"),
        "earlier": row.values.get("earlier"),
        "unit": org(row.text("unit")),
        "duty": row.text("duty"),
        "due_before": row.text("due_before"),
        "overdue_days": row.values.get("overdue_days"),
        "requirements": [
            {"no": no, "text": text, "by": days.get(no)}
            for no, text in by_number(row, "items").items()
        ],
        "urged_on": _day(row),
        "answer_by": row.text("until"),
        "approved_by": _approver(row),
    }


def _urge_answered(row: Row) -> Mapping[str, Any]:
    return _about(row) | {
        "state": row.values["duty_state"],
        "done_on": row.text("done_on"),
        "reason": row.values.get("extension_reason"),
        "expected_on": row.text("until"),
        "progress": row.text("explanation"),
        "answers": [{"no": no, "text": text} for no, text in by_number(row, "items").items()],
        "answered_on": _day(row),
        "responsible": _approver(row),
    }


def _extension_requested(row: Row) -> Mapping[str, Any]:
    return _about(row) | {
        "due_before": row.text("due_before"),
        "until": row.text("until"),
        "times": row.values.get("times"),
        "reason": row.values["extension_reason"],
        "explanation": row.text("explanation"),
        "done_so_far": row.text("done_so_far"),
        "requested_on": _day(row),
        "agreed_by": _approver(row),
    }


def _extension_granted(row: Row) -> Mapping[str, Any]:
    return _about(row) | {
        "due_before": row.text("due_before"),
        "extension": {
            "until": row.text("until"),
            "reason": row.text("explanation"),
            "approved_by": _approver(row),
        },
        "conditions": [*by_number(row, "items").values()],
        "last": row.values.get("last"),
        "granted_on": _day(row),
    }


def _extension_refused(row: Row) -> Mapping[str, Any]:
    return _about(row) | {
        "due_stays": row.text("until"),
        "reason": row.values["refusal_reason"],
        "explanation": row.text("explanation"),
        "refused_on": _day(row),
        "decided_by": _approver(row),
    }


def _recall_confirmed(row: Row) -> Mapping[str, Any]:
    return _about(row) | {
        "state": row.values["recall_state"],
        "copies": row.values["count"],
        "passed_to": signed(row, "passed_to"),
        "destroyed_at": row.text("destroyed_at"),
        "destroyed_by": signed(row, "destroyed_by"),
        "informed_at": row.text("informed_at"),
        "confirmed_at": row.text("at"),
    }


def _about(row: Row) -> dict[str, Any]:
    return {
        "matter": row.text("matter"),
        "about": {
            "source": row.text("about_source"),
            "id": row.text("about_id"),
            "type": row.text("about_type"),
            "receipt": row.text("about_receipt"),
        },
    }


def _day(row: Row) -> str:
    return str(row.values["at"])[: len("2026-11-01")]


def _approver(row: Row) -> Mapping[str, Any] | None:
    name = row.text("approved_by")
    return {"name": name} if name else None


def _step(type_: str, payload: Callable[[Row], Mapping[str, Any]], *needed: str) -> Step:
    return Step(type=type_, begun=("type",), needed=("at", *needed), at="at", payload=payload)


STEPS: Final[Mapping[str, Step]] = MappingProxyType(
    {
        step.type: step
        for step in (
            _step("exchange.signed", _signed_for, "handlers", "count", "complete"),
            _step(
                "exchange.supplement_requested",
                _supplement_requested,
                "items",
                "item_reason",
                "until",
                "pauses",
            ),
            _step("exchange.supplemented", _supplemented, "item_done", "handlers"),
            _step("exchange.urged", _urged, "kind", "unit", "duty", "until"),
            _step(
                "exchange.urge_answered",
                _urge_answered,
                "duty_state",
                "explanation",
                "approved_by",
            ),
            _step(
                "exchange.extension_requested",
                _extension_requested,
                "due_before",
                "until",
                "extension_reason",
                "explanation",
                "approved_by",
            ),
            _step(
                "exchange.extension_granted",
                _extension_granted,
                "due_before",
                "until",
                "explanation",
                "approved_by",
            ),
            _step(
                "exchange.extension_refused",
                _extension_refused,
                "until",
                "refusal_reason",
                "approved_by",
            ),
            _step(
                "exchange.recall_confirmed",
                _recall_confirmed,
                "recall_state",
                "count",
                "informed_at",
            ),
        )
    }
)
# What an item must have beside its number: field → the field whose items it tells more of.
LISTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "exchange.signed": {"item_place": "discrepancy", "items": "discrepancy"},
        "exchange.supplement_requested": {
            "items": "item_reason",
            "item_reason": "items",
            "item_place": "items",
        },
        "exchange.supplemented": {"items": "item_done", "item_why_not": "item_done"},
        "exchange.urged": {"item_by": "items"},
    }
)
