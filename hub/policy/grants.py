"""Grants, indexed: what one agency was granted for one type."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from contracts.catalogue import type_matches
from contracts.common import FieldClass
from hub.policy.agencies import Agency, in_force
from hub.policy.document import Grant, end_of, start_of

May = Literal["publish", "receive"]


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant as decisions use it: validity in microseconds UTC, end exclusive."""

    id: str
    types: tuple[str, ...]
    region: str
    levels: frozenset[str]
    classes: frozenset[FieldClass]
    start: int | None
    end: int | None

    def holds(self, now: int) -> bool:
        return in_force(self.start, self.end, now)


class Grants:
    """The grants of one policy version, by whom they are for."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        self._by_subject: dict[tuple[str, May], list[Granted]] = defaultdict(list)
        for grant in grants:
            subject = grant.agency or f"kind {grant.kind}"
            self._by_subject[subject, grant.may].append(_granted(grant))
        # An agency meets the same few types over and over.
        self.to = lru_cache(maxsize=16_384)(self._to)

    def _to(self, agency: Agency, may: May, type_: str) -> tuple[Granted, ...]:
        """The grants, in force or not, that name the agency or one of its kinds, for a type."""
        subjects = (agency.id, *(f"kind {kind}" for kind in sorted(agency.kinds)))
        return tuple(
            grant
            for subject in subjects
            for grant in self._by_subject.get((subject, may), ())
            if any(type_matches(pattern, type_) for pattern in grant.types)
        )


def _granted(grant: Grant) -> Granted:
    return Granted(
        id=grant.id,
        types=grant.types,
        region=grant.region,
        levels=frozenset(grant.levels),
        classes=frozenset(grant.classes),
        start=start_of(grant.valid_from),
        end=end_of(grant.valid_until),
    )
