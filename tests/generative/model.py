"""Who gets what (design 7) a second time, written from the text alone, plainly and slowly.

Nothing here is indexed or remembered, and nothing of the hub is used. The contracts' metadata is
data to both readings.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from contracts.catalogue import load_catalogue
from contracts.contract import Contract, PartyRole
from tests.generative.places import covers, known, relation
from tests.generative.registry import (
    Moment,
    Record,
    body_of,
    kinds_of,
    line_of,
    names,
    normalised,
    region_of,
)

MARKINGS: Final = ("public", "internal", "mimi", "jimi", "juemi")
CAVEATS: Final = ("source-protected", "sealed", "no-forward")
# Where contracts name accused persons, in each version: the person, the member with their unit.
ACCUSED_PERSONS: Final = {
    "clue.transferred": (("/subjects/-/person", "/persons/-/person"), "org"),
    "clue.concluded": (("/outcomes/-/sanctions/-/person",), "org"),
    "petition.case_transferred": (("/accused/-",), "unit"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """An event as published; `opening` is what a reply answers, `about` what an exchange is about.

    `hub` is what delivery adds.
    """

    attributes: Mapping[str, Any]
    data: Mapping[str, Any]
    opening: "Event | None" = None
    hub: Mapping[str, str] | None = None
    about: "Event | None" = None

    @property
    def contract(self) -> Contract:
        """The contract that it states."""
        found = load_catalogue().by_dataschema(self.attributes["dataschema"])
        assert found is not None
        return found

    @property
    def publisher(self) -> str:
        """The agency that its source names."""
        return str(self.attributes["source"].split("/")[1])

    @property
    def region(self) -> str:
        """Where the matter belongs; the publisher's region by default."""
        return str(self.attributes.get("region", region_of(self.publisher)))

    @property
    def key(self) -> str:
        """The case, with its family."""
        return f"{self.contract.family}:{self.data[self.contract.key[1:]]}"

    @property
    def caveats(self) -> list[str]:
        """The words of its `caveats`."""
        return str(self.attributes.get("caveats", "")).split()


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a recipient may see: classes; in a masked view F0, F1 and summary fields of them."""

    classes: frozenset[str]
    masked: bool


@dataclass(frozen=True, slots=True)
class Denied:
    """Why not: the step and its reason."""

    step: int
    reason: str


def decide(event: Event, agency: str, moment: Moment) -> Allowed | Denied:
    """All five steps must hold; the first that fails is told, of 1, 2, 3, 5, and then 4.

    4 comes last because it looks at the event itself.
    """
    if not moment.in_force(agency):
        return Denied(1, "agency_not_in_force")
    measure = measure_for(event, agency, moment)
    if measure is None:
        return Denied(1, "not_a_receiver")
    classes = granted_classes(event, agency, moment)
    if classes is None:
        return Denied(2, "no_grant")
    if "to" in event.attributes and not is_addressed(event, agency, moment):
        # `no-forward` needs `to`: it is the nearer reason.
        return Denied(3, "no_forward" if "no-forward" in event.caveats else "not_addressed")
    if above_clearance(event, agency, moment):
        return Denied(5, "above_clearance")
    if is_accused(event, agency, moment):
        return Denied(4, "accused_party")
    if is_recused(event, agency, moment):
        return Denied(4, "recused")
    if "source-protected" in event.caveats and agency not in named_in(event, ("to",), moment):
        # Decision 8: at most F0 and F1, and so no summary fields, which are of higher classes.
        return Allowed(classes & {"F0", "F1"}, measure == "masked")
    return Allowed(classes, measure == "masked")


def named_in(event: Event, attributes: Sequence[str], moment: Moment) -> set[str]:
    """Whom these attributes of the event name."""
    return names(" ".join(event.attributes.get(name, "") for name in attributes), moment)


def is_addressed(event: Event, agency: str, moment: Moment) -> bool:
    """Addressed: `to` or `cc`."""
    return agency in named_in(event, ("to", "cc"), moment)


def in_audience(event: Event, agency: str, moment: Moment) -> bool:
    """Step 1: the agency published the opening that this reply answers, or was its `cc`."""
    if event.opening is None:
        return False
    copied = event.opening.attributes.get("cc", "")
    return agency in names(f"{event.opening.publisher} {copied}", moment)


def measure_for(event: Event, agency: str, moment: Moment) -> str | None:
    """Step 1: full, masked, or None for no receiver under the contract."""
    contract = event.contract
    kinds = kinds_of(agency, moment)
    if kinds & contract.denied:
        return None
    if "inspected-party" in kinds and any(p.role is PartyRole.ACCUSED for p in contract.parties):
        return None
    if in_audience(event, agency, moment):
        return "full"
    if contract.unasked and event.opening is not None:
        # Who could not have said it unasked speaks to the audience alone (decision 18).
        publisher = moment.record(event.publisher)
        if publisher is None or not kinds_of(event.publisher, moment) & contract.publishers:
            return None
    named = [contract.receivers[kind] for kind in kinds if kind in contract.receivers]
    level = relation(region_of(agency), region_of(event.publisher))
    measures = {held for levels in named for at_level, held in levels.items() if at_level == level}
    if is_addressed(event, agency, moment):
        # An address gives at any level what the contract gives the kind at its best one.
        measures = {measure for levels in named for measure in levels.values()}
    if "full" in measures:
        return "full"
    return "masked" if "masked" in measures else None


def granted_classes(event: Event, agency: str, moment: Moment) -> frozenset[str] | None:
    """Step 2: the classes of all grants that hold; None where there is none."""
    matching = [
        grant
        for grant in moment.policy["grants"]
        if grants(grant, "receive", event.contract.type, agency, moment)
        and at_level(grant, event, agency)
        and reaches(grant, event, agency, moment)
    ]
    if not matching:
        return None
    return frozenset(name for grant in matching for name in grant["classes"])


def grants(grant: Record, may: str, type_: str, agency: str, moment: Moment) -> bool:
    """Whether a grant in force lets this agency do this with the type, somewhere."""
    if grant["may"] != may or not holds_type(grant, type_):
        return False
    if "agency" in grant and grant["agency"] != agency:
        return False
    if "kind" in grant and grant["kind"] not in kinds_of(agency, moment):
        return False
    if "round" in grant:
        rounds = [r for r in moment.policy["rounds"] if r["id"] == grant["round"]]
        if not all(moment.holds(round_) for round_ in rounds):
            return False
    return moment.holds(grant)


def holds_type(grant: Record, type_: str) -> bool:
    """Whether the type is among those of the grant."""
    return any(is_named(pattern, type_) for pattern in grant["types"])


def is_named(pattern: str, type_: str) -> bool:
    """Wildcards: `*` and `<family>.*` only."""
    return pattern in ("*", type_, f"{type_.split('.')[0]}.*")


def at_level(grant: Record, event: Event, agency: str) -> bool:
    """A grant for some levels gives nothing of the others, nor of regions that stand apart."""
    level = relation(region_of(agency), region_of(event.publisher))
    levels = grant.get("levels", ("same", "up", "down"))
    return len(set(levels)) == 3 if level is None else level in levels


def reaches(grant: Record, event: Event, agency: str, moment: Moment) -> bool:
    """Step 2: the scope covers the event, or the event is addressed and it covers the agency."""
    if scope_covers(grant["region"], event.region, event.publisher, moment):
        return True
    at_home = scope_covers(grant["region"], region_of(agency), agency, moment)
    return at_home and is_addressed(event, agency, moment)


def scope_covers(scope: str, region: str, agency: str, moment: Moment) -> bool:
    """Decision 7: a plain scope covers what has no system, a system's scope what is of that one.

    For an event its publisher's record takes the place of the agency's.
    """
    record = moment.record(agency)
    if record is None:
        return False
    system = record.get("system")
    if scope.startswith("system:"):
        name, _, code = scope.removeprefix("system:").partition("@")
        return system == name and covers(code, region)
    return system is None and covers(scope, region)


def above_clearance(event: Event, agency: str, moment: Moment) -> bool:
    """Step 5: the marking is within the agency's clearance and the node's ceiling."""
    marking = MARKINGS.index(event.attributes.get("dataclassification", "internal"))
    record = moment.record(agency) or {}
    clearance = MARKINGS.index(record.get("clearance", "internal"))
    return marking > min(clearance, MARKINGS.index(moment.ceiling))


def is_recused(event: Event, agency: str, moment: Moment) -> bool:
    """Step 4: its body is under a recusal in force for the event's case, or one it comes from."""
    body = [record["id"] for record in body_of(agency, moment)]
    return any(
        recusal["agency"] in body and recusal["case"] in cases_of(event) and moment.holds(recusal)
        for recusal in moment.policy["recusals"]
    )


