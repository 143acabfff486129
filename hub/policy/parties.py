"""Marks of the parties to a matter: keyed hashes, so that no index holds a name.

An organisation is marked by every number it is given with and by its normalised name; a registered
agency by all that its registry record says. One mark in common means: the same body.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from contracts.common import OrgRef
from contracts.contract import NamedParty, PartyRole
from contracts.identifiers import organisation_code_of

SIZE: Final = 9
_ROLES: Final = {PartyRole.ACCUSED: b"a", PartyRole.CONCERNED: b"c"}
ACCUSED: Final = _ROLES[PartyRole.ACCUSED]


class PartyMarks:
    """Makes marks with the hub's key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of_event(self, parties: Iterable[NamedParty]) -> bytes:
        """The marks of the parties an event names: a role byte and 8 bytes of hash each."""
        marks = {
            _ROLES[party.role] + self._hash(trait)
            for party in parties
            for trait in _traits_of(party.org)
        }
        return b"".join(sorted(marks))

    def of_agency(
        self,
        *,
        ids: Iterable[str],
        names: Iterable[str],
        usccs: Iterable[str],
        orgcodes: Iterable[str],
    ) -> "Body":
        """The body that events may name by any of these."""
        traits = [
            *(f"id:{agency_id}" for agency_id in ids),
            *(f"name:{normalised(name)}" for name in names),
            *(trait for uscc in usccs for trait in _uscc_traits(uscc)),
            *(f"orgcode:{_bare(code)}" for code in orgcodes),
        ]
        return Body({self._hash(trait) for trait in traits})

    def _hash(self, trait: str) -> bytes:
        return hashlib.blake2b(trait.encode(), key=self._key, digest_size=SIZE - 1).digest()


class Body:
    """A registered body as it can be found among an event's parties."""

    def __init__(self, hashes: Iterable[bytes]) -> None:
        accused = sorted(ACCUSED + each for each in hashes)
        # All marks have one size, so that a match is one of them if it starts at their pace.
        self._accused = re.compile(b"|".join(map(re.escape, accused)))

    def is_accused(self, parties: bytes) -> bool:
        """Whether the body is among the accused of an event's marks."""
        found = self._accused.search(parties)
        while found is not None and found.start() % SIZE:
            found = self._accused.search(parties, found.start() + 1)
        return found is not None


@lru_cache(maxsize=4096)
def normalised(name: str) -> str:
    """A name without what typing adds: width, case, white space and punctuation."""
    wide = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in wide if sign.isalnum())


def _traits_of(org: OrgRef) -> Iterator[str]:
    yield f"name:{normalised(org.name)}"
    if org.orgid is not None:
        yield f"id:{org.orgid}"
    if org.uscc is not None:
        yield from _uscc_traits(org.uscc)
    if org.orgcode is not None:
        yield f"orgcode:{_bare(org.orgcode)}"


def _uscc_traits(uscc: str) -> tuple[str, str]:
    return f"uscc:{uscc}", f"orgcode:{_bare(organisation_code_of(uscc))}"


def _bare(orgcode: str) -> str:
    return orgcode.replace("-", "")
