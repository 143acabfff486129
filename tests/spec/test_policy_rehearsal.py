"""A policy is rehearsed: what a change is, what it would do, what is odd in it; nothing happens."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.running import RunningHub, running_hub
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
    clue_concluded,
    clue_received,
    grant,
    petition,
    policy,
)
from tests.spec.rehearsing import Document, changed, put, rehearsed, with_added, without
from tests.spec.storage import cells

FINANCE: Final = "510100.finance"
ORGANIZATION: Final = "510100.organization"
POLITICAL: Final = "510100.political-legal"
COUNTY_AUDIT: Final = "510104.audit"
BUREAU: Final = "510100.functional-dept.bureau-a"
LONG_AGO: Final = "2020-01-01"
OPEN: Final = ["F0", "F1"]
ALL: Final = ["F0", "F1", "F2", "F3", "F4"]
AUDITED: Final = "示范市某管理局"


def world() -> Document:
    """A city's policy with a dozen agencies of which each may receive something."""
    base = policy()
    return {
        **base,
        "agencies": [
            *base["agencies"],
            agency(FINANCE, "示范市财政局"),
            agency(ORGANIZATION, "示范市委组织部"),
            agency(POLITICAL, "示范市委政法委"),
            agency(BUREAU, "示范市某服务局"),
        ],
        "grants": [
            *base["grants"],
            grant(FINANCE, "receive", "*", classes=[*OPEN, "F2"]),
            grant(ORGANIZATION, "receive", "clue.*", classes=[*OPEN, "F2"]),
            grant(POLITICAL, "receive", "*"),
            grant(BUREAU, "receive", "petition.* briefing.*", classes=[*OPEN, "F2"]),
        ],
        "rounds": [],
    }


def receiving(document: Document, agency_id: str) -> str:
    """The id of the one grant by which an agency receives."""
    (found,) = [
        g["id"] for g in document["grants"] if (g.get("agency"), g["may"]) == (agency_id, "receive")
    ]
    return str(found)


# --- the difference -------------------------------------------------------------------------------


NOTHING: Final[Document] = {"added": [], "removed": [], "changed": []}


def test_a_dry_run_tells_every_difference_field_by_field(hub: RunningHub) -> None:
    old = {
        "agencies": [
            agency(CITY, "示范市委巡察办"),
            agency(DISCIPLINE, "示范市纪委监委", clearance="internal"),
            agency(PETITION, "示范市信访局"),
        ],
        "grants": [
            grant(PETITION, "publish", "petition.*", id="publishes"),
            grant(CITY, "receive", "petition.*", id="receives", classes=OPEN),
        ],
        "recusals": [
            {"id": "gone", "agency": CITY, "case": "clue:1", "reason": "回避"},
            {"id": "kept", "agency": CITY, "case": "petition:1", "reason": "回避"},
        ],
        "rounds": [{"id": "14-11", "name": "第十一轮", "until": "2026-12-31"}],
    }
    new = {
        "agencies": [
            agency(CITY, "示范市委巡察办", heads=[{"name": "郑样例"}], valid_from="2026-01-01"),
            agency(PETITION, "示范市信访局"),
            agency(AUDIT, "示范市审计局"),
        ],
        "grants": [
            grant(PETITION, "publish", "petition.*", id="publishes"),
            grant(CITY, "receive", "petition.*", id="receives", classes=ALL, round="14-11"),
            grant(AUDIT, "publish", "briefing.*", id="briefs"),
        ],
        "recusals": [{"id": "kept", "agency": CITY, "case": "petition:2", "reason": "回避"}],
        "rounds": [
            {"id": "14-11", "name": "第十一轮", "until": "2027-01-31T12:00:00+08:00"},
            {"id": "14-12", "name": "第十二轮"},
        ],
    }
    version = hub.apply(old).json()["version"]
    told = rehearsed(hub, new)
    del told["lint"]
    assert told == {
        "version": version,
        "changed": True,
        "agencies": {
            "added": [AUDIT],
            "removed": [DISCIPLINE],
            "changed": [
                {
                    "id": CITY,
                    "fields": {
                        "heads": [[], [{"name": "郑样例"}]],
                        "valid_from": [None, "2026-01-01"],
                    },
                }
            ],
        },
        "grants": {
            "added": ["briefs"],
            "removed": [],
            "changed": [
                {"id": "receives", "fields": {"classes": [OPEN, ALL], "round": [None, "14-11"]}}
            ],
        },
        "recusals": {
            "added": [],
            "removed": ["gone"],
            "changed": [{"id": "kept", "fields": {"case": ["petition:1", "petition:2"]}}],
        },
        "rounds": {
            "added": ["14-12"],
            "removed": [],
            "changed": [
                {"id": "14-11", "fields": {"until": ["2026-12-31", "2027-01-31T12:00:00+08:00"]}}
            ],
        },
    }


