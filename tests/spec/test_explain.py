"""Promise 6: why X did, or did not, get Y: as it was decided then; and who has seen what."""

import csv
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.web.explain import STEP_SECONDS
from tests.commands import guantong
from tests.running import AgencyClient, RunningHub
from tests.sample import (
    AUDIT,
    CITY,
    COUNTY,
    DISCIPLINE,
    OTHER_COUNTY,
    PETITION,
    agency,
    grant,
    petition,
    policy,
)
from tests.spec.deciding import enact, receive

pytestmark = [pytest.mark.on_both, pytest.mark.at_length]

Event = dict[str, Any]
ALL = ["F0", "F1", "F2", "F3", "F4"]


@pytest.fixture(autouse=True)
def city(hub: RunningHub) -> None:
    """Every test starts with the city's policy."""
    hub.apply(policy())


def explained(hub: RunningHub, event: Event, agency_id: str | None = None) -> dict[str, Any]:
    """What the auditor is told."""
    asked = {"source": event["source"], "id": event["id"]}
    with hub.admin as admin:
        answer = admin.get(
            "/v1/explain", params={**asked, **({"agency": agency_id} if agency_id else {})}
        )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def steps(grounds: list[dict[str, Any]]) -> list[tuple[int, str, list[str]]]:
    return [(ground["step"], ground["code"], ground["facts"]) for ground in grounds]


# --- the auditor ----------------------------------------------------------------------------------


def test_a_delivered_event_is_explained_by_its_reading(hub: RunningHub) -> None:
    given = receive(CITY, classes=["F0", "F1", "F2"], id="office-17", purpose="本级巡察")
    enact(hub, given)
    office = hub.agency(CITY)
    office.subscribe("delivered")
    event = petition("delivered")
    (receipt,) = hub.agency(PETITION).accepted(event)
    office.drain("delivered")
    told = explained(hub, event, CITY)
    assert told["event"] == {
        **receipt,
        "version": "1.0",
        "publisher": PETITION,
        "region": "510100",
        "key": "petition:XF-delivered",
        "to": [],
        "cc": [],
        "audience": [],
        "dataclassification": "internal",
        "caveats": [],
        "expires": None,
        "unmatched_parties": 1,
    }
    assert told["subscriptions"] == [
        {
            "id": "delivered",
            "event": "in_feed",
            "asked_then": {
                "types": ["*"],
                "region": None,
                "start": "now",
                "filters": [],
                "versions": {},
                "delivery": {"channel": "pull"},
            },
            "standing": True,
            "committed_past": False,
            "expired_unread": 0,
        }
    ]
    (reading,) = told["readings"]
    version = told["now"]["policy"]
    assert {k: v for k, v in reading.items() if k not in ("at", "token", "grounds")} == {
        "subscription": "delivered",
        "channel": "pull",
        "classes": ["F0", "F1", "F2"],
        "masked": False,
        "withheld": ["/petitioner", "/accuser"],
        "version": "1.0",
        "policy": version,
        "allowed": True,
        "reason": None,
    }
    assert steps(reading["grounds"]) == [
        (1, "matrix", ["inspection-office", "same", "full"]),
        (2, "grants", ["office-17"]),
        (3, "to_nobody_in_particular", []),
        (4, "not_excluded", []),
        (5, "within_clearance", []),
    ]
    assert [g["message"] for g in reading["grounds"]] == [
        "按契约矩阵，巡视办（巡察办）（同级）可得完整内容",
        "凭 office-17（本级巡察）",
        "事件未限定收件机构",
        "不是被反映方，也没有回避",
        "密级在知悉范围之内",
    ]
    assert explained(hub, event)["delivered_to"] == [CITY]


