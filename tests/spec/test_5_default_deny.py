"""Promise 5: nobody publishes, receives or reads a field without a grant in force."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.running import (
    PATIENCE,
    AgencyClient,
    RunningHub,
    codes_of,
    results_of,
    running_hub,
)
from tests.sample import (
    AUDIT,
    CITY,
    COUNTY,
    DISCIPLINE,
    PETITION,
    PROVINCE,
    agency,
    briefing,
    clue,
    clue_received,
    grant,
    petition,
    policy,
)
from tests.spec.deciding import enact, feed_of, ids, receive, refusal, without_none

Event = dict[str, Any]
PUBLIC_SECURITY = "510100.political-legal"
ORGANIZATION = "510100.organization"
PUBLICITY = "510100.publicity"
COUNTY_DISCIPLINE = "510104.discipline"
BUREAU = "510100.functional-dept.bureau-a"
OTHER_BUREAU = "510100.functional-dept.bureau-b"
INSPECTED = "510100.inspected-party.bureau-a"
USCC = "11510104000000115N"
ORGCODE = "000000115"
BUREAU_NAME = "示范市ABC管理局（筹）"
ALL = ["F0", "F1", "F2", "F3", "F4"]
LONG_AGO, LONG_AHEAD = "2020-01-01", "2099-01-01"


@pytest.fixture(autouse=True)
def city(hub: RunningHub) -> None:
    """Every test starts with the city's policy."""
    hub.apply(policy())


# --- publishing -----------------------------------------------------------------------------------


WRONG: dict[str, tuple[Event, list[tuple[str, str]]]] = {
    "an unknown contract": (
        {"dataschema": "urn:guantong:contract:petition.case_transferred:9.0"},
        [("contract_unknown", "/dataschema")],
    ),
    "another type than its contract": ({"type": "clue.transferred"}, [("type_mismatch", "/type")]),
    "another agency's source": ({"source": f"/{AUDIT}"}, [("source_foreign", "/source")]),
    "a unit's source": ({"source": f"/{PETITION}.12345"}, [("source_foreign", "/source")]),
    "a source that only begins alike": (
        {"source": f"/{PETITION}s"},
        [("source_format", "/source")],
    ),
    "a source without its slash": ({"source": PETITION}, [("source_format", "/source")]),
    "an unknown region": (
        {"region": "519999"},
        [("region_unknown", "/region"), ("not_granted", "/type")],
    ),
    "a region beyond the grant": ({"region": "510000"}, [("not_granted", "/type")]),
    "a neighbour's region": ({"region": "520100"}, [("not_granted", "/type")]),
    "an unregistered addressee": ({"to": "510100.finance"}, [("address_unknown", "/to")]),
    "an unregistered addressee among others": (
        {"to": f"{CITY} 510100.finance"},
        [("address_unknown", "/to")],
    ),
    "an unregistered copy": ({"cc": "finance@510100"}, [("address_unknown", "/cc")]),
    "an address that is none": ({"to": "everybody"}, [("address_format", "/to")]),
    "a marking above the ceiling": (
        {"dataclassification": "mimi"},
        [("above_ceiling", "/dataclassification")],
    ),
    "an unknown marking": (
        {"dataclassification": "secret"},
        [("classification_unknown", "/dataclassification")],
    ),
    "an unknown caveat": ({"caveats": "secret"}, [("caveat_unknown", "/caveats")]),
    "a caveat twice": ({"caveats": "sealed sealed"}, [("caveat_unknown", "/caveats")]),
    "a caveat without an addressee": ({"caveats": "no-forward"}, [("caveat_needs_to", "/to")]),
    "a sealed event for a whole level": (
        {"caveats": "sealed", "to": CITY, "cc": "inspection-office@510100/*"},
        [("caveat_circle", "/cc")],
    ),
    "a source-protected event for all below": (
        {"caveats": "source-protected", "to": "inspection-office@510000/**"},
        [("caveat_circle", "/to")],
    ),
    "another partition key": ({"partitionkey": "petition:1"}, [("partition_key", "/partitionkey")]),
}


@pytest.mark.parametrize("what", sorted(WRONG))
def test_an_event_is_refused_for(hub: RunningHub, what: str) -> None:
    attributes, expected = WRONG[what]
    assert refusal(hub.agency(PETITION), petition("wrong", **attributes)) == expected


def test_several_missing_rights_are_all_told(hub: RunningHub) -> None:
    event = petition("several", source=f"/{AUDIT}", region="520100", to="510100.finance")
    assert refusal(hub.agency(PETITION), event) == [
        ("source_foreign", "/source"),
        ("not_granted", "/type"),
        ("address_unknown", "/to"),
    ]


def test_an_agency_publishes_only_what_its_kind_may_under_the_contract(hub: RunningHub) -> None:
    enact(hub, grant(AUDIT, "publish", "*"))
    event = petition("kind", source=f"/{AUDIT}")
    assert refusal(hub.agency(AUDIT), event) == [("publisher_not_admitted", "/type")]
    acting = agency(AUDIT, "示范市审计局", acts_as=["petition"])
    enact(hub, grant(AUDIT, "publish", "*"), agencies=(acting,))
    assert hub.agency(AUDIT).publish(event).status_code == 200


def test_an_agency_publishes_only_with_a_grant_to_publish_that_type(hub: RunningHub) -> None:
    bureau = hub.agency(PETITION)
    none = [("not_granted", "/type")]
    for grants in (
        [],
        [receive(PETITION)],
        [grant(PETITION, "publish", "clue.* briefing.*")],
        [grant(PETITION, "publish", "petition.*", region="510104")],
        [grant(PETITION, "publish", "petition.*", region="520000")],
        [grant(PETITION, "publish", "petition.*", **{"from": LONG_AHEAD})],
        [grant(PETITION, "publish", "petition.*", until=LONG_AGO)],
        [grant(AUDIT, "publish", "petition.*")],
        [grant(PETITION, "publish", "petition.*", agency=None, kind="audit")],
    ):
        hub.apply({**policy(), "grants": [without_none(g) for g in grants]})
        assert refusal(bureau, petition("grant")) == none, grants
    for n, given in enumerate(
        (
            grant(PETITION, "publish", "petition.case_transferred"),
            grant(PETITION, "publish", "petition.*"),
            grant(PETITION, "publish", "*", region="510000"),
            grant(PETITION, "publish", "*", agency=None, kind="petition"),
            grant(PETITION, "publish", "*", **{"from": LONG_AGO, "until": LONG_AHEAD}),
        )
    ):
        hub.apply({**policy(), "grants": [without_none(given)]})
        bureau.accepted(petition(f"granted-{n}"))


