"""A generated world: a country's agencies over four levels, policies that change, their events.

Everything is a function of the chance that it is given. The agencies' ids are the same in every
world, what the registry says of them is not.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from contracts.agency import KINDS
from contracts.catalogue import load_catalogue
from contracts.identifiers import organisation_code_with_check_digit, uscc_with_check_digit
from tests.generative.payloads import PAYLOADS, clue_in_version, often, payload
from tests.generative.versions import TYPE as OF_VERSIONS
from tests.generative.versions import VERSIONS

Json = dict[str, Any]
Policy = dict[str, list[Json]]

# What is not said in a payload, and stays behind in a view.
NOTE: Final = "notecanary4b1"
CENTRAL, PROVINCE, CITY, OTHER_CITY = "000000", "510000", "510100", "510400"
MUNICIPALITY, ZONE = "500000", "410173"
# Kinds by region. 510132 and 500381 are retired: 510118 and 500116 came after them.
SEATS: Final[Mapping[str, str]] = {
    CENTRAL: "inspection-office discipline organization audit petition",
    PROVINCE: (
        "party-committee inspection-office discipline organization audit petition political-legal"
    ),
    CITY: (
        "party-committee leading-group inspection-office discipline organization audit finance "
        "petition statistics publicity political-legal functional-dept congress cppcc"
    ),
    OTHER_CITY: "inspection-office discipline organization audit petition",
    "510104": "inspection-office discipline audit petition functional-dept",
    "510105": "inspection-office discipline petition",
    "510118": "discipline audit",
    "510132": "inspection-office petition",
    "510402": "inspection-office discipline petition",
    MUNICIPALITY: "inspection-office discipline audit petition",
    "500116": "inspection-office petition",
    "500381": "discipline petition",
    "410000": "inspection-office discipline",
    "410100": "inspection-office petition discipline",
    ZONE: "inspection-office organization",
}
UNITS: Final = (
    "510100.petition.12345",
    "510100.discipline.at-finance",
    "510100.political-legal.court",
    "510100.inspected-party.finance",
    "510100.inspection-team.14-11-04",
    "510000.inspection-office.univ-a",
    "510000.functional-dept.tax",
    "510100.functional-dept.tax",
    "510104.functional-dept.tax",
    "510100.inspection-office.tax",
    "510100.functional-dept.bureau-a",
    "510100.functional-dept.bureau-b",
    "510100.functional-dept.bureau-c",
    "510104.inspected-party.street",
)
IDS: Final = (*(f"{r}.{kind}" for r, kinds in SEATS.items() for kind in kinds.split()), *UNITS)
REGIONS: Final = (*SEATS, "510000", "510100", "510185", "512081", "500103", "520100")
ORGANS: Final = {
    "510100.finance": "city-finance",
    "510100.inspected-party.finance": "city-finance",
    "510104.functional-dept": "street",
    "510104.inspected-party.street": "street",
}
ACTING: Final = {f"{ZONE}.organization": ["publicity", "discipline", "petition"]}
ROLES: Final = ("inspected-party", "discipline", "petition", "publicity", "audit", "congress")
LONG_AGO, YESTERDAY, LONG_AHEAD = "2020-01-01", "2024-02-29", "2099-12-31T00:00:00+08:00"
NOT_YET: Final = {"valid_from": LONG_AHEAD, "valid_until": "2199-12-31"}
CLASSES: Final[Sequence[list[str]]] = (
    ["F0", "F1"],
    ["F0", "F1", "F2"],
    ["F0", "F1", "F2", "F3"],
    ["F0", "F1", "F2", "F3", "F4"],
    ["F0"],
    ["F2"],
    ["F1", "F3"],
    ["F0", "F1", "F4"],
    [],
)
PATTERNS: Final = ("*", "clue.*", "petition.*", "briefing.*", *sorted(PAYLOADS))
LEVELS: Final = ("same", "up", "down")
ROUNDS: Final = ("round-past", "round-now", "round-open")
CAVEATS: Final = ("source-protected", "sealed", "no-forward", "source-protected", "odd")
REPLIES: Final = (*load_catalogue().replies_to("clue.transferred"), *["clue.concluded"] * 3)
OPENINGS: Final = ("clue.transferred", "petition.case_transferred", "briefing.provided")
# All that may be said first, but for what the hub says and what is about another event.
OTHERS: Final = sorted(
    {
        c.type
        for c in load_catalogue()
        if c.publishers and c.about is None and c.version == "1.0" and c.type not in OPENINGS
    }
)

EXCHANGES: Final = sorted({c.type for c in load_catalogue() if c.about is not None})


def registry(random: Random) -> list[Json]:
    """What the registry says of every agency."""
    return [record(random, n) for n in range(len(IDS))]


def record(random: Random, n: int) -> Json:
    """A registry record. Successors stand further down the list, so that none goes in a circle."""
    id_ = IDS[n]
    region, kind, *unit = id_.split(".")
    code = organisation_code_with_check_digit(f"{n:08d}")
    made = {
        "id": id_,
        "name": f"示例{region}ABC{KINDS[kind].name}（{'、'.join(unit) or '本级'}）",
        **often(random, 0.5, uscc=uscc_with_check_digit(f"11{region}{code}")),
        **often(random, 0.2, orgcode=code),
        **often(random, 0.3, clearance=random.choice(("public", "internal", "mimi", "juemi"))),
        **often(random, 0.12, acts_as=random.sample(ROLES, 2)),
        **often(random, 0.7, heads=heads(random, n)),
        **(
            {"organ": ORGANS[id_]} if id_ in ORGANS else often(random, 0.2, organ=f"organ-{region}")
        ),
        **({"acts_as": ACTING[id_]} if id_ in ACTING else {}),
        **({"system": "tax"} if id_.endswith(".tax") else often(random, 0.02, system="customs")),
        **often(random, 0.2, valid_from=LONG_AGO),
    }
    over = often(random, 0.12, valid_until=YESTERDAY)
    later = [other for other in IDS[n + 1 :] if other.split(".")[1] == kind] or IDS[n + 1 :]
    succeeded = often(random, 0.8 if over else 0.2, successor=random.choice(later or IDS[-1:]))
    not_yet = NOT_YET if random.random() < 0.02 else {}
    return {**made, **over, **(succeeded if later else {}), **not_yet}


def heads(random: Random, n: int) -> list[Json]:
    """Who heads an agency."""
    named = {"name": f"示例首长Ｎ{n}"}
    return [{**named, **often(random, 0.5, personkey=f"key-{n}")}, {"name": f"副首长{n}"}]


def validity(random: Random) -> Json:
    """When a grant or recusal holds: mostly always."""
    return random.choices(
        (
            {},
            {"until": YESTERDAY},
            {"from": LONG_AHEAD},
            {"from": LONG_AGO, "until": LONG_AHEAD},
        ),
        weights=(80, 6, 5, 9),
    )[0]


def scope(random: Random, home: str) -> str:
    """A grant's region: a plain code or a system's."""
    region = random.choice((home, home, "000000", PROVINCE, CITY, random.choice(REGIONS)))
    system = random.choice(("tax", "tax", "customs"))
    return f"system:{system}@{region}" if random.random() < 0.1 else region


def grant(random: Random, may: str, number: int | str) -> Json:
    """A grant for an agency or a kind."""
    id_ = random.choice(IDS)
    by_kind = {"kind": id_.split(".")[1]}
    return {
        "id": f"g{number}",
        **(by_kind if random.random() < 0.4 else {"agency": id_}),
        "may": may,
        "types": random.sample(PATTERNS, random.randint(1, 2)),
        "region": scope(random, id_.split(".")[0]),
        **often(random, 0.2, levels=random.sample(LEVELS, random.randint(1, 2))),
        "classes": random.choice(CLASSES),
        "purpose": "示例用途",
        **validity(random),
        **often(random, 0.12, round=random.choice(ROUNDS)),
    }


def grants(random: Random) -> list[Json]:
    """Some of every kind's usual rights, and many single grants."""
    usual: list[Json] = []
    for kind in sorted({id_.split(".")[1] for id_ in IDS}):
        given = {"kind": kind, "types": ["*"], "purpose": "示例用途"}
        for may, region, share in (
            ("publish", "000000", 0.95),
            ("publish", "system:tax@000000", 0.8),
            ("receive", random.choice(("000000", PROVINCE, CITY)), 0.7),
            ("receive", "system:tax@510000", 0.6),
        ):
            if random.random() < share:
                classes = random.choice(CLASSES[:5])
                made = {**given, "may": may, "region": region, "classes": classes}
                if may == "receive":
                    made |= often(random, 0.3, round=random.choice(ROUNDS))
                    made |= often(random, 0.3, levels=random.sample(LEVELS, 2))
                usual.append({"id": f"u{len(usual)}", **made})
    singles = [grant(random, random.choice(("receive",) * 5 + ("publish",)), n) for n in range(40)]
    return [*usual, *singles]


