"""Marks of parties: by whatever an event names a body, it is found, and nobody else is."""

import pytest

from contracts.contract import NamedParty, NamedPerson, PartyRole
from hub.policy.parties import SIZE, Body, PartyMarks, strangers

USCC = "11510104000000115N"
ORGCODE = "000000115"
NAME = "示范市东湖区财政局"
marks = PartyMarks(b"k" * 32)


def body(*, heads: tuple[tuple[str, str | None], ...] = ()) -> Body:
    return marks.of_body(
        ids=["510104.finance", "510104-finance"],
        names=[NAME],
        usccs=[USCC],
        orgcodes=[ORGCODE],
        head_names=[name for name, _ in heads],
        head_keys=[key for _, key in heads if key],
    )


def accused(**org: str) -> NamedParty:
    return NamedParty(PartyRole.ACCUSED, **{"name": "某单位", **org})


@pytest.mark.parametrize(
    ("org", "trait"),
    [
        ({"orgid": "510104.finance"}, "id"),
        ({"orgid": "510104-finance"}, "id"),
        ({"name": NAME}, "name"),
        ({"name": f" {NAME[:3]}　{NAME[3:]}。"}, "name"),
        ({"orgcode": ORGCODE}, "orgcode"),
        ({"orgid": "510105.finance"}, None),
        ({"name": f"{NAME}办公室"}, None),
    ],
)
def test_an_accused_organisation_is_found_by(org: dict[str, str], trait: str | None) -> None:
    assert body().accused_by(marks.of_event([accused(**org)])) == trait


def test_an_accused_organisation_is_found_by_its_unified_code_or_the_code_inside() -> None:
    assert body().accused_by(marks.of_event([accused(uscc=USCC)])) in ("uscc", "orgcode")
    inside = marks.of_body(ids=["x"], names=["y"], usccs=[], orgcodes=[ORGCODE])
    assert inside.accused_by(marks.of_event([accused(uscc=USCC)])) == "orgcode"


def test_a_concerned_organisation_is_not_accused() -> None:
    concerned = NamedParty(PartyRole.CONCERNED, NAME)
    assert body().accused_by(marks.of_event([concerned])) is None
    assert body().accused_by(marks.of_event([concerned, accused(name=NAME)])) == "name"


@pytest.mark.parametrize(
    ("person", "trait"),
    [
        (NamedPerson("周样例", None, placed=False), "person"),
        (NamedPerson(" 周 样例", None, placed=False), "person"),
        (NamedPerson("周样例", None, placed=True), None),
        (NamedPerson("另一人", "k-1", placed=True), "personkey"),
        (NamedPerson("周样例二", None, placed=False), None),
        (NamedPerson(None, None, placed=False), None),
    ],
)
def test_the_head_of_a_body_is_found(person: NamedPerson, trait: str | None) -> None:
    led = body(heads=(("周样例", "k-1"),))
    assert led.accused_by(marks.of_event([], [person])) == trait
    assert body().accused_by(marks.of_event([], [person])) is None


def test_an_organisation_named_like_a_head_is_not_that_head() -> None:
    led = body(heads=(("周样例", "510105.finance"),))
    named = [accused(name="周样例", orgid="510105.finance")]
    assert led.accused_by(marks.of_event(named)) is None


def test_a_mark_is_only_found_at_its_own_place() -> None:
    """Hash bytes that happen to spell another mark across two places do not count."""
    inner = body().accused_by
    mark = marks.of_event([accused(name=NAME)])[:SIZE]
    shifted = b"C" + mark + b"x" * (SIZE - 1)
    assert len(shifted) % SIZE == 0
    assert inner(shifted) is None
    assert inner(b"C" + b"x" * (SIZE - 1) + mark) == "name"


def test_strangers_are_counted_by_organisation() -> None:
    known = body().hashes
    event = marks.of_event(
        [
            accused(name=NAME),
            accused(name="生单位甲"),
            accused(name="生单位乙", orgid="510104.finance"),
            NamedParty(PartyRole.CONCERNED, "生单位丙"),
        ],
        [NamedPerson("生人", "k-9", placed=False)],
    )
    assert strangers(event, known) == 2
    assert strangers(b"", known) == 0
    again = marks.of_event(
        [
            accused(name="生单位甲"),
            accused(name="又名单位乙", orgid="510104.finance"),
            NamedParty(PartyRole.CONCERNED, "生单位丁"),
        ],
        [],
    )
    assert strangers(event + again, known) == 3
    assert strangers(marks.of_event([], [NamedPerson("生人", "k", placed=False)]), known) == 0