def test_a_grant_for_a_county_admits_events_of_that_county(hub: RunningHub) -> None:
    hub.apply(policy(grants=[grant(PETITION, "publish", "petition.*", region="510104")]))
    bureau = hub.agency(PETITION)
    bureau.accepted(petition("county", region="510104"))
    assert refusal(bureau, petition("county-2", region="510105")) == [("not_granted", "/type")]


def test_an_agency_out_of_its_validity_neither_publishes_nor_reads(hub: RunningHub) -> None:
    office = feed_of(hub, CITY, "validity")
    hub.agency(PETITION).accepted(petition("validity"))
    for record in (
        agency(CITY, "示范市委巡察办", valid_until=LONG_AGO),
        agency(CITY, "示范市委巡察办", valid_from=LONG_AHEAD),
    ):
        enact(hub, receive(CITY), agencies=(record,))
        for answer in (office.publish(clue("validity")), office.page("validity")):
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    enact(hub, receive(CITY), agencies=(agency(CITY, "示范市委巡察办", valid_from=LONG_AGO),))
    assert ids(office, "validity") == ["XF-validity"]


def test_only_a_registered_agency_publishes(hub: RunningHub) -> None:
    with hub.admin as admin:
        answer = AgencyClient("admin", admin).publish(petition("admin"))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    for token in (None, "gt_forged", "gt_" + "x" * 600):
        with hub.client(token) as nobody:
            answer = AgencyClient("nobody", nobody).publish(petition("nobody"))
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_token_is_no_token(hub: RunningHub) -> None:
    with hub.admin as admin:
        made = admin.post(f"/v1/agencies/{PETITION}/tokens", json={}).json()
        bureau = AgencyClient(PETITION, hub.client(made["token"]))
        bureau.accepted(petition("token"))
        path = f"/v1/agencies/{PETITION}/tokens/{made['number']}"
        assert admin.delete(path).status_code == 204
        assert bureau.publish(petition("token-2")).status_code == 401
        assert admin.delete(path).status_code == 404


def test_without_a_policy_nobody_may_anything(tmp_path: Path) -> None:
    with running_hub(tmp_path / "data") as bare, bare.admin as admin:
        standing = admin.get("/v1/policy").json()
        assert {k: standing[k] for k in ("agencies", "grants", "recusals")} == {
            "agencies": [],
            "grants": [],
            "recusals": [],
        }
        assert admin.post(f"/v1/agencies/{PETITION}/tokens", json={}).status_code == 404
        client = AgencyClient("admin", admin)
        assert client.publish(petition("bare")).json()["code"] == "forbidden"
        assert admin.post("/v1/subscriptions", json={}).json()["code"] == "forbidden"


# --- receiving, step 1: the contract's matrix -----------------------------------------------------


def test_a_kind_that_the_contract_does_not_name_gets_nothing_even_addressed(
    hub: RunningHub,
) -> None:
    enact(
        hub,
        receive(PUBLICITY, classes=ALL),
        receive(CITY, classes=ALL),
        agencies=(agency(PUBLICITY, "示范市委宣传部"),),
    )
    reader, office = feed_of(hub, PUBLICITY, "kind"), feed_of(hub, CITY, "kind")
    both = f"{PUBLICITY} {CITY}"
    hub.agency(PETITION).accepted(petition("kind-1", to=both), petition("kind-2"))
    assert ids(reader, "kind") == []
    assert ids(office, "kind") == ["XF-kind-1", "XF-kind-2"]


def test_a_kind_that_an_agency_acts_as_counts_as_its_own(hub: RunningHub) -> None:
    acting = agency(PUBLICITY, "示范市委宣传部", acts_as=["discipline"])
    enact(hub, receive(PUBLICITY, classes=ALL), agencies=(acting,))
    reader = feed_of(hub, PUBLICITY, "acting")
    event = petition("acting")
    hub.agency(PETITION).accepted(event)
    (found,) = reader.drain("acting")
    assert (found["id"], found["data"]) == ("XF-acting", event["data"])


def test_a_level_that_the_contract_does_not_name_gets_it_only_by_address(hub: RunningHub) -> None:
    county = agency(COUNTY_DISCIPLINE, "示范市东湖区纪委监委")
    enact(hub, receive(COUNTY_DISCIPLINE, classes=ALL), agencies=(county,))
    reader = feed_of(hub, COUNTY_DISCIPLINE, "level")
    addressed = petition("level-2", region="510104", to=COUNTY_DISCIPLINE)
    hub.agency(PETITION).accepted(petition("level-1", region="510104"), addressed)
    (found,) = reader.drain("level")
    assert (found["id"], found["data"]) == ("XF-level-2", addressed["data"])


MASKED = {"petitionid", "form", "purpose", "content_class", "place", "date", "people"}
HIDDEN = "/summary /petitioner /accused /accuser"


@pytest.mark.parametrize("reader_id", [PROVINCE, COUNTY])
def test_the_levels_above_and_below_get_a_masked_view_whatever_is_granted(
    hub: RunningHub, reader_id: str
) -> None:
    enact(hub, receive(reader_id, classes=ALL))
    reader = feed_of(hub, reader_id, "masked")
    event = petition(f"masked-{reader_id}", region="510104")
    hub.agency(PETITION).accepted(event)
    (found,) = reader.drain("masked")
    assert found["data"] == {name: event["data"][name] for name in MASKED}
    assert sorted(found["hubwithheld"].split()) == sorted(HIDDEN.split())


def test_an_address_gives_the_other_levels_what_the_same_level_gets(hub: RunningHub) -> None:
    enact(hub, receive(COUNTY, classes=ALL), receive(PROVINCE, classes=ALL))
    readers = [feed_of(hub, COUNTY, "addressed"), feed_of(hub, PROVINCE, "addressed")]
    event = petition("addressed", region="510104", cc=f"{COUNTY} {PROVINCE}")
    hub.agency(PETITION).accepted(event)
    for reader in readers:
        (found,) = reader.drain("addressed")
        assert found["data"] == event["data"]
        assert "hubwithheld" not in found


