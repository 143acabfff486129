"""Agency ids, addresses and sources: how they are written, and whom an address names.

Pure: whether a region exists or an agency is registered is the registry's to say. Messages speak of
the rule and never repeat the text at fault.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal, Self

from contracts.region import Regions

MOST_ADDRESSES: Final = 100
LONGEST_SOURCE: Final = 256

_REGION: Final = "[0-9]{6}"
_KIND: Final = "[a-z]+(?:-[a-z]+)*"
_AGENCY_ID: Final = re.compile(rf"({_REGION})\.({_KIND})(?:\.([a-z0-9-]{{1,40}}))?")
_DESK_ADDRESS: Final = re.compile(rf"({_KIND})@({_REGION})(|/\*|/\*\*)")
# "." and ".." are path steps to any software that tidies a URI, and would change the publisher.
_SOURCE: Final = re.compile(r"/([^/]+)((?:/(?!\.\.?(?:/|$))[A-Za-z0-9._-]{1,64}){0,4})")


class AgencyIdError(ValueError):
    """The text is not an agency id."""

    def __init__(self) -> None:
        super().__init__("an agency id is <region>.<kind>[.<unit>], with a listed kind")


class AddressError(ValueError):
    """The text is not a list of addresses."""

    def __init__(self) -> None:
        super().__init__(
            f"addresses are 1 to {MOST_ADDRESSES}, separated by spaces: an agency id, "
            "<kind>@<region>, <kind>@<region>/* or <kind>@<region>/**"
        )


class SourceError(ValueError):
    """The text is not an event's source."""

    def __init__(self) -> None:
        super().__init__(
            "a source is /<agency id>[/<system>…] with at most four systems, "
            f"{LONGEST_SOURCE} characters in all"
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """What an agency is. For a kind without agencies of its own, a custodian publishes."""

    code: str
    name: str
    name_en: str
    own_agency: bool = True


_ALL_KINDS: Final = (
    Kind("party-committee", "党委（党组）", "Party committee or Party group"),
    Kind("leading-group", "巡视（巡察）工作领导小组", "inspection leading group"),
    Kind("inspection-office", "巡视办（巡察办）", "inspection office"),
    Kind("inspection-team", "巡视组（巡察组）", "inspection team"),
    Kind("guidance-team", "指导督导组", "guidance team"),
    Kind("inspected-party", "被巡视（巡察）党组织", "inspected Party organisation"),
    Kind("discipline", "纪检监察机关（机构）", "discipline inspection and supervision"),
    Kind("organization", "组织部门", "organization department"),
    Kind("audit", "审计机关", "audit office"),
    Kind("finance", "财政部门", "finance department"),
    Kind("petition", "信访部门", "petition office"),
    Kind("statistics", "统计部门", "statistics bureau"),
    Kind("publicity", "宣传部门", "publicity department"),
    Kind("political-legal", "政法单位", "political and legal affairs"),
    Kind("functional-dept", "其他职能部门和单位", "other functional department"),
    Kind("congress", "人大", "people's congress"),
    Kind("cppcc", "政协", "political consultative conference"),
    Kind("public", "群众", "the public", own_agency=False),
    Kind("media", "新闻媒体", "media", own_agency=False),
)
KINDS: Final[Mapping[str, Kind]] = MappingProxyType({kind.code: kind for kind in _ALL_KINDS})


@dataclass(frozen=True, slots=True)
class AgencyId:
    """`<region>.<kind>[.<unit>]`; without a unit, that kind's front desk (归口) in the region."""

    region: str
    kind: str
    unit: str | None = None

    @classmethod
    def parse(cls, text: str) -> "AgencyId":
        """The id that the text spells. Raises AgencyIdError."""
        return _agency_id(text)

    def __str__(self) -> str:
        desk = f"{self.region}.{self.kind}"
        return desk if self.unit is None else f"{desk}.{self.unit}"

    @property
    def front_desk(self) -> "AgencyId":
        return self if self.unit is None else AgencyId(self.region, self.kind)


# Callers spell a few thousand ids over and over; what does not parse is not kept.
@lru_cache(maxsize=16_384)
def _agency_id(text: str) -> AgencyId:
    match = _AGENCY_ID.fullmatch(text)
    if match is None or match[2] not in KINDS:
        raise AgencyIdError
    return AgencyId(region=match[1], kind=match[2], unit=match[3])


class Reach(StrEnum):
    """How far below its region a desk address reaches; the value is how it is written."""

    HERE = ""
    NEXT = "/*"
    ALL = "/**"


@dataclass(frozen=True, slots=True)
class DeskAddress:
    """Front desks of one kind: the region's own, the nearest ones below it, or all below it."""

    kind: str
    region: str
    reach: Reach = Reach.HERE

    def __str__(self) -> str:
        return f"{self.kind}@{self.region}{self.reach}"


Address = AgencyId | DeskAddress


def parse_addresses(text: str) -> tuple[Address, ...]:
    """The addresses of a `to` or `cc` attribute in the order written, each once.

    Raises AddressError, also for none or more than 100.
    """
    written = [word for word in text.split(" ") if word]
    if not 1 <= len(written) <= MOST_ADDRESSES:
        raise AddressError
    return tuple(dict.fromkeys(_address(word) for word in written))


def _address(text: str) -> Address:
    desk = _DESK_ADDRESS.fullmatch(text)
    if desk is not None and desk[1] in KINDS:
        return DeskAddress(kind=desk[1], region=desk[2], reach=Reach(desk[3]))
    try:
        return AgencyId.parse(text)
    except AgencyIdError:
        raise AddressError from None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Directory:
    """The registered agencies, indexed so that resolving an address costs one lookup."""

    _ids: frozenset[str]
    _named: Mapping[Address, frozenset[str]]

    @classmethod
    def of(
        cls,
        agency_ids: Iterable[str],
        regions: Regions,
        *,
        acting: Mapping[str, Iterable[str]] = MappingProxyType({}),
    ) -> Self:
        """Index the ids. Raises AgencyIdError, or UnknownRegion for one in no listed region.

        `acting`: id → the further kinds an agency is; without a unit it is their front desk in its
        region too, where they have none of their own.
        """
        agencies = {text: AgencyId.parse(text) for text in agency_ids}
        own = {agency for agency in agencies.values() if agency.unit is None}
        served: dict[AgencyId, set[str]] = defaultdict(set)
        for text, agency in agencies.items():
            if agency.unit is None:
                served[agency].add(text)
                for kind in acting.get(text, ()):
                    if AgencyId(agency.region, kind) not in own:
                        served[AgencyId(agency.region, kind)].add(text)
        named: dict[Address, set[str]] = defaultdict(set)
        for desk, ids in served.items():
            for address in _addresses_of(desk, served.keys(), regions):
                named[address] |= ids
        return cls(
            _ids=frozenset(agencies),
            _named={address: frozenset(ids) for address, ids in named.items()},
        )

    def resolve(self, address: Address) -> frozenset[str]:
        """The ids of the registered agencies that the address names; empty when there is none."""
        match address:
            case AgencyId():
                text = str(address)
                return frozenset((text,)) if text in self._ids else frozenset()
            case DeskAddress():
                return self._named.get(address, frozenset())


def _addresses_of(
    desk: AgencyId, desks: Collection[AgencyId], regions: Regions
) -> Iterable[DeskAddress]:
    """Every desk address that names this front desk.

    `/*` stops at the first desk of each branch; seen from below, at the next desk up.
    """
    yield DeskAddress(desk.kind, desk.region)
    nearest = True
    for above in regions.lineage(desk.region)[1:]:
        yield DeskAddress(desk.kind, above, Reach.ALL)
        if nearest:
            yield DeskAddress(desk.kind, above, Reach.NEXT)
        nearest = nearest and AgencyId(above, desk.kind) not in desks


Relation = Literal["same", "up", "down"]


def relation(receiver: str, publisher: str, *, regions: Regions) -> Relation | None:
    """Whether the receiver's region equals the publisher's, is above or below it; None if apart.

    A retired code stands for its successor. An unknown region stands in no relation, not even to
    itself.
    """
    here, there = regions.current(receiver), regions.current(publisher)
    if regions.covers(here, there):
        return "same" if here == there else "up"
    return "down" if regions.covers(there, here) else None


def ways_to(address: Address, publisher: str, *, regions: Regions) -> frozenset[Relation]:
    """How those whom an address names may lie to the publisher's region.

    What lies apart from it is nobody's superior, and stands on the same footing.
    """
    found = relation(address.region, publisher, regions=regions) or "same"
    if isinstance(address, AgencyId) or address.reach is Reach.HERE:
        return frozenset((found,))
    below: Mapping[Relation, tuple[Relation, ...]] = {
        "up": ("up", "same", "down"),
        "same": ("down",),
        "down": ("down",),
    }
    return frozenset(below[found])


# A publisher has one source for each of its systems; what does not parse is not kept.
@lru_cache(maxsize=16_384)
def publisher_of(source: str) -> AgencyId:
    """The agency that a CloudEvents `source` names in its first segment. Raises SourceError."""
    match = _SOURCE.fullmatch(source) if len(source) <= LONGEST_SOURCE else None
    if match is None:
        raise SourceError
    try:
        return AgencyId.parse(match[1])
    except AgencyIdError:
        raise SourceError from None
