"""A contract: one version of one event type, its payload model and what the hub must know of it."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache, cached_property
from typing import Any, Final, Literal, TypedDict

from msgspec import Struct
from pydantic import TypeAdapter, ValidationError

from contracts.agency import KINDS
from contracts.classes import TITLE_EN_KEYWORD, FieldClass
from contracts.common import OrgRef, Payload
from contracts.faults import Fault, at_most, faults_from
from contracts.fields import Field, fields_of, walk
from contracts.inforce import AS_IT_CAME, AsOf
from contracts.lifetime import Lifetime
from contracts.matrix import Cells, Measure, Relation
from contracts.members import has_duplicates
from contracts.owncodes import SHIPPED, Codes
from contracts.rules import RULES_KEYWORD
from contracts.values import Classification

MOST_FAULTS: Final = 20
# Inspection covers every body once within a committee's term, which is five years: what was told
# of a body is of use up to its next inspection. Keeping for good is the archives' work.
TERM_DAYS: Final = 5 * 365 + 2
_TYPE = re.compile(r"[a-z][a-z]*\.[a-z][a-z_]*")
_VERSION = re.compile(r"[1-9][0-9]*\.(0|[1-9][0-9]*)")

# What no schema can say of any payload: a member stands once, a whole number is written 2, not 2.0.
EVERY_PAYLOAD: Final = ("duplicate_member", "whole_number")
DESCRIPTION_EN_KEYWORD: Final = "x-guantong-description-en"
METADATA_KEYWORD: Final = "x-guantong-contract"

_Read = Callable[[Any], Sequence[Any]]
Phase = Literal["plan", "pre", "on", "post", "any"]
Model = type[Payload]


class PartyRole(StrEnum):
    """What an organisation or person named in a payload is to the matter."""

    ACCUSED = "accused"
    CONCERNED = "concerned"


@dataclass(frozen=True, slots=True)
class Party:
    """Where a payload names an organisation (`OrgRef`), and in which role."""

    pointer: str
    role: PartyRole


class NamedParty(Struct, frozen=True):
    """An organisation as one event names it."""

    role: PartyRole
    name: str
    orgid: str | None = None
    uscc: str | None = None
    orgcode: str | None = None


class NamedPerson(Struct, frozen=True):
    """An accused person as one event names them; `placed`: with the organisation they belong to."""

    name: str | None
    personkey: str | None
    placed: bool


@dataclass(frozen=True, slots=True)
class Slip:
    """The paper that people sign when the matter changes hands (交接单).

    `numbers`: pointers of the numbers it shows; `listed`: the array it lists, or None; `signed_by`:
    who signs it, a line each, from top to bottom.
    """

    title: str
    numbers: tuple[str, ...]
    listed: str | None
    signed_by: tuple[str, ...]


class Metadata(TypedDict):
    """What a contract says beside its payload, as JSON; the members are those of `Contract`."""

    type: str
    version: str
    family: str
    key: str
    phase: Phase
    parties: list[dict[str, str]]
    accused_persons: list[str]
    publishers: list[str]
    receivers: dict[str, dict[Relation, Measure]]
    ways: list[Relation]
    denied: list[str]
    custodians: list[str]
    answers: list[str]
    unasked: bool
    about: str | None
    due: str | None
    ceiling: Classification
    flows: list[str]


@dataclass(frozen=True, eq=False, kw_only=True)
class Contract:
    """One version of one event type.

    `key`: JSON Pointer of the payload member that names the case. `publishers`: kinds; empty for a
    reply, which may come from whoever received its opening, and for what the hub alone says.
    `receivers`: kind → relation to the publisher → measure, the matrix of who may get it; another
    relation is admitted by address. `ways`: where those whom it addresses may lie, seen from the
    publisher; a reply goes back whatever they say.
    `accused_persons`: pointers of the persons that an event speaks against (with `name`, and
    `personkey`, `org` or `unit` where they have them). `denied`: kinds that nothing admits.
    `custodians`: the kinds that may hold F4 of it; a grant to others is a finding of `policy lint`.
    `answers`: the openings this type replies to, empty for an opening; `unasked`: it may also come
    without one. `about`: where the payload names, by `source` and `id`, the event that it is about;
    then it goes between that event's publisher and readers alone. `due`: the rule by which a reply
    is owed (`deadlines.csv`). `ceiling`: the marking it normally carries at most. `flows`: the
    flows of the field it serves.
    `retention_days`: how long a hub keeps its events, unless the node says otherwise.
    """

    type: str
    version: str
    model: Model
    title: str
    title_en: str
    description: str
    description_en: str
    key: str
    publishers: frozenset[str]
    receivers: Cells
    ways: frozenset[Relation]
    parties: tuple[Party, ...]
    accused_persons: tuple[str, ...]
    denied: frozenset[str]
    custodians: frozenset[str]
    answers: tuple[str, ...]
    unasked: bool
    about: str | None
    phase: Phase
    due: str | None
    ceiling: Classification
    flows: tuple[str, ...]
    retention_days: int
    slip: Slip | None
    lifetime: Lifetime

    def __post_init__(self) -> None:
        if not _TYPE.fullmatch(self.type) or not _VERSION.fullmatch(self.version):
            raise ValueError(f"not a contract name: {self.type} {self.version}")
        named = self.publishers | self.receivers.keys() | self.denied | self.custodians
        unknown = named - KINDS.keys()
        if unknown:
            raise ValueError(f"{self.type}: unknown kinds {sorted(unknown)}")
        if self.retention_days < 1:
            raise ValueError(f"{self.type}: kept for less than a day")

    @property
    def family(self) -> str:
        """The part before the dot; one shared topic per family."""
        return self.type.partition(".")[0]

    @property
    def urn(self) -> str:
        """What an event states as `dataschema`."""
        return f"urn:guantong:contract:{self.type}:{self.version}"

    @property
    def name(self) -> str:
        """Type and version as people write them: `clue.transferred 1.0`."""
        return f"{self.type} {self.version}"

    @property
    def successor(self) -> str:
        """What is used in its place once it is retired: a type and version."""
        return self.lifetime.successor or self.type

    @cached_property
    def _adapter(self) -> TypeAdapter[Payload]:
        # Built when first used: a hub knows all contracts, and most places use few of them.
        return TypeAdapter(self.model)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The payload's members as a tree."""
        return fields_of(self.model)

    @cached_property
    def accuses(self) -> bool:
        """Whether the contract names accused parties."""
        return any(party.role is PartyRole.ACCUSED for party in self.parties)

    @cached_property
    def source_protected(self) -> tuple[str, ...]:
        """Pointers of the topmost F4 members; always listed as withheld, present or not."""
        f4 = [p for p, field in walk(self.fields) if field.field_class is FieldClass.F4]
        return tuple(p for p in f4 if not any(p.startswith(f"{above}/") for above in f4))

    def check(
        self, data: bytes, at: date | None = None, *, codes: Codes = SHIPPED
    ) -> Payload | tuple[Fault, ...]:
        """Validate the bytes of a payload; all faults, at most 20 and then how many more.

        `at`: the day of the event's time, on which its codes must be in force; None: any day.
        """
        return self._checked(data, (at, codes))

    def check_converted(self, data: bytes) -> Payload | tuple[Fault, ...]:
        """As `check`, for a payload that was good when it came, in another version.

        Which codes an installation then had of open lists and regions, it need not have today.
        """
        return self._checked(data, AS_IT_CAME)

    def _checked(self, data: bytes, as_of: AsOf) -> Payload | tuple[Fault, ...]:
        try:
            payload = self._adapter.validate_json(data, context=as_of)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            return at_most(faults_from(found, self._declared), MOST_FAULTS)
        return (DUPLICATE_MEMBER,) if has_duplicates(data, payload) else payload

    def case_of(self, payload: Payload) -> str:
        """The case that `payload` names: the key without its family."""
        value: Any = payload
        for step in self.key.split("/")[1:]:
            value = getattr(value, step)
        return str(value)

    def subject_of(self, payload: Payload, about: str) -> tuple[str, str]:
        """The source and id of the event that `payload` is about, which it names at `about`."""
        (named,) = _reader(about)(payload)
        return named.source, named.id

    def parties_of(self, payload: Payload) -> list[NamedParty]:
        """The organisations that `payload` names, by the contract's party pointers."""
        return [
            NamedParty(role, org.name, org.orgid, org.uscc, org.orgcode)
            for role, read in self._parties
            for org in read(payload)
            if isinstance(org, OrgRef)
        ]

    def persons_of(self, payload: Payload) -> list[NamedPerson]:
        """The persons that `payload` speaks against."""
        return [
            NamedPerson(
                held.get("name"),
                held.get("personkey"),
                bool(held.get("org") or held.get("unit")),
            )
            for read in self._persons
            # Asking a model for a member that it does not have costs more than all the others.
            for held in map(vars, read(payload))
        ]

    @cached_property
    def _parties(self) -> tuple[tuple[PartyRole, _Read], ...]:
        return tuple((party.role, _reader(party.pointer)) for party in self.parties)

    @cached_property
    def _persons(self) -> tuple[_Read, ...]:
        return tuple(map(_reader, self.accused_persons))

    @cached_property
    def _declared(self) -> frozenset[str]:
        return frozenset(field.name for _, field in walk(self.fields))

    def schema(self) -> dict[str, Any]:
        """The payload's JSON Schema 2020-12, field classes as `x-guantong-class`.

        A document of the caller's own.
        """
        schema: dict[str, Any] = json.loads(self._schema)
        return schema

    @cached_property
    def _schema(self) -> str:
        # Making one costs sixty times what reading it does.
        schema = self._adapter.json_schema(mode="validation")
        whole = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": self.urn,
            **schema,
            "title": self.title,
            TITLE_EN_KEYWORD: self.title_en,
            "description": self.description,
            DESCRIPTION_EN_KEYWORD: self.description_en,
            METADATA_KEYWORD: self.metadata(),
            RULES_KEYWORD: sorted({*schema.get(RULES_KEYWORD, ()), *EVERY_PAYLOAD}),
        }
        return json.dumps(whole, ensure_ascii=False)

    def metadata(self) -> Metadata:
        """What holds of the version beside its payload, as JSON."""
        return {
            "type": self.type,
            "version": self.version,
            "family": self.family,
            "key": self.key,
            "phase": self.phase,
            "parties": [{"pointer": p.pointer, "role": p.role.value} for p in self.parties],
            "accused_persons": list(self.accused_persons),
            "publishers": sorted(self.publishers),
            "receivers": {kind: dict(cells) for kind, cells in sorted(self.receivers.items())},
            "ways": sorted(self.ways),
            "denied": sorted(self.denied),
            "custodians": sorted(self.custodians),
            "answers": list(self.answers),
            "unasked": self.unasked,
            "about": self.about,
            "due": self.due,
            "ceiling": self.ceiling,
            "flows": list(self.flows),
        }


DUPLICATE_MEMBER: Final = Fault(
    "duplicate_member",
    "/data",
    "同一对象中有重名成员，请只保留一个",
    "a member name stands twice in one object: keep one",
)


@cache
def _reader(pointer: str) -> _Read:
    """What reads the values at a pointer whose `-` steps stand for every item of an array."""
    if not pointer:
        return lambda value: (value,)
    step, slash, rest = pointer[1:].partition("/")
    read = _reader(slash + rest)
    if step == "-":
        return lambda items: [found for item in items for found in read(item)]

    def read_member(holder: Any) -> Sequence[Any]:
        held = getattr(holder, step)
        return () if held is None else read(held)

    return read_member
