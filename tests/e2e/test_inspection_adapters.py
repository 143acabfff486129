"""The offices' workbooks and a hub: what is filled in is accepted, and reaches whom it is for."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.adapter import available, load
from adapters.kit.client import HubClient
from adapters.kit.runner import Summary, run
from adapters.kit.state import open_state
from tests.running import AgencyClient, RunningHub
from tests.sample import AUDIT, CITY, DISCIPLINE, PETITION, agency, grant

PARTY = "510100.inspected-party.sample-park"
HOSPITAL = "510100.inspected-party.sample-hospital"
ORGANIZATION = "510100.organization"
FINANCE = "510100.finance"
EVERYBODY = (CITY, DISCIPLINE, ORGANIZATION, AUDIT, PETITION, FINANCE, PARTY, HOSPITAL)
TYPES = "briefing.* clue.* feedback.* handover.* inspection.* rectification.* report.* secondment.*"

# Adapter, sample, and who sends it.
SOUND = (
    ("briefings", "several-agencies", CITY),
    ("clues", "batch", CITY),
    ("feedback", "two-parties", CITY),
    ("handovers", "batch", CITY),
    ("items", "grows-step-by-step", CITY),
    ("outcomes", "report", PARTY),
    ("progress", "two-items", PARTY),
    ("rectification", "three-lists", PARTY),
    ("reports", "of-a-year", CITY),
    ("rounds", "grows-step-by-step", CITY),
    ("secondment", "requested", CITY),
)


@pytest.fixture
def agencies(fresh_hub: RunningHub) -> dict[str, AgencyClient]:
    """Everybody who takes part, each with a subscription to all that there is for it."""
    fresh_hub.apply(
        {
            "agencies": [agency(id_, f"示范单位{n}") for n, id_ in enumerate(EVERYBODY)],
            "grants": [
                grant(id_, may, TYPES) for id_ in EVERYBODY for may in ("publish", "receive")
            ],
            "recusals": [],
        }
    )
    clients = {id_: fresh_hub.agency(id_) for id_ in EVERYBODY}
    for client in clients.values():
        client.subscribe(types=["*"], start="earliest")
    return clients


def dropped(hub: RunningHub, folder: Path, adapter: str, case: str, as_: str = CITY) -> Summary:
    (file,) = (available()[f"inspection.{adapter}"] / "samples" / case).glob("in.*")
    copy = folder / f"{adapter}{file.suffix}"
    copy.write_bytes(file.read_bytes())
    with HubClient(hub.url, hub.token(as_)) as client, open_state(folder / adapter) as state:
        adapted = load(f"inspection.{adapter}")
        return run(adapted, copy, agency=as_, hub=client, state=state, now=lambda: 0.0)


def test_a_sound_workbook_of_each_kind_is_accepted_whole(
    fresh_hub: RunningHub, agencies: dict[str, AgencyClient], tmp_path: Path
) -> None:
    outcomes = {
        adapter: dropped(fresh_hub, tmp_path, adapter, case, as_) for adapter, case, as_ in SOUND
    }
    assert {adapter for adapter, each in outcomes.items() if each.rejected or each.answers} == set()
    assert all(each.accepted for each in outcomes.values())


def test_what_is_sent_reaches_those_whom_it_names_and_nobody_else(
    fresh_hub: RunningHub, agencies: dict[str, AgencyClient], tmp_path: Path
) -> None:
    dropped(fresh_hub, tmp_path, "feedback", "issued")
    dropped(fresh_hub, tmp_path, "briefings", "several-agencies")
    reached = {id_: Counter(map(type_of, client.drain())) for id_, client in agencies.items()}
    asked = "briefing.requested"
    assert {id_: dict(counts) for id_, counts in reached.items() if counts} == {
        PARTY: {"feedback.issued": 1},
        DISCIPLINE: {"feedback.issued": 1, asked: 2},
        ORGANIZATION: {"feedback.issued": 1, asked: 1},
        AUDIT: {asked: 2},
        PETITION: {asked: 1},
        FINANCE: {asked: 1},
    }


def type_of(event: dict[str, Any]) -> str:
    return str(event["type"])