def test_the_same_document_differs_in_nothing_and_another_order_in_no_record(
    hub: RunningHub,
) -> None:
    document = world()
    version = hub.apply(document).json()["version"]
    turned = {**document, "grants": document["grants"][::-1]}
    for proposed, is_changed in ((document, False), (turned, True)):
        told = rehearsed(hub, proposed)
        del told["lint"]
        parts = dict.fromkeys(("agencies", "grants", "recusals", "rounds"), NOTHING)
        assert told == {"version": version, "changed": is_changed, **parts}


# --- nothing of it becomes real -------------------------------------------------------------------


def stored(hub: RunningHub) -> list[tuple[str, str, Any]]:
    """All that the hub keeps, but for when each token was last shown."""
    return [cell for cell in cells(hub.directory) if cell[0] != "tokens"]


NOT_UNDERSTOOD: Final = [
    "?&",
    "?dry_run",
    "?dry_run=",
    "?dry_run=false",
    "?dry_run=True",
    "?dry_run=1",
    "?dry_run=true%20",
    "?dry-run=true",
    "?DRY_RUN=true",
    "?dryrun=true",
    "?dry_run=true&dry_run=true",
    "?dry_run=true&dry_run=false",
    "?dry_run=true&mode=all",
    "?dry_run=true;replay=30d",
    "?replay=30d",
    "?dry_run=false&replay=30d",
    "?dry_run=true&replay=",
    "?dry_run=true&replay=30",
    "?dry_run=true&replay=0d",
    "?dry_run=true&replay=-1d",
    "?dry_run=true&replay=367d",
    "?dry_run=true&replay=8785h",
    "?dry_run=true&replay=1w",
    "?dry_run=true&replay=1d%0A",
    "?dry_run=true&replay=%D9%A3d",
    "?dry_run=true&replay=30d&replay=1d",
    "?dry_run=true&replay=99999999d",
]
UNDERSTOOD: Final = [
    "?dry_run=true",
    "?%64ry_run=%74rue",
    "?dry_run=true&replay=1h",
    "?replay=366d&dry_run=true",
    "?dry_run=true&replay=8784h",
]


@pytest.mark.parametrize("query", [*NOT_UNDERSTOOD, *UNDERSTOOD])
def test_a_rehearsal_in_any_spelling_never_becomes_real(hub: RunningHub, query: str) -> None:
    before = stored(hub)
    answer = put(hub, {**world(), "grants": []}, query)
    if query in UNDERSTOOD:
        assert (answer.status_code, answer.json()["changed"]) == (200, True)
    else:
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert stored(hub) == before


@pytest.mark.parametrize("query", ["?dry_run=true", "?dry_run=true&replay=1d"])
def test_a_dry_run_asks_for_what_the_real_change_asks_for(hub: RunningHub, query: str) -> None:
    document = {**world(), "reason": "预演"}
    faulty = with_added(document, "grants", grant(CITY, "receive", "nothing.*"))
    with hub.admin as admin:
        tag = admin.get("/v1/policy").headers["etag"]
        for headers, body, status, code in (
            ({}, document, 428, "precondition_required"),
            ({"If-Match": '"0-0"'}, document, 412, "policy_changed"),
            ({"If-Match": tag}, faulty, 422, "invalid"),
            ({"If-Match": tag}, {**document, "reason": ""}, 422, "invalid"),
            ({"If-Match": tag}, {**document, "dry_run": False}, 422, "invalid"),
        ):
            answers = [
                admin.put(f"/v1/policy{asked}", json=body, headers=headers) for asked in (query, "")
            ]
            assert [(a.status_code, a.json()["code"]) for a in answers] == [(status, code)] * 2
            assert answers[0].json() == answers[1].json()
    with hub.client(hub.token(CITY)) as office:
        answer = office.put(f"/v1/policy{query}", json=document, headers={"If-Match": tag})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_role_rehearses_what_it_may_change(hub: RunningHub) -> None:
    document = world()
    hub.apply(document)
    proposals = {
        "system": with_added(document, "agencies", agency(COUNTY_AUDIT, "东湖区审计局")),
        "security": {**document, "grants": document["grants"][1:]},
    }
    statuses: dict[tuple[str, str], int] = {}
    with hub.admin as admin:
        for role in ("system", "security", "auditor", "operator"):
            token = admin.post("/v1/tokens", json={"role": role}).json()["token"]
            with hub.client(token) as client:
                for part, proposal in proposals.items():
                    body = {"reason": "预演", **proposal}
                    answer = client.put(
                        "/v1/policy?dry_run=true", json=body, headers={"If-Match": "*"}
                    )
                    statuses[role, part] = answer.status_code
    assert {asked for asked, status in statuses.items() if status == 200} == {
        ("system", "system"),
        ("security", "security"),
    }
    assert set(statuses.values()) == {200, 403}


