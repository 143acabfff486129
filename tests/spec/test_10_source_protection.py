"""Promise 10: protected content is in views that list it, and nowhere else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import STRUCTURED, AgencyClient, RunningHub, results_of, running_hub
from tests.sample import (
    AUDIT,
    CITY,
    COUNTY,
    DISCIPLINE,
    PETITION,
    briefing,
    clue,
    clue_received,
    petition,
    policy,
)
from tests.spec.storage import cells
from tests.spec.wire import Wire, head

Event = dict[str, Any]

# What no log line, error text, metric, refusal or index may hold: planted wherever text is taken.
CANARY = "KANARIE7F3A"


def holds_canary(text: str) -> bool:
    return CANARY.lower() in text.lower()


@pytest.fixture
def bureau(hub: RunningHub) -> AgencyClient:
    return hub.agency(PETITION)


@pytest.fixture
def office(hub: RunningHub) -> AgencyClient:
    """The city's office sees everything but F4."""
    reader = hub.agency(CITY)
    reader.subscribe("views", start="earliest")
    return reader


@pytest.fixture
def discipline(hub: RunningHub) -> AgencyClient:
    """The discipline office sees everything."""
    reader = hub.agency(DISCIPLINE)
    reader.subscribe("views", start="earliest")
    return reader


def accusation(number: str, **attributes: Any) -> Event:
    """A petition that accuses: its writer is a protected source."""
    data = {
        "purpose": {"code": "3"},
        "petitioner": None,
        "accuser": {"name": f"{CANARY}人", "phone": "19900000002", "address": f"{CANARY}路"},
        **attributes.pop("data", {}),
    }
    return petition(number, data=data, **attributes)


def found(reader: AgencyClient, id_: str) -> Event:
    (event,) = [e for e in reader.drain("views") if e["id"] == id_]
    return event


def raw_page(reader: AgencyClient, id_: str) -> bytes:
    """The bytes of the page that holds one event alone, what the hub adds left out."""
    reader.subscribe(f"only-{id_}", start="earliest", filters=[{"exact": {"id": id_}}])
    page = reader.page(f"only-{id_}", wait=20)
    assert [e["id"] for e in page.json()] == [id_]
    return page.content


# --- views ----------------------------------------------------------------------------------------


def test_source_protected_members_are_withheld_and_always_listed(
    bureau: AgencyClient, office: AgencyClient, discipline: AgencyClient
) -> None:
    present, absent = accusation("listed-1"), accusation("listed-2", data={"accuser": None})
    bureau.accepted(present, absent)
    visible = {name: value for name, value in present["data"].items() if name != "accuser"}
    for id_, data in (("XF-listed-1", visible), ("XF-listed-2", absent["data"])):
        view = found(office, id_)
        assert (view["hubwithheld"], view["data"]) == ("/accuser", data)
    for event in (present, absent):
        whole = found(discipline, event["id"])
        assert ("hubwithheld" in whole, whole["data"]) == (False, event["data"])


WRITTEN: dict[str, Any] = {
    "spaced": {"indent": 2, "ensure_ascii": False},
    "escaped": {"ensure_ascii": True},
    "compact": {"ensure_ascii": False, "separators": (",", ":")},
}


@pytest.mark.parametrize("how", sorted(WRITTEN))
def test_a_view_is_written_the_same_whether_there_is_a_source_or_not(
    bureau: AgencyClient, office: AgencyClient, how: str
) -> None:
    """Else spaces and escapes of the publisher would show that nothing was taken out."""
    ids = [f"XF-{how}-{n}" for n in (1, 2, 3)]
    events = [
        accusation("same", id=ids[0]),
        accusation("same", id=ids[1], data={"accuser": None}),
        accusation("same", id=ids[2]),
    ]
    events[2]["data"]["accuser"] = None
    sent = bureau.send(json.dumps(events, **WRITTEN[how]).encode())
    assert [r["status"] for r in results_of(sent)] == ["accepted"] * 3
    views = [raw_page(office, id_) for id_ in ids]
    data = [view[view.index(b'"data":') :] for view in views]
    assert data[0] == data[1] == data[2]


