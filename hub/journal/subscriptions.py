"""Subscriptions: what an agency asked to be fed with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from contracts.envelope import is_time
from contracts.rules import rule_broken
from hub.journal.sql import SubscriptionRow

SubscriptionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Attribute = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,20}$")]
Wanted = Annotated[str, StringConstraints(min_length=1, max_length=256)]


def _checked_start(value: str) -> str:
    if value not in ("now", "earliest") and not is_time(value):
        raise rule_broken(
            "start_format",
            "",
            "应为 now、earliest 或带时区的时间，如 2026-11-01T09:00:00+08:00",
            "now, earliest, or a time with its offset, such as 2026-11-01T09:00:00+08:00",
        )
    return value


class _Asked(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Exact(_Asked):
    """Every named attribute has just this value."""

    exact: Annotated[dict[Attribute, Wanted], Field(min_length=1, max_length=10)]


class Prefix(_Asked):
    """Every named attribute starts with this value."""

    prefix: Annotated[dict[Attribute, Wanted], Field(min_length=1, max_length=10)]


class All(_Asked):
    """Every filter in the list holds."""

    all: Annotated[tuple["Exact | Prefix", ...], Field(min_length=1, max_length=10)]


Filter = Exact | Prefix | All
Types = Annotated[
    tuple[Annotated[str, StringConstraints(max_length=80)], ...],
    Field(min_length=1, max_length=100),
]
Start = Annotated[str, AfterValidator(_checked_start)]
RegionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Filters = Annotated[tuple[Filter, ...], Field(max_length=10)]
Versions = Annotated[dict[str, str], Field(max_length=100)]
Channel = Literal["pull", "kafka"]
# What a hub has that knows nothing but itself.
PULL_ALONE: Final[tuple[Channel, ...]] = ("pull",)


class Delivery(_Asked):
    """How the events reach the subscriber."""

    channel: Channel = "pull"


class Change(_Asked):
    """What may be changed of a subscription; what is absent stays."""

    types: Types | None = None
    region: RegionCode | None = None
    filters: Filters | None = None
    versions: Versions | None = None


class Body(_Asked):
    """A subscription as it is asked for."""

    id: SubscriptionId | None = None
    types: Types = ("*",)
    region: RegionCode | None = None
    start: Start = "now"
    filters: Filters = ()
    versions: Versions = {}
    delivery: Delivery = Delivery()


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as it stands. `pins`: type → version. Positions are packed.

    The feed starts after `start`; `committed` is the subscriber's cursor; entries are complete up
    to `filled`, or everywhere once `filled` has reached `fill_until`. `expired` entries were
    purged before the subscriber had committed past them.
    """

    number: int
    agency: str
    id: str
    body: Body
    pins: Mapping[str, str]
    start: int
    committed: int
    filled: int
    fill_until: int
    created_at: int
    expired: int

    @classmethod
    def asking(cls, agency: str, body: Body) -> "Subscription":
        """One that only says what is asked for, and stands nowhere."""
        return cls(
            number=0,
            agency=agency,
            id=body.id or "",
            body=body,
            pins={},
            start=0,
            committed=0,
            filled=0,
            fill_until=0,
            created_at=0,
            expired=0,
        )

    @property
    def region(self) -> str:
        """The region asked for, or the agency's own."""
        return self.body.region or self.agency.partition(".")[0]

    @property
    def filling(self) -> bool:
        """Whether past events are still being put into the feed."""
        return self.filled < self.fill_until


def from_row(row: SubscriptionRow) -> Subscription:
    """The subscription that a row keeps."""
    return Subscription(
        number=row.number,
        agency=row.agency,
        id=row.id,
        body=Body.model_validate_json(row.body),
        pins=_pins(row.pins),
        start=row.start,
        committed=row.committed,
        filled=row.filled,
        fill_until=row.fill_until,
        created_at=row.created_at,
        expired=row.expired,
    )


# Most subscriptions have the pins of many others, which then stand in memory once.
@lru_cache(maxsize=1024)
def _pins(text: str) -> Mapping[str, str]:
    return MappingProxyType(json.loads(text))


def passes(filters: Sequence[Filter], attributes: bytes) -> bool:
    """Whether an event's attributes (a JSON object) are what all the filters ask for."""
    if not filters:
        return True
    members = msgspec.json.decode(attributes)
    return all(_holds(filter_, members) for filter_ in filters)


def asked_of(filter_: Filter) -> frozenset[str]:
    """The attributes that a filter looks at."""
    match filter_:
        case Exact(exact=wanted) | Prefix(prefix=wanted):
            return frozenset(wanted)
        case All(all=filters):
            return frozenset().union(*map(asked_of, filters))


def _holds(filter_: Filter, attributes: Mapping[str, Any]) -> bool:
    match filter_:
        case Exact(exact=wanted):
            return all(_text(attributes.get(name)) == value for name, value in wanted.items())
        case Prefix(prefix=wanted):
            return all(_text(attributes.get(n)).startswith(value) for n, value in wanted.items())
        case All(all=filters):
            return all(_holds(part, attributes) for part in filters)


def _text(value: object) -> str:
    """An attribute in its string form; an absent one is empty, which no filter can ask for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