# --- replay ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """An event as one agency gets it: where it stands, and the values that it is shown."""

    type: str
    receipt: str
    place: int
    values: frozenset[str]


Reading = dict[tuple[str, str], Seen]


def values_in(value: Any, pointer: str = "") -> Iterator[str]:
    """The pointers of all values of a document."""
    if isinstance(value, dict):
        for name, held in value.items():
            yield from values_in(held, f"{pointer}/{name}")
    elif isinstance(value, list):
        for held in value:
            yield from values_in(held, pointer)
    else:
        yield pointer


def read_everything(hub: RunningHub, document: Document) -> Reading:
    """What each agency gets that subscribes anew and reads from the beginning."""
    found: Reading = {}
    for record in document["agencies"]:
        reader = hub.agency(record["id"])
        body = {"id": "again", "start": "earliest", "region": "510000"}
        if reader.http.post("/v1/subscriptions", json=body).status_code == 403:
            continue
        while not reader.http.get("/v1/subscriptions/again").json()["ready"]:
            pass
        for event in reader.drain("again"):
            found[record["id"], event["id"]] = Seen(
                type=event["type"],
                receipt=event["hubreceipt"],
                place=int(event["hubposition"].partition("-")[2]),
                values=frozenset(values_in(event["data"])),
            )
        assert reader.http.delete("/v1/subscriptions/again").status_code == 204
    return found


def tallied(before: Reading, after: Reading) -> list[Document]:
    """What has become different, as a replay tells it."""
    tallies: dict[tuple[str, str], Document] = {}
    either = {**before, **after}
    for key in sorted(either, key=lambda key: -either[key].place):
        old, new, (reader, type_) = before.get(key), after.get(key), (key[0], either[key].type)
        effects = {
            "allowed": old is None,
            "denied": new is None,
            "wider": bool(old and new and new.values - old.values),
            "narrower": bool(old and new and old.values - new.values),
        }
        if any(effects.values()):
            newest = {"agency": reader, "type": type_, "example": either[key].receipt}
            tally = tallies.setdefault((reader, type_), newest)
            for effect, happened in effects.items():
                tally[effect] = tally.get(effect, 0) + happened
    return [tally for _, tally in sorted(tallies.items())]