def recusal(random: Random, cases: Sequence[str], number: int | str) -> Json:
    """An agency's recusal for one of the cases."""
    family, kinds = random.choice(
        (
            ("clue", ("discipline", "inspection-office", "political-legal")),
            ("petition", ("petition", "discipline", "inspection-office")),
            ("briefing", ("audit", "inspection-office", "discipline")),
        )
    )
    return {
        "id": f"r{number}",
        "agency": random.choice([id_ for id_ in IDS if id_.split(".")[1] in kinds]),
        "case": f"{family}:{random.choice(cases)}",
        "reason": "示例回避",
        **validity(random),
    }


def rounds(random: Random) -> list[Json]:
    """The rounds: one is over, one goes on, one has no bounds."""
    past, now, open_ = ROUNDS
    return [
        {"id": past, "name": "示例往轮", "from": LONG_AGO, "until": YESTERDAY},
        {"id": now, "name": "示例本轮", "from": LONG_AGO, "until": LONG_AHEAD},
        {"id": open_, "name": "示例长期轮"},
    ]


def policy(random: Random, cases: Sequence[str]) -> Policy:
    """A whole policy."""
    return {
        "agencies": registry(random),
        "grants": grants(random),
        "recusals": [recusal(random, cases, n) for n in range(random.randint(20, 80))],
        "rounds": rounds(random),
    }