def ancestry(event: Event) -> Iterator[Event]:
    """The event, what it answers or is about, what that came from, and so on."""
    yield event
    for earlier in (event.opening, event.about):
        if earlier is not None:
            yield from ancestry(earlier)


def cases_of(event: Event) -> set[str]:
    """The case of an event, and those it comes from."""
    return {earlier.key for earlier in ancestry(event)}


def is_accused(event: Event, agency: str, moment: Moment) -> bool:
    """Step 4: the body is named by a number or a name, or one of its heads is (decision 7).

    A reply is about the parties of its opening too (decision 3), an exchange about its event's.
    """
    body = body_of(agency, moment)
    for told in ancestry(event):
        if any(is_body(org, body) for org in accused_organisations(told)):
            return True
        _, unit = ACCUSED_PERSONS.get(told.contract.type, ((), ""))
        if any(is_head(person, unit, body) for person in accused_persons(told)):
            return True
    return False


def is_body(org: Record, body: Sequence[Record]) -> bool:
    """Whether an organisation of an event is this body: by any id, number or name."""
    ids = {record["id"] for record in body} | {r["organ"] for r in body if "organ" in r}
    usccs = {record["uscc"] for record in body if "uscc" in record}
    codes = {record["orgcode"] for record in body if "orgcode" in record}
    codes |= {uscc[8:17] for uscc in usccs}
    told = {org.get("orgcode"), (org.get("uscc") or "")[8:17]} - {None, ""}
    return bool(
        org.get("orgid") in ids
        or org.get("uscc") in usccs
        or told & codes
        or normalised(org["name"]) in {normalised(record["name"]) for record in body}
    )


