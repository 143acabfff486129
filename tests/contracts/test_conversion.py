"""`clue.transferred` 1.1 ⇄ 2.0: what comes out is valid, what is not declared lost comes back."""

import json
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.catalogue import load_catalogue
from contracts.clue.convert import CONVERSIONS, down, up
from contracts.common import Payload
from contracts.contract import Contract
from contracts.conversion import Inconvertible
from contracts.fields import walk
from tests.examples import VALID, contract_of, payload_in

Json = dict[str, Any]

TYPE = "clue.transferred"
EXAMPLES = [path for path in VALID if contract_of(path).type == TYPE]
OF_1 = [path for path in EXAMPLES if contract_of(path).version in ("1.0", "1.1")]
OF_2 = [path for path in EXAMPLES if contract_of(path).version == "2.0"]
(CONVERSION,) = CONVERSIONS


def version(number: str) -> Contract:
    contract = load_catalogue().find(TYPE, number)
    assert contract is not None
    return contract


def read(number: str, payload: Json) -> Json:
    """The payload as the version reads it, where absent, null and the default are the same."""
    checked = version(number).check(json.dumps(payload).encode())
    assert isinstance(checked, Payload), checked
    return checked.model_dump(mode="json", by_alias=True)


def but_for_losses_of_up(payload: Json) -> Json:
    """A payload of 1.1 without what `up` declares lost: the unit, how the subjects alternate."""
    kept = deepcopy(payload)
    if kept["amount"] is not None:
        in_unit = 10_000 if kept["amount"].pop("unit") == "万元" else 1
        kept["amount"]["amount"] = Decimal(kept["amount"]["amount"]) * in_unit
    kept["subjects"].sort(key=lambda subject: subject["subject_no"])
    return kept


def but_for_losses_of_down(payload: Json) -> Json:
    """A payload of 2.0 without what `down` declares lost: whose breaches, amounts by kind."""
    kept = deepcopy(payload)
    del kept["amounts"]
    for subject in (*kept["persons"], *kept["organisations"]):
        del subject["discipline_kind"]
    return kept


def assert_comes_back_from_2(payload: Json) -> None:
    kept = deepcopy(payload)
    risen = up(payload)
    read("2.0", risen)
    back = read("1.1", down(risen))
    assert but_for_losses_of_up(back) == but_for_losses_of_up(read("1.1", payload))
    assert payload == kept


def assert_comes_back_from_1(payload: Json) -> None:
    kept = deepcopy(payload)
    lowered = down(payload)
    read("1.1", lowered)
    back = read("2.0", up(lowered))
    assert but_for_losses_of_down(back) == but_for_losses_of_down(read("2.0", payload))
    assert payload == kept


kinds = st.lists(
    st.sampled_from([{"code": "1"}, {"code": "3", "label": "违反廉洁纪律"}, {"code": "5"}])
    | st.integers(1, 4).map(lambda n: {"code": f"本地{n}", "label": f"本地类别{n}"}),
    max_size=4,
)
fractions = st.just("") | st.from_regex(r"\.[0-9]{1,4}", fullmatch=True)
figures = st.builds(
    lambda sign, whole, fraction: f"{sign}{whole}{fraction}",
    st.sampled_from(["", "-"]),
    st.integers(0, 10**15 - 1) | st.integers(0, 99_999),
    fractions,
)
yuan = figures | st.integers(10**15, 10**19 - 1).map(str)
moneys = st.fixed_dictionaries(
    {"amount": figures, "unit": st.sampled_from(["元", "万元"])},
    optional={"currency": st.just("CNY")},
)
people = st.fixed_dictionaries(
    {"name": st.sampled_from(["周试验", "邓试验"])},
    optional={"post": st.just("主任"), "org": st.just({"name": "东湖区样例局"}) | st.none()},
)
bodies = st.fixed_dictionaries({"name": st.just("示范市样例工程有限公司")})


