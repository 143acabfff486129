"""The registry: who takes part, as a policy version says it, indexed for decisions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from contracts.agency import AgencyId, Directory, parse_addresses
from contracts.region import Level, Regions
from hub.event import Marking
from hub.policy.document import AgencyRecord, end_of, start_of
from hub.policy.parties import Body, PartyMarks


@dataclass(frozen=True, slots=True, eq=False)
class Agency:
    """A registered agency, one object per policy version; `body` is what events may name it by."""

    id: str
    name: str
    region: str
    level: Level
    kinds: frozenset[str]
    clearance: int
    body: Body
    valid_from: int | None
    valid_until: int | None

    def takes_part(self, now: int) -> bool:
        """Whether the record is in force at `now` (microseconds UTC)."""
        return in_force(self.valid_from, self.valid_until, now)


class Registry:
    """The agencies of one policy version."""

    def __init__(
        self, records: Iterable[AgencyRecord], *, regions: Regions, marks: PartyMarks
    ) -> None:
        records = tuple(records)
        bodies = _bodies(records, marks)
        self.agencies: Mapping[str, Agency] = {
            record.id: _agency(record, regions, bodies[_body_of(record)]) for record in records
        }
        self._directory = Directory.of(self.agencies, regions)
        # Publishers repeat their addresses; what does not parse raises and is not kept.
        self.resolve = lru_cache(maxsize=4096)(self._resolve)

    def _resolve(self, addresses: str) -> frozenset[str]:
        """The agencies that an address attribute names. Raises AddressError for no such thing."""
        named = [self._directory.resolve(address) for address in parse_addresses(addresses)]
        return frozenset().union(*named)

    def unresolved(self, addresses: str) -> bool:
        """Whether some address of the attribute names no registered agency."""
        return not all(self._directory.resolve(a) for a in parse_addresses(addresses))


def in_force(start: int | None, end: int | None, now: int) -> bool:
    """Whether `now` lies in a validity whose end is exclusive."""
    return (start is None or start <= now) and (end is None or now < end)


def _body_of(record: AgencyRecord) -> str:
    return f"organ {record.organ}" if record.organ else f"agency {record.id}"


def _bodies(records: tuple[AgencyRecord, ...], marks: PartyMarks) -> dict[str, Body]:
    """Every real body's marks: those of all ids that share its organ."""
    members: dict[str, list[AgencyRecord]] = defaultdict(list)
    for record in records:
        members[_body_of(record)].append(record)
    return {
        body: marks.of_agency(
            ids=[*(r.id for r in group), *(r.organ for r in group if r.organ)],
            names=[r.name for r in group],
            usccs=[r.uscc for r in group if r.uscc],
            orgcodes=[r.orgcode for r in group if r.orgcode],
        )
        for body, group in members.items()
    }


def _agency(record: AgencyRecord, regions: Regions, body: Body) -> Agency:
    parsed = AgencyId.parse(record.id)
    return Agency(
        id=record.id,
        name=record.name,
        region=parsed.region,
        level=record.level or regions.level(parsed.region),
        kinds=frozenset({parsed.kind, *record.acts_as}),
        clearance=Marking[record.clearance],
        body=body,
        valid_from=start_of(record.valid_from),
        valid_until=end_of(record.valid_until),
    )
