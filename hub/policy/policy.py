"""One version of the policy, ready for decisions, and the place that keeps the newest."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.catalogue import Catalogue
from contracts.region import Regions
from hub.database.connection import Connection
from hub.policy import sql
from hub.policy.agencies import Agency, Registry
from hub.policy.document import PolicyDocument, Recusal, end_of, start_of
from hub.policy.grants import Grants
from hub.policy.parties import PartyMarks

MOST_EARLIER: Final = 4


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A recusal as decisions use it; `start` and `end` in microseconds UTC, end exclusive."""

    id: str
    case: str
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """What decisions are made by. `ceiling` is the highest marking this node may hold."""

    version: int
    document: PolicyDocument
    registry: Registry
    grants: Grants
    recusals: Mapping[str, tuple[Withdrawal, ...]]
    catalogue: Catalogue
    regions: Regions
    ceiling: int

    def agency(self, agency_id: str) -> Agency | None:
        """The registered agency of that id."""
        return self.registry.agencies.get(agency_id)


class Policies:
    """Gives the policy in force as a connection's snapshot sees it; compiles each version once."""

    def __init__(
        self, *, catalogue: Catalogue, regions: Regions, marks: PartyMarks, ceiling: int
    ) -> None:
        self.catalogue = catalogue
        self._regions = regions
        self._marks = marks
        self._ceiling = ceiling
        self._newest: tuple[tuple[int, int], Policy] | None = None
        self._earlier: dict[int, Policy] = {}

    def seen_by(self, connection: Connection) -> Policy:
        """The policy in force in the connection's snapshot. A read takes about 20 µs."""
        identity = sql.newest_version(connection)
        held = self._newest
        if held is not None and held[0] == identity:
            return held[1]
        compiled = self.compile(identity[0], sql.document(connection, identity[0]))
        self._newest = (identity, compiled)
        return compiled

    def of_version(self, connection: Connection, version: int) -> Policy:
        """A version as it was; the one in force and the last few asked for stay compiled."""
        if self._newest is not None and self._newest[1].version == version:
            return self._newest[1]
        held = self._earlier.pop(version, None)
        if held is None:
            held = self.compile(version, sql.document(connection, version))
        self._earlier[version] = held
        while len(self._earlier) > MOST_EARLIER:
            self._earlier.pop(next(iter(self._earlier)), None)
        return held

    def compile(self, version: int, document: PolicyDocument) -> Policy:
        """Index a document for decisions."""
        return Policy(
            version=version,
            document=document,
            registry=Registry(document.agencies, regions=self._regions, marks=self._marks),
            grants=Grants(document.grants, document.rounds),
            recusals=_by_agency(document.recusals),
            catalogue=self.catalogue,
            regions=self._regions,
            ceiling=self._ceiling,
        )


def etag(policy: Policy) -> str:
    """What `If-Match` must name to change this version."""
    digest = hashlib.sha256(policy.document.model_dump_json().encode()).hexdigest()[:12]
    return f'"{policy.version}-{digest}"'


def _by_agency(recusals: tuple[Recusal, ...]) -> dict[str, tuple[Withdrawal, ...]]:
    found: dict[str, list[Withdrawal]] = defaultdict(list)
    for recusal in recusals:
        withdrawal = Withdrawal(
            id=recusal.id,
            case=recusal.case,
            start=start_of(recusal.valid_from),
            end=end_of(recusal.valid_until),
        )
        found[recusal.agency].append(withdrawal)
    return {agency: tuple(withdrawals) for agency, withdrawals in found.items()}