def test_a_denial_is_explained_as_it_was_decided_then(hub: RunningHub) -> None:
    """Today's policy would allow it; the record says what was decided, and why."""
    recusal = {"id": "r-9", "agency": CITY, "case": "petition:XF-then", "reason": "亲属"}
    enact(hub, receive(CITY), recusals=(recusal,))
    office = hub.agency(CITY)
    office.subscribe("then")
    event = petition("then")
    hub.agency(PETITION).accepted(event)
    assert office.drain("then") == []
    enact(hub, receive(CITY, id="new-grant"))
    told = explained(hub, event, CITY)
    (reading,) = told["readings"]
    assert (reading["allowed"], reading["reason"], reading["classes"]) == (False, "recused", [])
    assert steps(reading["grounds"])[3] == (4, "recused", ["r-9"])
    assert reading["policy"] == told["now"]["policy"] - 1
    decision = told["now"]["decision"]
    assert (decision["allowed"], decision["step"], decision["reason"]) == (True, None, None)
    assert steps(decision["grounds"])[1] == (2, "grants", ["new-grant"])


WHY: dict[str, tuple[dict[str, Any], tuple[int, str, list[str]]]] = {
    "no grant": ({"grants": []}, (2, "no_grant", [])),
    "addressed to others": ({"attributes": {"to": AUDIT}}, (3, "not_addressed", [])),
    "not to be forwarded": (
        {"attributes": {"to": AUDIT, "caveats": "no-forward"}},
        (3, "no_forward", []),
    ),
    "accused by name": ({"accused": {"name": "示范市委巡察办"}}, (4, "accused_party", ["name"])),
    "accused by id": ({"accused": {"name": "x", "orgid": CITY}}, (4, "accused_party", ["id"])),
    "above clearance": (
        {"clearance": "public"},
        (5, "above_clearance", []),
    ),
}


@pytest.mark.parametrize("why", sorted(WHY))
def test_the_step_that_denied_is_told_for(hub: RunningHub, why: str) -> None:
    case, expected = WHY[why]
    office_record = agency(CITY, "示范市委巡察办", clearance=case.get("clearance", "internal"))
    grants = case.get("grants", [receive(CITY)])
    enact(hub, *grants, agencies=(office_record,))
    id_ = f"why-{sorted(WHY).index(why)}"
    office = hub.agency(CITY)
    office.subscribe(id_)
    event = petition(id_, **case.get("attributes", {}))
    if "accused" in case:
        event["data"]["accused"] = [{"name": "某", "unit": case["accused"]}]
    hub.agency(PETITION).accepted(event)
    assert office.drain(id_) == []
    told = explained(hub, event, CITY)
    (reading,) = told["readings"]
    (ground,) = [s for s in steps(reading["grounds"]) if s[0] == expected[0]]
    assert ground == expected
    assert reading["reason"] == expected[1]
    assert told["now"]["decision"]["step"] == expected[0]


def test_what_a_filter_left_out_is_told_so(hub: RunningHub) -> None:
    office = hub.agency(CITY)
    office.subscribe("filtered", filters=[{"exact": {"id": "another"}}])
    event = petition("filtered")
    hub.agency(PETITION).accepted(event)
    assert office.drain("filtered") == []
    told = explained(hub, event, CITY)
    (reading,) = told["readings"]
    assert (reading["allowed"], reading["reason"]) == (False, "filtered")
    assert [g["message"] for g in reading["grounds"]] == ["不符合该订阅的筛选条件"]
    assert told["now"]["decision"]["allowed"] is True


