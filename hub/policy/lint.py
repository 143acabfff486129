"""What is odd in a policy that is valid: rights nobody can use, without end, or too wide.

Pure: a document, the catalogue, the regions and a moment give the findings. A finding refuses
nothing; each says what to do.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from contracts.agency import AgencyId
from contracts.catalogue import Catalogue, type_matches
from contracts.classes import FieldClass
from contracts.contract import Contract
from contracts.region import Regions
from hub.policy.document import AgencyRecord, Grant, PolicyDocument, Recusal, end_of, start_of
from hub.policy.findings import Finding, finding
from hub.policy.grants import May, Scope

MOST_FINDINGS: Final = 1_000
# A subject has few grants over one region; whoever writes thousands still gets an answer soon.
MOST_COMPARED: Final = 50
PERSONAL: Final = frozenset({FieldClass.F2, FieldClass.F3, FieldClass.F4})
_ALWAYS: Final = (None, None)


def lint(
    document: PolicyDocument, *, catalogue: Catalogue, regions: Regions, now: int
) -> tuple[Finding, ...]:
    """What is odd in a document without faults, at `now`; the first thousand findings.

    What begins later counts as in use, what has ended does not.
    """
    found = list(islice(_Lint(document, catalogue, regions, now).findings(), MOST_FINDINGS + 1))
    if len(found) > MOST_FINDINGS:
        found[MOST_FINDINGS:] = [finding("more_findings", "", "")]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Right:
    """A grant with what is compared of it; validity is its own within its round's."""

    number: int
    grant: Grant
    subject: str
    scope: Scope
    start: int
    end: int | None

    def is_within(self, other: "_Right", regions: Regions) -> bool:
        """Whether all that it gives its subject, the other gives it too, and as long."""
        own, wider = self.grant, other.grant
        return (
            other.start <= self.start
            and (other.end is None or (self.end is not None and self.end <= other.end))
            and wider.round in (None, own.round)
            and other.scope.covers(self.scope.region, self.scope.system, regions=regions)
            and all(any(type_matches(w, p) for w in wider.types) for p in own.types)
            and set(own.levels) <= set(wider.levels)
            and set(own.classes) <= set(wider.classes)
        )