@st.composite
def subjects(draw: st.DrawFn) -> list[Json]:
    """Persons and organisations as 1.1 has them, in any order, all with a lead or none."""
    numbers = draw(st.lists(st.integers(1, 999), min_size=1, max_size=5, unique=True))
    led = draw(st.booleans())
    found = []
    for number in numbers:
        subject: Json = {"subject_no": number, "authority": draw(st.sampled_from(["市管", "县管"]))}
        if draw(st.booleans()):
            subject["person"] = draw(people)
        else:
            subject["org"] = draw(bodies)
        if draw(st.booleans()):
            subject["role"] = "其他涉及人"
        if draw(st.booleans()):
            subject |= {name: None for name in ("person", "org", "lead") if name not in subject}
        if led:
            subject["lead"] = {"name": "东湖区纪委监委"}
        found.append(subject)
    return found


@st.composite
def bases(draw: st.DrawFn) -> Json:
    """What 1.1 and 2.0 have in common, out of an example, with members left out or null."""
    payload: Json = payload_in(draw(st.sampled_from(EXAMPLES)))
    for name in ("subjects", "amount", "discipline_kind", "persons", "organisations"):
        payload.pop(name, None)
    for name in ("amount_yuan", "amounts"):
        payload.pop(name, None)
    for name in draw(st.sets(st.sampled_from(["native_no", "suggested_disposition", "reporter"]))):
        payload[name] = None
    return payload


@st.composite
def of_1(draw: st.DrawFn) -> Json:
    payload: Json = draw(bases())
    payload["subjects"] = draw(subjects())
    payload["discipline_kind"] = draw(kinds.filter(len))
    if draw(st.booleans()):
        payload["amount"] = draw(moneys | st.none())
    return payload


@st.composite
def of_2(draw: st.DrawFn) -> Json:
    payload: Json = draw(bases())
    listed = payload["discipline_kind"] = draw(kinds.filter(len))
    for subject in draw(subjects()):
        name, other = (
            ("persons", "org") if subject.get("person") is not None else ("organisations", "person")
        )
        subject.pop(other, None)
        if draw(st.booleans()):
            subject["discipline_kind"] = draw(st.lists(st.sampled_from(listed), max_size=3))
        payload.setdefault(name, []).append(subject)
    if draw(st.booleans()):
        payload["amount_yuan"] = draw(yuan)
        payload["amounts"] = [{"kind": {"code": "loss"}, "yuan": payload["amount_yuan"]}]
    return payload


@pytest.mark.parametrize("example", OF_1, ids=lambda path: path.stem)
def test_an_example_of_1_comes_back_from_2(example: Any) -> None:
    assert_comes_back_from_2(payload_in(example))


@pytest.mark.parametrize("example", OF_2, ids=lambda path: path.stem)
def test_an_example_of_2_comes_back_from_1(example: Any) -> None:
    assert_comes_back_from_1(payload_in(example))


@settings(max_examples=300)
@given(payload=of_1())
def test_any_clue_of_1_comes_back_from_2(payload: Json) -> None:
    assert_comes_back_from_2(payload)


@settings(max_examples=300)
@given(payload=of_2())
def test_any_clue_of_2_comes_back_from_1(payload: Json) -> None:
    assert_comes_back_from_1(payload)


@pytest.mark.parametrize(
    ("money", "in_yuan", "back"),
    [
        ({"amount": "186.5", "unit": "万元"}, "1865000", {"amount": "1865000", "unit": "元"}),
        ({"amount": "3.20", "unit": "万元"}, "32000", {"amount": "32000", "unit": "元"}),
        ({"amount": "0.0001", "unit": "万元"}, "1", {"amount": "1", "unit": "元"}),
        ({"amount": "-0.5", "unit": "万元"}, "-5000", {"amount": "-5000", "unit": "元"}),
        ({"amount": "420000.00", "unit": "元"}, "420000.00", {"amount": "420000.00", "unit": "元"}),
        (
            {"amount": "999999999999999.9999", "unit": "万元"},
            "9999999999999999999",
            {"amount": "999999999999999.9999", "unit": "万元"},
        ),
    ],
)
def test_an_amount_keeps_its_value(money: Json, in_yuan: str, back: Json) -> None:
    risen = up({"subjects": [], "amount": money})
    assert risen["amount_yuan"] == in_yuan
    assert down(risen)["amount"] == back