def test_what_no_subscription_asked_for_is_told_so(hub: RunningHub) -> None:
    office = hub.agency(CITY)
    for id_ in ("asked-clues", "asked-changed"):
        office.subscribe(id_, types=["clue.*"])
    office.subscribe("asked-ended", types=["petition.*"])
    office.subscribe("asked-narrowed", types=["petition.*"])
    event = petition("asked")
    hub.agency(PETITION).accepted(event)
    office.subscribe("asked-late", types=["petition.*"])
    changes = {"asked-changed": ["petition.*"], "asked-narrowed": ["clue.*"]}
    for id_, types in changes.items():
        changed = office.http.patch(f"/v1/subscriptions/{id_}", json={"types": types})
        assert changed.status_code == 200
    assert office.http.delete("/v1/subscriptions/asked-ended").status_code == 204
    told = explained(hub, event, CITY)
    stood = {s["id"]: s for s in told["subscriptions"] if s["id"].startswith("asked-")}
    assert {
        id_: (s["event"], s["asked_then"] and s["asked_then"]["types"], s["expired_unread"])
        for id_, s in stood.items()
    } == {
        "asked-clues": ("not_asked_for", ["clue.*"], 0),
        "asked-changed": ("not_asked_for", ["clue.*"], 0),
        "asked-ended": ("ended_since", ["petition.*"], None),
        "asked-narrowed": ("in_feed", ["petition.*"], 0),
        "asked-late": ("made_later", None, 0),
    }
    assert [id_ for id_, s in stood.items() if not s["standing"]] == ["asked-ended"]
    assert told["readings"] == []
    stranger = explained(hub, event, "510100.nobody")
    assert (stranger["registered"], stranger["now"]["decision"]) == (False, None)


def test_a_refused_event_is_explained_by_its_errors(hub: RunningHub) -> None:
    event = petition("refused", region="520100", to="510100.finance")
    hub.agency(PETITION).publish(event)
    told = explained(hub, event, CITY)
    assert told["event"] == {"source": event["source"], "id": event["id"], "state": "refused"}
    assert {(e["code"], e["pointer"]) for e in told["errors"]} == {
        ("not_granted", "/type"),
        ("address_unknown", "/to"),
    }
    own = hub.agency(PETITION).http.get(
        "/v1/explain", params={"source": event["source"], "id": event["id"]}
    )
    assert own.json() == told


# --- publishers and subscribers -------------------------------------------------------------------


def ask(client: AgencyClient, event: Event, **more: str) -> httpx.Response:
    asked = {"source": event["source"], "id": event["id"], **more}
    return client.http.get("/v1/explain", params=asked)


def test_a_publisher_learns_whether_it_arrived_where_it_was_addressed(hub: RunningHub) -> None:
    bureau, office, county = (hub.agency(id_) for id_ in (PETITION, CITY, COUNTY))
    for reader in (office, county):
        reader.subscribe("arrived")
    event = petition("arrived", to=f"{CITY} {AUDIT}", cc="inspection-office@510100/*")
    (receipt,) = bureau.accepted(event)
    nowhere: dict[str, Any] = {
        "event": receipt,
        "delivered": False,
        "addresses": [
            {"address": CITY, "delivered": None},
            {"address": AUDIT, "delivered": None},
            {"address": "inspection-office@510100/*", "delivered": None},
        ],
    }
    assert ask(bureau, event).json() == nowhere
    office.drain("arrived")
    county.drain("arrived")
    told = ask(bureau, event).json()
    seen = explained(hub, event, CITY)["readings"][0]["at"]
    at_county = explained(hub, event, COUNTY)["readings"][0]["at"]
    assert told == {
        **nowhere,
        "delivered": True,
        "addresses": [
            {"address": CITY, "delivered": seen},
            {"address": AUDIT, "delivered": None},
            {"address": "inspection-office@510100/*", "delivered": at_county},
        ],
    }


def test_a_subscriber_learns_only_what_it_got_itself(hub: RunningHub) -> None:
    office = hub.agency(CITY)
    office.subscribe("mine")
    event = petition("mine")
    (receipt,) = hub.agency(PETITION).accepted(event)
    assert ask(office, event).status_code == 404
    office.drain("mine")
    told = ask(office, event).json()
    (reading,) = told.pop("readings")
    assert told == {
        "event": {
            "source": event["source"],
            "id": event["id"],
            "type": event["type"],
            "receipt": receipt["id"],
            "position": receipt["position"],
            "hubtime": receipt["hubtime"],
        },
        "agency": CITY,
    }
    assert reading.keys() == {
        "at",
        "subscription",
        "channel",
        "token",
        "classes",
        "masked",
        "withheld",
        "version",
        "reason",
    }
    assert ask(office, event, agency=CITY).json()["readings"] == [reading]


