"""Versions in motion: what is handed over is in the pinned version, or parked and told of.

Chapter 7 says what a contract promises; this one, what becomes of publishers and subscribers who
move on at different times.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.catalogue import load_catalogue
from contracts.envelope import Envelope
from contracts.faults import Fault
from contracts.lifetime import morning
from contracts.region import load_regions
from hub.backbone.port import Backbone
from hub.database.sqlite import open_sqlite
from hub.event import Accepted, Duplicate, Marking, Rejected, microseconds
from hub.intake.accept import Intake, Mode
from hub.intake.forms import STRUCTURED
from hub.intake.http import read_events
from hub.intake.limits import Limits
from hub.policy import document as documents
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies, Policy
from hub.policy.tokens import Caller
from tests.bench.journal import journal
from tests.examples import FAMILIES
from tests.running import AgencyClient, RunningHub, running_hub
from tests.sample import CITY, DISCIPLINE, clue, grant, policy

VALID = FAMILIES / "clue/examples/valid"
TYPE = "clue.transferred"
MODES: tuple[Mode, ...] = ("each", "all")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("versions")) as running:
        running.apply(policy())
        yield running


@pytest.fixture
def reader(hub: RunningHub) -> AgencyClient:
    return hub.agency(DISCIPLINE)


def urn(version: str) -> str:
    return f"urn:guantong:contract:{TYPE}:{version}"


def in_version(number: str, version: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    """A clue as a publisher of that version sends it."""
    example = json.loads((VALID / f"{TYPE}-{version}-1.json").read_bytes())
    event = clue(number, dataschema=urn(version))
    return {**event, "data": {**(data or example), "clueid": f"CL-{number}"}}


def with_one_lead() -> dict[str, Any]:
    """A 1.1 payload that no 2.0 can be made of: only one of its subjects has an organ in charge."""
    data: dict[str, Any] = json.loads((VALID / f"{TYPE}-1.1-1.json").read_bytes())
    del data["subjects"][1]["lead"]
    return data


def test_each_subscriber_gets_the_version_it_pinned_whatever_is_published(
    hub: RunningHub, reader: AgencyClient
) -> None:
    pinned = ("1.0", "1.1", "2.0")
    for version in pinned:
        reader.subscribe(f"pin-{version}", types=[TYPE], versions={TYPE: version})
    hub.agency(CITY).accepted(
        clue("motion-1.0"), in_version("motion-1.1", "1.1"), in_version("motion-2.0", "2.0")
    )
    for version in pinned:
        contract = load_catalogue().find(TYPE, version)
        assert contract is not None
        got = reader.drain(f"pin-{version}")
        assert [event["id"] for event in got] == [f"CL-motion-{v}" for v in pinned]
        assert {event["dataschema"] for event in got} == {urn(version)}
        assert [event.get("hubconverted") for event in got] == [
            None if published == version else urn(published) for published in pinned
        ]
        for event in got:
            checked = contract.check(json.dumps(event["data"]).encode())
            assert isinstance(checked, contract.model), checked


def test_what_is_published_in_the_pinned_version_comes_byte_for_byte(
    hub: RunningHub, reader: AgencyClient
) -> None:
    reader.subscribe("bytes", types=[TYPE], versions={TYPE: "2.0"})
    sent = in_version("bytes", "2.0")
    body = json.dumps(sent["data"], ensure_ascii=False, indent=3)
    whole = json.dumps({**sent, "data": 0}).replace('"data": 0', f'"data": {body}')
    assert hub.agency(CITY).send(whole.encode(), media=STRUCTURED).status_code == 200
    assert body.encode() in reader.page("bytes").content


def test_an_older_minor_is_carried_up_without_a_change_to_its_bytes(
    hub: RunningHub, reader: AgencyClient
) -> None:
    reader.subscribe("up", types=[TYPE], versions={TYPE: "1.1"})
    sent = clue("up")
    body = json.dumps(sent["data"], ensure_ascii=False, indent=2)
    whole = json.dumps({**sent, "data": 0}).replace('"data": 0', f'"data": {body}')
    assert hub.agency(CITY).send(whole.encode(), media=STRUCTURED).status_code == 200
    page = reader.page("up")
    assert body.encode() in page.content
    assert page.json()[0]["dataschema"] == urn("1.1")


def test_what_cannot_be_converted_is_parked_and_told_and_holds_up_nothing(
    hub: RunningHub, reader: AgencyClient
) -> None:
    reader.subscribe("parked", types=[TYPE], versions={TYPE: "2.0"})
    stuck = in_version("parked-1", "1.1", with_one_lead())
    first, _ = hub.agency(CITY).accepted(stuck, clue("parked-2"))
    page = reader.page("parked")
    assert [event["id"] for event in page.json()] == ["CL-parked-2"]
    assert page.headers["guantong-parked"] == "1"
    assert reader.page("parked", cursor=page.headers["guantong-cursor"]).json() == []
    query = {"source": stuck["source"], "id": stuck["id"], "agency": DISCIPLINE}
    told = hub.admin.get("/v1/explain", params=query).json()
    (reading,) = (r for r in told["readings"] if r["subscription"] == "parked")
    assert (reading["allowed"], reading["reason"], reading["version"]) == (
        False,
        "inconvertible",
        "2.0",
    )
    (ground,) = reading["grounds"]
    assert (ground["step"], ground["code"], ground["facts"]) == (6, "inconvertible", ["2.0"])
    assert "2.0" in ground["message"] and "2.0" in ground["message_en"]
    counted = f'guantong_events_denied_total{{agency="{DISCIPLINE}",channel="pull",step="6"}} 1.0'
    assert counted in hub.admin.get("/metrics").text

    # The subscriber, for whom it was, learns it too.
    own = reader.http.get("/v1/explain", params=query).json()
    assert [(r["version"], r["reason"]) for r in own["readings"]] == [("2.0", "inconvertible")]

    # Another pin, and it comes: the journal has what was published.
    answer = reader.http.patch("/v1/subscriptions/parked", json={"versions": {TYPE: "1.1"}})
    assert answer.json()["versions"][TYPE] == "1.1"
    since = {"since": first["hubtime"]}
    assert reader.http.post("/v1/subscriptions/parked/cursor", json=since).status_code == 200
    assert [event["id"] for event in reader.drain("parked")] == ["CL-parked-1", "CL-parked-2"]
    again = hub.admin.get("/v1/explain", params=query).json()
    assert [
        (r["reason"], r["version"]) for r in again["readings"] if r["subscription"] == "parked"
    ] == [("inconvertible", "2.0"), (None, "1.1")]


def test_a_view_is_cut_by_the_classes_of_the_version_that_is_handed_over(hub: RunningHub) -> None:
    lent = policy()
    for held in lent["grants"]:
        if held["agency"] == DISCIPLINE and held["may"] == "receive":
            held["classes"] = ["F0", "F1"]
    hub.apply(lent)
    try:
        reader = hub.agency(DISCIPLINE)
        reader.subscribe("view", types=[TYPE], versions={TYPE: "2.0"})
        hub.agency(CITY).accepted(clue("view"))
        (got,) = reader.drain("view")
    finally:
        hub.apply(policy())
    assert "persons" not in got["data"] and "summary" not in got["data"]
    assert "/persons" in got["hubwithheld"].split()
    assert (got["dataschema"], got["hubconverted"]) == (urn("2.0"), urn("1.0"))
    view = hub.admin.get(f"/v1/contracts/{TYPE}/2.0/view").json()
    assert set(got["data"]) <= set(view["properties"])


def test_a_version_that_is_to_be_retired_says_so_to_whoever_uses_it(
    hub: RunningHub, reader: AgencyClient
) -> None:
    contract = load_catalogue().find(TYPE, "1.0")
    assert contract is not None and contract.lifetime.deprecated and contract.lifetime.sunset
    headers = {
        "deprecation": f"@{int(morning(contract.lifetime.deprecated).timestamp())}",
        "sunset": "Sun, 31 Dec 2028 16:00:00 GMT",
    }
    old = hub.agency(CITY).publish(clue("old"))
    assert {name: old.headers.get(name) for name in headers} == headers
    new = hub.agency(CITY).publish(in_version("new", "2.0"))
    assert {name: new.headers.get(name) for name in headers} == dict.fromkeys(headers)
    reader.subscribe("old", types=[TYPE], versions={TYPE: "1.0"}, start="earliest")
    reader.subscribe("new", types=[TYPE], versions={TYPE: "2.0"}, start="earliest")
    assert {name: reader.page("old").headers.get(name) for name in headers} == headers
    page = reader.page("new")
    assert {name: page.headers.get(name) for name in headers} == dict.fromkeys(headers)
    shown = hub.admin.get(f"/v1/contracts/{TYPE}").json()
    assert [shown[name] for name in ("deprecated", "sunset", "successor")] == [None, None, None]
    used = [
        line.rpartition(" ")[0]
        for line in hub.admin.get("/metrics").text.splitlines()
        if line.startswith("guantong_retiring_contract_uses_total{")
    ]
    labels = 'type="clue.transferred",use="{}",version="1.0"}}'
    assert (
        f'guantong_retiring_contract_uses_total{{agency="{CITY}",{labels.format("publish")}' in used
    )
    assert (
        f'guantong_retiring_contract_uses_total{{agency="{DISCIPLINE}",{labels.format("pull")}'
        in used
    )


def test_the_operator_learns_whom_a_version_touches_before_it_comes(tmp_path: Path) -> None:
    with running_hub(tmp_path / "hub") as hub:
        hub.apply(policy())
        reader = hub.agency(DISCIPLINE)
        reader.subscribe("one", types=["clue.*"], versions={TYPE: "1.0"})
        hub.agency(CITY).subscribe("other", types=["petition.*"])
        stuck = in_version("stuck", "1.1", with_one_lead())
        receipts = hub.agency(CITY).accepted(
            clue("as-1.0"), stuck, in_version("as-2.0", "2.0"), clue("sealed", caveats="sealed")
        )
        reader.drain("one")
        told = hub.admin.get(f"/v1/contracts/{TYPE}/2.0/impact").json()
        last = receipts[0]["hubtime"]
        read = told["subscriptions"][0].pop("last")
        assert datetime.fromisoformat(read) >= datetime.fromisoformat(last)
        looked_at = datetime.fromisoformat(last) - datetime.fromisoformat(told.pop("since"))
        assert looked_at.days in (89, 90)
        assert told == {
            "type": TYPE,
            "version": "2.0",
            "events": 4,
            "complete": True,
            "publishers": [
                {"agency": CITY, "version": "1.0", "events": 2, "last": last},
                {"agency": CITY, "version": "1.1", "events": 1, "last": last},
                {"agency": CITY, "version": "2.0", "events": 1, "last": last},
            ],
            "subscriptions": [{"agency": DISCIPLINE, "id": "one", "pin": "1.0", "pages": 1}],
            "replayed": {
                "valid": 1,
                "converted": 1,
                "inconvertible": 1,
                "sealed": 1,
                "faults": [
                    {"code": "lead_missing", "pointer": "/data/organisations/0/lead", "events": 1}
                ],
            },
        }
        assert hub.admin.get(f"/v1/contracts/{TYPE}/9.9/impact").status_code == 404


async def test_after_its_sunset_a_version_is_refused_and_its_successor_named(
    tmp_path: Path,
) -> None:
    """The day begins in China. What came before stays known: its receipt is given again."""
    contract = load_catalogue().find(TYPE, "1.0")
    assert contract is not None and contract.lifetime.sunset is not None
    sunset = microseconds(morning(contract.lifetime.sunset))
    in_time, late, other = (_submitted(clue(f"sunset-{n}")) for n in range(3))
    changed = _submitted(clue("sunset-0", subject="改动"))
    caller = Caller(token=1, agency=CITY, roles=frozenset())
    retired = Fault(
        "contract_retired",
        "/dataschema",
        "该契约版本已停用，请改用 clue.transferred 2.0",
        "this contract version has been retired: use clue.transferred 2.0",
    )

    def refused(envelope: Envelope) -> Rejected:
        return Rejected(envelope.attributes.source, envelope.attributes.id, (retired,))

    with closing(open_sqlite(tmp_path, readers=2)) as database, journal(database) as kept:
        before, after = (_intake(kept.backbone, now=now) for now in (sunset - 1, sunset))
        (first,) = await before.accept([in_time], mode="each", caller=caller)
        assert isinstance(first, Accepted)
        again = Duplicate(first.receipt)
        for mode in MODES:
            told = await after.accept([late, in_time, changed], mode=mode, caller=caller)
            assert told == [refused(late), again, refused(changed)]
            assert await after.accept([in_time], mode=mode, caller=caller) == [again]
        (last,) = await before.accept([other], mode="all", caller=caller)
        assert isinstance(last, Accepted)


def _submitted(event: dict[str, Any]) -> Envelope:
    headers = [(b"content-type", STRUCTURED.encode())]
    (read,) = read_events(headers, json.dumps(event, ensure_ascii=False).encode(), Limits())
    assert isinstance(read, Envelope)
    return read


def _intake(backbone: Backbone, *, now: int) -> Intake:
    """Admission at a moment, under a policy without ends."""
    policies = Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"key"),
        ceiling=Marking.internal,
    )
    made = documents.parse(json.dumps(policy(grants=[grant(CITY, "publish", "clue.*")])).encode())
    assert isinstance(made, documents.PolicyDocument)
    in_force = policies.compile(1, made)

    async def current_policy() -> Policy:
        return in_force

    async def nothing(*_: object) -> None:
        return None

    return Intake(
        catalogue=load_catalogue(),
        marks=PartyMarks(b"key"),
        backbone=backbone,
        current_policy=current_policy,
        record=nothing,
        pause=nothing,
        clock=lambda: now,
    )
