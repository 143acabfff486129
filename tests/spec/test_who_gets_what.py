"""Who gets what, beyond the five steps' plain case: systems, rounds, successors, heads, caveats."""

from pathlib import Path
from typing import Any

import pytest

from tests.running import AgencyClient, RunningHub, results_of
from tests.sample import (
    AUDIT,
    CITY,
    COMMITTEE,
    COUNTY,
    DISCIPLINE,
    PETITION,
    PROVINCE,
    agency,
    clue,
    clue_received,
    decision,
    grant,
    petition,
    policy,
    report,
)
from tests.spec.deciding import enact, feed_of, ids, receive, refusal
from tests.spec.storage import rows

Event = dict[str, Any]
LONG_AGO, LONG_AHEAD = "2020-01-01", "2099-01-01"
TAX = "510100.functional-dept.tax"
TAX_OFFICE = "510000.inspection-office.tax"
MERGED = "510100.functional-dept.merged"


@pytest.fixture(autouse=True)
def city(hub: RunningHub) -> None:
    """Every test starts with the city's policy."""
    hub.apply(policy())


def from_tax(number: str, **attributes: Any) -> Event:
    """A clue that the city's tax bureau hands over, addressed to nobody in particular."""
    event = clue(number, publisher=TAX, **attributes)
    return {name: value for name, value in event.items() if name != "to" or "to" in attributes}


# --- systems --------------------------------------------------------------------------------------


def tax_agencies() -> tuple[Event, ...]:
    return (
        agency(TAX, "国家税务总局示范市税务局", system="tax"),
        agency(TAX_OFFICE, "税务系统巡视办", system="tax"),
    )


def test_a_plain_scope_covers_no_agency_of_a_vertically_managed_system(hub: RunningHub) -> None:
    enact(hub, grant(TAX, "publish", "clue.*"), agencies=tax_agencies())
    bureau = hub.agency(TAX)
    assert refusal(bureau, from_tax("sys-1")) == [("not_granted", "/type")]
    enact(
        hub, grant(TAX, "publish", "clue.*", region="system:post@510000"), agencies=tax_agencies()
    )
    assert refusal(bureau, from_tax("sys-1")) == [("not_granted", "/type")]
    enact(hub, grant(TAX, "publish", "clue.*", region="system:tax@510000"), agencies=tax_agencies())
    bureau.accepted(from_tax("sys-1"))


def test_what_a_system_publishes_goes_by_scopes_of_the_system(hub: RunningHub) -> None:
    publishing = grant(TAX, "publish", "clue.*", region="system:tax@510000")
    system = receive(TAX_OFFICE, region="system:tax@510000")
    enact(hub, publishing, receive(CITY), system, agencies=tax_agencies())
    office, apart = feed_of(hub, CITY, "sys"), feed_of(hub, TAX_OFFICE, "sys")
    addressed = from_tax("sys-3", to=CITY)
    hub.agency(TAX).accepted(from_tax("sys-2"), addressed)
    hub.agency(PETITION).accepted(petition("sys-4"))
    # The city's office gets what is addressed to it, since its grant covers itself.
    assert ids(office, "sys") == ["CL-sys-3", "XF-sys-4"]
    assert ids(apart, "sys") == ["CL-sys-2"]


# --- rounds ---------------------------------------------------------------------------------------


def test_a_grant_ends_with_its_round(hub: RunningHub) -> None:
    reader = feed_of(hub, CITY, "round")
    hub.agency(PETITION).accepted(petition("round"))
    for bounds, seen in (
        ({"from": LONG_AGO, "until": LONG_AHEAD}, 1),
        ({}, 1),
        ({"until": LONG_AGO}, 0),
        ({"from": LONG_AHEAD}, 0),
    ):
        round_ = {"id": "r-2026-2", "name": "二〇二六年第二轮", **bounds}
        enact(hub, receive(CITY, round="r-2026-2"), rounds=(round_,))
        assert len(reader.drain("round")) == seen, bounds
        # Its own end counts as well.
        enact(hub, receive(CITY, round="r-2026-2", until=LONG_AGO), rounds=(round_,))
        assert reader.drain("round") == []


