"""The policy as it is written: agencies, grants, recusals. One document, changed as a whole."""

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from contracts.agency import KINDS, AgencyId, AgencyIdError
from contracts.catalogue import Catalogue
from contracts.common import FieldClass, OrganisationCode, Uscc
from contracts.faults import Fault, faults_from
from contracts.region import Level, Regions
from hub.event import microseconds

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Moment = AwareDatetime | date
Clearance = Literal["public", "internal", "mimi", "jimi", "juemi"]

# A date without a time is a working day of the place where the law is made.
BEIJING = ZoneInfo("Asia/Shanghai")


class _Record(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True
    )


class AgencyRecord(_Record):
    """An organisation that takes part. `organ` names the one real body behind several ids."""

    id: str
    name: Name
    level: Level | None = None
    reports_to: str | None = None
    organ: Slug | None = None
    uscc: Uscc | None = None
    orgcode: OrganisationCode | None = None
    clearance: Clearance = "internal"
    acts_as: tuple[str, ...] = ()
    valid_from: Moment | None = None
    valid_until: Moment | None = None


class Grant(_Record):
    """Who may publish or receive which types, where, and in which field classes."""

    id: Slug
    agency: str | None = None
    kind: str | None = None
    may: Literal["publish", "receive"]
    types: Annotated[tuple[str, ...], Field(min_length=1)]
    region: Region
    levels: tuple[Literal["same", "up", "down"], ...] = ("same", "up", "down")
    classes: tuple[FieldClass, ...] = ()
    purpose: Name
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


def parse(raw: bytes) -> PolicyDocument | tuple[Fault, ...]:
    """Read a policy from JSON; all that is wrong with its form."""
    try:
        return PolicyDocument.model_validate_json(raw)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return faults_from(found, _DECLARED, root="")


def faults_in(
    document: PolicyDocument, catalogue: Catalogue, regions: Regions
) -> tuple[Fault, ...]:
    """What the form cannot say: ids, kinds, regions, types that do not exist, or stand twice."""
    return (
        *_agency_faults(document, regions),
        *_grant_faults(document, catalogue, regions),
        *_recusal_faults(document, catalogue),
    )


def start_of(moment: Moment | None) -> int | None:
    """When a validity starts, microseconds UTC; None for always."""
    if moment is None or isinstance(moment, datetime):
        return None if moment is None else microseconds(moment)
    return microseconds(datetime.combine(moment, time.min, BEIJING))


def end_of(moment: Moment | None) -> int | None:
    """When a validity ends, microseconds UTC, exclusive; a date counts to its end."""
    if moment is None or isinstance(moment, datetime):
        return None if moment is None else microseconds(moment)
    return microseconds(datetime.combine(moment, time.max, BEIJING)) + 1


def _agency_faults(document: PolicyDocument, regions: Regions) -> Iterator[Fault]:
    ids = {record.id for record in document.agencies}
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
        for m, kind in enumerate(record.acts_as):
            if kind not in KINDS:
                yield _unknown_kind(f"{at}/acts_as/{m}")


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
        if not regions.known(grant.region):
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


def _validity_faults(record: AgencyRecord | Grant | Recusal, at: str) -> Iterator[Fault]:
    start, end = start_of(record.valid_from), end_of(record.valid_until)
    if start is not None and end is not None and start >= end:
        yield Fault("validity", at, "有效期的结束须晚于开始", "a validity ends after it starts")


def _unregistered(at: str) -> Fault:
    return Fault("agency_unknown", at, "该机构未登记", "this agency is not registered")


def _unknown_kind(at: str) -> Fault:
    return Fault("kind_unknown", at, "没有这样的机构类别", "no such kind of agency")


_DECLARED = frozenset(
    name
    for model in (PolicyDocument, AgencyRecord, Grant, Recusal)
    for field, info in model.model_fields.items()
    for name in (field, info.alias or field)
)
