"""Subscriptions (design 8): what is asked for is what is fed, from where it was asked for."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.running import PATIENCE, AgencyClient, RunningHub, running_hub
from tests.sample import (
    AUDIT,
    CITY,
    COUNTY,
    DISCIPLINE,
    PETITION,
    briefing,
    clue,
    clue_received,
    grant,
    petition,
    policy,
)

Event = dict[str, Any]


@pytest.fixture
def reader(hub: RunningHub) -> Iterator[AgencyClient]:
    """The discipline office without any subscription yet; it may receive everything."""
    hub.apply(policy(grants=[*policy()["grants"], grant(DISCIPLINE, "receive", "*")]))
    client = hub.agency(DISCIPLINE)
    for item in client.http.get("/v1/subscriptions", params={"limit": 1000}).json()["items"]:
        client.http.delete(f"/v1/subscriptions/{item['id']}")
    yield client


def ids(client: AgencyClient, id_: str) -> list[str]:
    return [event["id"] for event in client.drain(id_)]


def follow(client: AgencyClient, id_: str, last: str) -> list[str]:
    """The ids read by long polls up to the event `last`."""
    found: list[str] = []
    query: dict[str, Any] = {"limit": 700, "wait": 20}
    while last not in found:
        page = client.page(id_, **query)
        assert page.json(), "a long poll ended without the events that are there"
        found.extend(event["id"] for event in page.json())
        query["cursor"] = page.headers["guantong-cursor"]
    return found


# --- making, changing, ending ---------------------------------------------------------------------


def test_a_subscription_is_told_whole_with_what_was_not_asked_for(reader: AgencyClient) -> None:
    answer = reader.http.post(
        "/v1/subscriptions", json={"id": "whole", "types": ["petition.case_transferred"]}
    )
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert made.pop("cursor") == reader.page("whole").headers["guantong-cursor"]
    assert made.pop("created").endswith("Z")
    assert made == {
        "id": "whole",
        "agency": DISCIPLINE,
        "types": ["petition.case_transferred"],
        "region": "510100",
        "start": "now",
        "filters": [],
        "versions": {"petition.case_transferred": "1.0"},
        "delivery": {"channel": "pull"},
        "ready": True,
        "expired": 0,
    }


def test_the_same_id_and_body_again_is_the_subscription_that_stands(reader: AgencyClient) -> None:
    body = {
        "id": "again",
        "types": ["petition.*"],
        "filters": [{"exact": {"phase": "on"}}],
        "versions": {"petition.case_transferred": "1.0"},
    }
    first = reader.http.post("/v1/subscriptions", json=body)
    again = reader.http.post("/v1/subscriptions", json=dict(reversed(body.items())))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


@pytest.mark.parametrize(
    "change",
    [
        {"types": ["clue.*"]},
        {"region": "510104"},
        {"start": "earliest"},
        {"filters": [{"exact": {"phase": "on"}}]},
    ],
)
def test_the_same_id_with_another_body_is_refused(
    reader: AgencyClient, change: dict[str, Any]
) -> None:
    made = reader.subscribe("other", types=["petition.*"])
    body = {"id": "other", "types": ["petition.*"], **change}
    answer = reader.http.post("/v1/subscriptions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert reader.http.get("/v1/subscriptions/other").json() == made


def test_without_an_id_each_call_makes_a_subscription(reader: AgencyClient) -> None:
    answers = [reader.http.post("/v1/subscriptions", json={}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    one, other = (answer.json()["id"] for answer in answers)
    listed = reader.http.get("/v1/subscriptions").json()["items"]
    assert sorted(item["id"] for item in listed) == sorted([one, other])


WRONG: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "an unknown type": ({"types": ["clue.nothing"]}, [("type_unknown", "/types/0")]),
    "an unknown family": ({"types": ["*", "nothing.*"]}, [("type_unknown", "/types/1")]),
    "half a family": ({"types": ["cl*"]}, [("type_unknown", "/types/0")]),
    "half a type": ({"types": ["clue.trans*"]}, [("type_unknown", "/types/0")]),
    "any family's type": ({"types": ["*.transferred"]}, [("type_unknown", "/types/0")]),
    "no type": ({"types": []}, [("too_few", "/types")]),
    "an unknown region": ({"region": "519999"}, [("region_unknown", "/region")]),
    "no region code": ({"region": "5101"}, [("format", "/region")]),
    "an unknown channel": (
        {"delivery": {"channel": "pigeon"}},
        [("value_not_allowed", "/delivery/channel")],
    ),
    "an id with a slash": ({"id": "a/b"}, [("format", "/id")]),
    "an undeclared member": ({"tipes": ["*"]}, [("undeclared", "")]),
}


@pytest.mark.parametrize("what", sorted(WRONG))
def test_a_subscription_is_refused_with(reader: AgencyClient, what: str) -> None:
    body, expected = WRONG[what]
    answer = reader.http.post("/v1/subscriptions", json=body)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert [(e["code"], e["pointer"]) for e in answer.json()["errors"]] == expected
    assert reader.http.get("/v1/subscriptions").json() == {"items": [], "next": None}


FILTERS_REFUSED: list[Any] = [
    {"suffix": {"id": "a"}},
    {"exact": {}},
    {"exact": {"id": ""}},
    {"exact": {"ID": "a"}},
    {"exact": {"id": "a"}, "prefix": {"id": "a"}},
    {"all": []},
    {},
]


@pytest.mark.parametrize("filter_", FILTERS_REFUSED, ids=str)
def test_a_filter_of_no_known_dialect_is_refused(reader: AgencyClient, filter_: Any) -> None:
    answer = reader.http.post("/v1/subscriptions", json={"filters": [filter_]})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"]
    assert all(e["pointer"].startswith("/filters/0") for e in answer.json()["errors"])


def test_a_change_takes_effect_from_the_next_event_on_and_filters_from_the_next_reading(
    hub: RunningHub, reader: AgencyClient
) -> None:
    made = reader.subscribe("changed", types=["petition.*"])
    bureau, office = hub.agency(PETITION), hub.agency(CITY)
    bureau.accepted(petition("changed-1"))
    office.accepted(clue("changed-1"))
    changed = reader.http.patch("/v1/subscriptions/changed", json={"types": ["clue.*"]})
    assert changed.status_code == 200
    clues = {f"clue.{name}": "1.0" for name in ("concluded", "received", "returned")}
    pinned = {**clues, "clue.transferred": "2.0", "petition.case_transferred": "1.0"}
    assert changed.json()["versions"].items() >= pinned.items()
    kept = ("id", "agency", "region", "start", "filters", "delivery", "cursor", "created")
    assert [changed.json()[name] for name in kept] == [made[name] for name in kept]
    assert changed.json()["types"] == ["clue.*"]
    bureau.accepted(petition("changed-2"))
    office.accepted(clue("changed-2"))
    assert ids(reader, "changed") == ["XF-changed-1", "CL-changed-2"]
    reader.http.patch("/v1/subscriptions/changed", json={"types": ["*"], "region": "510104"})
    bureau.accepted(petition("changed-3"), petition("changed-4", region="510104"))
    filters = {"filters": [{"prefix": {"id": "XF-changed-6"}}]}
    reader.http.patch("/v1/subscriptions/changed", json=filters)
    bureau.accepted(*(petition(f"changed-{n}", region="510104") for n in (5, 6)))
    assert ids(reader, "changed") == ["XF-changed-6"]
    reader.http.patch("/v1/subscriptions/changed", json={"filters": []})
    numbers = [4, 5, 6]
    assert ids(reader, "changed")[2:] == [f"XF-changed-{n}" for n in numbers]


def test_a_wrong_change_changes_nothing(reader: AgencyClient) -> None:
    made = reader.subscribe("steady")
    for body in ({"types": ["clue.nothing"]}, {"start": "earliest"}, {"id": "x"}, {"region": "x"}):
        answer = reader.http.patch("/v1/subscriptions/steady", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert reader.http.get("/v1/subscriptions/steady").json() == made


def test_an_ended_subscription_is_gone_and_its_id_is_free(
    hub: RunningHub, reader: AgencyClient
) -> None:
    bureau = hub.agency(PETITION)
    reader.subscribe("ended")
    bureau.accepted(petition("ended-1"))
    answer = reader.http.delete("/v1/subscriptions/ended")
    assert (answer.status_code, answer.content) == (204, b"")
    for gone in (reader.page("ended"), reader.http.delete("/v1/subscriptions/ended")):
        assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    reader.subscribe("ended", types=["petition.*"])
    bureau.accepted(petition("ended-2"))
    assert ids(reader, "ended") == ["XF-ended-2"]


def test_a_poll_whose_subscription_is_ended_meanwhile_is_told_so(
    hub: RunningHub, reader: AgencyClient
) -> None:
    """A waiting poll looks again before it answers."""
    reader.subscribe("gone")
    waiting = hub.agency(DISCIPLINE)
    waiting.page("gone")
    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(waiting.page, "gone", wait=60)
        reader.http.delete("/v1/subscriptions/gone")
        answer = polling.result(timeout=PATIENCE)
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


NOT_FOUND = {
    "type": "urn:guantong:problem:not_found",
    "status": 404,
    "code": "not_found",
    "title": "没有找到",
    "title_en": "not found",
    "detail": "",
    "retryable": False,
}


def test_a_list_comes_in_pages(reader: AgencyClient) -> None:
    names = [f"list-{n:02}" for n in range(7)]
    made = {name: reader.subscribe(name) for name in reversed(names)}
    seen: list[dict[str, Any]] = []
    after, pages = "", 0
    while True:
        page = reader.http.get("/v1/subscriptions", params={"limit": 3, "after": after}).json()
        assert page.keys() == {"items", "next"}
        assert len(page["items"]) <= 3
        seen.extend(page["items"])
        pages += 1
        if page["next"] is None:
            break
        after = page["next"]
    assert (pages, seen) == (3, [made[name] for name in names])
    whole = reader.http.get("/v1/subscriptions", params={"limit": 7}).json()
    assert whole == {"items": seen, "next": None}


# --- what is fed ----------------------------------------------------------------------------------


def test_types_are_single_families_or_all(hub: RunningHub, reader: AgencyClient) -> None:
    asked = {
        "all": ["*"],
        "family": ["clue.*"],
        "one": ["clue.transferred"],
        "two": ["petition.case_transferred", "briefing.*"],
        "overlapping": ["*", "clue.*", "clue.transferred"],
    }
    for name, types in asked.items():
        reader.subscribe(name, types=types)
    hub.agency(PETITION).accepted(petition("types"))
    hub.agency(CITY).accepted(clue("types"))
    hub.agency(AUDIT).accepted(briefing("types"))
    own = clue("types-own", publisher=DISCIPLINE, to=f"{DISCIPLINE} {CITY}")
    (receipt,) = reader.accepted(own)
    reader.accepted(clue_received("types-own", opening=receipt["id"]))
    everything = ["XF-types", "CL-types", "BR-types", "CL-types-own", "CL-types-own-received"]
    assert {name: ids(reader, name) for name in asked} == {
        "all": everything,
        "family": ["CL-types", "CL-types-own", "CL-types-own-received"],
        "one": ["CL-types", "CL-types-own"],
        "two": ["XF-types", "BR-types"],
        "overlapping": everything,
    }


FILTERS: dict[str, tuple[list[Any], list[int]]] = {
    "none": ([], [0, 1, 2, 3]),
    "exact": ([{"exact": {"roundid": "14-11"}}], [0, 1]),
    "exact, of two": ([{"exact": {"roundid": "14-11", "phase": "on"}}], [1]),
    "exact, nobody's": ([{"exact": {"roundid": "14-1"}}], []),
    "prefix": ([{"prefix": {"roundid": "14-1"}}], [0, 1, 2]),
    "prefix, of two": ([{"prefix": {"roundid": "14-1", "phase": "o"}}], [1]),
    "all": ([{"all": [{"prefix": {"roundid": "14"}}, {"exact": {"phase": "pre"}}]}], [0, 2]),
    "several": ([{"prefix": {"roundid": "14"}}, {"exact": {"phase": "on"}}], [1]),
    "of the envelope": (
        [{"exact": {"type": "petition.case_transferred", "source": f"/{PETITION}"}}],
        [0, 1, 2, 3],
    ),
    "of an absent attribute": ([{"exact": {"to": DISCIPLINE}}], []),
    "of text that looks like a number": ([{"exact": {"sequence": "07"}}], [1]),
}


def test_filters_hold_together_by_the_published_attributes(
    hub: RunningHub, reader: AgencyClient
) -> None:
    for n, (filters, _) in enumerate(FILTERS.values()):
        reader.subscribe(f"filter-{n}", filters=filters)
    hub.agency(PETITION).accepted(
        petition("filter-0", roundid="14-11", phase="pre"),
        petition("filter-1", roundid="14-11", phase="on", sequence="07"),
        petition("filter-2", roundid="14-12", phase="pre", sequence="7"),
        petition("filter-3"),
    )
    seen = {name: ids(reader, f"filter-{n}") for n, name in enumerate(FILTERS)}
    assert seen == {
        name: [f"XF-filter-{n}" for n in wanted] for name, (_, wanted) in FILTERS.items()
    }


@pytest.mark.parametrize("name", ["subject", "note"])
@pytest.mark.parametrize("dialect", ["exact", "prefix"])
def test_a_filter_asks_only_for_what_every_view_carries(
    reader: AgencyClient, dialect: str, name: str
) -> None:
    inner = {dialect: {name: "甲"}}
    for filters in ([inner], [{"all": [{"exact": {"phase": "on"}}, inner]}]):
        answer = reader.http.post("/v1/subscriptions", json={"filters": filters})
        errors = [(e["code"], e["pointer"]) for e in answer.json()["errors"]]
        assert (answer.status_code, errors) == (422, [("filter_attribute", "/filters/0")])
    reader.subscribe("named")
    changed = reader.http.patch("/v1/subscriptions/named", json={"filters": [inner]})
    assert changed.status_code == 422


def test_a_region_is_the_agencys_own_unless_asked_for_and_covers_what_lies_below(
    hub: RunningHub, reader: AgencyClient
) -> None:
    county = hub.agency(COUNTY)
    hub.apply(policy(grants=[*policy()["grants"], grant(COUNTY, "receive", "*", region="510000")]))
    assert county.subscribe("default")["region"] == "510104"
    for name, region in (("city", "510100"), ("west", "510105"), ("other", "520100")):
        assert county.subscribe(name, region=region)["region"] == region
    hub.agency(PETITION).accepted(
        petition("region-city"),
        petition("region-east", region="510104"),
        petition("region-west", region="510105"),
    )
    seen = {name: ids(county, name) for name in ("default", "city", "west", "other")}
    assert seen == {
        "default": ["XF-region-east"],
        "city": ["XF-region-city", "XF-region-east", "XF-region-west"],
        "west": ["XF-region-west"],
        "other": [],
    }


def test_what_is_addressed_to_the_agency_comes_from_any_region(
    hub: RunningHub, reader: AgencyClient
) -> None:
    county = hub.agency(COUNTY)
    county.subscribe("addressed")
    county.subscribe("addressed-clues", types=["clue.*"])
    hub.agency(PETITION).accepted(
        petition("addressed-1", region="510105"),
        petition("addressed-2", region="510105", to=COUNTY),
        petition("addressed-3", region="510105", cc=COUNTY),
    )
    assert ids(county, "addressed") == ["XF-addressed-2", "XF-addressed-3"]
    assert ids(county, "addressed-clues") == []


# --- where it starts ------------------------------------------------------------------------------


def test_a_subscription_starts_with_the_next_event(hub: RunningHub, reader: AgencyClient) -> None:
    bureau = hub.agency(PETITION)
    bureau.accepted(petition("start-1"))
    reader.subscribe("start")
    bureau.accepted(petition("start-2"))
    assert ids(reader, "start") == ["XF-start-2"]


OLD = 6000


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub with thousands of events from before any subscription."""
    with running_hub(tmp_path_factory.mktemp("aged")) as hub:
        hub.apply(policy())
        bureau = hub.agency(PETITION)
        for start in range(0, OLD, 1000):
            bureau.accepted(*(petition(n) for n in range(start, start + 1000)))
        yield hub