class _Places:
    """Regions, each in a vertically managed system or in none; asked by scopes."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self._here: set[tuple[str, str | None]] = set()
        self._above: set[tuple[str, str | None]] = set()

    def add(self, region: str, system: str | None) -> None:
        self._here.add((region, system))
        self._above.update((code, system) for code in self._regions.covering(region))

    def within(self, scope: Scope) -> bool:
        """Whether the scope covers one of them."""
        return (scope.region, scope.system) in self._above

    def meets(self, scope: Scope) -> bool:
        """Whether the scope covers one of them, or lies in one."""
        codes = self._regions.covering(scope.region)
        return self.within(scope) or any((code, scope.system) in self._here for code in codes)

    def has_system(self, system: str | None) -> bool:
        """Whether one of them is in that system, or in none."""
        return any(own == system for _, own in self._here)


Kinds = frozenset[str]
Validity = tuple[int | None, int | None]


class _Lint:
    """One document's findings; everything is indexed first, so that each grant costs little."""

    def __init__(
        self, document: PolicyDocument, catalogue: Catalogue, regions: Regions, now: int
    ) -> None:
        self._document = document
        self._catalogue = catalogue
        self._regions = regions
        self._now = now
        self._agencies = {record.id: record for record in document.agencies}
        self._kinds = {record.id: _kinds(record) for record in document.agencies}
        # subject → the sets of kinds that its agencies have, and where those are.
        self._subjects: dict[str, dict[Kinds, _Places]] = defaultdict(dict)
        for record in document.agencies:
            if not self._has_ended(record):
                self._add_subject(record)
        rounds = {r.id: (start_of(r.valid_from), end_of(r.valid_until)) for r in document.rounds}
        self._rights = [
            _right(n, grant, rounds.get(grant.round or "", _ALWAYS))
            for n, grant in enumerate(document.grants)
        ]
        self._living = [r for r in self._rights if not self._is_over(r)]
        self._by_place: dict[tuple[str, May, str, str | None], list[_Right]] = defaultdict(list)
        # type → where somebody may publish it.
        self._supply: dict[str, _Places] = {}
        for right in self._living:
            self._by_place[_place(right, right.scope.region)].append(right)
            if right.grant.may == "publish":
                self._add_supply(right)

    def findings(self) -> Iterator[Finding]:
        """Agencies, grants, recusals, in the order written."""
        granted = {right.subject for right in self._living}
        working = frozenset(
            chain.from_iterable(
                (*self._catalogue.senders(c), *c.receivers) for c in self._catalogue
            )
        )
        for n, record in enumerate(self._document.agencies):
            yield from self._of_agency(record, f"/agencies/{n}", granted, working)
        for n, right in enumerate(self._rights):
            yield from self._of_grant(right, f"/grants/{n}")
        families = {
            (right.subject, contract.family)
            for right in self._living
            for contract in self._contracts(right.grant.types)
        }
        for n, recusal in enumerate(self._document.recusals):
            yield from self._of_recusal(recusal, f"/recusals/{n}", families)

    def _of_agency(
        self, record: AgencyRecord, at: str, granted: set[str], working: frozenset[str]
    ) -> Iterator[Finding]:
        if record.successor is not None and not self._has_heir(record):
            yield finding("agency_successor_gone", f"{at}/successor", record.id)
        if self._has_ended(record):
            return
        if record.reports_to is not None and self._has_ended(self._agencies[record.reports_to]):
            yield finding("agency_superior_gone", f"{at}/reports_to", record.id)
        # An inspected party may be registered only so that it can be excluded.
        kinds = self._kinds[record.id]
        if kinds & working - {"inspected-party"} and not granted & set(
            _subjects_of(record.id, kinds)
        ):
            yield finding("agency_without_grant", at, record.id)

    def _of_grant(self, right: _Right, at: str) -> Iterator[Finding]:
        if self._is_over(right):
            yield finding(self._how_over(right), at, right.grant.id)
            return
        reason = self._unusable(right)
        if reason is not None:
            yield finding(reason, at, right.grant.id)
        if right.grant.may == "receive":
            if right.end is None and PERSONAL & set(right.grant.classes):
                yield finding("grant_without_end", at, right.grant.id)
            if types := self._beyond_custodians(right):
                yield finding("grant_beyond_custodians", f"{at}/classes", right.grant.id, *types)
        for other in islice(self._wider(right), 1):
            yield finding("grant_contained", at, right.grant.id, other.grant.id)

    def _of_recusal(
        self, recusal: Recusal, at: str, families: set[tuple[str, str]]
    ) -> Iterator[Finding]:
        subjects = _subjects_of(recusal.agency, self._kinds[recusal.agency])
        family = recusal.case.partition(":")[0]
        if self._has_ended(recusal):
            yield finding("recusal_over", at, recusal.id)
        elif self._has_ended(self._agencies[recusal.agency]):
            yield finding("recusal_agency_gone", f"{at}/agency", recusal.id)
        elif not any((subject, family) in families for subject in subjects):
            yield finding("recusal_without_effect", f"{at}/case", recusal.id)

    def _how_over(self, right: _Right) -> str:
        if self._has_ended(right.grant):
            return "grant_over"
        ends_later = right.end is not None and right.end > self._now
        return "grant_never_in_force" if ends_later else "grant_round_over"

    def _unusable(self, right: _Right) -> str | None:
        """Why nobody can use a grant whose time is not over; None if somebody can."""
        bodies = self._subjects.get(right.subject)
        if not bodies:
            return "grant_without_subject"
        admitted = [
            (contract, places)
            for contract in self._contracts(right.grant.types)
            for kinds, places in bodies.items()
            if _admits(contract, kinds, right.grant.may, self._catalogue)
        ]
        if not admitted:
            return "grant_outside_matrix"
        if right.grant.may == "publish":
            in_system = any(places.has_system(right.scope.system) for _, places in admitted)
            return None if in_system else "grant_of_other_system"
        for contract, places in admitted:
            supply = self._supply.get(contract.type)
            # Of what is addressed to it, a subject gets what its grant covers it for.
            if supply and (supply.meets(right.scope) or places.within(right.scope)):
                return None
        return "grant_without_supply"

    def _beyond_custodians(self, right: _Right) -> list[str]:
        """The types of which a grant gives F4 to others than their custodians."""
        if FieldClass.F4 not in right.grant.classes:
            return []
        agency = right.grant.agency
        # Whoever acts as two kinds was granted it as the one that the grant names.
        named = frozenset({right.grant.kind or ""}) if agency is None else self._kinds[agency]
        found = (
            c.type
            for c in self._contracts(right.grant.types)
            if c.source_protected
            and not named & c.custodians
            and _admits(c, named, "receive", self._catalogue)
        )
        return sorted(set(found))

    def _wider(self, right: _Right) -> Iterator[_Right]:
        """Grants that give all that this one gives; of two that are the same, the first stays."""
        near = chain.from_iterable(
            self._by_place.get(_place(right, code), ())
            for code in self._regions.covering(right.scope.region)
        )
        for other in islice(near, MOST_COMPARED):
            if other is right or not right.is_within(other, self._regions):
                continue
            if other.number < right.number or not other.is_within(right, self._regions):
                yield other

    def _contracts(self, patterns: Sequence[str]) -> Iterator[Contract]:
        types = {type_ for pattern in patterns for type_ in self._catalogue.types(pattern)}
        return chain.from_iterable(self._catalogue.versions(type_) for type_ in sorted(types))

    def _add_subject(self, record: AgencyRecord) -> None:
        kinds = self._kinds[record.id]
        for subject in _subjects_of(record.id, kinds):
            places = self._subjects[subject].setdefault(kinds, _Places(self._regions))
            places.add(AgencyId.parse(record.id).region, record.system)

    def _add_supply(self, right: _Right) -> None:
        if self._unusable(right) is None:
            for contract in self._contracts(right.grant.types):
                if any(
                    _admits(contract, k, "publish", self._catalogue)
                    for k in self._subjects[right.subject]
                ):
                    places = self._supply.setdefault(contract.type, _Places(self._regions))
                    places.add(right.scope.region, right.scope.system)

    def _has_heir(self, record: AgencyRecord) -> bool:
        """Whether some successor in its line still takes part. A policy has no circles."""
        successor = record.successor
        while successor is not None:
            heir = self._agencies[successor]
            if not self._has_ended(heir):
                return True
            successor = heir.successor
        return False

    def _has_ended(self, record: AgencyRecord | Grant | Recusal) -> bool:
        end = end_of(record.valid_until)
        return end is not None and end <= self._now

    def _is_over(self, right: _Right) -> bool:
        return right.end is not None and right.end <= max(self._now, right.start)


