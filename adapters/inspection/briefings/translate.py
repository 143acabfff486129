"""A row of the letters that ask for briefings → one letter, to all agencies that it names."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.inspection.filled import events
from adapters.inspection.parts import (
    addressees,
    day,
    letter,
    misaddressed,
    numbered_otherwise,
    of_number,
    org,
)
from adapters.kit.bynumber import by_number
from adapters.kit.port import RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, out_of_order

_DAY: Final = len("2026-11-01")


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The letter of a row, but for what the kit adds; a function of the row alone."""
    return events(
        row,
        [_REQUESTED],
        contracts,
        case=f"{row.values['roundid']}/{row.values['targetid']}",
        wrong=_faults(row),
        named={"to": addressees(row)},
    )


def _faults(row: Row) -> Iterator[RowFault]:
    yield from misaddressed(row)
    yield from numbered_otherwise(row, "topics", "sections")
    yield from out_of_order(row, (("period_from", "period_to"), ("at", "due"), ("at", "entry_on")))


def _requested(row: Row) -> Mapping[str, Any]:
    issued = {"issued_on": str(row.values["at"])[:_DAY]}
    return {
        "letter": (letter(row) or {}) | issued,
        "roundid": row.text("roundid"),
        "targetid": row.text("targetid"),
        "target": org(row, "target", "target_uscc"),
        "kind": row.values.get("kind"),
        "period": {"from": row.text("period_from"), "to": row.text("period_to")},
        "topics": [
            {"topic_no": no, "text": text, "sections": of_number(row, "sections", no)}
            for no, text in by_number(row, "topics").items()
        ],
        "entry_on": row.text("entry_on"),
        "subordinates": [{"name": name} for name in row.texts("subordinates")],
        "contact": row.text("contact"),
        "due": day(row, "due"),
    }


_REQUESTED: Final = Step(
    type="briefing.requested",
    begun=("topics",),
    needed=(),
    at="at",
    payload=_requested,
)