def test_an_agency_in_another_branch_of_the_tree_stands_in_no_level(hub: RunningHub) -> None:
    """A county does not see what its neighbour publishes, though the event's region is its own."""
    county_bureau = "510105.petition"
    enact(
        hub,
        grant(county_bureau, "publish", "petition.*", region="510100"),
        receive(COUNTY, classes=ALL),
        agencies=(agency(county_bureau, "示范市西湖区信访局"),),
    )
    reader = feed_of(hub, COUNTY, "branch")
    event = petition("branch", source=f"/{county_bureau}", region="510104")
    copied = petition("branch-2", source=f"/{county_bureau}", region="510104", cc=COUNTY)
    hub.agency(county_bureau).accepted(event, copied)
    assert ids(reader, "branch") == ["XF-branch-2"]


# --- step 2: grants -------------------------------------------------------------------------------


def test_without_a_grant_nothing_is_received(hub: RunningHub) -> None:
    reader = feed_of(hub, CITY, "grants")
    bureau = hub.agency(PETITION)
    bureau.accepted(petition("grants-1"), petition("grants-2", to=CITY))
    refused: tuple[Event, ...] = (
        receive(CITY, "clue.* briefing.*"),
        receive(DISCIPLINE, "*"),
        grant(CITY, "publish", "petition.*", classes=ALL),
        receive(CITY, **{"from": LONG_AHEAD}),
        receive(CITY, until=LONG_AGO),
        without_none(receive(CITY, agency=None, kind="discipline")),
    )
    enact(hub)
    assert ids(reader, "grants") == []
    for given in refused:
        enact(hub, given)
        assert ids(reader, "grants") == [], given
    for given in (
        receive(CITY, "petition.case_transferred"),
        receive(CITY, **{"from": LONG_AGO, "until": LONG_AHEAD}),
        without_none(receive(CITY, agency=None, kind="inspection-office")),
    ):
        enact(hub, given)
        assert ids(reader, "grants") == ["XF-grants-1", "XF-grants-2"], given


def test_a_grant_until_a_day_holds_to_the_end_of_that_day_and_no_longer(hub: RunningHub) -> None:
    reader = feed_of(hub, CITY, "until")
    hub.agency(PETITION).accepted(petition("until"))
    for until, seen in (("2099-12-31", 1), ("2099-12-31T00:00:00+08:00", 1), ("2024-02-29", 0)):
        enact(hub, receive(CITY, until=until))
        assert len(ids(reader, "until")) == seen, until


def test_a_grant_covers_its_region_and_what_lies_below(hub: RunningHub) -> None:
    reader = feed_of(hub, CITY, "scope")
    hub.agency(PETITION).accepted(
        petition("scope-city"),
        petition("scope-east", region="510104"),
        petition("scope-west", region="510105"),
    )
    for region, seen in (
        ("510000", ["city", "east", "west"]),
        ("510100", ["city", "east", "west"]),
        ("510104", ["east"]),
        ("520100", []),
    ):
        enact(hub, receive(CITY, region=region))
        assert ids(reader, "scope") == [f"XF-scope-{name}" for name in seen], region


def test_an_address_widens_a_grant_that_covers_the_addressee_itself(hub: RunningHub) -> None:
    """The county's grant covers the county; the events concern another one."""
    reader = feed_of(hub, COUNTY, "wide")
    hub.agency(PETITION).accepted(
        petition("wide-plain", region="510105"),
        petition("wide-to", region="510105", to=COUNTY),
        petition("wide-cc", region="510105", cc=f"{COUNTY} {CITY}"),
    )
    enact(hub, receive(COUNTY, region="510104"))
    assert ids(reader, "wide") == ["XF-wide-to", "XF-wide-cc"]
    enact(hub, receive(COUNTY, region="510106"))
    assert ids(reader, "wide") == []


def test_a_grant_for_some_levels_gives_nothing_of_the_others(hub: RunningHub) -> None:
    county_publishes = grant(COUNTY, "publish", "petition.*")
    reader = feed_of(hub, CITY, "levels")
    enact(hub, county_publishes)
    hub.agency(COUNTY).accepted(petition("levels-below", source=f"/{COUNTY}"))
    hub.agency(PETITION).accepted(petition("levels-same"))
    for levels, seen in (
        (["same"], ["XF-levels-same"]),
        (["up"], ["XF-levels-below"]),
        (["down"], []),
        (["same", "up", "down"], ["XF-levels-below", "XF-levels-same"]),
    ):
        enact(hub, county_publishes, receive(CITY, levels=levels))
        assert ids(reader, "levels") == seen, levels


CLASSES: dict[str, list[str]] = {
    "": [*sorted(MASKED), "summary", "petitioner", "accused"],
    "F0": [],
    "F0 F1": sorted(MASKED),
    "F0 F1 F2": [*sorted(MASKED), "summary", "accused"],
    "F0 F1 F2 F3": [*sorted(MASKED), "summary", "accused", "petitioner"],
}


@pytest.mark.parametrize("classes", [name for name in CLASSES if name])
def test_a_reader_gets_the_members_of_its_classes_and_no_other(
    hub: RunningHub, classes: str
) -> None:
    enact(hub, receive(CITY, classes=classes.split()))
    id_ = "classes-" + classes.replace(" ", "-")
    reader = feed_of(hub, CITY, id_)
    event = petition(id_)
    hub.agency(PETITION).accepted(event)
    (found,) = reader.drain(id_)
    assert found["data"] == {name: event["data"][name] for name in CLASSES[classes]}
    hidden = [f"/{name}" for name in CLASSES[""] if name not in CLASSES[classes]]
    assert sorted(found["hubwithheld"].split()) == sorted([*hidden, "/accuser"])


def test_the_classes_of_all_matching_grants_add_up(hub: RunningHub) -> None:
    reader = feed_of(hub, CITY, "union")
    event = petition("union")
    hub.agency(PETITION).accepted(event)
    enact(
        hub,
        receive(CITY, "petition.*", classes=["F0", "F1"]),
        receive(CITY, "*", classes=["F2"]),
        receive(CITY, "clue.*", classes=["F3"]),
        receive(CITY, "petition.*", classes=["F3"], region="510104"),
        receive(CITY, "petition.*", classes=["F3"], until=LONG_AGO),
    )
    (found,) = reader.drain("union")
    expected = {k: v for k, v in event["data"].items() if k != "petitioner"}
    assert found["data"] == expected


# --- step 3: addressees ---------------------------------------------------------------------------