def test_undelivered_foreign_and_unknown_are_one_answer(hub: RunningHub) -> None:
    """Denied, never asked for, another's, unheard-of: byte for byte the same."""
    county = hub.agency(COUNTY)
    county.subscribe("same")
    denied = petition("same-1", region="510104", to=CITY)
    elsewhere = petition("same-2", region="510105")
    hub.agency(PETITION).accepted(denied, elsewhere)
    refused = petition("same-3", region="520100")
    hub.agency(PETITION).publish(refused)
    county.drain("same")
    hub.agency(OTHER_COUNTY).subscribe("same", start="earliest")
    hub.agency(OTHER_COUNTY).drain("same")
    unknown = petition("unheard-of")
    foreign = {**petition("same-4"), "source": "/not an agency"}
    answers = [ask(county, event) for event in (denied, elsewhere, refused, unknown, foreign)]
    # What it took to find out is hidden: no denial leaves within a step.
    assert min(a.elapsed.total_seconds() for a in answers) > STEP_SECONDS * 0.99
    answers.append(ask(county, elsewhere, agency=OTHER_COUNTY))
    answers.append(ask(county, elsewhere, agency=COUNTY))
    told = {
        (
            a.status_code,
            a.content,
            tuple(sorted((n, v) for n, v in a.headers.items() if n != "date")),
        )
        for a in answers
    }
    assert [status for status, _, _ in told] == [404]


def test_explain_needs_to_know_what_is_asked(hub: RunningHub) -> None:
    with hub.admin as admin:
        for query in ({}, {"source": f"/{CITY}"}, {"id": "1"}, {"source": "/x", "id": "x" * 300}):
            answer = admin.get("/v1/explain", params=query)
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
        assert admin.get("/v1/explain", params={"source": "/x", "id": "1"}).status_code == 404


# --- who has seen what ----------------------------------------------------------------------------


def reads(hub: RunningHub, **asked: str) -> list[dict[str, Any]]:
    """A whole list, two at a time."""
    found: list[dict[str, Any]] = []
    query: dict[str, str] = {"limit": "2", **asked}
    with hub.admin as admin:
        while True:
            answer = admin.get("/v1/reads", params=query)
            assert answer.status_code == 200, answer.text
            found.extend(answer.json()["items"])
            if answer.json()["next"] is None:
                return found
            query["after"] = answer.json()["next"]


def test_who_has_seen_an_event_and_a_case(fresh_hub: RunningHub) -> None:
    hub = fresh_hub
    enact(
        hub,
        receive(CITY, id="office", purpose="巡察"),
        receive(COUNTY, id="county", classes=["F1"], purpose="县区巡察"),
        receive(DISCIPLINE, id="discipline", purpose="线索"),
    )
    readers = {id_: hub.agency(id_) for id_ in (CITY, COUNTY, DISCIPLINE)}
    for reader in readers.values():
        reader.subscribe("seen", region="510000")
    first, second = petition("seen", region="510104"), petition("other", region="510104")
    (one, _) = hub.agency(PETITION).accepted(first, second)
    for reader in readers.values():
        reader.drain("seen")
    readers[CITY].drain("seen")
    seen = reads(hub, source=first["source"], id=first["id"])
    assert [
        (s["agency"], s["classes"], s["masked"], [g["id"] for g in s["grants"]]) for s in seen
    ] == [
        (CITY, ALL, False, ["office"]),
        (COUNTY, ["F1"], True, ["county"]),
        (DISCIPLINE, ALL, False, ["discipline"]),
        (CITY, ALL, False, ["office"]),
    ]
    assert {k: v for k, v in seen[1].items() if k not in ("at", "token", "policy")} == {
        "agency": COUNTY,
        "subscription": "seen",
        "channel": "pull",
        "position": one["position"],
        "receipt": one["id"],
        "source": first["source"],
        "id": first["id"],
        "type": first["type"],
        "key": "petition:XF-seen",
        "classes": ["F1"],
        "masked": True,
        "grants": [{"id": "county", "purpose": "县区巡察"}],
    }
    assert reads(hub, case="petition:XF-seen") == seen
    assert reads(hub, case="petition:nothing") == []
    city = reads(hub, agency=CITY)
    assert [s["id"] for s in city] == ["XF-seen", "XF-other"] * 2
    assert reads(hub, agency=CITY, since=city[2]["at"]) == city[2:]
    assert reads(hub, agency=CITY, until=city[2]["at"]) == city[:2]
    assert reads(hub, agency=AUDIT) == []


