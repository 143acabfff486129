"""A row of the reviews → what was found of a party's plan, and of its rectification in the end."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.inspection.filled import events, taken
from adapters.inspection.parts import numbered_otherwise, of_number, org
from adapters.kit.bynumber import by_number
from adapters.kit.convert import Wrong
from adapters.kit.named import signed
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, out_of_order

# What goes with what, number by number.
_COMPANIONS: Final = {
    "opinion": ("opinion_reason", "opinion_item"),
    "criterion": ("marks", "points"),
    "item": ("item_completion", "item_finding"),
    "requirement": ("requirement_item", "requirement_due"),
}
_NEEDED: Final = {
    "opinion": ("opinion_reason",),
    "criterion": ("marks", "points"),
    "item": ("item_completion",),
    "requirement": ("requirement_due",),
}
_RECEIPTS: Final = {
    "rectification.plan_reviewed": "plan_receipt",
    "rectification.evaluated": "report_receipt",
}


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The events of a row, but for what the kit adds; a function of the row alone."""
    return events(
        row,
        taken(row, _STEPS),
        contracts,
        case=f"{row.values['roundid']}/{row.values['targetid']}",
        wrong=_faults(row),
        receipts=_RECEIPTS,
    )


def _faults(row: Row) -> Iterator[RowFault]:
    for main, fields in _COMPANIONS.items():
        yield from numbered_otherwise(row, main, *fields)
        for field in _NEEDED[main]:
            numbers = by_number(row, main)
            if any(of_number(row, field, number) is None for number in numbers):
                title = row.fields[main].title
                reason, advice = f"没有写到每一项{title}", f"请按“{title}”的序号逐项填写"
                yield row.wrong(field, Wrong(FaultKind.MISSING, reason, advice))
    yield from out_of_order(row, (("reviewed_on", "resubmit_by"), ("reviewed_on", "evaluated_on")))


def _reviewed(row: Row) -> Mapping[str, Any]:
    return {
        "roundid": row.text("roundid"),
        "targetid": row.text("targetid"),
        "result": row.values["result"],
        "reviewed_on": row.text("reviewed_on"),
        "opinions": [
            {
                "itemid": of_number(row, "opinion_item", no),
                "reason": of_number(row, "opinion_reason", no),
                "text": text,
            }
            for no, text in by_number(row, "opinion").items()
        ],
        "resubmit_by": row.text("resubmit_by"),
        "handlers": signed(row, "reviewed_by"),
    }


def _evaluated(row: Row) -> Mapping[str, Any]:
    return {
        "roundid": row.text("roundid"),
        "targetid": row.text("targetid"),
        "target": org(row, "target", "target_uscc"),
        "evaluated_on": row.text("evaluated_on"),
        "agencies": signed(row, "agencies"),
        "grade": row.values["grade"],
        "score": row.values.get("score"),
        "criteria": [
            {
                "name": name,
                "marks": of_number(row, "marks", no),
                "points": of_number(row, "points", no),
            }
            for no, name in by_number(row, "criterion").items()
        ],
        "items": [
            {
                "itemid": item,
                "completion": of_number(row, "item_completion", no),
                "finding": of_number(row, "item_finding", no),
            }
            for no, item in by_number(row, "item").items()
        ],
        "requirements": [
            {
                "itemid": of_number(row, "requirement_item", no),
                "text": text,
                "due": of_number(row, "requirement_due", no),
            }
            for no, text in by_number(row, "requirement").items()
        ],
        "revisit_proposed": row.values.get("revisit"),
        "uses": row.values.get("uses"),
        "handlers": signed(row, "evaluated_by"),
    }


_STEPS: Final = (
    Step(
        type="rectification.plan_reviewed",
        begun=("reviewed_on", "result", "opinion", "resubmit_by", "reviewed_by"),
        needed=("reviewed_on", "result", "reviewed_by"),
        at="reviewed_on",
        payload=_reviewed,
    ),
    Step(
        type="rectification.evaluated",
        begun=("evaluated_on", "grade", "score", "criterion", "item", "requirement"),
        needed=("evaluated_on", "agencies", "grade", "evaluated_by"),
        at="evaluated_on",
        payload=_evaluated,
    ),
)
