"""Who is who (design 5), read from a policy document by looking at every record, every time."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.generative.places import lineage

Record = Mapping[str, Any]
BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Moment:
    """A policy document, the time it is asked, and the node's ceiling."""

    policy: Mapping[str, Sequence[Record]]
    now: datetime
    ceiling: str

    def record(self, agency: str) -> Record | None:
        """The agency's registry record."""
        for record in self.policy["agencies"]:
            if record["id"] == agency:
                return record
        return None

    def holds(self, record: Record, start: str = "from", end: str = "until") -> bool:
        """Whether a validity holds now: a date counts from its first moment to its last."""
        after = start not in record or _instant(record[start], days=0) <= self.now
        return after and (end not in record or self.now < _instant(record[end], days=1))

    def in_force(self, agency: str) -> bool:
        """Whether the agency is registered and takes part now."""
        record = self.record(agency)
        return record is not None and self.holds(record, "valid_from", "valid_until")


def _instant(text: str, *, days: int) -> datetime:
    if "T" in text:
        return datetime.fromisoformat(text)
    day = date.fromisoformat(text) + timedelta(days=days)
    return datetime.combine(day, time.min, BEIJING)


def region_of(agency: str) -> str:
    """The region in an agency's id."""
    return agency.split(".")[0]


def kinds_of(agency: str, moment: Moment) -> set[str]:
    """The agency's own kind and those it acts as."""
    record = moment.record(agency) or {}
    return {agency.split(".")[1], *record.get("acts_as", ())}


def names(addresses: str, moment: Moment) -> set[str]:
    """The agencies that `to`, `cc` or an audience names, each with its successor in office."""
    return {
        in_office(named, moment)
        for address in addresses.split()
        for named in written(address, moment)
    }


def line_of(addresses: str, moment: Moment) -> set[str]:
    """Whom addresses name now or may name later: everybody down the lines of succession."""
    line = [id_ for address in addresses.split() for id_ in written(address, moment)]
    for id_ in line:
        successor = (moment.record(id_) or {}).get("successor", id_)
        if successor not in line:
            line.append(successor)
    return set(line)


def written(address: str, moment: Moment) -> list[str]:
    if "@" not in address:
        return [address] if moment.record(address) else []
    kind, _, where = address.partition("@")
    region, _, reach = where.partition("/")
    desks = list(desks_of(kind, moment))
    if not reach:
        return [desk for desk in desks if region_of(desk) == region]
    below = [desk for desk in desks if region in lineage(region_of(desk))[1:]]
    if reach == "**":
        return below
    # The next level down that has one: between it and the region there is no other desk.
    return [
        desk
        for desk in below
        if not any(region_of(other) in lineage(region_of(desk))[1:] for other in below)
    ]


def desks_of(kind: str, moment: Moment) -> Iterator[str]:
    """The front desks of a kind: two-part ids, and who acts as the kind where there is none."""
    for record in moment.policy["agencies"]:
        if record["id"].count(".") != 1:
            continue
        region, own = record["id"].split(".")
        stands_in = kind in record.get("acts_as", ()) and not moment.record(f"{region}.{kind}")
        if own == kind or stands_in:
            yield record["id"]


def in_office(agency: str, moment: Moment) -> str:
    """The agency, or while it is not in force its first successor that is (decision 7)."""
    while not moment.in_force(agency):
        record = moment.record(agency)
        if record is None or "successor" not in record:
            break
        agency = record["successor"]
    return agency


def body_of(agency: str, moment: Moment) -> list[Record]:
    """The records of the one real body behind an agency: its organ's, and the line of succession.

    Whoever is linked with one of them belongs to it too (decision 7).
    """
    own = moment.record(agency)
    assert own is not None, "only an agency in force comes to step 4"
    body = [own]
    for known in body:
        for record in moment.policy["agencies"]:
            same_organ = "organ" in known and record.get("organ") == known["organ"]
            succeeds = known.get("successor") == record["id"]
            succeeded = record.get("successor") == known["id"]
            if (same_organ or succeeds or succeeded) and record not in body:
                body.append(record)
    return body


def normalised(name: str) -> str:
    """A name without what writers vary: width, case, spaces, brackets and other marks."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in folded if character.isalnum())