def test_what_has_addressees_goes_to_them_alone(hub: RunningHub) -> None:
    readers = {id_: feed_of(hub, id_, "to") for id_ in (CITY, DISCIPLINE, COUNTY, PROVINCE)}
    enact(hub, *(receive(id_, region="510000") for id_ in readers))
    hub.agency(PETITION).accepted(
        petition("to-all", region="510104"),
        petition("to-one", region="510104", to=DISCIPLINE),
        petition("to-copy", region="510104", to=DISCIPLINE, cc=COUNTY),
        petition("to-only-copy", region="510104", cc=COUNTY),
        petition("to-desk", region="510104", to="inspection-office@510100"),
        petition("to-next", region="510104", to="inspection-office@510100/*"),
        petition("to-below", region="510104", to="inspection-office@510000/**"),
    )
    seen = {id_: ids(reader, "to") for id_, reader in readers.items()}
    everybody = ["XF-to-all"]
    assert seen == {
        DISCIPLINE: [*everybody, "XF-to-one", "XF-to-copy", "XF-to-only-copy"],
        CITY: [*everybody, "XF-to-only-copy", "XF-to-desk", "XF-to-below"],
        COUNTY: [*everybody, "XF-to-copy", "XF-to-only-copy", "XF-to-next", "XF-to-below"],
        PROVINCE: [*everybody, "XF-to-only-copy"],
    }


# --- step 4: exclusion ----------------------------------------------------------------------------

UNITS: dict[str, Event] = {
    "its agency id": {"name": "某局", "orgid": BUREAU},
    "another id of its organ": {"name": "某局", "orgid": INSPECTED},
    "its organ": {"name": "某局", "orgid": "510100-bureau-a"},
    "its USCC": {"name": "某局", "uscc": USCC},
    "its organisation code": {"name": "某局", "orgcode": ORGCODE},
    "its name": {"name": BUREAU_NAME},
    "its name in full width": {"name": "示范市ＡＢＣ管理局（筹）"},
    "its name in half-width brackets": {"name": "示范市ABC管理局(筹)"},
    "its name in small letters": {"name": "示范市abc管理局（筹）"},
    "its name with spaces": {"name": " 示范市 ABC\u3000管理局\u00a0（筹） "},
    "its other name": {"name": "中共示范市ABC管理局党组"},
}
REGISTERED = (
    agency(BUREAU, BUREAU_NAME, organ="510100-bureau-a", uscc=USCC),
    agency(INSPECTED, "中共示范市ABC管理局党组", organ="510100-bureau-a"),
    agency(OTHER_BUREAU, "示范市某管理局"),
)


@pytest.mark.parametrize("by", sorted(UNITS))
def test_the_accused_party_gets_nothing_of_its_case_when_named_by(hub: RunningHub, by: str) -> None:
    readers = receive(BUREAU, classes=ALL), receive(OTHER_BUREAU, classes=ALL)
    enact(hub, *readers, agencies=REGISTERED)
    id_ = f"accused-{sorted(UNITS).index(by)}"
    accused, other = feed_of(hub, BUREAU, id_), feed_of(hub, OTHER_BUREAU, id_)
    parties = [{"name": "甲某", "unit": {"name": "示范市乙局"}}, {"unit": UNITS[by]}]
    addressed = f"{BUREAU} {OTHER_BUREAU}"
    hub.agency(PETITION).accepted(
        petition(id_, data={"accused": parties}),
        petition(f"{id_}-to", to=addressed, data={"accused": parties}),
        petition(f"{id_}-free", data={"accused": parties[:1]}),
    )
    assert ids(accused, id_) == [f"XF-{id_}-free"]
    assert ids(other, id_) == [f"XF-{id_}", f"XF-{id_}-to", f"XF-{id_}-free"]


def test_an_organisation_code_names_a_body_registered_with_its_uscc_and_the_reverse(
    hub: RunningHub,
) -> None:
    readers = receive(BUREAU, classes=ALL), receive(OTHER_BUREAU, classes=ALL)
    for n, (number, unit) in enumerate(
        (({"uscc": USCC}, {"orgcode": ORGCODE}), ({"orgcode": ORGCODE}, {"uscc": USCC}))
    ):
        records = agency(BUREAU, "甲局", **number), agency(OTHER_BUREAU, "乙局")
        enact(hub, *readers, agencies=records)
        reader = feed_of(hub, BUREAU, f"code-{n}")
        other = feed_of(hub, OTHER_BUREAU, f"code-{n}")
        data = {"accused": [{"unit": {"name": "丙局", **unit}}]}
        hub.agency(PETITION).accepted(petition(f"code-{n}", data=data))
        assert (ids(reader, f"code-{n}"), ids(other, f"code-{n}")) == ([], [f"XF-code-{n}"])


def test_the_accused_party_is_told_by_the_registry_as_it_is_at_delivery(hub: RunningHub) -> None:
    plain = agency(BUREAU, "示范市某局")
    enact(hub, receive(BUREAU), agencies=(plain,))
    reader = feed_of(hub, BUREAU, "registry")
    data = {"accused": [{"unit": {"name": "丙局", "uscc": USCC}}]}
    hub.agency(PETITION).accepted(petition("registry", data=data))
    assert ids(reader, "registry") == ["XF-registry"]
    enact(hub, receive(BUREAU), agencies=(agency(BUREAU, "示范市某局", uscc=USCC),))
    assert ids(reader, "registry") == []
    enact(hub, receive(BUREAU), agencies=(agency(BUREAU, "丙局"),))
    assert ids(reader, "registry") == []
    enact(hub, receive(BUREAU), agencies=(plain,))
    assert ids(reader, "registry") == ["XF-registry"]


@pytest.mark.parametrize("place", ["org", "person"])
def test_the_accused_side_of_a_clue_never_gets_it_nor_its_replies(
    hub: RunningHub, place: str
) -> None:
    """The police is accused, though it was copied; the other party to the clue gets all."""
    unit = {"name": "某局", "uscc": USCC}
    subject: Event = {"subject_no": 1, "authority": "市管"}
    subject |= {"org": unit} if place == "org" else {"person": {"name": "甲某", "org": unit}}
    enact(
        hub,
        *(receive(id_, classes=ALL) for id_ in (PUBLIC_SECURITY, DISCIPLINE, CITY)),
        agencies=(agency(PUBLIC_SECURITY, "示范市公安局", uscc=USCC),),
    )
    readers = {id_: feed_of(hub, id_, place) for id_ in (PUBLIC_SECURITY, DISCIPLINE, CITY)}
    opening = clue(f"side-{place}", cc=PUBLIC_SECURITY, data={"subjects": [subject]})
    receipt = hub.agency(CITY).accepted(opening)[0]["id"]
    reply = clue_received(f"side-{place}", opening=receipt)
    hub.agency(DISCIPLINE).accepted(reply)
    seen = {id_: ids(reader, place) for id_, reader in readers.items()}
    assert seen == {
        PUBLIC_SECURITY: [],
        DISCIPLINE: [opening["id"]],
        CITY: [reply["id"]],
    }


