"""What each step of a clue says, from the columns of the ledger; the steps in their order."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.kit.bynumber import Number, by_number, each
from adapters.kit.convert import Scalar
from adapters.kit.named import org, signed
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Step

SANCTIONS: Final = ("party", "administrative", "organizational")


def _received(row: Row) -> Mapping[str, Any]:
    return {
        "clueid": row.text("clueid"),
        "receiver": signed(row, "receiver"),
        "received_at": row.text("received_at"),
        "register_no": row.text("register_no"),
        "room": row.text("room"),
    }


def _returned(row: Row) -> Mapping[str, Any]:
    return {
        **_received(row),
        "reason": row.values["return_reason"],
        "note": row.text("return_note"),
        "approved_by": {"name": row.text("return_approved_by")},
        "repeat_of": row.text("repeat_of"),
    }


def _addition_received(row: Row) -> Mapping[str, Any]:
    return {
        "clueid": row.text("clueid"),
        "receiver": signed(row, "addition_receiver"),
        "received_at": row.text("addition_received_at"),
        "register_no": row.text("addition_register_no"),
        "room": row.text("room"),
    }


def _supplemented(row: Row) -> Mapping[str, Any]:
    return {
        "clueid": row.text("clueid"),
        "supplement_no": row.values["supplement_no"],
        "asked_in": row.text("supplement_asked_in"),
        "facts": row.text("supplement_facts"),
        "amount": row.values.get("supplement_amount"),
        "handover": {
            "form": row.text("supplement_form"),
            "from": signed(row, "supplement_from"),
            "at": row.text("supplement_at"),
        },
    }


def _decided(row: Row) -> Mapping[str, Any]:
    kinds = by_number(row, "decided_kind")
    due = row.text("decision_due")
    return {
        "clueid": row.text("clueid"),
        "dispositions": [
            {
                "subject_no": subject,
                "disposition": disposition,
                "discipline_kind": kinds.get(subject),
            }
            for subject, disposition in by_number(row, "disposition").items()
        ],
        "decided_at": row.text("decided_at"),
        "approver_level": row.text("approver_level"),
        "transferred_to": org(row.text("transferred_to")),
        "due": {"date": due} if due else None,
        "handlers": signed(row, "decision_handlers"),
    }


def _extended(row: Row) -> Mapping[str, Any]:
    return {
        "clueid": row.text("clueid"),
        "due_before": row.text("extended_from"),
        "extension": {
            "until": row.text("extended_until"),
            "reason": row.text("extension_note"),
            "approved_by": {
                "name": row.text("extension_approved_by"),
                "signed_at": row.text("extension_approved_at"),
            },
        },
        "reason": row.values["extension_reason"],
        "times": row.values.get("extension_times"),
        "handlers": signed(row, "extension_handlers"),
    }


def _progress(row: Row) -> Mapping[str, Any]:
    rounds = by_number(row, "inquiry_round")
    return {
        "clueid": row.text("clueid"),
        "as_of": row.text("as_of"),
        "stages": [
            {"subject_no": subject, "stage": stage, "inquiry_round": rounds.get(subject)}
            for subject, stage in by_number(row, "stage").items()
        ],
        "mode": row.values.get("mode"),
        "talks": row.values.get("talks"),
        "documents_checked": row.values.get("documents_checked"),
        "done": row.text("done"),
        "next_steps": row.text("next_steps"),
        "expected_on": row.text("expected_on"),
        "handlers": signed(row, "progress_handlers"),
    }


def _split(row: Row) -> Mapping[str, Any]:
    organs, authorities = by_number(row, "split_organ"), by_number(row, "split_authority")
    parts: dict[Scalar, list[int]] = {}
    for subject, clue in by_number(row, "split_clueid").items():
        parts.setdefault(str(clue), []).append(subject)
    return {
        "clueid": row.text("clueid"),
        "parts": [
            {
                "clueid": clue,
                "subject_nos": subjects,
                "authority": authorities.get(subjects[0]),
                "organ": org(organs.get(subjects[0])),
            }
            for clue, subjects in parts.items()
        ],
        "reason": row.values["split_reason"],
        "decided_on": row.text("split_on"),
        "approved_by": {"name": row.text("split_approved_by")},
        "handlers": signed(row, "split_handlers"),
    }


def _merged(row: Row) -> Mapping[str, Any]:
    return {
        "clueid": row.text("clueid"),
        "into": row.text("merged_into"),
        "reason": row.values["merge_reason"],
        "numbers": [
            {"subject_no": subject, "becomes": becomes}
            for subject, becomes in by_number(row, "merged_numbers").items()
        ],
        "decided_on": row.text("merged_on"),
        "approved_by": {"name": row.text("merge_approved_by")},
        "handlers": signed(row, "merge_handlers"),
    }


def _concluded(row: Row) -> Mapping[str, Any]:
    forms, clarified = by_number(row, "form"), by_number(row, "clarified")
    return {
        "clueid": row.text("clueid"),
        "outcomes": [
            {
                "subject_no": subject,
                "outcome": outcome,
                "form": forms.get(subject),
                "sanctions": _sanctions(row, subject) or None,
                "clarified": clarified.get(subject),
            }
            for subject, outcome in by_number(row, "outcome").items()
        ],
        "recovered": row.values.get("recovered"),
        "reply_to_reporter_done": row.values.get("reply_to_reporter_done"),
        "concluded_at": row.text("concluded_at"),
        "feedback_text": row.text("feedback_text"),
        "handlers": signed(row, "conclusion_handlers"),
    }


def _sanctions(row: Row, subject: int) -> list[Mapping[str, Any]]:
    """What the people of one subject were given, in the order of their numbers."""
    people = sorted(item for item in each(row, "sanctioned").items() if item[0][0] == subject)
    return [
        {"person": _person(row, number, str(name))}
        | {measure: each(row, measure).get(number) for measure in SANCTIONS}
        for number, name in people
    ]


def _person(row: Row, number: Number, name: str) -> Mapping[str, Any]:
    return {
        "name": name,
        "org": org(each(row, "sanctioned_unit").get(number)),
        "post": each(row, "sanctioned_post").get(number),
    }


RECEIVED: Final = Step(
    type="clue.received",
    begun=("received_at", "receiver", "register_no"),
    needed=("received_at", "receiver", "register_no"),
    at="received_at",
    payload=_received,
)
RETURNED: Final = Step(
    type="clue.returned",
    begun=("return_reason", "return_note", "return_approved_by", "repeat_of"),
    needed=("received_at", "receiver", "return_reason", "return_note", "return_approved_by"),
    at="received_at",
    payload=_returned,
)
ADDITION: Final = Step(
    type="clue.received",
    begun=("addition_received_at", "addition_receiver", "addition_register_no"),
    needed=(
        "addition_receipt",
        "addition_received_at",
        "addition_receiver",
        "addition_register_no",
    ),
    at="addition_received_at",
    payload=_addition_received,
    again="addition_receipt",
)
STEPS: Final = (
    RECEIVED,
    RETURNED,
    ADDITION,
    Step(
        type="clue.supplemented",
        begun=(
            "supplement_no",
            "supplement_facts",
            "supplement_form",
            "supplement_from",
            "supplement_at",
        ),
        needed=("supplement_no", "supplement_form", "supplement_from", "supplement_at"),
        at="supplement_at",
        payload=_supplemented,
        again="supplement_no",
    ),
    Step(
        type="clue.disposition_decided",
        begun=(
            "disposition",
            "decided_kind",
            "decided_at",
            "approver_level",
            "transferred_to",
            "decision_due",
            "decision_handlers",
        ),
        needed=("disposition", "decided_at", "approver_level", "decision_handlers"),
        at="decided_at",
        payload=_decided,
    ),
    Step(
        type="clue.extended",
        begun=(
            "extended_until",
            "extension_reason",
            "extension_note",
            "extension_approved_by",
            "extension_approved_at",
            "extension_handlers",
        ),
        needed=(
            "extended_from",
            "extended_until",
            "extension_reason",
            "extension_note",
            "extension_approved_by",
            "extension_approved_at",
            "extension_handlers",
        ),
        at="extension_approved_at",
        payload=_extended,
        again="extension_times",
    ),
    Step(
        type="clue.progress_reported",
        begun=("as_of", "stage", "inquiry_round", "done", "next_steps", "progress_handlers"),
        needed=("as_of", "stage", "done", "progress_handlers"),
        at="as_of",
        payload=_progress,
        again="as_of",
    ),
    Step(
        type="clue.split",
        begun=("split_clueid", "split_organ", "split_reason", "split_on", "split_approved_by"),
        needed=(
            "split_clueid",
            "split_organ",
            "split_reason",
            "split_on",
            "split_approved_by",
            "split_handlers",
        ),
        at="split_on",
        payload=_split,
    ),
    Step(
        type="clue.merged",
        begun=("merged_into", "merged_numbers", "merge_reason", "merged_on", "merge_approved_by"),
        needed=(
            "merged_into",
            "merged_numbers",
            "merge_reason",
            "merged_on",
            "merge_approved_by",
            "merge_handlers",
        ),
        at="merged_on",
        payload=_merged,
    ),
    Step(
        type="clue.concluded",
        begun=("outcome", "form", "sanctioned", *SANCTIONS, "concluded_at", "feedback_text"),
        needed=("outcome", "concluded_at", "feedback_text", "conclusion_handlers"),
        at="concluded_at",
        payload=_concluded,
    ),
)
