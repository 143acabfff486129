"""Admission of a batch: what is decided of one event holds for those alone that are like it."""

from contextlib import closing
from pathlib import Path
from typing import Any

from hub.database.patience import Patience
from hub.database.sqlite import open_sqlite
from hub.event import Accepted, Rejected, receipt_of
from hub.policy.policy import Policy
from tests.admission import CALLER, intake_on, policy_in_force, submitted
from tests.bench.journal import journal
from tests.sample import AUDIT, CITY, DISCIPLINE, clue, petition

NOW = 1_800_000_000_000_000
GOOD = ("accepted", "")
# Each event, and what speaks against it.
BATCH: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    (clue("a-1"), [GOOD]),
    (clue("a-2"), [GOOD]),
    (clue("a-3", source=f"/{AUDIT}"), [("source_foreign", "/source")]),
    (clue("a-4", region="999999"), [("region_unknown", "/region"), ("not_granted", "/type")]),
    (clue("a-5", region="510400"), [("not_granted", "/type")]),
    (clue("a-6", to="510100.finance"), [("address_unknown", "/to")]),
    (clue("a-7", cc="510100.finance"), [("address_unknown", "/cc")]),
    (clue("a-8", dataclassification="mimi"), [("above_ceiling", "/dataclassification")]),
    (clue("a-13", to="inspection-office@510100/*"), [GOOD]),
    (clue("a-9", caveats="sealed", to="inspection-office@510100/*"), [("caveat_circle", "/to")]),
    (clue("a-10", caveats="no-forward"), [GOOD]),
    (petition("a-11", source=f"/{CITY}"), [("not_granted", "/type")]),
    (clue("a-12", cc=DISCIPLINE), [GOOD]),
]


async def in_force() -> Policy:
    return policy_in_force()


async def test_each_event_of_a_batch_is_judged_by_what_sets_it_apart(tmp_path: Path) -> None:
    events = [submitted(event) for event, _ in BATCH]
    with closing(open_sqlite(tmp_path, readers=2)) as database, journal(database) as kept:
        intake = intake_on(kept.backbone, now=NOW, current_policy=in_force)
        outcomes = await intake.accept(events, mode="each", caller=CALLER, patience=Patience(None))
    told = [
        [(fault.code, fault.pointer) for fault in outcome.faults]
        if isinstance(outcome, Rejected)
        else [GOOD]
        for outcome in outcomes
    ]
    assert told == [expected for _, expected in BATCH]
    stored = [outcome.receipt.id for outcome in outcomes if isinstance(outcome, Accepted)]
    named = [(e.attributes.source, e.attributes.id) for e in events]
    good = [receipt_of(*names).hex() for names, t in zip(named, told, strict=True) if t == [GOOD]]
    assert stored == good
