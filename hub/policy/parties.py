"""Marks of the parties to a matter: keyed hashes, so that no index holds a name.

An organisation is marked by every number it is given with and by its normalised name, a person by
their key, and by name where no organisation is given; a registered body by all that its registry
records say. One mark in common means: the same body, or its head.
"""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Final

from contracts.contract import NamedParty, NamedPerson, PartyRole
from contracts.identifiers import organisation_code_of

SIZE: Final = 9
# The first mark of each party has the capital, so that the parties can be told apart again.
_ROLES: Final = {PartyRole.ACCUSED: b"Aa", PartyRole.CONCERNED: b"Cc"}
_PERSON: Final = b"Pp"


class PartyMarks:
    """Makes marks with the hub's key."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hashlib.blake2b(key=key, digest_size=SIZE - 1)
        # The same are named in event after event.
        self._of_party = lru_cache(maxsize=4096)(self._mark_party)
        self._of_person = lru_cache(maxsize=4096)(self._mark_person)

    def of_event(self, parties: Iterable[NamedParty], persons: Iterable[NamedPerson] = ()) -> bytes:
        """The marks of those an event names: a role byte and 8 bytes of hash each."""
        groups = {*map(self._of_party, parties), *map(self._of_person, persons)}
        return b"".join(sorted(groups))

    def of_body(
        self,
        *,
        ids: Iterable[str],
        names: Iterable[str],
        usccs: Iterable[str],
        orgcodes: Iterable[str],
        head_names: Iterable[str] = (),
        head_keys: Iterable[str] = (),
    ) -> "Body":
        """The body that events may name by any of these."""
        traits = [
            *(f"id:{agency_id}" for agency_id in ids),
            *(f"name:{normalised(name)}" for name in names),
            *(trait for uscc in usccs for trait in _uscc_traits(uscc)),
            *(f"orgcode:{_bare(code)}" for code in orgcodes),
        ]
        heads = [
            *(f"person:{normalised(name)}" for name in head_names),
            *(f"personkey:{key}" for key in head_keys),
        ]
        return Body(self._kinds(traits), self._kinds(heads))

    def _mark_party(self, party: NamedParty) -> bytes:
        return self._group(_ROLES[party.role], _traits_of(party))

    def _mark_person(self, person: NamedPerson) -> bytes:
        return self._group(_PERSON, _traits_of_person(person))

    def _kinds(self, traits: Iterable[str]) -> dict[bytes, str]:
        return {self._hash(trait): trait.partition(":")[0] for trait in traits}

    def _group(self, role: bytes, traits: Sequence[str]) -> bytes:
        if not traits:
            return b""
        return role[:1] + role[1:].join(sorted(set(map(self._hash, traits))))

    def _hash(self, trait: str) -> bytes:
        hashed = self._keyed.copy()
        hashed.update(trait.encode())
        return hashed.digest()


class Body:
    """A registered body as it can be found among an event's parties, with its heads.

    Both are given as hash → kind of trait.
    """

    def __init__(self, traits: Mapping[bytes, str], heads: Mapping[bytes, str]) -> None:
        self.hashes = frozenset(traits)
        self._heads = frozenset(heads)
        self._kinds = {**traits, **heads}

    @cached_property
    def _accused(self) -> re.Pattern[bytes]:
        # Made when it is first asked for: of 3,000 agencies few read at any time.
        accused = [_either(_ROLES[PartyRole.ACCUSED], self.hashes), _either(_PERSON, self._heads)]
        # All marks have one size, so that a match is one of them if it starts at their pace.
        return re.compile(b"|".join(filter(None, accused)), re.DOTALL)

    def accused_by(self, parties: bytes) -> str | None:
        """By which kind of trait the body, or its head, is among the accused; None if it is not."""
        found = self._accused.search(parties)
        while found is not None and found.start() % SIZE:
            found = self._accused.search(parties, found.start() + 1)
        return None if found is None else self._kinds[found[0][1:]]


def strangers(parties: bytes, known: Collection[bytes]) -> int:
    """How many organisations among an event's marks are known by none of theirs.

    One that shares a mark with an earlier one is named again: a reply's marks end in its opening's.
    """
    unknown, at = 0, 0
    met: set[bytes] = set()
    while at < len(parties):
        first, marks = parties[at : at + 1], set[bytes]()
        while True:
            marks.add(parties[at + 1 : at + SIZE])
            at += SIZE
            if not parties[at : at + 1].islower():
                break
        if first != _PERSON[:1]:
            unknown += met.isdisjoint(marks) and not any(mark in known for mark in marks)
            met |= marks
    return unknown


@lru_cache(maxsize=4096)
def normalised(name: str) -> str:
    """A name without what typing adds: width, case, white space and punctuation."""
    wide = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in wide if sign.isalnum())


def _either(role: bytes, hashes: Collection[bytes]) -> bytes:
    """A pattern for any of the hashes in a role; empty for none."""
    choice = b"|".join(map(re.escape, sorted(hashes)))
    return b"[%b](?:%b)" % (role, choice) if hashes else b""


def _traits_of(party: NamedParty) -> list[str]:
    traits = [f"name:{normalised(party.name)}"]
    if party.orgid is not None:
        traits.append(f"id:{party.orgid}")
    if party.uscc is not None:
        traits += _uscc_traits(party.uscc)
    if party.orgcode is not None:
        traits.append(f"orgcode:{_bare(party.orgcode)}")
    return traits


def _traits_of_person(person: NamedPerson) -> list[str]:
    """A name alone means whoever bears it; one with an organisation is that organisation's."""
    traits = [] if person.personkey is None else [f"personkey:{person.personkey}"]
    if person.name is not None and not person.placed:
        traits.append(f"person:{normalised(person.name)}")
    return traits


def _uscc_traits(uscc: str) -> tuple[str, str]:
    return f"uscc:{uscc}", f"orgcode:{_bare(organisation_code_of(uscc))}"


def _bare(orgcode: str) -> str:
    return orgcode.replace("-", "")
