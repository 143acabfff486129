"""Grants, indexed: what one agency was granted for one type."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Literal

from contracts.catalogue import type_matches
from contracts.classes import FieldClass
from contracts.region import Regions
from hub.policy.agencies import Agency, in_force
from hub.policy.document import Grant, Round, end_of, start_of

May = Literal["publish", "receive"]


@dataclass(frozen=True, slots=True)
class Scope:
    """How far a grant reaches: a region and below, or a vertically managed system there."""

    region: str
    system: str | None

    @classmethod
    def parse(cls, text: str) -> "Scope":
        """The scope that a grant writes, `<code>` or `system:<name>@<code>`."""
        system, _, region = text.rpartition("@")
        return cls(region, system.removeprefix("system:") or None)

    def covers(self, region: str, system: str | None, *, regions: Regions) -> bool:
        """Whether it covers what belongs to `region`, in the system of its agency or in none."""
        return self.system == system and regions.covers(self.region, region)


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant as decisions use it: validity in microseconds UTC, end exclusive.

    `of_round` is the validity of the inspection round that it ends with.
    """

    id: str
    types: tuple[str, ...]
    scope: Scope
    levels: frozenset[str]
    classes: frozenset[FieldClass]
    purpose: str
    validity: tuple[int | None, int | None]
    of_round: tuple[int | None, int | None]

    def holds(self, now: int) -> bool:
        return in_force(*self.validity, now) and in_force(*self.of_round, now)


_BySubject = dict[tuple[str, May], list[Granted]]


class Grants:
    """The grants of one policy version, by whom they are for."""

    def __init__(self, grants: Iterable[Grant], rounds: Iterable[Round]) -> None:
        by_subject: _BySubject = defaultdict(list)
        ends = {r.id: (start_of(r.valid_from), end_of(r.valid_until)) for r in rounds}
        for grant in grants:
            subject = grant.agency or f"kind {grant.kind}"
            of_round = ends[grant.round] if grant.round else (None, None)
            by_subject[subject, grant.may].append(_granted(grant, of_round))
        # An agency meets the same few types over and over. Not a method: the cache would hold
        # these grants, and no collection looks for such circles.
        self.to = lru_cache(maxsize=16_384)(partial(_to, by_subject))


def _to(by_subject: _BySubject, agency: Agency, may: May, type_: str) -> tuple[Granted, ...]:
    """The grants, in force or not, that name the agency or one of its kinds, for a type."""
    subjects = (agency.id, *(f"kind {kind}" for kind in sorted(agency.kinds)))
    return tuple(
        grant
        for subject in subjects
        for grant in by_subject.get((subject, may), ())
        if any(type_matches(pattern, type_) for pattern in grant.types)
    )


def _granted(grant: Grant, of_round: tuple[int | None, int | None]) -> Granted:
    return Granted(
        id=grant.id,
        types=grant.types,
        scope=Scope.parse(grant.region),
        levels=frozenset(grant.levels),
        classes=frozenset(grant.classes),
        purpose=grant.purpose,
        validity=(start_of(grant.valid_from), end_of(grant.valid_until)),
        of_round=of_round,
    )
