"""`clue.transferred` between 1.1 and 2.0."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from contracts.conversion import Conversion, Loss

Json = dict[str, Any]

_IN_BOTH: Final = ("persons", "organisations")
_LONGEST_IN_YUAN: Final = 15


def up(payload: Json) -> Json:
    """From 1.1 to 2.0: breaches that 1.1 tells of the clue are told of no one subject."""
    carried = _without(payload, "subjects", "amount")
    for name, member, other in (("persons", "person", "org"), ("organisations", "org", "person")):
        found = [_without(s, other) for s in payload["subjects"] if s.get(member) is not None]
        if found:
            carried[name] = found
    if payload.get("amount") is not None:
        carried["amount_yuan"] = _in_yuan(payload["amount"])
    return carried


def down(payload: Json) -> Json:
    """From 2.0 to 1.1: breaches are told of the clue alone."""
    carried = _without(payload, *_IN_BOTH, "amount_yuan", "amounts")
    carried["subjects"] = [_without(subject, "discipline_kind") for subject in _subjects(payload)]
    if payload.get("amount_yuan") is not None:
        carried["amount"] = _as_money(payload["amount_yuan"])
    return carried


def _subjects(payload: Json) -> Iterator[Json]:
    for name in _IN_BOTH:
        yield from payload.get(name, ())


def _without(part: Json, *names: str) -> Json:
    return {name: value for name, value in part.items() if name not in names}


def _in_yuan(money: Json) -> str:
    amount = str(money["amount"])
    return amount if money["unit"] == "元" else f"{Decimal(amount).scaleb(4):f}"


def _as_money(yuan: str) -> Json:
    """In yuan if 1.1 has the digits for it: what is longer has no fraction of a yuan."""
    if len(yuan.removeprefix("-").partition(".")[0]) <= _LONGEST_IN_YUAN:
        return {"amount": yuan, "unit": "元"}
    return {"amount": f"{Decimal(yuan).scaleb(-4):f}", "unit": "万元"}


CONVERSIONS: Final = (
    Conversion(
        type="clue.transferred",
        older="1.1",
        newer="2.0",
        up=up,
        down=down,
        lost_up=(
            Loss(
                "/amount/unit",
                "金额一律换算为元，数额不变，原用单位和写法不保留",
                "amounts are told in yuan: the sum stays, the unit and how it was written do not",
            ),
            Loss(
                "/subjects",
                "人与单位分列，二者交错的先后次序不保留，序号不变",
                "persons and organisations stand apart: numbers stay, how they alternated does not",
            ),
        ),
        lost_down=(
            Loss(
                "/persons/-/discipline_kind",
                "违纪类别只列于整条线索，不再分到人",
                "breaches are told of the clue, no longer of a person",
            ),
            Loss(
                "/organisations/-/discipline_kind",
                "违纪类别只列于整条线索，不再分到单位",
                "breaches are told of the clue, no longer of an organisation",
            ),
            Loss(
                "/amounts",
                "只保留涉及金额合计，分类金额不保留",
                "the amount involved stays, the amounts by kind do not",
            ),
        ),
        # Without its lead a subject would look free to be taken on; a lead for the others would
        # be made up.
        refused_up=(
            Loss(
                "/subjects/-/lead",
                "只对部分对象填写主办机关的不能转换：2.0 须对每一对象填写；请补齐或都不填",
                "an organ in charge of some subjects only: 2.0 wants it of all or of none",
            ),
        ),
        refused_down=(),
    ),
)
