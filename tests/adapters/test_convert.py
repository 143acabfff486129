"""The conversions as a table: cell → value, or the kind of fault."""

from dataclasses import dataclass, field, replace
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit.amounts import Unit
from adapters.kit.convert import READINGS, Cell, Wrong
from adapters.kit.port import FaultKind
from contracts.identifiers import (
    citizen_id_with_check_digit,
    organisation_code_with_check_digit,
    uscc_with_check_digit,
)
from contracts.owncodes import SHIPPED


@dataclass(frozen=True)
class Rule:
    longest: int | None = None
    list: str | None = None
    aliases: dict[str, str] = field(default_factory=dict)
    values: tuple[str, ...] = ()
    unit: Unit | None = None
    serial: bool = False
    label_column: str | None = None


CITIZEN = citizen_id_with_check_digit("51999919800101001")
LISTED = Rule(list="petition_purpose", aliases={"检举": "3"})
OPEN = Rule(list="petition_content")

SERIAL = Rule(serial=True)
TEN_THOUSANDS = Rule(unit="万元")
SECOND = {"code": "2", "label": "求决"}
THIRD = {"code": "3", "label": "揭发控告"}
ISSUES = Rule(list="issue_category")
CLOSED_BECAUSE = Rule(list="petition_close_reason")
CLOSED_CODE = {"code": "resolved", "label": "诉求合理，已解决"}
URGENCY = Rule(values=("normal", "Urgent"), aliases={"急件": "Urgent"})
USCC = uscc_with_check_digit("11510100" + organisation_code_with_check_digit("MB000001"))

