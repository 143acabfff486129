"""Promise 7: a released contract stands; what is delivered fits the schema that is published."""

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.catalogue import load_catalogue
from tests.running import AgencyClient, RunningHub
from tests.sample import AUDIT, CITY, DISCIPLINE, PETITION, agency, clue, grant, petition, policy

Event = dict[str, Any]
Schema = dict[str, Any]
TYPES = [
    "briefing.provided",
    "clue.concluded",
    "clue.disposition_decided",
    "clue.received",
    "clue.returned",
    "clue.transferred",
    "petition.case_transferred",
]
CLASS = "x-guantong-class"


@pytest.fixture
def reader(hub: RunningHub) -> AgencyClient:
    return hub.agency(DISCIPLINE)


def schema_of(client: AgencyClient, type_: str, *, view: bool = False) -> Schema:
    path = f"/v1/contracts/{type_}/1.0" + ("/view" if view else "")
    answer = client.http.get(path)
    assert answer.status_code == 200, answer.text
    found: Schema = answer.json()
    return found


# --- the catalogue --------------------------------------------------------------------------------


def test_the_catalogue_lists_every_type_with_its_metadata(reader: AgencyClient) -> None:
    listed = reader.http.get("/v1/contracts").json()
    assert listed["next"] is None
    assert [item["type"] for item in listed["items"]] == list(load_catalogue().types())
    for item in listed["items"]:
        assert reader.http.get(f"/v1/contracts/{item['type']}").json() == item
        released = [contract.version for contract in load_catalogue().versions(item["type"])]
        assert item["versions"] == released
        assert item["dataschema"] == f"urn:guantong:contract:{item['type']}:{released[-1]}"
        assert item["family"] == item["type"].partition(".")[0]
    by_type = {item["type"]: item for item in listed["items"]}
    replies = [name for name in by_type if "clue.transferred" in by_type[name]["answers"]]
    assert by_type["clue.transferred"]["replies"] == replies
    assert replies == [
        "clue.concluded",
        "clue.disposition_decided",
        "clue.extended",
        "clue.merged",
        "clue.progress_reported",
        "clue.received",
        "clue.returned",
        "clue.split",
    ]
    petitions = by_type["petition.case_transferred"]
    assert (petitions["key"], petitions["parties"], petitions["denied"], petitions["due"]) == (
        "/petitionid",
        [{"pointer": "/accused/-/unit", "role": "accused"}],
        ["inspected-party"],
        "petition.acceptance",
    )
    assert petitions["custodians"] == ["discipline", "inspection-office", "petition"]
    assert petitions["receivers"]["inspection-office"] == {
        "same": "full",
        "up": "masked",
        "down": "masked",
    }


def test_reading_contracts_needs_a_token(hub: RunningHub) -> None:
    paths = ("", "/clue.received", "/clue.received/1.0", "/clue.received/1.0/view")
    with hub.client(None) as nobody:
        answers = [nobody.get(f"/v1/contracts{path}") for path in paths]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(401, "unauthenticated")] * 4