def test_rounds_successors_and_heads_are_checked_in_the_policy(hub: RunningHub) -> None:
    base = policy()
    document = {
        **base,
        "agencies": [
            *base["agencies"],
            agency("510100.finance", "财政局", successor="510100.nobody"),
            agency("510100.statistics", "统计局", successor="510100.publicity"),
            agency("510100.publicity", "宣传部", successor="510100.statistics"),
            agency("510105.audit", "审计局", heads=[{"name": ""}], system="TAX"),
        ],
        "grants": [
            receive(CITY, round="r-none"),
            receive(CITY, region="system:tax@519999"),
            receive(CITY, region="tax@510000"),
        ],
        "rounds": [
            {"id": "r-1", "name": "一", "from": LONG_AHEAD, "until": LONG_AGO},
            {"id": "r-1", "name": "二"},
        ],
        "reason": "试验",
    }
    with hub.admin as admin:
        headers = {"If-Match": admin.get("/v1/policy").headers["etag"]}
        answer = admin.put("/v1/policy", json=document, headers=headers)
        assert [(e["code"], e["pointer"]) for e in answer.json()["errors"]] == [
            ("too_short", "/agencies/10/heads/0/name"),
            ("format", "/agencies/10/system"),
            ("format", "/grants/2/region"),
        ]
        document["agencies"].pop()
        document["grants"].pop()
        answer = admin.put("/v1/policy", json=document, headers=headers)
        assert [(e["code"], e["pointer"]) for e in answer.json()["errors"]] == [
            ("agency_unknown", "/agencies/7/successor"),
            ("succession", "/agencies/8/successor"),
            ("succession", "/agencies/9/successor"),
            ("validity", "/rounds/0"),
            ("repeated", "/rounds/1/id"),
            ("round_unknown", "/grants/0/round"),
            ("region_unknown", "/grants/1/region"),
        ]


# --- successors, front desks, retired regions -----------------------------------------------------


def test_a_successor_gets_what_names_its_predecessor_once_that_has_ended(hub: RunningHub) -> None:
    old = agency(DISCIPLINE, "示范市纪委", successor="510100.discipline.new")
    ended = {**old, "valid_until": LONG_AGO}
    new = agency("510100.discipline.new", "示范市新纪委")
    may = receive("510100.discipline.new")
    enact(hub, may, agencies=(old, new))
    heir = feed_of(hub, "510100.discipline.new", "heir")
    hub.agency(CITY).accepted(clue("heir"))
    assert ids(heir, "heir") == []
    enact(hub, may, agencies=(ended, new))
    assert ids(heir, "heir") == ["CL-heir"]
    # Its answer goes back along the case, and so do answers to what its predecessor had sent.
    enact(hub, may, grant("510100.discipline.new", "publish", "clue.*"), agencies=(ended, new))
    (clue_seen,) = heir.drain("heir")
    answer = clue_received(
        "heir", opening=clue_seen["hubreceipt"], publisher="510100.discipline.new"
    )
    heir.accepted(answer)


def test_a_successor_inherits_what_its_predecessor_is_accused_of(hub: RunningHub) -> None:
    bureau = agency(
        "510100.functional-dept.old", "示范市旧局", successor=MERGED, valid_until=LONG_AGO
    )
    merged = agency(MERGED, "示范市新局")
    reader = feed_of_merged(hub, (bureau, merged))
    accused = [{"name": "周某", "unit": {"name": "示范市旧局"}}]
    event = petition("inherits")
    event["data"]["accused"] = accused
    hub.agency(PETITION).accepted(event, petition("inherits-2"))
    assert ids(reader, "merged") == ["XF-inherits-2"]
    enact(
        hub, receive(MERGED), agencies=(agency("510100.functional-dept.old", "示范市旧局"), merged)
    )
    assert ids(reader, "merged") == ["XF-inherits", "XF-inherits-2"]


def feed_of_merged(hub: RunningHub, agencies: tuple[Event, ...]) -> AgencyClient:
    enact(hub, receive(MERGED), agencies=agencies)
    return feed_of(hub, MERGED, "merged")


def test_an_agency_that_acts_as_a_kind_is_its_front_desk_where_there_is_no_other(
    hub: RunningHub,
) -> None:
    works = agency("410173.organization", "实验区党群工作部", acts_as=["discipline"])
    enact(hub, receive("410173.organization"), agencies=(works,))
    desk = feed_of(hub, "410173.organization", "desk")
    hub.agency(CITY).accepted(clue("desk-1", to="discipline@410173"))
    own = agency("410173.discipline", "实验区纪工委")
    enact(hub, receive("410173.organization"), agencies=(works, own))
    hub.agency(CITY).accepted(clue("desk-2", to="discipline@410173"))
    enact(hub, receive("410173.organization"), agencies=(works, own))
    assert ids(desk, "desk") == []
    enact(hub, receive("410173.organization"), agencies=(works,))
    assert ids(desk, "desk") == ["CL-desk-1", "CL-desk-2"]


def test_a_retired_region_stands_for_its_successor(hub: RunningHub) -> None:
    """510122 (双流县) became 510116 (双流区): a grant for either covers events of both."""
    office = agency("510116.inspection-office", "区委巡察办")
    for number, scope in enumerate(("510122", "510116")):
        enact(hub, receive("510116.inspection-office", region=scope), agencies=(office,))
        reader = hub.agency("510116.inspection-office")
        reader.subscribe(f"retired-{number}")
        hub.agency(PETITION).accepted(
            petition(f"{scope}-1", region="510122"), petition(f"{scope}-2", region="510116")
        )
        assert ids(reader, f"retired-{number}") == [f"XF-{scope}-1", f"XF-{scope}-2"]


