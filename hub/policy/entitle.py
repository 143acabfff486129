"""Who gets what: the one decision, made at the moment of delivery, for every channel.

An agency receives an event only if all five steps hold; the first that does not is the answer.
Sources: the Opinions' sharing duties by agency (the matrix), the rules on protecting those who
accuse, on withdrawal (回避) and on classification.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from contracts.agency import relation
from contracts.common import FieldClass
from contracts.contract import Contract, Measure
from hub.event import Entry
from hub.policy.agencies import Agency, in_force
from hub.policy.policy import Policy

OPEN: Final = frozenset({FieldClass.F0, FieldClass.F1})


@dataclass(frozen=True, slots=True)
class Allowed:
    """The event may be seen, in these field classes."""

    classes: frozenset[FieldClass]


@dataclass(frozen=True, slots=True)
class Denied:
    """The event may not be seen: the step that said so, and its reason as a stable code."""

    step: int
    reason: str


Decision = Allowed | Denied


def entitle(agency: Agency, entry: Entry, *, policy: Policy, now: int) -> Decision:
    """Whether `agency` may see `entry` at `now` (microseconds UTC) under `policy`, and how much."""
    standing = _standing(agency, entry, policy=policy, now=now)
    if isinstance(standing, Denied):
        return standing
    return _exclusion(agency, entry, policy=policy, now=now) or standing


class Decisions:
    """The decisions of one page: the same policy, agency and moment.

    What the steps 1, 2, 3 and 5 read repeats from event to event, so their answer is kept.
    """

    def __init__(self, agency: Agency, *, policy: Policy, now: int) -> None:
        self._agency = agency
        self._policy = policy
        self._now = now
        self._standings: dict[tuple[str | int, ...], Decision] = {}

    def on(self, entry: Entry) -> Decision:
        """As `entitle` answers."""
        circumstances = (
            entry.type,
            entry.version,
            entry.publisher,
            entry.region,
            entry.to,
            entry.cc,
            entry.audience,
            entry.marking,
        )
        standing = self._standings.get(circumstances)
        if standing is None:
            standing = _standing(self._agency, entry, policy=self._policy, now=self._now)
            self._standings[circumstances] = standing
        if isinstance(standing, Denied):
            return standing
        return _exclusion(self._agency, entry, policy=self._policy, now=self._now) or standing


def _standing(agency: Agency, entry: Entry, *, policy: Policy, now: int) -> Decision:
    contract = policy.catalogue.find(entry.type, entry.version)
    if contract is None:
        return Denied(1, "contract_unknown")
    if not agency.takes_part(now):
        return Denied(1, "agency_not_in_force")
    addressed = _names(policy, entry.to, agency) or _names(policy, entry.cc, agency)
    measure = _admission(agency, entry, contract, addressed=addressed, policy=policy)
    if measure is None:
        return Denied(1, "not_a_receiver")
    classes = _granted(agency, entry, addressed=addressed, policy=policy, now=now)
    if classes is None:
        return Denied(2, "no_grant")
    if entry.to and not addressed:
        return Denied(3, "not_addressed")
    if entry.marking > min(agency.clearance, policy.ceiling):
        return Denied(5, "above_clearance")
    return Allowed(classes & OPEN if measure == "masked" else classes)


def _admission(
    agency: Agency, entry: Entry, contract: Contract, *, addressed: bool, policy: Policy
) -> Measure | None:
    """Step 1: what the contract's matrix gives this kind at this level, or the reply's audience."""
    if agency.kinds & contract.denied:
        return None
    if contract.accuses and "inspected-party" in agency.kinds:
        return None
    # Whoever asked gets the answer, whatever its kind: the matrix governs openings.
    if contract.answers and _in_audience(policy, entry, agency):
        return "full"
    publisher = entry.publisher.partition(".")[0]
    stands = relation(agency.region, publisher, regions=policy.regions)
    measures: list[Measure] = []
    for kind in agency.kinds & contract.receivers.keys():
        row = contract.receivers[kind]
        if stands is not None and stands in row:
            measures.append(row[stands])
        if addressed:
            measures.append(row.get("same") or _widest(row.values()))
    return _widest(measures) if measures else None


def _granted(
    agency: Agency, entry: Entry, *, addressed: bool, policy: Policy, now: int
) -> frozenset[FieldClass] | None:
    """Step 2: the classes of all matching grants together; None when none matches."""
    publisher = entry.publisher.partition(".")[0]
    stands = relation(agency.region, publisher, regions=policy.regions)
    classes: set[FieldClass] = set()
    matched = False
    for grant in policy.grants.to(agency, "receive", entry.type):
        covered = policy.regions.covers(grant.region, entry.region) or (
            addressed and policy.regions.covers(grant.region, agency.region)
        )
        if covered and grant.holds(now) and (stands is None or stands in grant.levels):
            matched = True
            classes |= grant.classes
    return frozenset(classes) if matched else None


def _exclusion(agency: Agency, entry: Entry, *, policy: Policy, now: int) -> Denied | None:
    """Step 4: the accused side, and whoever has withdrawn from the case."""
    if entry.parties and agency.body.is_accused(entry.parties):
        return Denied(4, "accused_party")
    for withdrawal in policy.recusals.get(agency.id, ()):
        if withdrawal.case == entry.key and in_force(withdrawal.start, withdrawal.end, now):
            return Denied(4, "recused")
    return None


def _names(policy: Policy, addresses: str, agency: Agency) -> bool:
    return bool(addresses) and agency.id in policy.registry.resolve(addresses)


def _in_audience(policy: Policy, entry: Entry, agency: Agency) -> bool:
    """Whether a reply goes to the agency: it published the opening, or stands in its `cc`."""
    return _names(policy, entry.audience, agency)


def _widest(measures: Iterable[Measure]) -> Measure:
    return "full" if "full" in measures else "masked"
