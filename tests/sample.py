"""Events and a policy to test with: invented places, names and numbers."""

import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from random import Random
from typing import Any

from hub.event import Event, Marking, receipt_of

PETITION = "510100.petition"
CITY = "510100.inspection-office"
COUNTY = "510104.inspection-office"
OTHER_COUNTY = "510105.inspection-office"
PROVINCE = "510000.inspection-office"
DISCIPLINE = "510100.discipline"
AUDIT = "510100.audit"
COMMITTEE = "510100.party-committee"

_numbers = itertools.count(1)


def agency(id_: str, name: str, **more: Any) -> dict[str, Any]:
    """A registry record."""
    return {"id": id_, "name": name, **more}


def grant(agency_id: str, may: str, types: str, **more: Any) -> dict[str, Any]:
    """A grant over the agency's own region, with all field classes unless said."""
    number = next(_numbers)
    return {
        "id": f"g{number}",
        "agency": agency_id,
        "may": may,
        "types": types.split(),
        "region": agency_id[:6],
        "classes": ["F0", "F1", "F2", "F3", "F4"] if may == "receive" else [],
        "purpose": "试验",
        **more,
    }


def policy(**changes: Any) -> dict[str, Any]:
    """A city's policy."""
    document = {
        "agencies": [
            agency(PETITION, "示范市信访局"),
            agency(CITY, "示范市委巡察办"),
            agency(COUNTY, "示范市东湖区委巡察办"),
            agency(OTHER_COUNTY, "示范市西湖区委巡察办"),
            agency(PROVINCE, "示范省委巡视办"),
            agency(DISCIPLINE, "示范市纪委监委"),
            agency(AUDIT, "示范市审计局"),
        ],
        "grants": [
            grant(PETITION, "publish", "petition.*"),
            grant(CITY, "publish", "clue.*"),
            grant(DISCIPLINE, "publish", "clue.*"),
            grant(AUDIT, "publish", "clue.* briefing.*"),
            grant(CITY, "receive", "*", classes=["F0", "F1", "F2", "F3"]),
            grant(COUNTY, "receive", "*", classes=["F0", "F1", "F2"]),
            grant(OTHER_COUNTY, "receive", "*", classes=["F0", "F1", "F2"]),
            grant(PROVINCE, "receive", "*", classes=["F0", "F1", "F2"]),
            grant(DISCIPLINE, "receive", "clue.* petition.*"),
            grant(AUDIT, "receive", "clue.*", classes=["F0", "F1", "F2"]),
        ],
        "recusals": [],
    }
    return {**document, **changes}


def everybody_exchanges() -> dict[str, Any]:
    """The city's policy, in which these pass exchanges between them."""
    document = policy()
    for id_ in (CITY, DISCIPLINE, AUDIT, PETITION):
        document["grants"] += [grant(id_, may, "exchange.*") for may in ("publish", "receive")]
    return document


def petition(number: int | str, **attributes: Any) -> dict[str, Any]:
    """A petition case of the city's bureau; `data` members are merged over the sample's."""
    data = {
        "petitionid": f"XF-{number}",
        "form": {"code": "1"},
        "purpose": {"code": "2"},
        "content_class": {"code": "990000"},
        "place": "510104",
        "date": "2026-10-08",
        "people": 3,
        "summary": "反映小区物业收费不公开，要求公布账目。",
        "petitioner": {"name": "林晓禾", "phone": "19900000001"},
        "accused": [{"name": "周某", "unit": {"name": "示范市东湖区某街道办"}}],
    }
    return _event("petition.case_transferred", PETITION, f"XF-{number}", data, attributes)


def clue(number: int | str, *, publisher: str = CITY, **attributes: Any) -> dict[str, Any]:
    """A clue handed to the city's discipline office."""
    data = {**_example("clue.transferred-1"), "clueid": f"CL-{number}"}
    defaults = {"to": DISCIPLINE, "correlationid": f"clue:CL-{number}"}
    return _event("clue.transferred", publisher, f"CL-{number}", data, {**defaults, **attributes})


def clue_received(
    number: int | str, *, opening: str, publisher: str = DISCIPLINE, **attributes: Any
) -> dict[str, Any]:
    """The discipline office's answer to a clue; `opening` is its receipt id."""
    data = {**_example("clue.received-1"), "clueid": f"CL-{number}"}
    defaults = {"causationid": opening, "correlationid": f"clue:CL-{number}"}
    id_ = f"CL-{number}-received"
    return _event("clue.received", publisher, id_, data, {**defaults, **attributes})


def clue_concluded(
    number: int | str, *, opening: str, publisher: str = DISCIPLINE, **attributes: Any
) -> dict[str, Any]:
    """What became of a clue; `opening` is its receipt id."""
    data = {**_example("clue.concluded-1"), "clueid": f"CL-{number}"}
    defaults = {"causationid": opening, "correlationid": f"clue:CL-{number}"}
    id_ = f"CL-{number}-concluded"
    return _event("clue.concluded", publisher, id_, data, {**defaults, **attributes})


def briefing(number: int | str, **attributes: Any) -> dict[str, Any]:
    """What the audit office tells of one inspected party; its case is the party."""
    data = {**_example("briefing.provided-1"), "targetid": f"510100.inspected-party.t{number}"}
    return _event("briefing.provided", AUDIT, f"BR-{number}", data, attributes)


