"""The policy as it is written: agencies, grants, recusals. One document, changed as a whole."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetPydanticSchema,
    StringConstraints,
    ValidationError,
)
from pydantic_core.core_schema import literal_schema, no_info_after_validator_function

from contracts.agency import KINDS, AgencyId, AgencyIdError
from contracts.catalogue import Catalogue
from contracts.classes import FieldClass
from contracts.faults import Fault, faults_from
from contracts.region import Level, Regions
from contracts.values import OrganisationCode, Uscc
from hub.event import microseconds

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Scope = Annotated[str, StringConstraints(pattern=r"^(system:[a-z0-9-]{1,40}@)?[0-9]{6}$")]
System = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
Moment = AwareDatetime | date
# Members of FieldClass annotate fields, and say there what stands in their schemas; as the type
# of a value the class would say the same, and has no member to say it of.
Class = Annotated[
    FieldClass,
    GetPydanticSchema(
        lambda _type, _handler: no_info_after_validator_function(
            FieldClass, literal_schema([*map(str, FieldClass)])
        )
    ),
]
Clearance = Literal["public", "internal", "mimi", "jimi", "juemi"]

# Records that are read at a stretch, in about a millisecond.
SLICE: Final = 200

# A date without a time is a working day of the place where the law is made.
BEIJING = ZoneInfo("Asia/Shanghai")


class _Record(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True
    )


class Head(_Record):
    """Who leads an organ: what speaks against them never reaches their own organ."""

    name: Name
    personkey: Slug | None = None


class AgencyRecord(_Record):
    """An organisation that takes part. `organ` names the one real body behind several ids.

    `system`: a vertically managed system (垂直管理), whose scopes alone cover the agency.
    `successor`: who stands for it while it is not in force.
    """

    id: str
    name: Name
    level: Level | None = None
    reports_to: str | None = None
    organ: Slug | None = None
    uscc: Uscc | None = None
    orgcode: OrganisationCode | None = None
    clearance: Clearance = "internal"
    acts_as: tuple[str, ...] = ()
    heads: Annotated[tuple[Head, ...], Field(max_length=20)] = ()
    system: System | None = None
    successor: str | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None


class Round(_Record):
    """An inspection round: grants that name it end with it."""

    id: Slug
    name: Name
    valid_from: Moment | None = Field(default=None, alias="from")
    valid_until: Moment | None = Field(default=None, alias="until")


class Grant(_Record):
    """Who may publish or receive which types, where, and in which field classes.

    `region` is a scope: a region code, or `system:<name>@<code>` for a vertically managed system.
    """

    id: Slug
    agency: str | None = None
    kind: str | None = None
    may: Literal["publish", "receive"]
    types: Annotated[tuple[str, ...], Field(min_length=1)]
    region: Scope
    levels: tuple[Literal["same", "up", "down"], ...] = ("same", "up", "down")
    classes: tuple[Class, ...] = ()
    purpose: Name
    round: Slug | None = None
    valid_from: Moment | None = Field(default=None, alias="from")
    valid_until: Moment | None = Field(default=None, alias="until")


class Recusal(_Record):
    """An agency that withdraws, or is withdrawn, from one case (an event key)."""

    id: Slug
    agency: str
    case: Name
    valid_from: Moment | None = Field(default=None, alias="from")
    valid_until: Moment | None = Field(default=None, alias="until")
    reason: Name


class PolicyDocument(_Record):
    """The whole policy."""

    agencies: tuple[AgencyRecord, ...] = ()
    grants: tuple[Grant, ...] = ()
    recusals: tuple[Recusal, ...] = ()
    rounds: tuple[Round, ...] = ()


def parse(raw: bytes) -> PolicyDocument | tuple[Fault, ...]:
    """Read a policy from JSON; all that is wrong with its form."""
    try:
        return _parse_in_slices(raw)
    except (ValidationError, msgspec.MsgspecError, RecursionError):
        # Read as a whole, so that every fault is told at its place.
        return _parse_whole(raw)


def _parse_in_slices(raw: bytes) -> PolicyDocument:
    """So that others have a turn between: pydantic keeps the interpreter until it is through."""
    members = _split(raw)
    read: dict[str, list[Any]] = {name: [] for name in members}
    for name, items in members.items():
        for n in range(0, len(items), SLICE):
            part = msgspec.json.encode({name: items[n : n + SLICE]})
            read[name].extend(getattr(PolicyDocument.model_validate_json(part), name))
    return PolicyDocument.model_validate({name: tuple(items) for name, items in read.items()})


def _parse_whole(raw: bytes) -> PolicyDocument | tuple[Fault, ...]:
    try:
        return PolicyDocument.model_validate_json(raw)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return faults_from(found, _DECLARED, root="")


_split = msgspec.json.Decoder(dict[str, list[Raw]]).decode


def faults_in(
    document: PolicyDocument, catalogue: Catalogue, regions: Regions
) -> tuple[Fault, ...]:
    """What the form cannot say: ids, kinds, regions, types that do not exist, or stand twice."""
    return (
        *_agency_faults(document, regions),
        *_round_faults(document),
        *_grant_faults(document, catalogue, regions),
        *_recusal_faults(document, catalogue),
    )


# A policy says the same few dates thousands of times.
@lru_cache(maxsize=1024)
def start_of(moment: Moment | None) -> int | None:
    """When a validity starts, microseconds UTC; None for always."""
    if moment is None or isinstance(moment, datetime):
        return None if moment is None else microseconds(moment)
    return microseconds(datetime.combine(moment, time.min, BEIJING))


@lru_cache(maxsize=1024)
def end_of(moment: Moment | None) -> int | None:
    """When a validity ends, microseconds UTC, exclusive; a date counts to its end."""
    if moment is None or isinstance(moment, datetime):
        return None if moment is None else microseconds(moment)
    return microseconds(datetime.combine(moment, time.max, BEIJING)) + 1


def _agency_faults(document: PolicyDocument, regions: Regions) -> Iterator[Fault]:
    ids = {record.id for record in document.agencies}
    successors = {r.id: r.successor for r in document.agencies if r.successor is not None}
    seen: set[str] = set()
    for n, record in enumerate(document.agencies):
        at = f"/agencies/{n}"
        yield from _agency_id_faults(record.id, regions, f"{at}/id")
        if record.id in seen:
            yield Fault("repeated", f"{at}/id", "机构编号重复", "the agency id stands twice")
        seen.add(record.id)
        yield from _validity_faults(record, at)
        if record.reports_to is not None and record.reports_to not in ids:
            yield _unregistered(f"{at}/reports_to")
        if record.successor is not None and record.successor not in ids:
            yield _unregistered(f"{at}/successor")
        elif record.id in _line(record.id, successors):
            yield Fault(
                "succession",
                f"{at}/successor",
                "承继关系成环，机构不能承继自己",
                "the successions go in a circle",
            )
        for m, kind in enumerate(record.acts_as):
            if kind not in KINDS:
                yield _unknown_kind(f"{at}/acts_as/{m}")


def _line(agency_id: str, successors: Mapping[str, str]) -> set[str]:
    """All who come after an agency."""
    line: set[str] = set()
    after = successors.get(agency_id)
    while after is not None and after not in line:
        line.add(after)
        after = successors.get(after)
    return line


def _round_faults(document: PolicyDocument) -> Iterator[Fault]:
    seen: set[str] = set()
    for n, round_ in enumerate(document.rounds):
        if round_.id in seen:
            yield Fault("repeated", f"/rounds/{n}/id", "轮次编号重复", "the round id stands twice")
        seen.add(round_.id)
        yield from _validity_faults(round_, f"/rounds/{n}")


def _agency_id_faults(text: str, regions: Regions, at: str) -> Iterator[Fault]:
    try:
        agency = AgencyId.parse(text)
    except AgencyIdError:
        yield Fault("agency_id", at, "不是机构编号（区划.类别[.单位]）", "not an agency id")
        return
    if not regions.known(agency.region):
        yield Fault("region_unknown", at, "行政区划代码不存在", "not a region code in force")
    if not KINDS[agency.kind].own_agency:
        yield Fault(
            "kind_without_agency",
            at,
            "群众、媒体不设机构，由代管机构发布",
            "has no agency of its own",
        )


def _grant_faults(
    document: PolicyDocument, catalogue: Catalogue, regions: Regions
) -> Iterator[Fault]:
    agencies = {record.id for record in document.agencies}
    rounds = {round_.id for round_ in document.rounds}
    seen: set[str] = set()
    for n, grant in enumerate(document.grants):
        at = f"/grants/{n}"
        if grant.id in seen:
            yield Fault("repeated", f"{at}/id", "授权编号重复", "the grant id stands twice")
        seen.add(grant.id)
        yield from _validity_faults(grant, at)
        if (grant.agency is None) == (grant.kind is None):
            yield Fault(
                "subject", at, "agency 与 kind 须且只能填一项", "name either an agency or a kind"
            )
        if grant.agency is not None and grant.agency not in agencies:
            yield _unregistered(f"{at}/agency")
        if grant.kind is not None and grant.kind not in KINDS:
            yield _unknown_kind(f"{at}/kind")
        if grant.round is not None and grant.round not in rounds:
            yield Fault(
                "round_unknown", f"{at}/round", "没有这个轮次", "the policy lists no such round"
            )
        if not regions.known(grant.region.rpartition("@")[2]):
            yield Fault(
                "region_unknown", f"{at}/region", "行政区划代码不存在", "not a region code in force"
            )
        for m, pattern in enumerate(grant.types):
            if not catalogue.types(pattern):
                yield Fault(
                    "type_unknown",
                    f"{at}/types/{m}",
                    "没有这样的事件类型；通配只能写 * 或 <族>.*",
                    "no such event type; wildcards are * and <family>.* only",
                )


def _recusal_faults(document: PolicyDocument, catalogue: Catalogue) -> Iterator[Fault]:
    agencies = {record.id for record in document.agencies}
    seen: set[str] = set()
    for n, recusal in enumerate(document.recusals):
        if recusal.id in seen:
            yield Fault(
                "repeated", f"/recusals/{n}/id", "回避编号重复", "the recusal id stands twice"
            )
        seen.add(recusal.id)
        yield from _validity_faults(recusal, f"/recusals/{n}")
        family, _, case = recusal.case.partition(":")
        if not catalogue.types(f"{family}.*") or not case or case != case.strip():
            yield Fault(
                "case_format",
                f"/recusals/{n}/case",
                "须为 <族>:<案件编号>，如 clue:XS-1",
                "must be <family>:<case>, such as clue:XS-1",
            )
        if recusal.agency not in agencies:
            yield _unregistered(f"/recusals/{n}/agency")


def _validity_faults(record: AgencyRecord | Round | Grant | Recusal, at: str) -> Iterator[Fault]:
    start, end = start_of(record.valid_from), end_of(record.valid_until)
    if start is not None and end is not None and start >= end:
        yield Fault("validity", at, "有效期的结束须晚于开始", "a validity ends after it starts")


def _unregistered(at: str) -> Fault:
    return Fault("agency_unknown", at, "该机构未登记", "this agency is not registered")


def _unknown_kind(at: str) -> Fault:
    return Fault("kind_unknown", at, "没有这样的机构类别", "no such kind of agency")


_DECLARED = frozenset(
    name
    for model in (PolicyDocument, AgencyRecord, Head, Round, Grant, Recusal)
    for field, info in model.model_fields.items()
    for name in (field, info.alias or field)
)