TAKEN = [
    ("text", "\u3000\u3000第一行\r\n第二行 \u200b", Rule(), "第一行\n第二行"),
    ("name", "赵\u202e示甲\u202c", Rule(), "赵示甲"),
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
    ("date", "2026-10-02T16:00:00Z", Rule(), "2026-10-03"),
    ("date", "2026年10月3日 （周六）", Rule(), "2026-10-03"),
    ("date", "二〇二六年十月三十一日", Rule(), "2026-10-31"),
    ("date", "46298.75", SERIAL, "2026-10-03"),
    ("date", "20261003", SERIAL, "2026-10-03"),
    ("time", "46298.75", SERIAL, "2026-10-03T18:00:00+08:00"),
    ("time", "46298.999999", SERIAL, "2026-10-04T00:00:00+08:00"),
    ("time", "2026-10-03 09:05:07 +0000", Rule(), "2026-10-03T17:05:07+08:00"),
    ("time", "2026-10-03T00:05:07-01:30", Rule(), "2026-10-03T09:35:07+08:00"),
    ("time", "2026/10/3 上午 12:05:00", Rule(), "2026-10-03T00:05:00+08:00"),
    ("time", "2026/10/3 下午 12:05:00", Rule(), "2026-10-03T12:05:00+08:00"),
    ("time", "2026年10月3日15点", Rule(), "2026-10-03T15:00:00+08:00"),
    ("month", "１９７２．０４", Rule(), "1972-04"),
    ("month", "1972/4", Rule(), "1972-04"),
    ("month", "1972.10", Rule(), "1972-10"),
    ("month", "19720405", Rule(), "1972-04"),
    ("month", "一九七二年四月", Rule(), "1972-04"),
    ("month", "46298", SERIAL, "2026-10"),
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
    ("decimal", "-0.500", Rule(), "-0.5"),
    ("decimal", "１２，３４５．６", Rule(), "12345.6"),
    ("decimal", "-0.0", Rule(), "0"),
    ("money", "12.5", TEN_THOUSANDS, {"amount": "12.5", "unit": "万元"}),
    ("money", "12000元", TEN_THOUSANDS, {"amount": "12000", "unit": "元"}),
    ("money", "人民币 １２．５０ 万元整", Rule(), {"amount": "12.5", "unit": "万元"}),
    ("money", "¥-3元", Rule(), {"amount": "-3", "unit": "元"}),
    ("money", "3千元", Rule(), {"amount": "3000", "unit": "元"}),
    ("money", "2百万元", Rule(), {"amount": "200", "unit": "万元"}),
    ("money", "0.5亿", Rule(), {"amount": "5000", "unit": "万元"}),
    ("money", "12.345678万元", Rule(), {"amount": "123456.78", "unit": "元"}),
    ("money", "999999999999999.9999元", Rule(), {"amount": "999999999999999.9999", "unit": "元"}),
    ("yuan", "0.1", TEN_THOUSANDS, "1000"),
    ("yuan", "999999999999999", TEN_THOUSANDS, "9999999999999990000"),
    ("yuan", "12,345.60元", Rule(), "12345.6"),
    ("region", "四川省 / 成都市 / 锦江区", Rule(), "510104"),
    ("region", "重庆市江津区", Rule(), "500116"),
    ("region", "510104", Rule(), "510104"),
    ("region", "'５１０１０４", Rule(), "510104"),
    ("region", "510104000000", Rule(), "510104"),
    ("region", "东湖", Rule(aliases={"东湖": "510104"}), "510104"),
    ("code", "3", LISTED, {"code": "3", "label": "揭发控告"}),
    ("code", "揭发控告", LISTED, {"code": "3", "label": "揭发控告"}),
    ("code", "检举", LISTED, {"code": "3", "label": "揭发控告"}),
    ("code", "990000", OPEN, {"code": "990000", "label": "其他"}),
    ("code", "诉求合理，已解决", CLOSED_BECAUSE, CLOSED_CODE),
    ("codes", "求决、检举\n2", LISTED, [SECOND, THIRD]),
    ("codes", "形式主义、官僚主义", ISSUES, [{"code": "formalism", "label": "形式主义、官僚主义"}]),
    ("choice", "Ｕｒｇｅｎｔ", URGENCY, "Urgent"),
    ("choice", "急件", URGENCY, "Urgent"),
    ("lines", "1. 第一条；\r\n2. 第二条（甲；乙）；", Rule(), ["1. 第一条", "2. 第二条（甲；乙）"]),
    (
        "names",
        "张 示例；李样板、王示范（示例;局），",
        Rule(),
        ["张示例", "李样板", "王示范（示例;局）"],
    ),
    ("uscc", f" {USCC[:8]}-{USCC[8:].lower()}", Rule(), USCC),
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
    ("time", "2026/10/03 下午 13:00", Rule(), FaultKind.DATE),
    ("time", "2026-10-03T09:05:00+99:00", Rule(), FaultKind.DATE),
    ("time", "9999-12-31T23:00:00-08:00", Rule(), FaultKind.DATE),
    ("date", "26/10/03", Rule(), FaultKind.DATE),
    ("date", "10.3", Rule(), FaultKind.DATE),
    ("date", "2026年10月", Rule(), FaultKind.DATE),
    ("date", "2026", SERIAL, FaultKind.DATE),
    ("date", "79999", SERIAL, FaultKind.DATE),
    ("date", "二〇二六年十月十十日", Rule(), FaultKind.DATE),
    ("month", "1972.1", Rule(), FaultKind.DATE),
    ("month", "72.04", Rule(), FaultKind.DATE),
    ("month", "1972", Rule(), FaultKind.DATE),
    ("month", "197213", Rule(), FaultKind.DATE),
    ("month", "19724", Rule(), FaultKind.DATE),
    ("month", "197204；示例党派", Rule(), FaultKind.DATE),
    ("flag", "不详", Rule(), FaultKind.FLAG),
    ("flag", "2", Rule(), FaultKind.FLAG),
    ("integer", "若干", Rule(), FaultKind.NUMBER),
    ("integer", "5人", Rule(), FaultKind.NUMBER),
    ("integer", "2.5", Rule(), FaultKind.NUMBER),
    ("integer", "12,00", Rule(), FaultKind.NUMBER),
    ("decimal", "1.2.3", Rule(), FaultKind.NUMBER),
    ("decimal", "1.5E+10", Rule(), FaultKind.SCIENTIFIC),
    ("money", "12.5", Rule(), FaultKind.MONEY),
    ("money", "12 34元", Rule(), FaultKind.MONEY),
    ("money", "12,34元", Rule(), FaultKind.MONEY),
    ("money", "12美元", Rule(), FaultKind.MONEY),
    ("money", "300余万元", Rule(), FaultKind.MONEY),
    ("money", "30至50万元", Rule(), FaultKind.MONEY),
    ("money", "叁拾万元整", Rule(), FaultKind.MONEY),
    ("money", "1.23456元", Rule(), FaultKind.MONEY),
    ("money", "999999999999999亿元", Rule(), FaultKind.MONEY),
    ("money", "1.2E+07", TEN_THOUSANDS, FaultKind.SCIENTIFIC),
    ("yuan", "999999999999999.99999万元", Rule(), FaultKind.MONEY),
    ("yuan", "不详", TEN_THOUSANDS, FaultKind.MONEY),
    ("region", "朝阳区", Rule(), FaultKind.REGION),
    ("region", "崇明县", Rule(), FaultKind.REGION),
    ("codes", "求决；7", LISTED, FaultKind.CODE),
    ("codes", "；", LISTED, FaultKind.CODE),
    ("codes", "求决；3E+10", LISTED, FaultKind.SCIENTIFIC),
    ("choice", "尽快", URGENCY, FaultKind.CODE),
    ("lines", "；；", Rule(), FaultKind.MISSING),
    ("lines", "条；" * 101, Rule(), FaultKind.TOO_LONG),
    ("names", "示例；四字以上", Rule(longest=3), FaultKind.TOO_LONG),
    ("uscc", USCC[:17], Rule(), FaultKind.IDENTIFIER),
    ("uscc", "O" + USCC[1:], Rule(), FaultKind.IDENTIFIER),
    ("uscc", USCC[:17] + "0", Rule(), FaultKind.IDENTIFIER),
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


@pytest.mark.parametrize(
    ("label_column", "reason", "advice"),
    [
        (
            None,
            "不在代码表 satisfaction 中",
            "可用：satisfied 满意、basically 基本满意、dissatisfied 不满意、other 其他；"
            "另有叫法的，请管理员在站点映射的 aliases 中写明是哪一项",
        ),
        (
            "满意度名称",
            "不在代码表 satisfaction 中，又没有名称",
            "请在名称列填写名称；"
            "可用：satisfied 满意、basically 基本满意、dissatisfied 不满意、other 其他",
        ),
    ],
)
def test_of_a_code_that_an_open_list_has_not_it_is_said_what_can_be_done(
    label_column: str | None, reason: str, advice: str
) -> None:
    rule = Rule(list="satisfaction", label_column=label_column)
    said = READINGS["code"](Cell("极为满意"), rule, SHIPPED)
    assert said == Wrong(FaultKind.CODE, reason, advice)


def test_what_is_said_of_a_wrong_number_is_what_is_wrong_with_it() -> None:
    said = READINGS["citizen_id"](Cell(CITIZEN[:17] + "5"), Rule(), SHIPPED)
    assert isinstance(said, Wrong)
    assert said.reason == "校验位不符"


def test_a_name_of_several_places_is_told_with_what_tells_them_apart() -> None:
    said = READINGS["region"](Cell("朝阳区"), Rule(), SHIPPED)
    assert said == Wrong(
        FaultKind.REGION,
        "是几个地方共有的地名",
        "请填代码，或在前面写明省、市；有：110105（北京市）、220104（吉林省长春市）",
    )


@pytest.mark.parametrize(
    ("reading", "cell", "reason"),
    [
        ("date", "26/10/03", "没有写出四位年份"),
        ("date", "46298", "是表格软件的日期序列号"),
        ("month", "1972.1", "可能是 1 月，也可能是被表格软件去掉了末尾 0 的 10 月"),
        ("money", "12.5", "没有写明单位（元还是万元）"),
        ("money", "约30万元", "是约数"),
        ("money", "30~50万元", "是一个范围"),
        ("money", "叁拾万元整", "是大写（中文数字）金额"),
        ("money", "0.30000000000000004元", "折合成元后小数超过 4 位"),
    ],
)
def test_a_trap_is_told_by_its_name(reading: str, cell: str, reason: str) -> None:
    said = READINGS[reading](Cell(cell), Rule(), SHIPPED)
    assert isinstance(said, Wrong)
    assert said.reason == reason


def test_a_choice_is_told_in_the_words_that_people_write() -> None:
    said = READINGS["choice"](Cell("尽快"), URGENCY, SHIPPED)
    assert said == Wrong(FaultKind.CODE, "不是可填的几项之一", "可填：急件、normal")


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(
    "cell", ["2026-10-03" + " " * 30_000 + "x", "1 " * 15_000, "；（" * 15_000, "张 " * 15_000]
)
def test_a_cell_as_long_as_a_spreadsheet_has_costs_no_more_than_reading_it(
    reading: str, cell: str
) -> None:
    begun = process_time()
    READINGS[reading](Cell(cell), RULES.get(reading, Rule()), SHIPPED)
    assert process_time() - begun < 1


RULES = {"code": LISTED, "codes": LISTED, "choice": URGENCY}
# What is read of the random, too: numbers, signs and words of every conversion.
CELLS = st.text(min_size=1) | st.text(
    alphabet="0123456789.,-/年月日约至万亿元¥ ；、（）T:Z", min_size=1
)


@pytest.mark.parametrize("reading", READINGS)
@given(cell=CELLS, serial=st.booleans(), unit=st.sampled_from([None, "元", "千元", "万元", "亿元"]))
def test_no_cell_makes_a_conversion_fail(
    reading: str, cell: str, serial: bool, unit: Unit | None
) -> None:
    READINGS[reading](
        Cell(cell), replace(RULES.get(reading, Rule()), serial=serial, unit=unit), SHIPPED
    )


@given(cell=st.text(min_size=1), label=st.none() | st.text(min_size=1))
def test_no_cell_makes_a_code_fail(cell: str, label: str | None) -> None:
    for rule in (LISTED, OPEN):
        READINGS["code"](Cell(cell, label), rule, SHIPPED)


@pytest.mark.parametrize("reading", READINGS)
@given(noise=st.text(alphabet="ßøπ漢示例", min_size=8, max_size=40))
def test_a_refusal_never_repeats_the_cell(reading: str, noise: str) -> None:
    rule = replace(RULES.get(reading, Rule()), longest=3)
    said = READINGS[reading](Cell(noise), rule, SHIPPED)
    if isinstance(said, Wrong):
        assert noise not in said.reason + said.advice