def is_head(person: Record, unit: str, body: Sequence[Record]) -> bool:
    """Whether a person is a head of the body: by key, or by name where no unit is told."""
    heads = [head for record in body for head in record.get("heads", ())]
    if person.get("personkey") and person["personkey"] in [h.get("personkey") for h in heads]:
        return True
    if person.get(unit) is not None or not person.get("name"):
        return False
    return normalised(person["name"]) in {normalised(head["name"]) for head in heads}


def accused_organisations(event: Event) -> list[Record]:
    """The organisations at the contract's party pointers whose role is accused."""
    return [
        org
        for party in event.contract.parties
        if party.role is PartyRole.ACCUSED
        for org in at(event.data, party.pointer)
    ]


def accused_persons(event: Event) -> list[Record]:
    """The accused persons, where the contract names any."""
    if event.contract.type not in ACCUSED_PERSONS:
        return []
    pointers, _ = ACCUSED_PERSONS[event.contract.type]
    return [person for pointer in pointers for person in at(event.data, pointer)]


def at(value: Any, pointer: str) -> list[Any]:
    """What stands at a pointer whose `-` is every item; nothing for what is absent or null."""
    if value is None:
        return []
    if not pointer:
        return [value]
    step, _, rest = pointer[1:].partition("/")
    inner = value if step == "-" else [value.get(step)]
    return [found for item in inner for found in at(item, f"/{rest}" if rest else "")]


def expired(event: Event, moment: Moment) -> bool:
    """`expirytime` stops delivery, not storage (design 6)."""
    until = event.attributes.get("expirytime")
    return until is not None and datetime.fromisoformat(until) <= moment.now


def feed(subscription: Record, event: Event, then: Moment) -> bool:
    """Whether registering the event puts it into the subscription's feed (design 8)."""
    agency = subscription["agency"]
    if then.record(agency) is None:
        # Who is struck off is fed nothing, and does not catch up when registered again.
        return False
    if not any(is_named(pattern, event.contract.type) for pattern in subscription["types"]):
        return False
    admitted = kinds_of(agency, then) & event.contract.receivers.keys()
    if admitted and covers(subscription["region"], event.region):
        return True
    told = f"{event.attributes.get('to', '')} {event.attributes.get('cc', '')}"
    if event.opening is not None:
        told += f" {event.opening.publisher} {event.opening.attributes.get('cc', '')}"
    # Whoever may come to stand for an addressee is fed too: reading decides as things are then.
    return agency in line_of(told, then)


def wanted(subscription: Record, event: Event) -> bool:
    """Whether the filters ask for it: they narrow what is handed over, not what a feed holds."""
    return all(filter_holds(asked, event.attributes) for asked in subscription["filters"])


def filter_holds(asked: Record, attributes: Record) -> bool:
    """The dialects `exact`, `prefix` and `all`, on the attributes as published."""
    if "all" in asked:
        return all(filter_holds(part, attributes) for part in asked["all"])
    if "exact" in asked:
        return all(attributes.get(name) == value for name, value in asked["exact"].items())
    return all(
        str(attributes.get(name, "")).startswith(value) for name, value in asked["prefix"].items()
    )