def test_a_recused_agency_gets_nothing_of_that_case(hub: RunningHub) -> None:
    reader, other = feed_of(hub, CITY, "recusal"), feed_of(hub, DISCIPLINE, "recusal")
    hub.agency(PETITION).accepted(petition("recusal-1", cc=CITY), petition("recusal-2"))
    both = ["XF-recusal-1", "XF-recusal-2"]
    for more, seen in (
        ({}, ["XF-recusal-2"]),
        ({"from": LONG_AGO, "until": LONG_AHEAD}, ["XF-recusal-2"]),
        ({"from": LONG_AHEAD}, both),
        ({"until": LONG_AGO}, both),
        ({"case": "clue:XF-recusal-1"}, both),
        ({"case": "petition:XF-recusal"}, both),
        ({"agency": COUNTY}, both),
    ):
        recusal = {"id": "r1", "agency": CITY, "case": "petition:XF-recusal-1", "reason": "回避"}
        enact(hub, receive(CITY, classes=ALL), receive(DISCIPLINE), recusals=({**recusal, **more},))
        assert (ids(reader, "recusal"), ids(other, "recusal")) == (seen, both), more


@pytest.mark.parametrize("acts_as", [[], ["inspection-office", "discipline"]])
def test_an_inspected_party_never_gets_what_names_accused(
    hub: RunningHub, acts_as: list[str]
) -> None:
    """Not by grant, not by address, not in another role."""
    party = "510100.inspected-party.bureau-b"
    record = agency(party, "示范市乙局党组", acts_as=acts_as)
    enact(hub, receive(party, classes=ALL), receive(CITY), agencies=(record,))
    id_ = f"never-{len(acts_as)}"
    reader, office = feed_of(hub, party, id_), feed_of(hub, CITY, id_)
    both = f"{party} {CITY}"
    hub.agency(PETITION).accepted(petition(id_), petition(f"{id_}-to", to=both))
    opening = clue(id_, publisher=AUDIT, to=f"{both} {DISCIPLINE}", cc=party)
    receipt = hub.agency(AUDIT).accepted(opening)[0]["id"]
    enact(
        hub,
        receive(party, classes=ALL),
        receive(CITY),
        receive(DISCIPLINE),
        agencies=(record,),
    )
    hub.agency(DISCIPLINE).accepted(clue_received(id_, opening=receipt))
    hub.agency(AUDIT).accepted(briefing(id_, to=both))
    assert ids(reader, id_) == []
    assert ids(office, id_) == [f"XF-{id_}", f"XF-{id_}-to", f"CL-{id_}", f"BR-{id_}"]


def test_an_office_that_acts_as_the_inspected_party_is_one(hub: RunningHub) -> None:
    record = agency(CITY, "示范市委巡察办", acts_as=["inspected-party"])
    reader = feed_of(hub, CITY, "acts-inspected")
    hub.agency(PETITION).accepted(petition("acts-inspected", to=CITY))
    enact(hub, receive(CITY, classes=ALL), agencies=(record,))
    assert ids(reader, "acts-inspected") == []
    enact(hub, receive(CITY, classes=ALL))
    assert ids(reader, "acts-inspected") == ["XF-acts-inspected"]


# --- step 5: marking, clearance, ceiling ----------------------------------------------------------


def test_an_agency_gets_nothing_marked_above_its_clearance(hub: RunningHub) -> None:
    reader = feed_of(hub, CITY, "clearance")
    hub.agency(PETITION).accepted(
        petition("clearance-none"),
        petition("clearance-public", dataclassification="public"),
        petition("clearance-internal", dataclassification="internal", to=CITY),
    )
    internal = ["XF-clearance-none", "XF-clearance-public", "XF-clearance-internal"]
    for clearance, seen in (
        ("public", ["XF-clearance-public"]),
        ("internal", internal),
        ("juemi", internal),
    ):
        record = agency(CITY, "示范市委巡察办", clearance=clearance)
        enact(hub, receive(CITY, classes=ALL), agencies=(record,))
        assert ids(reader, "clearance") == seen, clearance


@pytest.fixture
def cleared() -> tuple[Event, ...]:
    return (
        agency(CITY, "示范市委巡察办", clearance="mimi"),
        agency(DISCIPLINE, "示范市纪委监委"),
    )


def test_a_node_hands_over_nothing_marked_above_its_ceiling(
    tmp_path: Path, cleared: tuple[Event, ...]
) -> None:
    with running_hub(tmp_path / "data", settings={"ceiling": "mimi"}) as high:
        enact(high, receive(CITY), receive(DISCIPLINE), agencies=cleared)
        office, discipline = feed_of(high, CITY, "all"), feed_of(high, DISCIPLINE, "all")
        bureau = high.agency(PETITION)
        bureau.accepted(petition("mimi", dataclassification="mimi"), petition("plain"))
        above = petition("jimi", dataclassification="jimi")
        assert refusal(bureau, above) == [("above_ceiling", "/dataclassification")]
        assert (ids(office, "all"), ids(discipline, "all")) == (
            ["XF-mimi", "XF-plain"],
            ["XF-plain"],
        )
        assert high.stop() == 0
    with running_hub(tmp_path / "data") as low:
        assert ids(low.agency(CITY), "all") == ["XF-plain"]


# --- revocation -----------------------------------------------------------------------------------


def test_a_revoked_grant_takes_effect_on_the_next_read(hub: RunningHub) -> None:
    """Also on reading again what was read before."""
    reader = feed_of(hub, CITY, "revoked")
    start = reader.page("revoked").headers["guantong-cursor"]
    hub.agency(PETITION).accepted(petition("revoked"))
    assert ids(reader, "revoked") == ["XF-revoked"]
    enact(hub)
    assert reader.page("revoked").json() == []
    assert reader.page("revoked", cursor=start).json() == []
    enact(hub, receive(CITY))
    assert ids(reader, "revoked") == ["XF-revoked"]