def test_an_unknown_contract_is_not_found(reader: AgencyClient) -> None:
    for path in ("clue.nothing", "clue.received/2.0", "clue.received/2.0/view", "clue.nothing/1.0"):
        answer = reader.http.get(f"/v1/contracts/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("suffix", ["", "/view"])
@pytest.mark.parametrize("type_", TYPES)
def test_a_schema_may_be_kept_for_good(reader: AgencyClient, type_: str, suffix: str) -> None:
    path = f"/v1/contracts/{type_}/1.0{suffix}"
    answer = reader.http.get(path)
    assert answer.headers["content-type"] == "application/schema+json"
    assert "immutable" in answer.headers["cache-control"]
    schema = answer.json()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:guantong:contract:{type_}:1.0" + suffix.replace("/", ":")
    tag = answer.headers["etag"]
    again = reader.http.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    changed = reader.http.get(path, headers={"If-None-Match": '"old"'})
    assert (changed.status_code, changed.content) == (200, answer.content)


@pytest.mark.parametrize("form", ['"old", {tag}', "W/{tag}", "*"])
def test_a_schema_that_is_known_is_told_so_in_every_form_of_asking(
    reader: AgencyClient, form: str
) -> None:
    """If-None-Match is a list, is compared weakly, and may be `*` (RFC 9110, 13.1.2)."""
    path = "/v1/contracts/clue.received/1.0"
    tag = reader.http.get(path).headers["etag"]
    answer = reader.http.get(path, headers={"If-None-Match": form.format(tag=tag)})
    assert (answer.status_code, answer.content) == (304, b"")


def test_a_hub_that_starts_anew_tells_the_same_schemas(
    hub: RunningHub, fresh_hub: RunningHub
) -> None:
    here, there = hub.agency(DISCIPLINE).http, fresh_hub.agency(DISCIPLINE).http
    for type_ in TYPES:
        for path in (f"/v1/contracts/{type_}/1.0", f"/v1/contracts/{type_}/1.0/view"):
            one, other = here.get(path), there.get(path)
            assert (one.content, one.headers["etag"]) == (other.content, other.headers["etag"])


# --- views ----------------------------------------------------------------------------------------

UNITS = {
    "510100.discipline.c0": ["F0"],
    "510100.discipline.c1": ["F0", "F1"],
    "510100.discipline.c2": ["F0", "F1", "F2"],
    "510100.discipline.c3": ["F0", "F1", "F2", "F3"],
    "510100.discipline.c4": ["F0", "F1", "F2", "F3", "F4"],
    "510100.discipline.odd": ["F0", "F1", "F3"],
}


def examples() -> Iterator[tuple[str, Event]]:
    """The payloads that the contracts are published with: type and payload."""
    for type_ in TYPES:
        folder = files("contracts") / type_.partition(".")[0] / "examples" / "valid"
        for path in sorted(folder.iterdir(), key=lambda path: path.name):
            if path.name.rpartition("-")[0] == type_:
                yield type_, json.loads(path.read_text(encoding="utf-8"))


def published(hub: RunningHub) -> dict[str, tuple[str, Event]]:
    """Every example as an event that all units get: id → type and payload."""
    everybody = " ".join(UNITS)
    publishers = {"petition": PETITION, "briefing": AUDIT, "clue": DISCIPLINE}
    found: dict[str, tuple[str, Event]] = {}
    for n, (type_, data) in enumerate(examples()):
        family, publisher = type_.partition(".")[0], publishers[type_.partition(".")[0]]
        event = {
            **petition("example"),
            "id": f"example-{n}",
            "source": f"/{publisher}",
            "type": type_,
            "dataschema": f"urn:guantong:contract:{type_}:1.0",
            "data": data,
        }
        if family == "clue" and type_ != "clue.transferred":
            opening = clue(f"opening-{n}", cc=everybody, data={"clueid": data["clueid"]})
            receipt = hub.agency(CITY).accepted(opening)[0]
            event |= {
                "causationid": receipt["id"],
                "correlationid": opening["correlationid"],
            }
        hub.agency(publisher).accepted(event)
        found[event["id"]] = (type_, data)
    return found


def visible(
    value: Event, schema: Mapping[str, Any], root: Schema, classes: list[str], above: str = "F0"
) -> Event:
    """What a reader of these classes may see, by the published schema's field classes alone."""
    found = {}
    for name, inner in value.items():
        member = schema["properties"][name]
        effective = max(above, member[CLASS])
        if effective not in classes:
            continue
        part = part_of(member, root)
        if part is None:
            found[name] = inner
        elif not can_show(part, root, classes, effective):
            continue
        else:
            many = inner if isinstance(inner, list) else [inner]
            left = [visible(item, part, root, classes, effective) for item in many]
            # What was taken out to the last is left out, so that counts do not leak.
            if left != many and not all(left) and effective != "F0":
                continue
            found[name] = left if isinstance(inner, list) else left[0]
    return found


def can_show(part: Schema, root: Schema, classes: list[str], above: str) -> bool:
    """Whether an object could have a member for a reader of these classes."""
    for member in part["properties"].values():
        effective = max(above, member[CLASS])
        inner = part_of(member, root)
        if effective in classes and (inner is None or can_show(inner, root, classes, effective)):
            return True
    return False


def part_of(schema: Mapping[str, Any], root: Schema) -> Schema | None:
    """The object that a member holds, alone, in an array, or beside null."""
    if "$ref" in schema:
        found: Schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
        return found if "properties" in found else None
    if "items" in schema:
        return part_of(schema["items"], root)
    inner = (part_of(choice, root) for choice in schema.get("anyOf", ()))
    return next((part for part in inner if part is not None), None)


@pytest.fixture(scope="module")
def delivered(hub: RunningHub) -> tuple[dict[str, tuple[str, Event]], dict[str, list[Event]]]:
    """All examples as published, and as each unit gets them."""
    base = policy()
    units = [agency(id_, id_) for id_ in UNITS]
    hub.apply(
        {
            "agencies": [*base["agencies"], *units],
            "grants": [
                *base["grants"],
                grant(AUDIT, "publish", "*", region="510000"),
                *(grant(id_, "receive", "*", classes=classes) for id_, classes in UNITS.items()),
            ],
            "recusals": [],
        }
    )
    for id_ in UNITS:
        hub.agency(id_).subscribe(region="510000", versions={"clue.transferred": "1.0"})
    sent = published(hub)
    return sent, {id_: hub.agency(id_).drain() for id_ in UNITS}


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_a_view_holds_just_what_its_reader_may_see_and_fits_the_schema_of_views(
    hub: RunningHub,
    delivered: tuple[dict[str, tuple[str, Event]], dict[str, list[Event]]],
    unit: str,
) -> None:
    sent, views = delivered
    reader = hub.agency(unit)
    schemas = {type_: schema_of(reader, type_) for type_ in TYPES}
    of_views = {type_: Draft202012Validator(schema_of(reader, type_, view=True)) for type_ in TYPES}
    got = {view["id"]: view for view in views[unit] if view["id"] in sent}
    openings = {id_ for id_, (type_, _) in sent.items() if type_ not in REPLIES}
    assert openings <= got.keys()
    assert unit != "510100.discipline.c4" or got.keys() == sent.keys()
    for id_, view in got.items():
        type_, data = sent[id_]
        expected = visible(data, schemas[type_], schemas[type_], UNITS[unit])
        assert view["data"] == expected, id_
        assert list(of_views[type_].iter_errors(view["data"])) == [], id_
        protected = "F4" in json.dumps(schemas[type_]) and "F4" not in UNITS[unit]
        assert ("hubwithheld" in view) == (expected != data or protected), id_
        withheld = view.get("hubwithheld", "").split()
        assert len(set(withheld)) == len(withheld)
        for pointer in withheld:
            assert not found_at(view["data"], pointer.split("/")[1:]), (id_, pointer)
        if "hubwithheld" not in view:
            Draft202012Validator(schemas[type_]).validate(view["data"])


REPLIES = {"clue.concluded", "clue.disposition_decided", "clue.received", "clue.returned"}


def found_at(value: Any, steps: list[str]) -> bool:
    """Whether a document has something at a pointer whose `-` stands for every index."""
    if not steps:
        return True
    if isinstance(value, list):
        return any(found_at(item, steps[1:]) for item in value)
    return steps[0] in value and found_at(value[steps[0]], steps[1:])


def test_what_the_schema_refuses_of_the_shipped_examples_the_hub_refuses_too(
    hub: RunningHub,
) -> None:
    """And the other way: nothing that the hub accepts breaks the published schema."""
    bureau = hub.agency(PETITION)
    validator = Draft202012Validator(schema_of(bureau, "petition.case_transferred"))
    good = petition("schema")["data"]
    changes: list[Event] = [
        {},
        {"people": -1},
        {"people": "3"},
        {"people": None},
        {"place": "51010"},
        {"date": "8.10.2026"},
        {"summary": ""},
        {"joint": 1},
        {"accused": {}},
        {"accused": [{"name": 1}]},
        {"accused": [{"naem": "甲"}]},
        {"undeclared": 1},
        {"due": {"date": "2026-11-01"}},
        {"due": None},
        {"letter": {"urgency": "很急"}},
        {"letter": {"urgency": "特急"}},
    ]
    for n, change in enumerate(changes):
        data = {**good, **change}
        event = {**petition(f"schema-{n}"), "data": data}
        fits = validator.is_valid(data)
        assert (bureau.publish(event).status_code == 200) == fits, change


# --- pins -----------------------------------------------------------------------------------------


def test_a_subscription_pins_every_type_it_names_to_the_newest_version(
    reader: AgencyClient,
) -> None:
    for pattern in ("*", "clue.*", "petition.case_transferred"):
        newest = {
            t: load_catalogue().versions(t)[-1].version for t in load_catalogue().types(pattern)
        }
        made = reader.subscribe(f"pins-{len(newest)}", types=[pattern])
        assert made["versions"] == newest
        assert reader.http.get(f"/v1/subscriptions/{made['id']}").json() == made


def test_a_pin_stands_as_asked_for_and_must_name_a_version(reader: AgencyClient) -> None:
    pins = {"clue.transferred": "1.0"}
    made = reader.subscribe("pinned", types=["clue.transferred"], versions=pins)
    assert made["versions"] == pins
    for unknown in ({"clue.transferred": "9.9"}, {"clue.nothing": "1.0"}):
        answer = reader.http.post("/v1/subscriptions", json={"id": "x", "versions": unknown})
        assert answer.status_code == 422
        assert [e["code"] for e in answer.json()["errors"]] == ["version_unknown"]
        changed = reader.http.patch("/v1/subscriptions/pinned", json={"versions": unknown})
        assert changed.status_code == 422
    assert reader.http.get("/v1/subscriptions/pinned").json() == made


def test_an_event_comes_in_the_version_that_was_pinned(
    hub: RunningHub, reader: AgencyClient
) -> None:
    hub.apply(policy())
    made = reader.subscribe("version", types=["petition.*"])
    hub.agency(PETITION).accepted(petition("version"))
    (found,) = reader.drain("version")
    version = made["versions"][found["type"]]
    assert found["dataschema"] == f"urn:guantong:contract:{found['type']}:{version}"
