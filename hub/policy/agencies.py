"""The registry: who takes part, as a policy version says it, indexed for decisions."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

from contracts.agency import AgencyId, Directory, parse_addresses
from contracts.region import Level, Regions
from hub.event import Marking
from hub.policy import parties
from hub.policy.document import AgencyRecord, end_of, start_of
from hub.policy.parties import Body, PartyMarks


@dataclass(frozen=True, slots=True, eq=False)
class Agency:
    """A registered agency, one object per policy version; `body` is what events may name it by.

    `kin`: the ids of that body, its own among them: those of its organ, of whom it succeeded and of
    who succeeds it. `system`: the vertically managed one it is in, whose scopes alone cover it.
    """

    id: str
    name: str
    region: str
    level: Level
    kinds: frozenset[str]
    clearance: int
    body: Body
    kin: tuple[str, ...]
    system: str | None
    successor: str | None
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
        agencies: dict[str, Agency] = {}
        known: set[bytes] = set()
        for group in _bodies(records):
            body, kin = _marked(group, marks), tuple(sorted(record.id for record in group))
            known |= body.hashes
            agencies.update((r.id, _agency(r, regions, body, kin)) for r in group)
        self.agencies: Mapping[str, Agency] = agencies
        self._marks = frozenset(known)
        self._directory = Directory.of(
            self.agencies, regions, acting={r.id: r.acts_as for r in records if r.acts_as}
        )
        # Publishers repeat their addresses; what does not parse raises and is not kept. Not a
        # method: the cache would hold the registry, and no collection looks for such circles.
        self.resolve = lru_cache(maxsize=4096)(partial(_resolve, self._directory, self.agencies))

    def is_named(self, agency: Agency, addresses: str, now: int) -> bool:
        """Whether addresses name the agency at `now`: itself, or one whose place it has taken."""
        if not addresses or agency.id not in self.resolve(addresses):
            return False
        return any(self._heir(id_, now) == agency.id for id_ in _named(self._directory, addresses))

    def standing(self, addresses: str, now: int) -> frozenset[str]:
        """Who stands at `now` for those whom addresses name: themselves, or who took their place.

        Raises AddressError for no such thing.
        """
        return frozenset(self._heir(id_, now) for id_ in _named(self._directory, addresses))

    def unresolved(self, addresses: str) -> bool:
        """Whether some address of the attribute names no registered agency."""
        return not all(self._directory.resolve(a) for a in parse_addresses(addresses))

    def strangers(self, marks: bytes) -> int:
        """How many organisations that an event names match no registered body."""
        return parties.strangers(marks, self._marks)

    def _heir(self, id_: str, now: int) -> str:
        """Who stands for an agency at `now`: itself while it is in force, else its successor."""
        agency = self.agencies[id_]
        while agency.successor is not None and not agency.takes_part(now):
            agency = self.agencies[agency.successor]
        return agency.id


def _resolve(
    directory: Directory, agencies: Mapping[str, Agency], addresses: str
) -> frozenset[str]:
    """The agencies that an address attribute names, and all that may come to stand for them.

    Raises AddressError for no such thing.
    """
    named = _named(directory, addresses)
    return named.union(*(_line(agencies, id_) for id_ in named))


def _named(directory: Directory, addresses: str) -> frozenset[str]:
    named = [directory.resolve(address) for address in parse_addresses(addresses)]
    return frozenset().union(*named)


def _line(agencies: Mapping[str, Agency], id_: str) -> Iterator[str]:
    """The successors of an agency, one after the other. A policy has no circles."""
    successor = agencies[id_].successor
    while successor is not None:
        yield successor
        successor = agencies[successor].successor


def in_force(start: int | None, end: int | None, now: int) -> bool:
    """Whether `now` lies in a validity whose end is exclusive."""
    return (start is None or start <= now) and (end is None or now < end)


def _bodies(records: tuple[AgencyRecord, ...]) -> Iterator[tuple[AgencyRecord, ...]]:
    """The real bodies: records that share an organ, or of which one succeeds the other."""
    linked: dict[str, list[AgencyRecord]] = defaultdict(list)
    for record in records:
        for link in _links(record):
            linked[link].append(record)
    placed: set[str] = set()
    for record in records:
        if record.id in placed:
            continue
        body = {record.id: record}
        waiting = [record]
        while waiting:
            for link in _links(waiting.pop()):
                for other in linked[link]:
                    if other.id not in body:
                        body[other.id] = other
                        waiting.append(other)
        placed |= body.keys()
        yield tuple(body.values())


def _links(record: AgencyRecord) -> Iterator[str]:
    """What a record has in common with the others of its body."""
    yield f"agency {record.id}"
    if record.successor is not None:
        yield f"agency {record.successor}"
    if record.organ is not None:
        yield f"organ {record.organ}"


def _marked(group: tuple[AgencyRecord, ...], marks: PartyMarks) -> Body:
    return marks.of_body(
        ids=[*(r.id for r in group), *(r.organ for r in group if r.organ)],
        names=[r.name for r in group],
        usccs=[r.uscc for r in group if r.uscc],
        orgcodes=[r.orgcode for r in group if r.orgcode],
        head_names=[head.name for r in group for head in r.heads],
        head_keys=[head.personkey for r in group for head in r.heads if head.personkey],
    )


def _agency(record: AgencyRecord, regions: Regions, body: Body, kin: tuple[str, ...]) -> Agency:
    parsed = AgencyId.parse(record.id)
    return Agency(
        id=record.id,
        name=record.name,
        region=parsed.region,
        level=record.level or regions.level(parsed.region),
        kinds=frozenset({parsed.kind, *record.acts_as}),
        clearance=Marking[record.clearance],
        body=body,
        kin=kin,
        system=record.system,
        successor=record.successor,
        valid_from=start_of(record.valid_from),
        valid_until=end_of(record.valid_until),
    )