def test_fewer_classes_take_effect_on_the_next_read(hub: RunningHub) -> None:
    reader = feed_of(hub, CITY, "fewer")
    hub.agency(PETITION).accepted(petition("fewer"))
    assert "petitioner" in reader.page("fewer").json()[0]["data"]
    enact(hub, receive(CITY, classes=["F0", "F1", "F2"]))
    assert "petitioner" not in reader.page("fewer").json()[0]["data"]


def test_a_revoked_grant_to_publish_takes_effect_within_a_second(hub: RunningHub) -> None:
    bureau = hub.agency(PETITION)
    bureau.accepted(petition("late"))
    hub.apply(policy(grants=[]))
    applied = monotonic()
    for n in range(10_000):
        sent = monotonic()
        answer = bureau.publish(petition(f"late-{n}"))
        if answer.status_code == 422:
            break
        assert sent - applied < 1
    assert codes_of(results_of(answer)[0]) == [("not_granted", "/type")]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def test_a_waiting_long_poll_rechecks_the_policy_before_it_answers(
    hub: RunningHub, pool: ThreadPoolExecutor
) -> None:
    """The grant for petitions goes while the poll waits: it wakes and answers with the clue."""
    reader = feed_of(hub, DISCIPLINE, "waiting")
    polling = pool.submit(reader.page, "waiting", wait=30)
    enact(hub, receive(DISCIPLINE, "clue.*"))
    hub.agency(PETITION).accepted(petition("waiting"))
    hub.agency(CITY).accepted(clue("waiting"))
    answer = polling.result(timeout=PATIENCE)
    assert (answer.status_code, [e["id"] for e in answer.json()]) == (200, ["CL-waiting"])


def test_a_waiting_long_poll_of_an_agency_that_is_struck_off_ends(
    hub: RunningHub, pool: ThreadPoolExecutor
) -> None:
    reader = feed_of(hub, DISCIPLINE, "struck")
    reader.page("struck")
    polling = pool.submit(reader.page, "struck", wait=60)
    rest = [record for record in policy()["agencies"] if record["id"] != DISCIPLINE]
    hub.apply({"agencies": rest, "grants": [], "recusals": []})
    answer = polling.result(timeout=PATIENCE)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


# --- replies --------------------------------------------------------------------------------------


@pytest.fixture
def everybody(hub: RunningHub) -> dict[str, AgencyClient]:
    """Every agency of the city may receive everything, as far as grants go."""
    readers = (PETITION, CITY, AUDIT, DISCIPLINE, PUBLIC_SECURITY, ORGANIZATION)
    enact(
        hub,
        *(receive(id_, classes=ALL) for id_ in readers),
        grant(PUBLIC_SECURITY, "publish", "clue.received"),
        agencies=(
            agency(PUBLIC_SECURITY, "示范市公安局"),
            agency(ORGANIZATION, "示范市委组织部"),
        ),
    )
    clients = {id_: hub.agency(id_) for id_ in readers}
    for client in clients.values():
        client.subscribe("replies")
    return clients


def test_a_reply_goes_to_the_publisher_of_its_opening_and_its_copies_alone(
    hub: RunningHub, everybody: dict[str, AgencyClient]
) -> None:
    start = {id_: c.page("replies", limit=1000).headers for id_, c in everybody.items()}
    opening = clue("audience", publisher=AUDIT, to=f"{DISCIPLINE} {PUBLIC_SECURITY}", cc=CITY)
    receipt = everybody[AUDIT].accepted(opening)[0]["id"]
    reply = clue_received("audience", opening=receipt)
    everybody[DISCIPLINE].accepted(reply)
    seen = {}
    for id_, client in everybody.items():
        page = client.page("replies", limit=1000, cursor=start[id_]["guantong-cursor"])
        seen[id_] = [event["id"] for event in page.json()]
    assert seen == {
        PETITION: [],
        CITY: [opening["id"], reply["id"]],
        AUDIT: [reply["id"]],
        DISCIPLINE: [opening["id"]],
        PUBLIC_SECURITY: [opening["id"]],
        ORGANIZATION: [],
    }


def test_a_reply_addressed_to_others_does_not_reach_them(
    hub: RunningHub, everybody: dict[str, AgencyClient]
) -> None:
    receipt = everybody[CITY].accepted(clue("stray"))[0]["id"]
    reply = clue_received("stray", opening=receipt, cc=f"{PETITION} {AUDIT}")
    everybody[DISCIPLINE].accepted(reply)
    seen = {id_: reply["id"] in ids(c, "replies") for id_, c in everybody.items()}
    assert [id_ for id_, found in seen.items() if found] == [CITY]


def test_who_received_an_opening_may_answer_it_with_an_ordinary_grant(
    hub: RunningHub, everybody: dict[str, AgencyClient]
) -> None:
    opening = clue("police", to=f"{DISCIPLINE} {PUBLIC_SECURITY}")
    receipt = everybody[CITY].accepted(opening)[0]["id"]
    reply = clue_received("police", opening=receipt, publisher=PUBLIC_SECURITY)
    everybody[PUBLIC_SECURITY].accepted(reply)
    assert reply["id"] in ids(everybody[CITY], "replies")


OPENING_UNKNOWN = {
    "code": "opening_unknown",
    "pointer": "/causationid",
    "message": "找不到所答复的事件，或本机构未曾收到该事件；causationid 应为其回执号（hubreceipt）",
    "message_en": "no such opening was delivered here; causationid is its receipt id (hubreceipt)",
    "retryable": False,
}


def test_an_opening_that_one_may_not_see_is_unknown_in_the_same_words_as_one_that_is_not(
    hub: RunningHub, everybody: dict[str, AgencyClient]
) -> None:
    unseen = everybody[CITY].accepted(clue("unseen"))[0]["id"]
    other_type = everybody[PETITION].accepted(petition("unseen"))[0]["id"]
    police = everybody[PUBLIC_SECURITY]
    answers = []
    for opening in (unseen, "f" * 32, other_type, None):
        reply = clue_received("unseen", opening=opening or "", publisher=PUBLIC_SECURITY)
        if opening is None:
            del reply["causationid"]
        answer = police.publish(reply)
        answers.append((answer.status_code, {**answer.json(), "detail": ""}))
        assert results_of(answer)[0]["errors"] == [OPENING_UNKNOWN], opening
    assert answers == [answers[0]] * len(answers)