def report(number: int | str, **attributes: Any) -> dict[str, Any]:
    """What the city's office reports to its committee."""
    data = {**_example("report.submitted-1"), "reportid": f"RP-{number}"}
    defaults = {"to": COMMITTEE, "correlationid": f"report:RP-{number}"}
    return _event("report.submitted", CITY, f"RP-{number}", data, {**defaults, **attributes})


def exchange(
    type_: str, matter: str, publisher: str, about: dict[str, Any], **attributes: Any
) -> dict[str, Any]:
    """A step of an exchange about an event, its payload a shipped example."""
    data = _example(f"{type_}-1")
    named = {"source": about["source"], "id": about["id"]}
    return {
        **clue(matter),
        "id": f"{type_}-{matter}",
        "source": f"/{publisher}",
        "type": type_,
        "dataschema": f"urn:guantong:contract:{type_}:1.0",
        "correlationid": f"exchange:{matter}",
        "data": {**data, "matter": matter, "about": named},
        **attributes,
    }


def decision(number: int | str, *, opening: str, **attributes: Any) -> dict[str, Any]:
    """What the committee decided on a report; `opening` is its receipt id."""
    data = {**_example("decision.issued-1"), "reportid": f"RP-{number}"}
    defaults = {"causationid": opening, "correlationid": f"report:RP-{number}"}
    id_ = f"RP-{number}-decision"
    return _event("decision.issued", COMMITTEE, id_, data, {**defaults, **attributes})


def admitted(
    id_: str,
    *,
    type_: str = "petition.case_transferred",
    region: str = "510100",
    slot: int | None = None,
    data: bytes = b'{"value":0}',
    to: str = "",
    cc: str = "",
    **attributes: str | bool | int,
) -> Event:
    """An event of the petition bureau as admission hands it on; `slot` is forced on its receipt."""
    source = f"/{PETITION}"
    receipt = receipt_of(source, id_)
    if slot is not None:
        receipt = slot.to_bytes(8, "big", signed=True) + receipt[:8]
    members = {"id": id_, "source": source, "type": type_, **attributes}
    return Event(
        source=source,
        id=id_,
        receipt=receipt,
        type=type_,
        version="1.0",
        publisher=PETITION,
        region=region,
        key=f"{type_.partition('.')[0]}:{id_}",
        attributes=json.dumps(members, separators=(",", ":")).encode(),
        data=data,
        digest=hashlib.sha256(data).digest(),
        to=to,
        cc=cc,
        marking=Marking.internal,
        expires=None,
        correlation="",
    )


@dataclass(frozen=True)
class Members:
    """A JSON object as it is written: a name may stand twice. Arrays beside it are tuples."""

    pairs: tuple[tuple[str, Any], ...]


def tree_of(value: Any) -> Any:
    """A document as a tree of Members and tuples."""
    if isinstance(value, dict):
        return Members(tuple((name, tree_of(held)) for name, held in value.items()))
    return tuple(map(tree_of, value)) if isinstance(value, list) else value


def rendered(tree: Any, random: Random | None = None) -> str:
    """A tree as JSON, with white space and escapes as chance has it; without chance, compact."""
    match tree:
        case Members(pairs):
            members = (
                f"{_blank(random)}{rendered(name, random)}{_blank(random)}:"
                f"{_blank(random)}{rendered(held, random)}{_blank(random)}"
                for name, held in pairs
            )
            return f"{{{','.join(members) or _blank(random)}}}"
        case tuple():
            items = (f"{_blank(random)}{rendered(i, random)}{_blank(random)}" for i in tree)
            return f"[{','.join(items) or _blank(random)}]"
        case str():
            return f'"{"".join(_written(character, random) for character in tree)}"'
        case _:
            return json.dumps(tree)


def _blank(random: Random | None) -> str:
    return "" if random is None else random.choice(("", "", "", " ", "\n", "\t\r ", "  "))


def _written(character: str, random: Random | None) -> str:
    if random is None:
        return json.dumps(character, ensure_ascii=False)[1:-1]
    if random.random() < 0.1:
        units = character.encode("utf-16-be", "surrogatepass")
        pairs = (units[n : n + 2].hex() for n in range(0, len(units), 2))
        return "".join(f"\\u{random.choice((pair, pair.upper()))}" for pair in pairs)
    if character == "/" and random.random() < 0.5:
        return "\\/"
    return json.dumps(character, ensure_ascii=False)[1:-1]


def _example(name: str) -> dict[str, Any]:
    family = name.partition(".")[0]
    path = files("contracts") / family / "examples" / "valid" / f"{name}.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _event(
    type_: str, publisher: str, id_: str, data: Mapping[str, Any], attributes: Mapping[str, Any]
) -> dict[str, Any]:
    given = dict(attributes)
    payload = {**data, **given.pop("data", {})}
    return {
        "specversion": "1.0",
        "id": id_,
        "source": f"/{publisher}",
        "type": type_,
        "time": "2026-10-08T09:30:00+08:00",
        "dataschema": f"urn:guantong:contract:{type_}:1.0",
        "datacontenttype": "application/json",
        **given,
        "data": {name: value for name, value in payload.items() if value is not None},
    }