def subscription(random: Random, agency: str, id_: str) -> Json:
    """What an agency asks for: mostly everything, else some types, regions or attributes."""
    asked: Json = {
        "id": id_,
        "agency": agency,
        "types": ["*"],
        "region": CENTRAL,
        "filters": [],
        "versions": {OF_VERSIONS: random.choice(VERSIONS)},
    }
    if random.random() < 0.45:
        return asked
    filters = (
        {"exact": {"phase": "on"}},
        {"prefix": {"source": "/5101"}},
        {"all": [{"prefix": {"type": "clue."}}, {"prefix": {"source": "/51"}}]},
    )
    return {
        **asked,
        "types": random.sample(PATTERNS, random.randint(1, 3)),
        "region": random.choice((agency.split(".")[0], *REGIONS)),
        "filters": [f for f in filters if random.random() < 0.15],
    }


def addresses(random: Random, near: Sequence[str]) -> str:
    """One to three addresses, mostly of who is near, seldom one that nobody has."""

    def address() -> str:
        id_ = random.choice(near if random.random() < 0.7 else IDS)
        region, kind = id_.split(".")[:2]
        above = random.choice((region, PROVINCE, CITY, CENTRAL, ZONE, "410000"))
        reach = random.choice(("", "/*", "/**"))
        desk = f"{kind}@{above}{reach}"
        return random.choices((id_, desk, "510500.audit"), weights=(70, 28, 2))[0]

    return " ".join(address() for _ in range(random.randint(1, 3)))


def event(random: Random, id_: str, type_: str, publisher: str, case: str, policy: Policy) -> Json:
    """An event without its opening."""
    home = publisher.split(".")[0]
    region = random.choice((home, home, "510104", "510132", *REGIONS, "519999"))
    marking = random.choice(("public", "internal", "internal", "mimi", "jimi"))
    caveats = random.sample(CAVEATS, random.randint(1, 2))
    near = receivers_near(type_, home)
    version = random.choice(VERSIONS) if type_ == OF_VERSIONS else "1.0"
    made = {
        "specversion": "1.0",
        "id": id_,
        "source": f"/{publisher}",
        "type": type_,
        "time": "2026-10-08T09:30:00+08:00",
        "dataschema": f"urn:guantong:contract:{type_}:{version}",
        "datacontenttype": "application/json",
        "subject": NOTE,
        "phase": random.choice(("on", "post")),
        **often(random, 0.5, region=region),
        **often(random, 0.4, to=addresses(random, near)),
        **often(random, 0.25, cc=addresses(random, near)),
        **often(random, 0.25, dataclassification=marking),
        **often(random, 0.06, expirytime=random.choice(("2020-01-01T00:00:00Z", LONG_AHEAD))),
        **often(random, 0.3, correlationid=f"corr-{case}"),
        **often(random, 0.3, roundid="r-1", note=NOTE, traceparent="00-1"),
        **often(random, 0.15, caveats=" ".join(caveats)),
    }
    if "caveats" in made:
        # They need somebody to be for.
        made |= often(random, 0.7, to=addresses(random, near))
    # Whom it reaches is accused more often than chance would have it.
    ids = random.choice((near, near, [publisher, *made.get("cc", "").split()]))
    suspects = related([r for r in policy["agencies"] if r["id"] in ids], policy["agencies"])
    accused = suspects if suspects and random.random() < 0.85 else policy["agencies"]
    data = payload(random, type_, case, accused)
    if type_ == OF_VERSIONS:
        data = clue_in_version(random, version, data, accused)
    return {**made, "data": data}


def receivers_near(type_: str, home: str) -> list[str]:
    """Agencies whose kind gets the type or its opening, at the publisher's place if there are."""
    receivers: set[str] = set()
    for contract in (*load_catalogue().versions(type_), *load_catalogue().versions(OPENINGS[0])):
        receivers |= contract.receivers.keys()
    fit = [id_ for id_ in IDS if id_.split(".")[1] in receivers]
    return [id_ for id_ in fit if id_.startswith(home[:4])] or fit


def related(records: Sequence[Json], agencies: Sequence[Json]) -> list[Json]:
    """The records, and those of one organ with them or succeeded by them, which count more."""
    ids = {record["id"] for record in records}
    organs = {record["organ"] for record in records if "organ" in record}
    kin = [r for r in agencies if r.get("organ") in organs or r.get("successor") in ids]
    return [*records, *kin * 4]


def admitted_publisher(random: Random, type_: str) -> str:
    """Mostly an agency of a kind that the contract lets publish."""
    kinds = load_catalogue().versions(type_)[-1].publishers
    fit = [id_ for id_ in IDS if id_.split(".")[1] in kinds]
    return random.choice(fit if random.random() < 0.85 else IDS)