def events_of_all_sorts() -> dict[str, list[Document]]:
    """Publisher → events: to all, to some, protected, sealed, accusing, expired, for each place.

    Each has something of every class, so that whoever may see more of the contract does.
    """
    petitions = []
    for n in range(100):
        more: Document = {"region": ("510100", "510104", "510105")[n % 3]}
        data: Document = {
            "purpose": {"code": "3"},
            "petitioner": None,
            "accuser": {"name": "林晓禾", "phone": "19900000001"},
        }
        if n % 5 == 0:
            more |= {"to": DISCIPLINE, "cc": COUNTY}
        if n % 10 == 0:
            more["caveats"] = ("source-protected", "sealed", "no-forward")[n // 10 % 3]
        if n % 7 == 0:
            data["accused"] = [{"name": "周某", "unit": {"name": AUDITED}}]
        if n % 11 == 0:
            more["expirytime"] = "2026-01-01T00:00:00+08:00"
        petitions.append(petition(f"P-{n}", data=data, **more))
    clues = [clue(n) for n in range(60)]
    for n, event in enumerate(clues):
        if n % 4:
            event["to"] = ("discipline@510100", f"{DISCIPLINE} {ORGANIZATION}", PROVINCE)[n % 3]
        else:
            del event["to"]
    return {
        PETITION: petitions,
        CITY: clues,
        AUDIT: [briefing(n, cc=FINANCE) if n % 2 else briefing(n) for n in range(20)],
    }


@dataclass(frozen=True)
class World:
    """A hub with a policy, events of the last moments, and what everybody gets of them."""

    hub: RunningHub
    document: Document
    events: int
    reading: Reading


@pytest.fixture(scope="module")
def populated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    document = world()
    with running_hub(tmp_path_factory.mktemp("replay")) as hub:
        hub.apply(document)
        for record in document["agencies"]:
            hub.agency(record["id"]).subscribe(start="earliest", region="510000")
        published = events_of_all_sorts()
        for publisher, events in published.items():
            receipts = hub.agency(publisher).accepted(*events)
            if publisher == CITY:
                replies = [
                    (clue_concluded if n % 2 else clue_received)(n, opening=receipt["id"])
                    for n, receipt in enumerate(receipts)
                    if DISCIPLINE in events[n].get("to", DISCIPLINE)
                ]
        hub.agency(DISCIPLINE).accepted(*replies)
        count = sum(map(len, published.values())) + len(replies)
        yield World(hub, document, count, read_everything(hub, document))


BASE: Final = world()
CHANGES: Final[dict[str, Document]] = {
    "a grant is removed": without(BASE, "grants", receiving(BASE, CITY)),
    "a class is added": changed(BASE, "grants", receiving(BASE, CITY), classes=ALL),
    "classes are added where a summary is all that most give": changed(
        BASE, "grants", receiving(BASE, PROVINCE), classes=ALL
    ),
    "a class is taken away from a summary": changed(
        BASE, "grants", receiving(BASE, ORGANIZATION), classes=OPEN
    ),
    "classes are taken away": changed(BASE, "grants", receiving(BASE, DISCIPLINE), classes=OPEN),
    "one class replaces others": changed(
        BASE, "grants", receiving(BASE, CITY), classes=[*OPEN, "F4"]
    ),
    "an agency withdraws from cases": with_added(
        BASE,
        "recusals",
        {"id": "r1", "agency": DISCIPLINE, "case": "clue:CL-3", "reason": "回避"},
        {"id": "r2", "agency": CITY, "case": "petition:XF-P-4", "reason": "回避"},
    ),
    "an agency ends": changed(BASE, "agencies", DISCIPLINE, valid_until=LONG_AGO),
    "an agency ends and another takes its place": changed(
        BASE, "agencies", DISCIPLINE, valid_until=LONG_AGO, successor=POLITICAL
    ),
    "an agency leaves": without(
        without(BASE, "agencies", COUNTY), "grants", receiving(BASE, COUNTY)
    ),
    "an agency is a further kind": changed(BASE, "agencies", FINANCE, acts_as=["discipline"]),
    "an agency turns out to be the accused": changed(BASE, "agencies", BUREAU, name=AUDITED),
    "an agency belongs to a system": changed(BASE, "agencies", PETITION, system="letters"),
    "a grant is for some levels": changed(
        BASE, "grants", receiving(BASE, PROVINCE), levels=["same", "down"]
    ),
    "a grant reaches less far": changed(
        BASE, "grants", receiving(BASE, POLITICAL), region="510104"
    ),
    "a round has ended": with_added(
        changed(BASE, "grants", receiving(BASE, POLITICAL), round="14-10"),
        "rounds",
        {"id": "14-10", "name": "第十轮", "until": LONG_AGO},
    ),
}


@pytest.mark.parametrize("what", sorted(CHANGES))
def test_a_replay_says_what_happens_when(populated: World, what: str) -> None:
    hub, proposed = populated.hub, CHANGES[what]
    hub.apply(populated.document)
    told = rehearsed(hub, proposed, "?dry_run=true&replay=30d")["replay"]
    hub.apply(proposed)
    after = read_everything(hub, proposed)
    assert told["changes"] == tallied(populated.reading, after)
    assert told["changes"] != []
    assert (told["events"], told["complete"]) == (populated.events, True)


def test_a_replay_of_the_same_policy_finds_nothing(populated: World) -> None:
    populated.hub.apply(populated.document)
    told = rehearsed(populated.hub, populated.document, "?dry_run=true&replay=12h")["replay"]
    assert (told["events"], told["complete"], told["changes"]) == (populated.events, True, [])
    assert told["decisions"] > 0


def test_what_an_agency_reads_on_is_not_moved_by_a_replay(populated: World) -> None:
    """The subscriptions that a replay looks at are the readers' own."""
    hub = populated.hub
    hub.apply(populated.document)
    reader = hub.agency(DISCIPLINE)
    before = reader.page(limit=10)
    rehearsed(hub, CHANGES["an agency ends"], "?dry_run=true&replay=30d")
    after = reader.page(limit=10)
    assert (after.content, after.headers["guantong-cursor"]) == (
        before.content,
        before.headers["guantong-cursor"],
    )
