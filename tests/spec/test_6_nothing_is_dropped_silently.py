"""Promise 6: what is refused or not handed over is recorded, with its reason and no content."""

import json
import re
from pathlib import Path
from time import time
from typing import Any

import pytest

from tests.running import STRUCTURED, AgencyClient, RunningHub, running_hub
from tests.sample import (
    AUDIT,
    CITY,
    COUNTY,
    DISCIPLINE,
    PETITION,
    clue,
    clue_received,
    petition,
    policy,
)
from tests.spec.storage import rows

pytestmark = [pytest.mark.on_both, pytest.mark.at_length]

REFUSALS = "SELECT caller, source, event_id, code, pointer FROM refusals ORDER BY number"
BUREAU = f"/{PETITION}"
Row = tuple[str, str | None, str | None, str, str]


def refuse_everything(hub: RunningHub) -> list[Row]:
    """Have events refused for every kind of reason; the rows that must be there then."""
    bureau, office, discipline = (hub.agency(a) for a in (PETITION, CITY, DISCIPLINE))
    known = petition("known")
    bureau.accepted(known)
    expected: list[Row] = []

    def refused(client: AgencyClient, event: dict[str, Any], *faults: tuple[str, str]) -> None:
        assert client.publish(event).status_code == 422
        source, id_ = event["source"], event["id"]
        expected.extend((client.id, source, id_, code, pointer) for code, pointer in faults)

    refused(bureau, petition("payload", data={"people": -1}), ("out_of_range", "/data/people"))
    refused(
        bureau,
        petition("two", data={"people": -1, "place": "999999"}),
        ("region_unknown", "/data/place"),
        ("out_of_range", "/data/people"),
    )
    refused(bureau, petition("envelope", time="never"), ("time_format", "/time"))
    refused(bureau, petition("foreign", source=f"/{AUDIT}"), ("source_foreign", "/source"))
    refused(bureau, petition("grant", region="520100"), ("not_granted", "/type"))
    refused(bureau, petition("contract", dataschema="urn:x"), ("contract_unknown", "/dataschema"))
    refused(bureau, {**known, "subject": "另"}, ("id_reused", "/id"))
    refused(
        discipline,
        clue_received("orphan", opening="0" * 32),
        ("opening_unknown", "/causationid"),
    )
    # Nothing can be told of a text that is no event.
    assert bureau.send(b"7", media=STRUCTURED).status_code == 422
    expected.append((PETITION, None, None, "json_invalid", ""))
    # In a refused batch every event is refused.
    batch = [petition("all-1"), known, petition("all-2", data={"people": -1})]
    assert bureau.publish(*batch, mode="all").status_code == 207
    expected.append((PETITION, BUREAU, "XF-all-1", "batch_refused", ""))
    expected.append((PETITION, BUREAU, "XF-all-2", "out_of_range", "/data/people"))
    # In a batch of each, only the wrong ones.
    batch = [petition("each-1"), petition("each-2", data={"people": -1})]
    assert bureau.publish(*batch).status_code == 207
    expected.append((PETITION, BUREAU, "XF-each-2", "out_of_range", "/data/people"))
    office.accepted(clue("kept"))
    return expected


def test_every_refusal_is_recorded_under_its_caller_with_its_reasons(tmp_path: Path) -> None:
    began = int(time() * 1_000_000)
    with running_hub(tmp_path / "data") as hub:
        hub.apply(policy())
        expected = refuse_everything(hub)
        assert hub.stop() == 0
    assert rows(hub.directory, REFUSALS) == expected
    times = [row[0] for row in rows(hub.directory, "SELECT refused_at FROM refusals")]
    assert times == sorted(times)
    assert began <= times[0] <= times[-1] <= int(time() * 1_000_000)


def test_a_refusal_is_recorded_before_it_is_answered(tmp_path: Path) -> None:
    """Once the answer has come, not even kill -9 loses the record."""
    with running_hub(tmp_path / "data") as hub:
        hub.apply(policy())
        event = petition("killed", data={"people": -1})
        assert hub.agency(PETITION).publish(event).status_code == 422
        hub.kill()
    with running_hub(tmp_path / "data") as again:
        assert again.stop() == 0
    assert rows(hub.directory, REFUSALS) == [
        (PETITION, BUREAU, "XF-killed", "out_of_range", "/data/people")
    ]


def test_a_request_refused_as_a_whole_is_recorded_too(tmp_path: Path) -> None:
    with running_hub(tmp_path / "data", settings={"max_body": "2000", "max_batch": "1"}) as hub:
        hub.apply(policy())
        bureau = hub.agency(PETITION)
        answers = [
            bureau.send(b"no JSON"),
            bureau.send(b"[]", media="text/plain"),
            bureau.send(b"[{},{}]"),
            bureau.send(b" " * 2001),
            bureau.http.post(
                "/v1/events",
                content=json.dumps(petition("header")["data"]),
                headers={"content-type": "application/json", "ce-id": "%zz"},
            ),
        ]
        assert [answer.status_code for answer in answers] == [400, 415, 413, 413, 400]
        codes = [answer.json()["code"] for answer in answers]
        assert hub.stop() == 0
    assert rows(hub.directory, REFUSALS) == [(PETITION, None, None, code, "") for code in codes]


def counted(hub: RunningHub, name: str) -> dict[tuple[str, ...], float]:
    """A metric's values by its labels, in the order written."""
    with hub.admin as admin:
        text = admin.get("/metrics").text
    found = re.findall(rf"^{name}{{(.*)}} ([0-9.]+)$", text, re.MULTILINE)
    return {tuple(re.findall(r'="(.*?)"', labels)): float(value) for labels, value in found}


def test_what_is_refused_and_what_is_not_handed_over_is_counted_by_reason(
    fresh_hub: RunningHub,
) -> None:
    hub = fresh_hub
    recusal = {"id": "r", "agency": CITY, "case": "petition:XF-recused", "reason": "回避"}
    hub.apply(policy(recusals=[recusal]))
    bureau, office = hub.agency(PETITION), hub.agency(CITY)
    office.subscribe(region="510000")
    bureau.accepted(
        petition("seen"),
        petition("recused"),
        petition("addressed", to=DISCIPLINE),
        petition("copied", to=DISCIPLINE, cc=COUNTY),
        petition("expired", expirytime="2020-01-01T00:00:00Z"),
    )
    bureau.publish(petition("seen"))
    bureau.publish(petition("wrong", data={"people": -1}), petition("known", region="520100"))
    assert [event["id"] for event in office.page().json()] == ["XF-seen"]
    assert counted(hub, "guantong_events_accepted_total") == {(PETITION, "petition"): 5}
    assert counted(hub, "guantong_events_duplicate_total") == {(PETITION, "petition"): 1}
    assert counted(hub, "guantong_events_refused_total") == {
        (PETITION, "out_of_range"): 1,
        (PETITION, "not_granted"): 1,
    }
    assert counted(hub, "guantong_events_delivered_total") == {(CITY, "pull"): 1}
    assert counted(hub, "guantong_views_delivered_total") == {(CITY, "pull"): 1}
    # By the step that denied it; step 0 is expiry.
    assert counted(hub, "guantong_events_denied_total") == {
        (CITY, "pull", "0"): 1,
        (CITY, "pull", "3"): 2,
        (CITY, "pull", "4"): 1,
    }
    hub.stop()
    told = [json.loads(line) for line in hub.lines if '"events.delivered"' in line]
    assert [(line["caller"], line["delivered"], line["denied"]) for line in told] == [
        (CITY, 1, {"4": 1, "3": 2, "0": 1})
    ]