def test_of_several_protected_members_each_pointer_stands_once(
    hub: RunningHub, office: AgencyClient, discipline: AgencyClient
) -> None:
    hub.agency(CITY).accepted(clue("pointers", to=f"{DISCIPLINE} {CITY}"))
    view = found(office, "CL-pointers")
    assert view["hubwithheld"] == "/reporter"
    assert "reporter" not in view["data"]
    assert found(discipline, "CL-pointers")["data"]["reporter"]["sealed_ref"] == "MF-2026-0031"


def test_an_array_of_which_some_is_withheld_goes_as_a_whole(
    hub: RunningHub, bureau: AgencyClient
) -> None:
    reader = hub.agency(COUNTY)
    reader.subscribe("views", region="510000")
    one = [{"name": "甲某"}]
    bureau.accepted(
        petition("array-1", region="510104", data={"accused": one}),
        petition("array-3", region="510104", data={"accused": one * 3}),
    )
    views = [found(reader, f"XF-array-{n}") for n in (1, 3)]
    assert [("accused" in v["data"], "/accused" in v["hubwithheld"].split()) for v in views] == [
        (False, True)
    ] * 2


def test_an_array_of_whose_items_nothing_is_left_does_not_show_how_many_they_were(
    hub: RunningHub, bureau: AgencyClient
) -> None:
    """Handlers named by nothing but their names (F2), for a reader of F0 and F1."""
    reader = hub.agency(COUNTY)
    reader.subscribe("hollow", region="510000")
    handlers = [{"name": "甲某"}, {"name": "乙某"}, {"name": "丙某"}]
    bureau.accepted(
        petition("hollow-2", region="510104", data={"handlers": handlers[:2]}),
        petition("hollow-3", region="510104", data={"handlers": handlers}),
    )
    views = [e["data"].get("handlers") for e in reader.drain("hollow")]
    assert views == [None, None]


def test_pointers_into_arrays_are_written_without_indexes(
    hub: RunningHub, bureau: AgencyClient
) -> None:
    reader = hub.agency(COUNTY)
    reader.subscribe("pointers", region="510000")
    signed = "2026-10-08T09:00:00+08:00"
    handlers = [{"name": "甲某", "signed_at": signed}, {"name": "乙某", "signed_at": signed}]
    bureau.accepted(petition("indexes", region="510104", data={"handlers": handlers}))
    (view,) = reader.drain("pointers")
    assert view["data"]["handlers"] == [{"signed_at": signed}, {"signed_at": signed}]
    assert sorted(view["hubwithheld"].split()) == [
        "/accused",
        "/accuser",
        "/handlers/-/name",
        "/petitioner",
        "/summary",
    ]


NAMED = {
    "region": "510100",
    "cc": f"{DISCIPLINE} {CITY}",
    "phase": "pre",
    "correlationid": "case-1",
    "causationid": "0" * 32,
    "roundid": "14-11",
    "dataclassification": "internal",
    "classperiod": "1",
    "replydue": "2026-11-01",
    "supersedes": "XF-0",
    "resendof": "XF-0",
    "sequence": "1",
    "expirytime": "2099-01-01T00:00:00Z",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}


def test_a_view_carries_only_the_attributes_that_are_named(
    bureau: AgencyClient, office: AgencyClient, discipline: AgencyClient
) -> None:
    event = petition(
        "attributes", **NAMED, subject=CANARY, note=f"来源 {CANARY}", kanarie7f3a=1, flag=True
    )
    bureau.accepted(event)
    whole = found(discipline, "XF-attributes")
    assert {n: v for n, v in whole.items() if not n.startswith("hub")} == event
    view = found(office, "XF-attributes")
    assert not holds_canary(json.dumps(view, ensure_ascii=False))
    named = {n: v for n, v in event.items() if n in NAMED or n in ENVELOPE}
    assert {n: v for n, v in view.items() if not n.startswith("hub")} == named
    assert {n for n in view if n.startswith("hub")} == {
        "hubreceipt",
        "hubtime",
        "hubposition",
        "hubwithheld",
    }


ENVELOPE = (
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "dataschema",
    "datacontenttype",
    "data",
)