def test_a_reply_is_refused_as_unknown_once_its_opening_may_no_longer_be_seen(
    hub: RunningHub,
) -> None:
    receipt = hub.agency(CITY).accepted(clue("withdrawn"))[0]["id"]
    recusal = {"id": "r", "agency": DISCIPLINE, "case": "clue:CL-withdrawn", "reason": "回避"}
    enact(hub, receive(DISCIPLINE), recusals=(recusal,))
    reply = clue_received("withdrawn", opening=receipt)
    (result,) = results_of(hub.agency(DISCIPLINE).publish(reply))
    assert result["errors"] == [OPENING_UNKNOWN]
    enact(hub, receive(DISCIPLINE))
    hub.agency(DISCIPLINE).accepted(reply)


def test_a_reply_speaks_of_the_case_and_correlation_of_its_opening(hub: RunningHub) -> None:
    receipt = hub.agency(CITY).accepted(clue("differs"))[0]["id"]
    discipline = hub.agency(DISCIPLINE)
    case = clue_received("differs", opening=receipt, data={"clueid": "CL-another"})
    assert refusal(discipline, case) == [("case_differs", "/data")]
    both = {**case, "correlationid": "clue:CL-another"}
    assert refusal(discipline, both) == [
        ("case_differs", "/data"),
        ("correlation_differs", "/correlationid"),
    ]
    for correlation in ("clue:CL-another", ""):
        other = clue_received("differs", opening=receipt, correlationid=correlation)
        assert refusal(discipline, other) == [("correlation_differs", "/correlationid")]
    discipline.accepted(clue_received("differs", opening=receipt))


def test_a_reply_needs_a_grant_of_its_own(hub: RunningHub) -> None:
    receipt = hub.agency(CITY).accepted(clue("ungranted"))[0]["id"]
    hub.apply(policy(grants=[receive(DISCIPLINE)]))
    reply = clue_received("ungranted", opening=receipt)
    assert refusal(hub.agency(DISCIPLINE), reply) == [("not_granted", "/type")]


def test_a_reply_under_the_matrix_reaches_the_kind_that_the_contract_names(
    hub: RunningHub, everybody: dict[str, AgencyClient]
) -> None:
    """The organization department gets the summary of a conclusion; the audit office nothing."""
    receipt = everybody[CITY].accepted(clue("matrix"))[0]["id"]
    concluded = clue_received("matrix", opening=receipt)
    concluded["type"] = "clue.concluded"
    concluded["dataschema"] = "urn:guantong:contract:clue.concluded:1.0"
    concluded["data"] = {
        "clueid": "CL-matrix",
        "handlers": [{"name": "金样例", "signed_at": "2026-09-10T10:00:00+08:00"}],
        "outcomes": [{"subject_no": 1, "outcome": {"code": "founded"}}],
        "concluded_at": "2026-09-11T17:00:00+08:00",
        "feedback_text": "属实。",
    }
    everybody[DISCIPLINE].accepted(concluded)
    (found,) = everybody[ORGANIZATION].drain("replies")
    assert found["id"] == concluded["id"]
    assert found["data"] == {
        "clueid": "CL-matrix",
        "handlers": [{"signed_at": "2026-09-10T10:00:00+08:00"}],
        "outcomes": [{"subject_no": 1, "outcome": {"code": "founded"}}],
        "concluded_at": "2026-09-11T17:00:00+08:00",
    }
    assert sorted(found["hubwithheld"].split()) == [
        "/feedback_text",
        "/handlers/-/name",
        "/reply_to_reporter_done",
    ]
    assert concluded["id"] not in ids(everybody[AUDIT], "replies")


# --- each to its own ------------------------------------------------------------------------------


def test_agencies_neither_see_nor_touch_each_others_subscriptions(hub: RunningHub) -> None:
    owner, stranger = hub.agency(CITY), hub.agency(AUDIT)
    owner.subscribe("mine")
    cursor = owner.page("mine").headers["guantong-cursor"]
    standing = owner.http.get("/v1/subscriptions/mine").json()

    def attempts(id_: str) -> list[tuple[int, bytes]]:
        path, http = f"/v1/subscriptions/{id_}", stranger.http
        answers = [
            http.get(path),
            http.patch(path, json={"types": ["clue.*"]}),
            http.delete(path),
            http.get(f"{path}/events"),
            http.get(f"{path}/events", params={"cursor": cursor}),
            http.post(f"{path}/cursor", json={"cursor": cursor}),
        ]
        return [(answer.status_code, answer.content) for answer in answers]

    foreign = attempts("mine")
    assert foreign == attempts("unheard-of")
    assert {status for status, _ in foreign} == {404}
    mine = stranger.http.get("/v1/subscriptions").json()["items"]
    assert "mine" not in [item["id"] for item in mine]
    assert owner.http.get("/v1/subscriptions/mine").json() == standing


def test_two_agencies_may_use_one_subscription_id(hub: RunningHub) -> None:
    one, other = hub.agency(CITY), hub.agency(DISCIPLINE)
    first = one.subscribe("same-id", types=["petition.*"])
    second = other.subscribe("same-id", types=["clue.*"])
    assert (first["agency"], first["types"]) == (CITY, ["petition.*"])
    assert (second["agency"], second["types"]) == (DISCIPLINE, ["clue.*"])
    other.http.delete("/v1/subscriptions/same-id")
    assert one.http.get("/v1/subscriptions/same-id").json() == first


def test_a_receipt_is_told_to_its_publisher_alone(hub: RunningHub) -> None:
    (receipt,) = hub.agency(PETITION).accepted(petition("receipt"))
    path = f"/v1/receipts/{receipt['id']}"
    assert hub.agency(PETITION).http.get(path).json() == receipt
    foreign = hub.agency(CITY).http.get(path)
    unknown = hub.agency(CITY).http.get(f"/v1/receipts/{'0' * 32}")
    assert (foreign.status_code, foreign.content) == (404, unknown.content)
    with hub.client(None) as nobody:
        assert nobody.get(path).status_code == 401


def test_an_agencys_token_has_no_role(hub: RunningHub) -> None:
    http = hub.agency(CITY).http
    answers = [
        http.get("/v1/policy"),
        http.put("/v1/policy", json={**policy(), "reason": "x"}, headers={"If-Match": "*"}),
        http.get("/v1/agencies"),
        http.post(f"/v1/agencies/{CITY}/tokens", json={}),
        http.delete(f"/v1/agencies/{CITY}/tokens/1"),
        http.get("/metrics"),
    ]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(403, "forbidden")] * 6


# --- the policy itself ----------------------------------------------------------------------------