def may_publish(event: Event, agency: str, moment: Moment) -> list[tuple[str, str]]:
    """What speaks against publishing it, as code and pointer; empty when nothing does."""
    found = admission_faults(event, agency, moment)
    if not found and event.contract.about is not None:
        return exchange_faults(event, agency, moment)
    if found or opens(event):
        return found
    opening = event.opening
    if opening is None or opening.contract.type not in event.contract.answers:
        return [("opening_unknown", "/causationid")]
    # An opening that has expired since may still be answered: only its delivery has ended.
    if isinstance(decide(opening, agency, moment), Denied):
        return [("opening_unknown", "/causationid")]
    if opening.key.partition(":")[2] != event.key.partition(":")[2]:
        found.append(("case_differs", "/data"))
    if opening.attributes.get("correlationid") != event.attributes.get("correlationid"):
        found.append(("correlation_differs", "/correlationid"))
    if opening.contract.about is not None and subject(opening) != subject(event):
        found.append(("about_differs", "/data/about"))
    return found


def subject(event: Event) -> tuple[str, str]:
    """The source and id of what an exchange, or its answer, is about."""
    about = event.data["about"]
    return about["source"], about["id"]


def exchange_faults(event: Event, agency: str, moment: Moment) -> list[tuple[str, str]]:
    """It passes between those who have the event: its publisher writes to whoever reads it.

    A reader writes to the publisher and to whom that one named. Who stands for another counts.
    """
    about = event.about
    if about is None:
        return [("subject_unknown", "/data/about")]

    def reads(reader: str) -> bool:
        return not isinstance(decide(about, reader, moment), Denied)

    authors, named = names(about.publisher, moment), named_in(event, ("to", "cc"), moment)
    if agency not in authors and not reads(agency):
        return [("subject_unknown", "/data/about")]
    known_to_all = named if agency in authors else authors | named_in(about, ("to", "cc"), moment)
    had_by_all = all(id_ in authors or reads(id_) for id_ in named)
    if not named or not named <= known_to_all or not had_by_all:
        return [("not_among_readers", "/to")]
    return []


def opens(event: Event) -> bool:
    """Whether the event stands by itself: no reply, or one that may come unasked and does."""
    contract = event.contract
    return not contract.answers or (contract.unasked and "causationid" not in event.attributes)


def closed_ways(event: Event, moment: Moment) -> list[tuple[str, str]]:
    """Addresses that lie where the contract does not let its events go (decision 18)."""
    home = region_of(event.publisher)
    found = []
    for name in ("to", "cc"):
        for address in event.attributes.get(name, "").split():
            place, _, reach = address.partition("@")[2].partition("/")
            level = relation(place or region_of(address), home) or "same"
            lie = {level}
            if reach:
                lie = {"up", "same", "down"} if level == "up" else {"down"}
            if not lie <= event.contract.ways:
                found.append(("way_closed", f"/{name}"))
                break
    return found


def admission_faults(event: Event, agency: str, moment: Moment) -> list[tuple[str, str]]:
    """What the envelope, the contract and the policy say against an event."""
    repeated = len(set(event.caveats)) < len(event.caveats)
    if repeated or not set(event.caveats) <= set(CAVEATS):
        # What is wrong with the envelope is told before anybody asks who may send it.
        return [("caveat_unknown", "/caveats")]
    found = []
    if event.publisher != agency:
        found.append(("source_foreign", "/source"))
    if not known(event.region):
        found.append(("region_unknown", "/region"))
    may_open = kinds_of(agency, moment) & event.contract.publishers
    if event.opening is None and opens(event) and not may_open:
        found.append(("publisher_not_admitted", "/type"))
    if event.contract.unasked or not event.contract.answers:
        found += closed_ways(event, moment)
    if not any(
        grants(grant, "publish", event.contract.type, agency, moment)
        and scope_covers(grant["region"], event.region, agency, moment)
        for grant in moment.policy["grants"]
    ):
        found.append(("not_granted", "/type"))
    for name in ("to", "cc"):
        addresses = event.attributes.get(name, "").split()
        if not all(names(address, moment) for address in addresses):
            found.append(("address_unknown", f"/{name}"))
    marking = event.attributes.get("dataclassification", "internal")
    if MARKINGS.index(marking) > MARKINGS.index(moment.ceiling):
        found.append(("above_ceiling", "/dataclassification"))
    return [*found, *caveat_faults(event)]


def caveat_faults(event: Event) -> list[tuple[str, str]]:
    """Caveats need `to`; a source or a sealed matter is not sent in a circle (decision 8)."""
    if not event.caveats:
        return []
    found = []
    if "to" not in event.attributes:
        found.append(("caveat_needs_to", "/to"))
    if "source-protected" in event.caveats or "sealed" in event.caveats:
        for name in ("to", "cc"):
            addresses = event.attributes.get(name, "").split()
            if any("/" in address for address in addresses):
                found.append(("caveat_circle", f"/{name}"))
    return found