def test_a_filter_does_not_tell_what_a_view_leaves_out(
    hub: RunningHub, bureau: AgencyClient
) -> None:
    """Else a reader could guess a withheld attribute, prefix by prefix; to refuse it is well."""
    reader = hub.agency(CITY)
    guesses = {"right": "林", "wrong": "赵"}
    asked = {}
    for name, guess in guesses.items():
        body = {"id": f"guess-{name}", "filters": [{"prefix": {"subject": guess}}]}
        asked[name] = reader.http.post("/v1/subscriptions", json=body).status_code
    bureau.accepted(petition("guess", subject="林晓禾"))
    told = {}
    for name, status in asked.items():
        told[name] = reader.drain(f"guess-{name}") if status == 201 else status
    assert told["right"] == told["wrong"]


# --- canaries -------------------------------------------------------------------------------------


def leaves(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of every scalar, object and array."""
    yield at
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*at, name))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from leaves(inner, (*at, n))


def planted(document: Any, at: tuple[str | int, ...], value: Any) -> Any:
    """A copy of a document with another value at one place."""
    if not at:
        return value
    copy = document.copy()
    copy[at[0]] = planted(document[at[0]], at[1:], value)
    return copy


# Wrong in type, in form or in length, whatever the place.
BAD_VALUES: tuple[Any, ...] = (
    f"{CANARY}\u0007",
    CANARY * 2000,
    {CANARY: CANARY},
    [CANARY, {CANARY: [CANARY]}],
    f" {CANARY}",
)


def bad_events(event: Event) -> Iterator[Event]:
    """The event with a canary in each place in turn, in each of the ways to be wrong."""
    for at in leaves(event):
        if not at or at == ("id",):
            continue
        for value in BAD_VALUES:
            yield planted(event, at, value)
    for at in leaves(event["data"]):
        inner: Any = event["data"]
        for step in at:
            inner = inner[step]
        if isinstance(inner, dict):
            yield planted(event, ("data", *at), {**inner, CANARY.lower(): CANARY})
    yield {**event, CANARY: CANARY}
    yield {**event, f"hub{CANARY.lower()}": CANARY}
    yield {**event, "data_base64": CANARY}


def malformed(event: Event) -> Iterator[bytes]:
    """Bytes that are wrong as a whole, a canary in each."""
    text = json.dumps([event], ensure_ascii=False)
    yield text[:-20].encode()
    yield text.encode("gb18030")
    yield text.replace(CANARY, CANARY + "\\ud800").encode()
    yield text.replace(CANARY, CANARY + "\\x").encode()
    yield text.encode() + CANARY.encode()
    yield CANARY.encode()
    yield json.dumps({CANARY: CANARY}).encode()
    yield ("[" * 100 + f'"{CANARY}"' + "]" * 100).encode()
    yield json.dumps([planted(event, ("data",), [[[f"{CANARY}"] * 3] * 3] * 3)]).encode()
    deep: Any = CANARY
    for _ in range(40):
        deep = {CANARY: deep}
    yield json.dumps([{**event, "data": deep}]).encode()
    name = '"summary": '
    yield text.replace(name, f'"summary": "{CANARY}", {name}').encode()
    yield text.encode().replace(CANARY.encode(), CANARY.encode() + b"\xed\xa0\x80")


def answers_to_faults(hub: RunningHub) -> Iterator[tuple[str, str]]:
    """Everything that the hub answers to whoever sends canaries the wrong way."""
    bureau, office = hub.agency(PETITION), hub.agency(CITY)
    token = hub.token(PETITION)
    for client, event in (
        (bureau, accusation("bad")),
        (office, clue("bad", data={"summary": CANARY})),
        (hub.agency(AUDIT), briefing("bad")),
    ):
        bad = list(bad_events(event))
        for start in range(0, len(bad), 40):
            for mode in ("each", "all"):
                answer = client.publish(*bad[start : start + 40], mode=mode)
                yield f"{event['type']} {start}", answer.text
    event = accusation("malformed")
    for n, body in enumerate(malformed(event)):
        for media in (
            None,
            STRUCTURED,
            "application/json",
            f"text/{CANARY}",
            f"a; charset={CANARY}",
        ):
            answer = bureau.send(body, media=media) if media else bureau.send(body)
            yield f"malformed {n} as {media}", answer.text
    headers = {f"ce-{n}": str(v) for n, v in event.items() if n not in ("data", "datacontenttype")}
    headers["content-type"] = "application/json"
    for name, value in (
        ("ce-subject", f"%zz{CANARY}"),
        ("ce-subject", f"%FF{CANARY}"),
        ("ce-time", CANARY),
        ("ce-type", CANARY),
        ("ce-source", f"/{CANARY}"),
        ("ce-region", CANARY),
        ("ce-to", CANARY),
        ("ce-dataclassification", CANARY),
    ):
        data = json.dumps(event["data"])
        answer = bureau.http.post("/v1/events", content=data, headers={**headers, name: value})
        yield f"{name} {value}", answer.text
    yield "mode", bureau.publish(event, mode=CANARY).text
    same = accusation("reused")
    bureau.publish(same)
    yield "reused", bureau.publish({**same, "subject": CANARY}).text
    reply = clue_received("bad", opening="0" * 32, correlationid=CANARY, data={"room": CANARY})
    yield "opening", hub.agency(DISCIPLINE).publish(reply).text
    asked: tuple[Event, ...] = (
        {CANARY: CANARY},
        {"types": [CANARY]},
        {"id": f"{CANARY} "},
        {"filters": [{"exact": {CANARY: CANARY}}]},
        {"filters": [{"like": {CANARY: CANARY}}]},
        {"versions": {CANARY: CANARY}},
        {"start": CANARY},
    )
    for subscription in asked:
        yield (
            f"subscription {subscription}",
            office.http.post("/v1/subscriptions", json=subscription).text,
        )
    for query in ({"cursor": CANARY}, {"limit": CANARY}, {"wait": CANARY}):
        yield f"page {query}", office.page("all", **query).text
    yield "commit", office.commit(CANARY, "all").text
    yield "path", office.http.get(f"/v1/{CANARY}").text
    with hub.client(f"gt_{CANARY}") as nobody:
        yield "token", nobody.get("/v1/policy").text
    with Wire(hub) as wire:
        wire.send(head("/v1/events", token, length=1000) + CANARY.encode())
    with Wire(hub) as wire:
        wire.send(f"{CANARY} / HTTP/1.1\r\n{CANARY}\r\n\r\n".encode())
        yield "no HTTP", wire.answer().body.decode()


def test_no_canary_comes_out_whatever_goes_wrong(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with running_hub(directory) as hub:
        hub.apply(policy())
        readers = {id_: hub.agency(id_) for id_ in (CITY, DISCIPLINE, COUNTY)}
        for reader in readers.values():
            reader.subscribe("all", region="510000")
        shown = [text for text in answers_to_faults(hub) if holds_canary(text[1])]
        assert shown == []
        # What is in order is taken, canaries and all, and comes out in whole events alone.
        hub.agency(PETITION).accepted(accusation("good", subject=CANARY, data={"summary": CANARY}))
        pages = {id_: reader.drain("all") for id_, reader in readers.items()}
        assert "XF-good" in [event["id"] for event in pages[DISCIPLINE]]
        with hub.admin as admin:
            metrics = admin.get("/metrics").text
        assert "guantong_events_refused_total" in metrics
        assert not holds_canary(metrics)
        assert hub.stop() == 0
        assert hub.process.stdout is not None
        logged = [*hub.lines, hub.process.stdout.read()]
    assert any('"events.admitted"' in line for line in logged)
    assert any('"codes": ["' in line for line in logged)
    assert [line for line in logged if holds_canary(line)] == []
    # In the database it stands in the journal's columns of content and nowhere else: the
    # correlation is an attribute, which some of these events were accepted with.
    places = set()
    for table, column, value in cells(directory):
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        if holds_canary(text):
            places.add((table, column))
    assert ("journal", "data") in places
    assert places <= {("journal", "data"), ("journal", "attributes"), ("journal", "correlation")}


def test_the_names_of_the_accused_stand_in_no_index(tmp_path: Path) -> None:
    """They are matched by keyed hashes: nothing beside the payload holds a name or number."""
    directory = tmp_path / "data"
    with running_hub(directory) as hub:
        hub.apply(policy())
        unit = {"name": f"{CANARY}局", "uscc": "11510104000000115N", "orgcode": "000000115"}
        hub.agency(PETITION).accepted(petition("party", data={"accused": [{"unit": unit}]}))
        assert hub.stop() == 0
    places = set()
    for table, column, value in cells(directory):
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        if any(trait.lower() in text.lower() for trait in unit.values()):
            places.add((table, column))
    assert places == {("journal", "data")}