def test_from_the_earliest_on_nothing_is_missed_or_doubled_while_new_events_arrive(
    aged: RunningHub,
) -> None:
    reader, bureau = aged.agency(DISCIPLINE), aged.agency(PETITION)

    def publish() -> None:
        for n in range(100):
            bureau.accepted(petition(f"new-{n}"))

    with ThreadPoolExecutor(5) as pool:
        publishing = pool.submit(publish)
        readings = []
        for name in ("a", "b"):
            reader.subscribe(f"earliest-{name}", start="earliest")
            one = aged.agency(DISCIPLINE)
            readings.append(pool.submit(follow, one, f"earliest-{name}", "XF-new-99"))
        publishing.result(PATIENCE)
        expected = [*(f"XF-{n}" for n in range(OLD)), *(f"XF-new-{n}" for n in range(100))]
        for reading in readings:
            assert reading.result(PATIENCE) == expected
    shown = reader.http.get("/v1/subscriptions/earliest-a").json()
    assert (shown["start"], shown["ready"]) == ("earliest", True)


def test_past_events_are_matched_like_new_ones(aged: RunningHub) -> None:
    reader = aged.agency(DISCIPLINE)
    filters = [{"exact": {"id": "XF-17"}}]
    reader.subscribe("past-one", start="earliest", filters=filters)
    reader.subscribe("past-none", start="earliest", types=["clue.*"])
    assert [e["id"] for e in reader.page("past-one", wait=20).json()] == ["XF-17"]
    aged.agency(CITY).accepted(clue("past"))
    assert [e["id"] for e in reader.page("past-none", wait=20).json()] == ["CL-past"]


def test_the_reply_to_an_opening_of_the_past_reaches_a_subscription_made_since(
    hub: RunningHub, reader: AgencyClient
) -> None:
    audit = hub.agency(AUDIT)
    (receipt,) = audit.accepted(clue("past-reply", publisher=AUDIT))
    reader.accepted(clue_received("past-reply", opening=receipt["id"]))
    audit.subscribe("since", start="earliest", types=["clue.received"])
    page = audit.page("since", wait=20)
    assert [e["id"] for e in page.json()] == ["CL-past-reply-received"]


def test_filling_goes_on_where_a_killed_hub_left_it(tmp_path: Path) -> None:
    with running_hub(tmp_path / "data") as hub:
        hub.apply(policy())
        bureau, reader = hub.agency(PETITION), hub.agency(DISCIPLINE)
        for start in range(0, 5000, 1000):
            bureau.accepted(*(petition(n) for n in range(start, start + 1000)))
        reader.subscribe(start="earliest")
        hub.kill()
    with running_hub(tmp_path / "data") as again:
        reader = AgencyClient(DISCIPLINE, again.client(hub.token(DISCIPLINE)))
        assert follow(reader, "all", "XF-4999") == [f"XF-{n}" for n in range(5000)]
