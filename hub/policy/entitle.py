"""Who gets what: the one decision, made at the moment of delivery, for every channel.

An agency receives an event only if all five steps hold; the first that does not is the answer.
Each step leaves its ground, from which `explain` speaks. Sources: the Opinions' sharing duties by
agency (the matrix), the rules on protecting those who accuse, on withdrawal (回避) and on
classification.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from contracts.agency import relation
from contracts.classes import FieldClass
from contracts.contract import Contract
from contracts.matrix import Measure
from hub.event import Caveat, Entry
from hub.policy.agencies import Agency, in_force
from hub.policy.grants import Granted
from hub.policy.policy import Policy

OPEN: Final = frozenset({FieldClass.F0, FieldClass.F1})
EVERY_LEVEL: Final = frozenset({"same", "up", "down"})


@dataclass(frozen=True, slots=True)
class Ground:
    """Why one step holds, or does not: a stable code, and the names it rests on, in order."""

    step: int
    code: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Allowed:
    """The event may be seen, in these field classes.

    `masked`: as a summary, F0, F1 and what the contract marks as `in_summary`.
    """

    classes: frozenset[FieldClass]
    masked: bool = False
    grounds: tuple[Ground, ...] = ()


@dataclass(frozen=True, slots=True)
class Denied:
    """The event may not be seen: the step that said so, and its reason as a stable code."""

    step: int
    reason: str
    grounds: tuple[Ground, ...] = ()


Decision = Allowed | Denied


def entitle(agency: Agency, entry: Entry, *, policy: Policy, now: int) -> Decision:
    """Whether `agency` may see `entry` at `now` (microseconds UTC) under `policy`, and how much."""
    return Decisions(agency, policy=policy, now=now).on(entry)


# What the steps 1, 2, 3 and 5 read of an event: it repeats from event to event.
circumstances: Final = attrgetter(
    "type", "version", "publisher", "region", "to", "cc", "audience", "marking", "caveats"
)


class Decisions:
    """The decisions of one page: the same policy, agency and moment."""

    def __init__(self, agency: Agency, *, policy: Policy, now: int) -> None:
        self._agency = agency
        self._policy = policy
        self._now = now
        self._standings: dict[tuple[str | int, ...], Decision] = {}
        self._accused_by = agency.body.accused_by
        self._withdrawals = [
            withdrawal
            for id_ in agency.kin
            for withdrawal in policy.recusals.get(id_, ())
            if in_force(withdrawal.start, withdrawal.end, now)
        ]

    def on(self, entry: Entry) -> Decision:
        """As `entitle` answers."""
        standing = self.standing(entry)
        if isinstance(standing, Denied):
            return standing
        excluded = self.exclusion(entry)
        if excluded is None:
            return standing
        return Denied(4, excluded.code, (*standing.grounds[:-1], excluded))

    def standing(self, entry: Entry) -> Decision:
        """The decision but for step 4; it is the same in the same circumstances."""
        known = circumstances(entry)
        standing = self._standings.get(known)
        if standing is None:
            standing = _Standing(self._agency, entry, self._policy, self._now).decide()
            self._standings[known] = standing
        return standing

    def may_exclude(self, parties: bytes) -> bool:
        """Whether step 4 may keep back any of the events whose marks these are together."""
        return bool(self._withdrawals) or self._accused_by(parties) is not None

    def exclusion(self, entry: Entry) -> Ground | None:
        """Step 4: the accused side, and whoever has withdrawn from the case, or one it comes from.

        None for whoever is neither.
        """
        if entry.parties and (trait := self._accused_by(entry.parties)) is not None:
            return Ground(4, "accused_party", (trait,))
        for withdrawal in self._withdrawals:
            if withdrawal.case == entry.key or withdrawal.case in entry.origins.split(" "):
                return Ground(4, "recused", (withdrawal.id,))
        return None


class _Standing:
    """The steps that do not look at who an event is about: 1, 2, 3 and 5."""

    def __init__(self, agency: Agency, entry: Entry, policy: Policy, now: int) -> None:
        self._agency = agency
        self._entry = entry
        self._policy = policy
        self._now = now
        self._publisher = policy.agency(entry.publisher)
        self._relation = relation(
            agency.region, entry.publisher.partition(".")[0], regions=policy.regions
        )
        self._in_to = self._is_named(entry.to)
        self._addressed = self._in_to or self._is_named(entry.cc)
        self._grounds: list[Ground] = []

    def decide(self) -> Decision:
        measure = self._admission()
        if measure is None:
            return self._denied()
        grants = self._grants()
        if not grants:
            return self._denied()
        if not self._reaches() or not self._cleared():
            return self._denied()
        classes = frozenset[FieldClass]().union(*(grant.classes for grant in grants))
        if self._entry.caveats & Caveat.source_protected and not self._in_to:
            self._note(3, "source_protected")
            classes &= OPEN
        self._note(4, "not_excluded")
        return Allowed(classes, measure == "masked", tuple(self._grounds))

    def _admission(self) -> Measure | None:
        """Step 1: what the contract's matrix gives this kind at this level, or the audience."""
        agency, entry = self._agency, self._entry
        contract = self._policy.catalogue.find(entry.type, entry.version)
        if contract is None:
            self._note(1, "contract_unknown", entry.type, entry.version)
            return None
        if not agency.takes_part(self._now):
            self._note(1, "agency_not_in_force", agency.id)
            return None
        barred = agency.kinds & contract.denied
        if contract.accuses:
            barred |= agency.kinds & {"inspected-party"}
        if barred:
            self._note(1, "not_a_receiver", "denied", *sorted(barred))
            return None
        # Whoever asked gets the answer, whatever its kind: the matrix governs openings.
        if contract.answers and self._is_named(entry.audience):
            self._note(1, "audience", entry.audience)
            return "full"
        if contract.unasked and entry.audience and not self._may_say_it_unasked(contract):
            self._note(1, "not_a_receiver", self._relation or "apart", *sorted(agency.kinds))
            return None
        return self._cell(contract)

    def _may_say_it_unasked(self, contract: Contract) -> bool:
        """Whether its publisher could have said it without an opening, to all of the matrix."""
        return self._publisher is not None and bool(self._publisher.kinds & contract.publishers)

    def _cell(self, contract: Contract) -> Measure | None:
        """The widest of the matrix's cells that fit."""
        cells: list[tuple[Measure, str, str]] = []
        for kind in sorted(self._agency.kinds & contract.receivers.keys()):
            row = contract.receivers[kind]
            if self._relation is not None and self._relation in row:
                cells.append((row[self._relation], kind, self._relation))
            if self._addressed:
                cells.append((row.get("same") or _widest(row.values()), kind, "addressed"))
        if not cells:
            kinds = sorted(self._agency.kinds)
            self._note(1, "not_a_receiver", self._relation or "apart", *kinds)
            return None
        measure = _widest(cell[0] for cell in cells)
        _, kind, by = next(cell for cell in cells if cell[0] == measure)
        self._note(1, "matrix", kind, by, measure)
        return measure

    def _grants(self) -> list[Granted]:
        """Step 2: the matching grants."""
        agency, regions = self._agency, self._policy.regions
        matching: list[Granted] = []
        for grant in self._policy.grants.to(agency, "receive", self._entry.type):
            covered = self._covers_event(grant) or (
                self._addressed
                and grant.scope.covers(agency.region, agency.system, regions=regions)
            )
            if covered and self._at_level(grant) and grant.holds(self._now):
                matching.append(grant)
        self._note(2, "grants" if matching else "no_grant", *(grant.id for grant in matching))
        return matching

    def _covers_event(self, grant: Granted) -> bool:
        """Of a publisher that is registered no more nobody can say to which system it belonged."""
        publisher = self._publisher
        return publisher is not None and grant.scope.covers(
            self._entry.region, publisher.system, regions=self._policy.regions
        )

    def _at_level(self, grant: Granted) -> bool:
        """Where the regions stand apart, only a grant for every level holds."""
        if self._relation is None:
            return grant.levels >= EVERY_LEVEL
        return self._relation in grant.levels

    def _reaches(self) -> bool:
        """Step 3: an event that says whom it is for goes to no one else."""
        if self._entry.to and not self._addressed:
            kept = self._entry.caveats & Caveat.no_forward
            self._note(3, "no_forward" if kept else "not_addressed")
            return False
        self._note(3, "addressed" if self._addressed else "to_nobody_in_particular")
        return True

    def _cleared(self) -> bool:
        """Step 5: markings stay within clearance and ceiling."""
        most = min(self._agency.clearance, self._policy.ceiling)
        if self._entry.marking > most:
            self._note(5, "above_clearance")
            return False
        self._note(5, "within_clearance")
        return True

    def _is_named(self, addresses: str) -> bool:
        return self._policy.registry.is_named(self._agency, addresses, self._now)

    def _note(self, step: int, code: str, *facts: str) -> None:
        self._grounds.append(Ground(step, code, facts))

    def _denied(self) -> Denied:
        last = self._grounds[-1]
        return Denied(last.step, last.code, tuple(self._grounds))


def _widest(measures: Iterable[Measure]) -> Measure:
    return "full" if "full" in measures else "masked"