def _right(number: int, grant: Grant, of_round: Validity) -> _Right:
    validities = ((start_of(grant.valid_from), end_of(grant.valid_until)), of_round)
    ends = [end for _, end in validities if end is not None]
    return _Right(
        number=number,
        grant=grant,
        subject=grant.agency or f"kind {grant.kind}",
        scope=Scope.parse(grant.region),
        start=max(start or 0 for start, _ in validities),
        end=min(ends, default=None),
    )


def _place(right: _Right, region: str) -> tuple[str, May, str, str | None]:
    return right.subject, right.grant.may, region, right.scope.system


def _kinds(record: AgencyRecord) -> Kinds:
    return frozenset({AgencyId.parse(record.id).kind, *record.acts_as})


def _subjects_of(agency: str, kinds: Kinds) -> Iterator[str]:
    """The names under which grants may speak of an agency."""
    yield agency
    for kind in kinds:
        yield f"kind {kind}"


def _admits(contract: Contract, kinds: Kinds, may: May, catalogue: Catalogue) -> bool:
    """Whether the contract gives an agency of these kinds a part, at some level or by address.

    A reply may reach anyone who is not denied: whoever was copied on its opening is owed it.
    """
    if may == "publish":
        return bool(kinds & catalogue.senders(contract))
    if kinds & contract.denied or (contract.accuses and "inspected-party" in kinds):
        return False
    return bool(kinds & contract.receivers.keys() or contract.answers)