def test_a_policy_is_changed_from_exactly_the_version_that_was_read(hub: RunningHub) -> None:
    document = {**policy(), "reason": "试验"}
    with hub.admin as admin:
        standing = admin.get("/v1/policy")
        tag = standing.headers["etag"]
        bare = admin.put("/v1/policy", json=document)
        assert (bare.status_code, bare.json()["code"]) == (428, "precondition_required")
        stale = admin.put("/v1/policy", json=document, headers={"If-Match": '"1-000000000000"'})
        assert (stale.status_code, stale.json()["code"]) == (412, "policy_changed")
        assert admin.get("/v1/policy").content == standing.content
        changed = admin.put("/v1/policy", json=document, headers={"If-Match": tag})
        assert changed.status_code == 200
        assert changed.json()["version"] == standing.json()["version"] + 1
        assert changed.headers["etag"] != tag
        again = admin.put("/v1/policy", json=document, headers={"If-Match": tag})
        assert (again.status_code, again.json()["code"]) == (412, "policy_changed")
        assert admin.get("/v1/policy").json() == changed.json()


def test_everything_wrong_with_a_policy_is_told_with_its_place(hub: RunningHub) -> None:
    base = policy()
    document = {
        "agencies": [
            *base["agencies"][:2],
            agency("510100.nothing", "无此类别"),
            agency("519999.audit", "无此区划"),
            agency("510100.media", "媒体"),
            agency(PETITION, "重复"),
            agency("510100.finance", "财政局", reports_to="510000.finance", acts_as=["bank"]),
        ],
        "grants": [
            {**receive(PETITION), "id": "same"},
            {**receive(PETITION), "id": "same"},
            {**receive(PETITION), "id": "both", "kind": "petition"},
            receive("510100.discipline"),
            {**without_none(receive(PETITION, agency=None)), "kind": "bank"},
            receive(PETITION, region="519999"),
            receive(PETITION, "petition.* clue.nothing cl*"),
        ],
        "recusals": [{"id": "r", "agency": DISCIPLINE, "case": "clue:1", "reason": "回避"}],
        "reason": "试验",
    }
    with hub.admin as admin:
        standing = admin.get("/v1/policy")
        headers = {"If-Match": standing.headers["etag"]}
        answer = admin.put("/v1/policy", json=document, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert [(e["code"], e["pointer"]) for e in answer.json()["errors"]] == [
            ("agency_id", "/agencies/2/id"),
            ("region_unknown", "/agencies/3/id"),
            ("kind_without_agency", "/agencies/4/id"),
            ("repeated", "/agencies/5/id"),
            ("agency_unknown", "/agencies/6/reports_to"),
            ("kind_unknown", "/agencies/6/acts_as/0"),
            ("repeated", "/grants/1/id"),
            ("subject", "/grants/2"),
            ("agency_unknown", "/grants/3/agency"),
            ("kind_unknown", "/grants/4/kind"),
            ("region_unknown", "/grants/5/region"),
            ("type_unknown", "/grants/6/types/1"),
            ("type_unknown", "/grants/6/types/2"),
            ("agency_unknown", "/recusals/0/agency"),
        ]
        assert admin.get("/v1/policy").content == standing.content


MALFORMED: dict[str, tuple[Event, str]] = {
    "an unknown part": ({"extras": []}, ""),
    "an agency without a name": ({"agencies": [{"id": PETITION}]}, "/agencies/0/name"),
    "an unknown class": ({"grants": [receive(PETITION, classes=["F9"])]}, "/grants/0/classes/0"),
    "an unknown level": ({"grants": [receive(PETITION, levels=["side"])]}, "/grants/0/levels/0"),
    "a time without its offset": (
        {"grants": [receive(PETITION, until="2026-01-01T00:00:00")]},
        "/grants/0/until",
    ),
    "no reason": ({"reason": None}, "/reason"),
    "an empty reason": ({"reason": " "}, "/reason"),
}


@pytest.mark.parametrize("what", sorted(MALFORMED))
def test_a_malformed_policy_is_refused_for(hub: RunningHub, what: str) -> None:
    change, pointer = MALFORMED[what]
    document = without_none({**policy(), "reason": "试验", **change})
    with hub.admin as admin:
        standing = admin.get("/v1/policy")
        headers = {"If-Match": standing.headers["etag"]}
        answer = admin.put("/v1/policy", json=document, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert pointer in [error["pointer"] for error in answer.json().get("errors", [])]
        assert admin.get("/v1/policy").content == standing.content


def test_each_part_of_the_policy_needs_its_role(fresh_hub: RunningHub) -> None:
    hub, roles = fresh_hub, ("system", "security", "auditor", "operator")
    with hub.admin as admin:
        tokens = {r: admin.post("/v1/tokens", json={"role": r}).json()["token"] for r in roles}
        standing = admin.get("/v1/policy").json()
        base = {name: standing[name] for name in ("agencies", "grants", "recusals")}
        record = {"id": "r", "agency": CITY, "case": "clue:1", "reason": "回避"}
        changes = {
            "agencies": {"agencies": [*base["agencies"], agency("510100.finance", "财政局")]},
            "grants": {"grants": base["grants"][1:]},
            "recusals": {"recusals": [record]},
        }
        allowed = set()
        for role in roles:
            with hub.client(tokens[role]) as client:
                for part, change in changes.items():
                    tag = admin.get("/v1/policy").headers["etag"]
                    document = {**base, **change, "reason": "试验"}
                    headers = {"If-Match": tag}
                    answer = client.put("/v1/policy", json=document, headers=headers)
                    if answer.status_code == 200:
                        allowed.add((role, part))
                        hub.apply(base)
                    else:
                        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert allowed == {("system", "agencies"), ("security", "grants"), ("security", "recusals")}


# --- expiry ---------------------------------------------------------------------------------------


def test_an_expired_event_is_kept_and_not_delivered(hub: RunningHub) -> None:
    reader, bureau = feed_of(hub, CITY, "expiry"), hub.agency(PETITION)
    receipts = bureau.accepted(
        petition("expiry-past", expirytime="2020-01-01T00:00:00+08:00", to=CITY),
        petition("expiry-future", expirytime="2099-01-01T00:00:00+08:00"),
        petition("expiry-none"),
    )
    assert ids(reader, "expiry") == ["XF-expiry-future", "XF-expiry-none"]
    shown = bureau.http.get(f"/v1/receipts/{receipts[0]['id']}").json()
    assert (shown["state"], shown) == ("registered", receipts[0])