# --- who it is about ------------------------------------------------------------------------------


def test_what_speaks_against_the_head_of_an_organ_never_reaches_the_organ(hub: RunningHub) -> None:
    head = {"name": "周样例", "personkey": "k-17"}
    led = agency(CITY, "示范市委巡察办", heads=[head])
    enact(hub, receive(CITY), agencies=(led,))
    reader = feed_of(hub, CITY, "head")
    by_name, placed, other = petition("head-1"), petition("head-2"), petition("head-3")
    by_name["data"]["accused"] = [{"name": "周 样例"}]
    placed["data"]["accused"] = [{"name": "周样例", "unit": {"name": "示范市某局"}}]
    other["data"]["accused"] = [{"name": "周样例二"}]
    hub.agency(PETITION).accepted(by_name, placed, other)
    assert ids(reader, "head") == ["XF-head-2", "XF-head-3"]
    # Read at delivery: who becomes head afterwards is protected from it as well, and no longer.
    enact(hub, receive(CITY))
    assert ids(reader, "head") == ["XF-head-1", "XF-head-2", "XF-head-3"]


def test_the_key_of_a_head_counts_whatever_organisation_is_named(hub: RunningHub) -> None:
    led = agency(DISCIPLINE, "示范市纪委", heads=[{"name": "周样例", "personkey": "k-17"}])
    enact(hub, receive(DISCIPLINE), agencies=(led,))
    reader = feed_of(hub, DISCIPLINE, "key")
    event = clue("key")
    event["data"]["subjects"] = [
        {
            "subject_no": 1,
            "authority": "市管",
            "person": {"name": "某人", "personkey": "k-17", "org": {"name": "示范市某公司"}},
        }
    ]
    hub.agency(CITY).accepted(event)
    assert ids(reader, "key") == []
    enact(hub, receive(DISCIPLINE))
    assert ids(reader, "key") == ["CL-key"]


def test_parties_that_are_no_registered_agency_are_counted_and_listed(hub: RunningHub) -> None:
    event, known = petition("strange-1"), petition("strange-2")
    event["data"]["accused"] = [
        {"name": "甲", "unit": {"name": "生单位甲"}},
        {"name": "乙", "unit": {"name": "生单位乙"}},
        {"name": "丙", "unit": {"name": "示范市审计局"}},
    ]
    known["data"]["accused"] = [{"name": "丙", "unit": {"name": "示范市审计局"}}]
    receipts = hub.agency(PETITION).accepted(event, known)
    with hub.admin as admin:
        before = [item["receipt"] for item in admin.get("/v1/strangers").json()["items"]]
        assert receipts[1]["id"] not in before
        (mine,) = [
            item
            for item in admin.get("/v1/strangers").json()["items"]
            if item["receipt"] == receipts[0]["id"]
        ]
        assert mine == {
            "receipt": receipts[0]["id"],
            "type": "petition.case_transferred",
            "publisher": PETITION,
            "region": "510100",
            "position": receipts[0]["position"],
            "hubtime": receipts[0]["hubtime"],
            "unmatched_parties": 2,
        }
        assert 'guantong_parties_unmatched_total{family="petition"}' in admin.get("/metrics").text
    # Once they are registered they are strangers no more, also in what came before.
    enact(hub, agencies=(agency("510100.finance", "生单位甲"), agency(TAX, "生单位乙")))
    with hub.admin as admin:
        after = [item["receipt"] for item in admin.get("/v1/strangers").json()["items"]]
        assert receipts[0]["id"] not in after
        pages: list[str] = []
        next_ = "0-0"
        while next_ is not None:
            page = admin.get("/v1/strangers", params={"limit": 1, "after": next_}).json()
            pages.extend(item["receipt"] for item in page["items"])
            next_ = page["next"]
        assert pages == after


# --- caveats --------------------------------------------------------------------------------------


def test_a_source_protected_event_shows_little_to_whom_it_is_not_addressed(hub: RunningHub) -> None:
    enact(hub, receive(CITY), receive(DISCIPLINE))
    addressed, copied = feed_of(hub, DISCIPLINE, "source"), feed_of(hub, CITY, "source")
    event = petition("source", to=DISCIPLINE, cc=CITY, caveats="source-protected")
    hub.agency(PETITION).accepted(event)
    (whole,) = addressed.drain("source")
    assert whole["data"] == event["data"]
    assert whole["caveats"] == "source-protected"
    (part,) = copied.drain("source")
    assert part["data"].keys() == {
        "petitionid",
        "form",
        "purpose",
        "content_class",
        "place",
        "date",
        "people",
    }
    assert sorted(part["hubwithheld"].split()) == [
        "/accused",
        "/accuser",
        "/petitioner",
        "/summary",
    ]


