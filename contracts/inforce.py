"""Whether a payload's codes and regions may be used: at this installation, on the event's day."""

from datetime import date
from functools import cache
from typing import Final

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from contracts.codelists import Member, code_list
from contracts.owncodes import SHIPPED, Codes
from contracts.region import Region, load_regions

# What a validation is told: the day of the event, None for any; and the codes, None where what an
# installation may add was asked when the event came.
AsOf = tuple[date | None, Codes | None]
_ANY_DAY: Final[AsOf] = (None, SHIPPED)
AS_IT_CAME: Final[AsOf] = (None, None)


# Most codes need neither the day nor an installation's own: for these a look into a set is enough.
@cache
def always_regions() -> frozenset[str]:
    """The shipped regions that an event of any day may name."""
    return frozenset(c for c, row in load_regions().rows.items() if row.valid_from is None)


@cache
def always_members(name: str) -> frozenset[str]:
    """The shipped members of a list that an event of any day may carry."""
    members = code_list(name).members.items()
    return frozenset(c for c, m in members if m.valid_from is None and m.valid_until is None)


def region_in_force(code: str, info: ValidationInfo) -> str:
    """The code of a region that an event of the day may name. Raises PydanticCustomError."""
    asked: AsOf = info.context or _ANY_DAY
    day, codes = asked
    if codes is None:
        return code
    region = codes.regions().rows.get(code)
    if region is None:
        raise PydanticCustomError("region_unknown", "not a code of GB/T 2260 or the local overlay")
    # A matter may be old: it names its region as it was. But no event knows a later one.
    if day is not None and region.valid_from is not None and day < region.valid_from:
        raise _not_in_force(region, "该行政区划代码", "this region code", on=day)
    return code


def member_in_force(name: str, code: str, info: ValidationInfo, *, labelled: bool) -> None:
    """Raise PydanticCustomError unless an event of the day may carry the code of a list.

    An open list also takes codes that it does not have, if they are `labelled`.
    """
    asked: AsOf = info.context or _ANY_DAY
    day, codes = asked
    listed = code_list(name) if codes is None else codes.list_of(name)
    if codes is None and not listed.closed:
        return
    member = listed.members.get(code)
    if member is None:
        if listed.closed or not labelled:
            raise PydanticCustomError("code_unknown", "not listed", {"list": listed, "on": day})
    elif day is not None and not member.in_force(day):
        named, named_en = f"代码表 {name} 中的该代码", f"this code of list {name}"
        raise _not_in_force(member, named, named_en, on=day)


def _not_in_force(
    entry: Member | Region, name: str, name_en: str, *, on: date
) -> PydanticCustomError:
    early = entry.valid_from is not None and on < entry.valid_from
    bound = entry.valid_from if early else entry.valid_until
    context = {"name": name, "name_en": name_en, "early": early, "bound": bound}
    return PydanticCustomError("code_not_in_force", "not in force", context)
