"""The conversions as a table: cell → value, or the kind of fault."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.convert import READINGS, Cell, Wrong
from adapters.kit.port import FaultKind
from contracts.identifiers import citizen_id_with_check_digit
from contracts.owncodes import SHIPPED


@dataclass(frozen=True)
class Rule:
    longest: int | None = None
    list: str | None = None
    aliases: dict[str, str] = field(default_factory=dict)


CITIZEN = citizen_id_with_check_digit("51999919800101001")
LISTED = Rule(list="petition_purpose", aliases={"检举": "3"})
OPEN = Rule(list="petition_content")

TAKEN = [
    ("text", "\u3000\u3000第一行\r\n第二行 \u200b", Rule(), "第一行\n第二行"),
    ("text", "第一行\v第二行\r第三行", Rule(), "第一行\n第二行\n第三行"),
    ("text", "字" * 2_000, Rule(), "字" * 2_000),
    ("line", " 示范市\n样板路 \u3000 1号 ", Rule(), "示范市 样板路 1号"),
    ("name", "张 \u3000 三", Rule(), "张三"),
    ("name", "Anna  Example", Rule(), "Anna Example"),
    ("name", "示范市 （东湖） 中心", Rule(), "示范市 （东湖） 中心"),
    ("number", "１２８-００００ ", Rule(), "128-0000"),
    ("identifier", "'XFJ0001\t", Rule(), "XFJ0001"),
    ("identifier", '="0001"', Rule(), "0001"),
    ("date", "2026/10/3", Rule(), "2026-10-03"),
    ("date", "2026-10-03 23:59:59", Rule(), "2026-10-03"),
    ("date", "2026.10.3", Rule(), "2026-10-03"),
    ("date", "2026年10月3日", Rule(), "2026-10-03"),
    ("date", "２０２６／１０／０３", Rule(), "2026-10-03"),
    ("date", "20261003", Rule(), "2026-10-03"),
    ("time", "2026/10/03", Rule(), "2026-10-03T00:00:00+08:00"),
    ("time", "2026/10/3 9:05", Rule(), "2026-10-03T09:05:00+08:00"),
    ("time", "2026-10-03T09:05:07.123", Rule(), "2026-10-03T09:05:07+08:00"),
    ("time", "2026年10月3日 9时5分", Rule(), "2026-10-03T09:05:00+08:00"),
    ("time", "20261003090507123", Rule(), "2026-10-03T09:05:07+08:00"),
    ("flag", "是", Rule(), True),
    ("flag", "Y", Rule(), True),
    ("flag", "１", Rule(), True),
    ("flag", "否", Rule(), False),
    ("flag", "n", Rule(), False),
    ("flag", "'0", Rule(), False),
    ("flag", "2", Rule(aliases={"2": "否"}), False),
    ("integer", "12", Rule(), 12),
    ("integer", "１，２００", Rule(), 1200),
    ("integer", "3.00", Rule(), 3),
    ("integer", "-3", Rule(), -3),
    ("region", "510104", Rule(), "510104"),
    ("region", "'５１０１０４", Rule(), "510104"),
    ("region", "510104000000", Rule(), "510104"),
    ("region", "东湖", Rule(aliases={"东湖": "510104"}), "510104"),
    ("code", "3", LISTED, {"code": "3", "label": "揭发控告"}),
    ("code", "揭发控告", LISTED, {"code": "3", "label": "揭发控告"}),
    ("code", "检举", LISTED, {"code": "3", "label": "揭发控告"}),
    ("code", "990000", OPEN, {"code": "990000", "label": "其他"}),
    ("citizen_id", f" {CITIZEN}", Rule(), CITIZEN),
    (
        "citizen_id",
        citizen_id_with_check_digit("51999919800101008").lower(),
        Rule(),
        "51999919800101008X",
    ),
]

REFUSED = [
    ("text", "字" * 2_001, Rule(), FaultKind.TOO_LONG),
    ("text", "四字以上", Rule(longest=3), FaultKind.TOO_LONG),
    ("line", "字" * 201, Rule(), FaultKind.TOO_LONG),
    ("name", "字" * 201, Rule(), FaultKind.TOO_LONG),
    ("number", "1.28E+10", Rule(), FaultKind.SCIENTIFIC),
    ("number", "1" * 65, Rule(), FaultKind.TOO_LONG),
    ("identifier", "5.10104E+17", Rule(), FaultKind.SCIENTIFIC),
    ("identifier", "两 段", Rule(), FaultKind.IDENTIFIER),
    ("identifier", "X" * 65, Rule(), FaultKind.IDENTIFIER),
    ("date", "2026/13/01", Rule(), FaultKind.DATE),
    ("date", "2026/02/29", Rule(), FaultKind.DATE),
    ("date", "46298", Rule(), FaultKind.DATE),
    ("date", "0206/10/03", Rule(), FaultKind.DATE),
    ("date", "10/03/2026", Rule(), FaultKind.DATE),
    ("date", "去年十月", Rule(), FaultKind.DATE),
    ("time", "2026/10/03 24:00:00", Rule(), FaultKind.DATE),
    ("flag", "不详", Rule(), FaultKind.FLAG),
    ("flag", "2", Rule(), FaultKind.FLAG),
    ("integer", "若干", Rule(), FaultKind.NUMBER),
    ("integer", "5人", Rule(), FaultKind.NUMBER),
    ("integer", "2.5", Rule(), FaultKind.NUMBER),
    ("integer", "12,00", Rule(), FaultKind.NUMBER),
    ("region", "51010", Rule(), FaultKind.REGION),
    ("region", "示范市东湖区", Rule(), FaultKind.REGION),
    ("region", "519999", Rule(), FaultKind.REGION),
    ("region", "5.10104E+05", Rule(), FaultKind.SCIENTIFIC),
    ("code", "7", LISTED, FaultKind.CODE),
    ("code", "030100", OPEN, FaultKind.CODE),
    ("code", "3E+10", OPEN, FaultKind.SCIENTIFIC),
    ("citizen_id", CITIZEN[:17], Rule(), FaultKind.CITIZEN_ID),
    ("citizen_id", CITIZEN[:17] + "5", Rule(), FaultKind.CITIZEN_ID),
    ("citizen_id", "5.19999E+17", Rule(), FaultKind.SCIENTIFIC),
]


@pytest.mark.parametrize(("reading", "cell", "rule", "value"), TAKEN)
def test_a_cell_is_read_as_meant(reading: str, cell: str, rule: Rule, value: object) -> None:
    assert READINGS[reading](Cell(cell), rule, SHIPPED) == value


@pytest.mark.parametrize(("reading", "cell", "rule", "kind"), REFUSED)
def test_a_cell_that_cannot_be_meant_is_refused(
    reading: str, cell: str, rule: Rule, kind: FaultKind
) -> None:
    refused = READINGS[reading](Cell(cell), rule, SHIPPED)
    assert isinstance(refused, Wrong)
    assert refused.kind == kind


def test_a_code_of_an_open_list_is_carried_with_the_label_beside_it() -> None:
    cell = Cell("030100", label="贪污  贿赂")
    assert READINGS["code"](cell, OPEN, SHIPPED) == {"code": "030100", "label": "贪污 贿赂"}


def test_a_code_of_a_closed_list_takes_no_label_of_its_own() -> None:
    refused = READINGS["code"](Cell("7", label="举报"), LISTED, SHIPPED)
    assert refused == Wrong(
        FaultKind.CODE,
        "不在代码表 petition_purpose 中",
        "可用：1 申诉、2 求决、3 揭发控告、4 意见建议、5 咨询、99 其他",
    )


def test_what_is_said_of_a_wrong_number_is_what_is_wrong_with_it() -> None:
    said = READINGS["citizen_id"](Cell(CITIZEN[:17] + "5"), Rule(), SHIPPED)
    assert isinstance(said, Wrong)
    assert said.reason == "校验位不符"


@pytest.mark.parametrize("reading", [name for name in READINGS if name != "code"])
@given(cell=st.text(min_size=1))
def test_no_cell_makes_a_conversion_fail(reading: str, cell: str) -> None:
    READINGS[reading](Cell(cell), Rule(), SHIPPED)


@given(cell=st.text(min_size=1), label=st.none() | st.text(min_size=1))
def test_no_cell_makes_a_code_fail(cell: str, label: str | None) -> None:
    for rule in (LISTED, OPEN):
        READINGS["code"](Cell(cell, label), rule, SHIPPED)


@pytest.mark.parametrize("reading", [name for name in READINGS if name != "code"])
@given(noise=st.text(alphabet="ßøπ漢示例", min_size=8, max_size=40))
def test_a_refusal_never_repeats_the_cell(reading: str, noise: str) -> None:
    said = READINGS[reading](Cell(noise), Rule(longest=3), SHIPPED)
    if isinstance(said, Wrong):
        assert noise not in said.reason + said.advice