def test_an_event_not_to_be_forwarded_goes_to_nobody_else(hub: RunningHub) -> None:
    """Also where a reply's own matrix names a kind that is not addressed."""
    enact(hub, receive(CITY), receive(DISCIPLINE), receive(PROVINCE))
    readers = {id_: feed_of(hub, id_, "forward") for id_ in (CITY, DISCIPLINE, PROVINCE)}
    hub.agency(PETITION).accepted(
        petition("forward", to=DISCIPLINE, cc=CITY, caveats="no-forward source-protected")
    )
    seen = {id_: ids(reader, "forward") for id_, reader in readers.items()}
    assert seen == {CITY: ["XF-forward"], DISCIPLINE: ["XF-forward"], PROVINCE: []}


def test_of_a_sealed_event_only_the_announcement_passes(fresh_hub: RunningHub) -> None:
    hub = fresh_hub
    enact(hub, receive(DISCIPLINE))
    reader = feed_of(hub, DISCIPLINE, "sealed")
    event = petition("sealed", to=DISCIPLINE, caveats="sealed")
    bureau = hub.agency(PETITION)
    (receipt,) = bureau.accepted(event)
    (seen,) = reader.drain("sealed")
    assert (seen["data"], seen["caveats"]) == ({}, "sealed")
    withheld = seen["hubwithheld"].split()
    assert {"/summary", "/petitioner", "/accuser", "/letter"} <= set(withheld)
    assert event["data"].keys() <= {pointer.removeprefix("/") for pointer in withheld}
    # The same bytes again are the same event; anything else cannot be compared any more.
    (again,) = results_of(bureau.publish(event))
    assert (again["status"], again["receipt"]) == ("duplicate", receipt)
    other = {**event, "data": dict(reversed(event["data"].items()))}
    assert refusal(bureau, other) == [("id_reused", "/id")]
    assert hub.stop() == 0
    ((data, digest),) = rows(hub.directory, "SELECT data, digest FROM journal")
    assert (bytes(data), digest.hex()) == (b"{}", receipt["digest"])
    for path in Path(hub.directory).iterdir():
        assert event["data"]["summary"].encode() not in path.read_bytes()


def test_a_marked_document_is_referred_to_but_never_enters(hub: RunningHub) -> None:
    event = clue("marked")
    event["data"]["basis"] = [
        {"title": "涉密材料（仅引用）", "classification": "jimi", "docno": "示纪〔2026〕1号"}
    ]
    hub.agency(CITY).accepted(event)
    marked = {**clue("marked-2"), "dataclassification": "mimi"}
    assert refusal(hub.agency(CITY), marked) == [("above_ceiling", "/dataclassification")]


def test_who_sees_a_county_and_who_a_province(hub: RunningHub) -> None:
    """All pairs of levels of the one kind that the matrix names for others than its own level."""
    enact(hub, *(receive(id_) for id_ in (CITY, COUNTY, PROVINCE, AUDIT)))
    readers = {id_: feed_of(hub, id_, "levels") for id_ in (CITY, COUNTY, PROVINCE, AUDIT)}
    hub.agency(PETITION).accepted(petition("levels", region="510104"))
    found = {id_: [e["data"].keys() for e in r.drain("levels")] for id_, r in readers.items()}
    assert {id_: len(events) for id_, events in found.items()} == {
        CITY: 1,
        COUNTY: 1,
        PROVINCE: 1,
        AUDIT: 0,
    }
    assert "summary" in found[CITY][0]
    assert "summary" not in found[COUNTY][0] | found[PROVINCE][0]


# --- answers of another family --------------------------------------------------------------------


def test_a_decision_answers_a_report_of_the_same_case(hub: RunningHub) -> None:
    committee = agency(COMMITTEE, "示范市委")
    may = (
        grant(CITY, "publish", "report.*"),
        grant(COMMITTEE, "publish", "decision.*"),
        receive(COMMITTEE, "report.*"),
        receive(CITY, "decision.*"),
    )
    enact(hub, *may, agencies=(committee,))
    office = feed_of(hub, CITY, "decisions")
    receipt = hub.agency(CITY).accepted(report("heard"))[0]["id"]
    secretary = hub.agency(COMMITTEE)
    other = decision("heard", opening=receipt, data={"reportid": "RP-another"})
    assert refusal(secretary, other) == [("case_differs", "/data")]
    secretary.accepted(decision("heard", opening=receipt))
    (heard,) = office.drain("decisions")
    assert (heard["type"], heard["data"]["reportid"]) == ("decision.issued", "RP-heard")