def test_a_denied_entry_is_not_seen(hub: RunningHub) -> None:
    county = hub.agency(COUNTY)
    county.subscribe("unseen")
    event = petition("unseen", region="510104", to=CITY)
    hub.agency(PETITION).accepted(event)
    assert county.drain("unseen") == []
    assert explained(hub, event, COUNTY)["readings"][0]["reason"] == "not_addressed"
    assert reads(hub, source=event["source"], id=event["id"]) == []


def test_the_questions_are_for_the_auditor_and_well_formed(hub: RunningHub) -> None:
    with hub.admin as admin:
        for query in (
            {},
            {"source": f"/{CITY}"},
            {"case": "clue:1", "agency": CITY},
            {"agency": CITY, "since": "yesterday"},
            {"case": "clue:1", "since": "2026-11-01T00:00:00+08:00"},
            {"source": "/x", "id": "1", "until": "2026-11-01T00:00:00+08:00"},
            {"agency": CITY, "since": "2026-11-01T00:00:00"},
            {"case": "clue:1", "after": "x"},
        ):
            answer = admin.get("/v1/reads", params=query)
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), query
        nothing = admin.get("/v1/reads", params={"source": f"/{CITY}", "id": "none"})
        assert nothing.status_code == 404
    for path in ("/v1/reads?case=clue:1", "/v1/strangers"):
        answer = hub.agency(CITY).http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_the_commands_tell_it_in_chinese_and_export_it(
    fresh_hub: RunningHub, tmp_path: Path
) -> None:
    hub = fresh_hub
    enact(hub, receive(CITY, id="office", purpose="=cmd|巡察"), grant(CITY, "publish", "clue.*"))
    office = hub.agency(CITY)
    office.subscribe("shown")
    event = petition("shown")
    event["id"] = "=1+1"
    hub.agency(PETITION).accepted(event)
    office.drain("shown")

    def command(*words: str) -> str:
        status, said, complained = guantong(*words, "--data", hub.directory)
        assert (status, complained) == (0, "")
        return said

    told = command("explain", event["source"], "=1+1", "--agency", CITY)
    assert "已送达，字段 F0 F1 F2 F3 F4" in told
    assert "2 授权：凭 office（=cmd|巡察）" in told
    whole = json.loads(command("explain", event["source"], "=1+1", "--agency", CITY, "--json"))
    assert whole == explained(hub, event, CITY)
    file = tmp_path / "seen.csv"
    assert command("audit", "event", event["source"], "=1+1", "--csv", str(file)) == (
        f"1 行 → {file}\n"
    )
    with file.open(encoding="utf-8-sig", newline="") as lines:
        header, row = csv.reader(lines)
    cells = dict(zip(header, row, strict=True))
    assert (cells["事件编号"], cells["机构"]) == ("'=1+1", CITY)
    assert cells["依据的授权"] == "office（=cmd|巡察）"
    assert json.loads(command("audit", "agency", CITY, "--json")) == reads(hub, agency=CITY)
