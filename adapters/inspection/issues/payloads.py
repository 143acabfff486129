"""What each step of an issue says, from the columns of the ledger; the steps in their order."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.kit.bynumber import by_number
from adapters.kit.convert import Scalar
from adapters.kit.named import signed
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Step


def _drafted(row: Row) -> Mapping[str, Any]:
    said = row.values
    return _whose(row) | {
        "provisional_no": said["provisional_no"],
        "year": said["year"],
        "groupid": said["groupid"],
        "areas": said["areas"],
        "title": said["title"],
        "overview": said["overview"],
        "facts": [_fact(row, no, text) for no, text in by_number(row, "fact").items()],
        "found_by": said.get("found_by"),
        "confirmation": _confirmation(row),
        "proposed_uses": said.get("proposed_uses"),
        "handlers": signed(row, "handlers"),
    }


def _fact(row: Row, no: int, text: Scalar) -> dict[str, Any]:
    begins, ends = by_number(row, "fact_from").get(no), by_number(row, "fact_to").get(no)
    return {
        "no": no,
        "text": text,
        "period": {"from": begins, "to": ends or begins} if begins else None,
        "money": by_number(row, "fact_money").get(no),
        "persons": _persons(row, no) or None,
        "evidence": _papers(row, "fact_evidence", no) or None,
    }


def _persons(row: Row, no: int) -> list[dict[str, Any]]:
    unit, post = by_number(row, "fact_unit").get(no), by_number(row, "fact_post").get(no)
    org = {"name": unit or row.values["target"]}
    return [{"name": name, "org": org, "post": post} for name in _listed(row, "fact_persons", no)]


def _papers(row: Row, field: str, no: int) -> list[dict[str, Any]]:
    return [{"title": title} for title in _listed(row, field, no)]


def _listed(row: Row, field: str, no: int) -> list[object]:
    """The texts that a numbered field lists under a number."""
    said = by_number(row, field).get(no)
    return [*said] if isinstance(said, list) else []


def _confirmation(row: Row) -> dict[str, Any] | None:
    said = row.values
    if "answer" not in said:
        return None
    return {
        "number": said.get("confirmation_no"),
        "answer": said["answer"],
        "answered_on": said.get("answered_on"),
        "objection": said.get("objection"),
    }


def _confirmed(row: Row) -> Mapping[str, Any]:
    said = row.values
    return _whose(row) | {
        "result": said["result"],
        "paper_no": said.get("paper_no"),
        "confirmation_no": said.get("confirmation_no"),
        "line": _line(row),
        "responsible": [
            {"name": name, "org": {"name": said["target"]}} for name in row.texts("responsible")
        ],
        "uses": said.get("uses"),
        "merged_into": said.get("merged_into"),
        "reason": said.get("reason"),
        "decided_on": said["decided_on"],
        "approved_by": {"name": said["approved_by"]},
    }


# What a paper that is confirmed says of where its issue belongs and how it shows.
LINE: Final = ("category", "issue", "manifestation", "track", "focus")


def _line(row: Row) -> dict[str, Any] | None:
    said = row.values
    if not any(name in said for name in ("track", "focus")):
        return None
    return {name: said.get(name) for name in (*LINE, "subcategory", "key_attention")}


def _ordered(row: Row) -> Mapping[str, Any]:
    said, due = row.values, by_number(row, "demand_due")
    return _whose(row) | {
        "notice_no": said["notice_no"],
        "groupid": said["groupid"],
        "category": said["category"],
        "issue": said["issue"],
        "manifestation": said["manifestation"],
        "demands": [
            {"no": no, "text": text, "due": due.get(no)}
            for no, text in by_number(row, "demand").items()
        ],
        "ordered_on": said["ordered_on"],
        "due_on": said["due_on"],
        "leaving_on": said.get("leaving_on"),
        "approved_by": {"name": said["ordered_by"]},
    }


def _reported(row: Row) -> Mapping[str, Any]:
    said = row.values
    return {
        "issueid": said["issueid"],
        "targetid": said["targetid"],
        "target": _target(row),
        "reported_on": said["reported_on"],
        "completion": said["completion"],
        "measures": [
            {
                "no": no,
                "kinds": by_number(row, "measure_kinds").get(no),
                "text": text,
                "done_on": by_number(row, "measure_done").get(no),
                "evidence": _papers(row, "measure_evidence", no) or None,
            }
            for no, text in by_number(row, "measure").items()
        ],
        "recovered": said.get("recovered"),
        "people_dealt_with": said.get("people"),
        "rules_made": said.get("rules_made"),
        "obstacle": said.get("obstacle"),
        "expected_on": said.get("expected_on"),
        "responsible": said.get("leader"),
    }


def _whose(row: Row) -> dict[str, Any]:
    said = row.values
    named = {name: said[name] for name in ("issueid", "roundid", "targetid")}
    return named | {"target": _target(row)}


def _target(row: Row) -> dict[str, Any] | None:
    said = row.values
    if "target" not in said:
        return None
    uscc, region = said.get("target_uscc"), said.get("target_region")
    return {"name": said["target"], "uscc": uscc, "region": region}


_WHOSE: Final = ("roundid", "targetid", "target")
DRAFTED: Final = Step(
    type="issue.drafted",
    begun=("provisional_no", "overview", "fact", "drafted_at"),
    needed=(
        *_WHOSE, "groupid", "provisional_no", "year", "areas", "title", "overview", "fact",
        "handlers", "drafted_at",
    ),
    at="drafted_at",
    payload=_drafted,
)  # fmt: skip
CONFIRMED: Final = Step(
    type="issue.confirmed",
    begun=("result", "paper_no", "decided_on"),
    needed=(*_WHOSE, "result", "decided_on", "approved_by"),
    at="decided_on",
    payload=_confirmed,
    again="decided_on",
)
ORDERED: Final = Step(
    type="issue.immediate_rectification_ordered",
    begun=("notice_no", "demand", "ordered_on"),
    needed=(
        *_WHOSE, "groupid", "notice_no", "category", "issue", "manifestation", "demand",
        "ordered_on", "due_on", "ordered_by",
    ),
    at="ordered_on",
    payload=_ordered,
)  # fmt: skip
REPORTED: Final = Step(
    type="issue.immediate_rectification_reported",
    begun=("completion", "measure", "reported_on"),
    needed=("targetid", "completion", "measure", "reported_on"),
    at="reported_on",
    payload=_reported,
    again="reported_on",
)
STEPS: Final = (DRAFTED, CONFIRMED, ORDERED, REPORTED)
