"""One version of the policy, ready for decisions, and the place that keeps the newest."""

import hashlib
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from contracts.catalogue import Catalogue
from contracts.owncodes import SHIPPED, Codes
from contracts.region import Regions
from hub.database.connection import Connection
from hub.policy import sql
from hub.policy.agencies import Agency, Registry
from hub.policy.document import PolicyDocument, Recusal, end_of, start_of
from hub.policy.grants import Grants
from hub.policy.parties import PartyMarks

# The one in force, the one before it, and one that may have failed to be committed.
VERSIONS_HELD: Final = 3
MOST_EARLIER: Final = 4


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A recusal as decisions use it; `start` and `end` in microseconds UTC, end exclusive."""

    id: str
    case: str
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Written:
    """A document as it is kept and shown: JSON, and digests of the parts that roles may change."""

    text: str
    agencies: bytes
    rights: bytes

    @classmethod
    def of(cls, document: PolicyDocument) -> "Written":
        """What is kept of a document; the same document always has the same."""
        dump = partial(document.model_dump_json, by_alias=True, exclude_none=True)
        agencies, rights = dump(include={"agencies"}), dump(exclude={"agencies"})
        digests = (hashlib.sha256(part.encode()).digest() for part in (agencies, rights))
        return cls(f"{agencies[:-1]},{rights[1:]}", *digests)


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """What decisions are made by. `ceiling` is the highest marking this node may hold."""

    version: int
    document: PolicyDocument
    written: Written
    registry: Registry
    grants: Grants
    recusals: Mapping[str, tuple[Withdrawal, ...]]
    catalogue: Catalogue
    regions: Regions
    codes: Codes
    ceiling: int

    def agency(self, agency_id: str) -> Agency | None:
        """The registered agency of that id."""
        return self.registry.agencies.get(agency_id)


class Policies:
    """Gives the policy in force as a connection's snapshot sees it; compiles each version once.

    While a change is being committed, the writer sees the new version and readers the old one.

    The database is asked nothing under a lock: several works of one thread may be here at once, and
    who waits for the lock keeps the thread from the one that the server has answered.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        regions: Regions,
        marks: PartyMarks,
        ceiling: int,
        codes: Codes = SHIPPED,
    ) -> None:
        self.catalogue = catalogue
        self.codes = codes
        self._regions = regions
        self._marks = marks
        self._ceiling = ceiling
        self._held: dict[tuple[int, int], Policy] = {}
        self._holding = threading.Lock()
        self._earlier: dict[int, Policy] = {}
        # One of their own: whoever compiles an old version does not keep publishing waiting.
        self._recalling = threading.Lock()

    def seen_by(self, connection: Connection) -> Policy:
        """The policy in force in the connection's snapshot. A read takes about 20 µs."""
        return self.identified(connection, sql.newest_version(connection))

    def identified(self, connection: Connection, identity: tuple[int, int]) -> Policy:
        """The policy of which `sql.newest_version` said this, in the connection's snapshot."""
        held = self._held.get(identity)
        if held is not None:
            return held
        version, _ = identity
        written = sql.written_document(connection, version)
        with self._holding:
            held = self._held.get(identity)
            if held is None:
                held = self.compile(version, PolicyDocument.model_validate_json(written))
                self._hold(identity, held)
            return held

    def expect(self, identity: tuple[int, int], policy: Policy) -> None:
        """Have a version ready under what `sql.newest_version` will say of it."""
        with self._holding:
            self._hold(identity, policy)

    def of_version(self, connection: Connection, version: int) -> Policy:
        """A version as it was; the one in force and the last few asked for stay compiled."""
        in_force = self.seen_by(connection)
        if in_force.version == version:
            return in_force
        held = self._earlier.get(version)
        written = "" if held else sql.written_document(connection, version)
        with self._recalling:
            held = self._earlier.pop(version, held)
            if held is None:
                held = self.compile(version, PolicyDocument.model_validate_json(written))
            self._earlier[version] = held
            if len(self._earlier) > MOST_EARLIER:
                del self._earlier[next(iter(self._earlier))]
            return held

    def compile(self, version: int, document: PolicyDocument) -> Policy:
        """Index a document for decisions."""
        return Policy(
            version=version,
            document=document,
            written=Written.of(document),
            registry=Registry(document.agencies, regions=self._regions, marks=self._marks),
            grants=Grants(document.grants, document.rounds),
            recusals=_by_agency(document.recusals),
            catalogue=self.catalogue,
            regions=self._regions,
            codes=self.codes,
            ceiling=self._ceiling,
        )

    def _hold(self, identity: tuple[int, int], policy: Policy) -> None:
        # Replaced as a whole, since others read it at any moment.
        newest = list(self._held.items())[1 - VERSIONS_HELD :]
        self._held = {**dict(newest), identity: policy}


def etag(policy: Policy) -> str:
    """What `If-Match` must name to change this version."""
    digest = hashlib.sha256(policy.written.agencies + policy.written.rights).hexdigest()[:12]
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