def test_breaches_are_told_of_the_clue_as_2_lists_them() -> None:
    """What is of class F2 in 2.0 must not come to stand in a member of class F1."""
    payload = {
        "discipline_kind": [{"code": "3"}, {"code": "5"}],
        "persons": [{"subject_no": 1, "discipline_kind": [{"code": "5"}]}],
        "organisations": [{"subject_no": 2, "discipline_kind": [{"code": "3"}]}],
    }
    assert down(payload) == {
        "discipline_kind": [{"code": "3"}, {"code": "5"}],
        "subjects": [{"subject_no": 1}, {"subject_no": 2}],
    }


def test_more_subjects_than_1_holds_are_refused() -> None:
    payload = payload_in(OF_2[0])
    payload["persons"] = [
        {**payload["persons"][0], "subject_no": number} for number in range(11, 111)
    ]
    found = version("2.0").check(json.dumps(payload).encode())
    assert isinstance(found, tuple)
    assert [(f.code, f.pointer) for f in found] == [("subjects_too_many", "/data/organisations")]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("target", ["1.0", "1.1", "2.0"])
def test_every_version_is_read_in_every_other(example: Any, target: str) -> None:
    source = contract_of(example).version
    carried = load_catalogue().route(TYPE, source, target).carry(example.read_bytes())
    assert read(target, json.loads(carried))["clueid"] == payload_in(example)["clueid"]


@settings(deadline=None, max_examples=200)
@given(payload=of_1(), led=st.lists(st.booleans(), min_size=5, max_size=5))
def test_a_clue_of_1_is_refused_for_what_is_declared_alone(payload: Json, led: list[bool]) -> None:
    """Some subjects with an organ in charge, others without: all else of 1.1 has a form in 2.0."""
    for subject, lead in zip(payload["subjects"], led, strict=False):
        subject["lead"] = {"name": "东湖区纪委监委"} if lead else None
    data = json.dumps(payload).encode()
    assert isinstance(version("1.1").check(data), Payload)
    way = load_catalogue().route(TYPE, "1.1", "2.0")
    leads = {subject["lead"] is not None for subject in payload["subjects"]}
    if len(leads) == 1:
        assert read("2.0", json.loads(way.carry(data)))["clueid"] == payload["clueid"]
        return
    with pytest.raises(Inconvertible) as refused:
        way.carry(data)
    assert refused.value.fault is not None and refused.value.fault.code == "lead_missing"
    assert [loss.pointer for loss in CONVERSION.refused_up] == ["/subjects/-/lead"]


def test_codes_are_those_of_the_day_it_came_not_of_the_installation_today() -> None:
    """What is converted was good when it came: a code of the installation's own may be gone."""
    payload = payload_in(OF_1[0])
    payload["discipline_kind"] = [{"code": "本地旧码"}]
    payload["letter"] = {"issuers": ["示范市委巡察办"]}
    subject: Json = {"subject_no": 1, "authority": "市管", "org": {"name": "样例局"}}
    payload["subjects"] = [{**subject, "org": {**subject["org"], "region": "519998"}}]
    data = json.dumps(payload).encode()
    today = version("1.1").check(data)
    assert isinstance(today, tuple)
    assert sorted(fault.code for fault in today) == ["code_unknown", "region_unknown"]
    carried = json.loads(load_catalogue().route(TYPE, "1.1", "2.0").carry(data))
    assert carried["discipline_kind"] == payload["discipline_kind"]
    assert carried["organisations"] == payload["subjects"]


def test_a_closed_list_holds_for_what_is_converted_too() -> None:
    """Those are shipped with the version, and the same everywhere."""
    payload = {**payload_in(OF_1[0]), "suggested_disposition": {"code": "nowhere"}}
    with pytest.raises(Inconvertible) as refused:
        load_catalogue().route(TYPE, "1.1", "2.0").carry(json.dumps(payload).encode())
    assert refused.value.fault is not None
    assert (refused.value.fault.code, refused.value.fault.pointer) == (
        "code_unknown",
        "/data/suggested_disposition/code",
    )


def test_what_is_declared_lost_stands_in_the_version_that_has_it() -> None:
    older = {pointer for pointer, _ in walk(version("1.1").fields)}
    newer = {pointer for pointer, _ in walk(version("2.0").fields)}
    assert {loss.pointer for loss in CONVERSION.lost_up} <= older
    assert {loss.pointer for loss in CONVERSION.lost_down} <= newer
    assert {loss.pointer for loss in CONVERSION.refused_up} <= older
    assert CONVERSION.refused_down == ()
