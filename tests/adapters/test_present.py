"""What events say is shown as people read it, and reads back as it was."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.amounts import digits
from adapters.kit.convert import READINGS, Cell
from adapters.kit.days import BEIJING
from adapters.kit.mapping import FieldRule
from adapters.kit.present import Shape, at, said, shown
from contracts.codelists import code_list, list_names
from contracts.owncodes import SHIPPED

CLUE = {
    "clueid": "XS-样板-01",
    "subjects": [
        {"subject_no": 1, "person": {"name": "张示例", "post": None}},
        {"subject_no": 2, "org": {"name": "示范市样板局"}},
    ],
    "a/b": {"~": 3},
    "amount": {"amount": "12.5", "unit": "万元"},
}


def read(reading: str, cell: str, **settings: object) -> object:
    rule = FieldRule.model_validate({"column": "x", "title": "x", "as": reading} | settings)
    return READINGS[reading](Cell(cell), rule, SHIPPED)


@pytest.mark.parametrize(
    ("pointer", "values"),
    [
        ("/clueid", ["XS-样板-01"]),
        ("/subjects/-/subject_no", [1, 2]),
        ("/subjects/-/person/name", ["张示例"]),
        ("/subjects/-/person/post", []),
        ("/subjects/name", []),
        ("/clueid/name", []),
        ("/a~1b/~0", [3]),
        ("/nothing", []),
        ("/amount", [{"amount": "12.5", "unit": "万元"}]),
        ("", [CLUE]),
    ],
)
def test_a_pointer_finds_every_item_of_an_array(pointer: str, values: list[object]) -> None:
    assert list(at(pointer, CLUE)) == values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "是"),
        (False, "否"),
        (12, "12"),
        ("示例\r\n文字\x00", "示例\n文字\ufffd"),
        ("2026-10-02T16:00:00Z", "2026-10-03 00:00:00"),
        ("2026-10-03", "2026-10-03"),
        ({"code": "3", "label": "揭发控告"}, "揭发控告"),
        ({"code": "3"}, "3"),
        ({"name": "张示例", "org": {"name": "示范市样板局"}}, "张示例"),
        ({"subject_no": 2, "org": {"name": "示范市样板局"}}, "示范市样板局"),
        ({"title": "事实确认单", "docno": "样板〔2026〕1号"}, "事实确认单"),
        ({"amount": "12.5", "unit": "万元", "currency": "CNY"}, "12.5万元"),
        ({"rule": "x", "date": "2026-12-01"}, "2026-12-01"),
        ({"from": "2026-01-01", "to": "2026-06-30"}, "2026-01-01 至 2026-06-30"),
        ([{"name": "张示例"}, None, {"name": "李样板"}], "张示例、李样板"),
        ({"other": 1}, '{"other":1}'),
    ],
)
def test_a_value_is_said_as_people_write_it(value: object, text: str) -> None:
    assert said(value) == text


def test_several_values_may_stand_on_lines_of_their_own() -> None:
    assert said(["第一条", "第二条"], between="\n") == "第一条\n第二条"


@pytest.mark.parametrize(
    ("shape", "value", "plain"),
    [
        ("flag", True, True),
        ("flag", "yes", "yes"),
        ("number", 3, 3),
        ("number", True, "是"),
        ("date", "2026-10-02T16:00:00Z", "2026-10-03"),
        ("date", "2026-10-03", "2026-10-03"),
        ("date", "2026-02-30", "2026-02-30"),
        ("month", "1972-04", "1972-04"),
        ("month", "1972-04-05", "1972-04"),
        ("time", "2026-10-03T09:05:07.5+09:00", "2026-10-03T08:05:07"),
        ("time", "9999-12-31T23:00:00-08:00", "9999-12-31T23:00:00-08:00"),
        ("money", {"amount": "12.5", "unit": "万元"}, "125000"),
        ("money", "125000.50", "125000.5"),
        ("money", {"amount": "12.5", "unit": "美元"}, "12.5美元"),
        ("code", {"code": "3"}, "揭发控告"),
        ("code", "3", "揭发控告"),
        ("code", {"code": "77", "label": "本地项目"}, "本地项目"),
        ("text", {"name": "张示例"}, "张示例"),
    ],
)
def test_a_value_is_shown_in_the_shape_of_its_column(
    shape: Shape, value: object, plain: object
) -> None:
    assert shown(value, shape, codes=code_list("petition_purpose")) == plain


def test_an_amount_is_shown_in_the_unit_of_its_column() -> None:
    assert shown({"amount": "125000", "unit": "元"}, "money", unit="万元") == "12.5"
    assert shown({"amount": "12.50", "unit": "万元"}, "money", unit="万元") == "12.5"


DAYS = st.dates(date(1900, 1, 1), date(2099, 12, 31))
MOMENTS = st.builds(datetime.combine, DAYS, st.times())
AMOUNTS = st.decimals(
    Decimal("-999999999999999.9999"), Decimal("999999999999999.9999"), places=4
).map(digits)
UNITS = st.sampled_from(["元", "万元"])
LISTED = st.sampled_from(
    [(name, code) for name in list_names() for code in code_list(name).members]
)


@given(day=DAYS)
def test_a_day_reads_back_from_all_its_shapes(day: date) -> None:
    for written in (
        shown(day.isoformat(), "date"),
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year}/{day.month}/{day.day}",
        f"{day:%Y%m%d}",
    ):
        assert read("date", str(written)) == day.isoformat()


@given(day=DAYS)
def test_a_month_reads_back(day: date) -> None:
    month = day.isoformat()[:7]
    assert read("month", str(shown(month, "month"))) == month
    assert read("month", f"{day:%Y.%m}") == month


@given(moment=MOMENTS)
def test_a_moment_reads_back_to_the_second(moment: datetime) -> None:
    value = moment.replace(microsecond=0, tzinfo=BEIJING).isoformat()
    assert read("time", str(shown(value, "time"))) == value
    assert read("time", said(value)) == value


@given(days=st.integers(10_000, 73_050), seconds=st.integers(0, 86_399))
def test_what_a_spreadsheet_counts_reads_as_the_moment_it_shows(days: int, seconds: int) -> None:
    serial = f"{Decimal(days) + Decimal(seconds) / 86_400:.10f}"
    shown_there = datetime.fromordinal(date(1899, 12, 30).toordinal() + days)
    clock = (seconds // 3600, seconds // 60 % 60, seconds % 60)
    moment = shown_there.replace(hour=clock[0], minute=clock[1], second=clock[2], tzinfo=BEIJING)
    assert read("time", serial, serial=True) == moment.isoformat()


@given(amount=AMOUNTS, unit=UNITS)
def test_an_amount_reads_back_with_its_unit(amount: str, unit: str) -> None:
    value = {"amount": amount, "unit": unit}
    assert read("money", said(value)) == value
    assert read("money", str(shown(amount, "money")), unit="元") == {"amount": amount, "unit": "元"}


@given(amount=AMOUNTS, unit=UNITS, column=UNITS)
def test_an_amount_is_worth_the_same_whatever_its_columns_unit(
    amount: str, unit: str, column: Any
) -> None:
    value = {"amount": amount, "unit": unit}
    there = Decimal(str(shown(value, "money", unit=column)))
    ratio = {("元", "万元"): Decimal(10_000), ("万元", "元"): 1 / Decimal(10_000)}
    assert there * ratio.get((unit, column), Decimal(1)) == Decimal(amount)


@given(listed=LISTED)
def test_a_code_reads_back_by_its_label(listed: tuple[str, str]) -> None:
    name, code = listed
    label = str(shown({"code": code}, "code", codes=code_list(name)))
    assert read("code", label, list=name) == {"code": code, "label": label}


@given(listed=st.lists(st.sampled_from(list(code_list("petition_purpose").members)), min_size=1))
def test_codes_read_back_each_once(listed: list[str]) -> None:
    labels = code_list("petition_purpose").labels
    codes = [{"code": code, "label": labels[code]} for code in dict.fromkeys(listed)]
    assert read("codes", said(codes), list="petition_purpose") == codes


@given(names=st.lists(st.text(alphabet="张王李示例样板·", min_size=1), min_size=1, max_size=100))
def test_names_read_back(names: list[str]) -> None:
    assert read("names", said([{"name": name} for name in names])) == names


@given(flag=st.booleans(), count=st.integers(-(10**12) + 1, 10**12 - 1))
def test_flags_and_numbers_read_back(flag: bool, count: int) -> None:
    assert read("flag", said(shown(flag, "flag"))) is flag
    assert read("integer", said(shown(count, "number"))) == count


MEMBERS = ["amount", "unit", "label", "name", "code", "person", "from", "to", "date"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(MEMBERS) | st.text(), inner),
    max_leaves=12,
)
SHAPES = ["text", "code", "date", "time", "month", "money", "number", "flag"]


@given(value=JSON, shape=st.sampled_from(SHAPES), pointer=st.text())
def test_nothing_that_an_event_may_hold_fails_to_be_shown(
    value: object, shape: Any, pointer: str
) -> None:
    plain = shown(value, shape, codes=code_list("petition_purpose"))
    assert isinstance(plain, str | int)
    assert isinstance(list(at(pointer, value)), list)
