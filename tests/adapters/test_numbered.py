import pytest

from adapters.kit.convert import READINGS, Cell, Numbered, Wrong
from adapters.kit.mapping import FieldRule
from adapters.kit.numbered import MOST_PARTS, numbered
from adapters.kit.port import FaultKind
from contracts.owncodes import SHIPPED

WHICH = FieldRule.model_validate({"column": "处置方式", "title": "处置方式", "as": "line"})


def read(text: str, rule: FieldRule = WHICH, *, prose: bool = False) -> Numbered | Wrong:
    return numbered(Cell(text), rule, SHIPPED, READINGS[rule.reads], prose=prose)


@pytest.mark.parametrize(
    "text",
    [
        "1=初步核实；2=予以了结",
        "１＝初步核实；２＝予以了结；",
        "1：初步核实\n2：予以了结",
        "1. 初步核实\r\n2. 予以了结",
        "1、初步核实;2、予以了结",
        " 01 = 初步核实 ； 02=予以了结 ",
    ],
)
def test_each_number_has_what_stands_behind_it(text: str) -> None:
    assert read(text) == Numbered({"1": "初步核实", "2": "予以了结"})


@pytest.mark.parametrize("text", ["初步核实", "1.5", "2026.10.03", "3、5"])
def test_what_numbers_nothing_is_said_as_it_stands(text: str) -> None:
    assert read(text) == Numbered({"": text})


def test_people_of_one_subject_have_numbers_of_their_own() -> None:
    assert read("1=甲；2-1=乙；2－02=丙") == Numbered({"1": "甲", "2-1": "乙", "2-2": "丙"})


@pytest.mark.parametrize(
    ("text", "place"),
    [("1=甲；1=乙", 2), ("1=甲；乙", 2), ("甲；乙", 1), ("1=；2=乙", 1), ("1=甲；01=乙", 2)],
)
def test_a_number_stands_once_and_has_something_behind_it(text: str, place: int) -> None:
    assert read(text) == Wrong(
        FaultKind.MISMATCH,
        f"第 {place} 项没有写明序号、序号重复或没有内容",
        "请写成“1=内容；2=内容”，各项用分号隔开，每个序号写一次",
    )


def test_there_are_a_hundred_parts_at_most() -> None:
    parts = [f"{number}=甲" for number in range(1, MOST_PARTS + 2)]
    assert isinstance(read("；".join(parts[:-1])), Numbered)
    assert isinstance(read("；".join(parts)), Wrong)


def test_every_part_is_read_by_the_rule_of_the_field() -> None:
    rule = WHICH.model_copy(
        update={"reads": "code", "list": "disposition", "aliases": {"初核": "初步核实"}}
    )
    decided = {"code": "preliminary_verification", "label": "初步核实"}
    assert read("初核", rule) == Numbered({"": decided})
    assert read("2=初核", rule) == Numbered({"2": decided})
    wrong = read("1=初核；2=不办", rule)
    assert isinstance(wrong, Wrong)
    assert (wrong.kind, wrong.reason) == (
        FaultKind.CODE,
        "第 2 项不在代码表 disposition 中",
    )


def test_prose_may_have_semicolons_and_lines_of_its_own() -> None:
    text = "1=已谈话；正在核对。\n尚缺 2 份材料\n2：没有；3=已办结；"
    assert read(text, WHICH.model_copy(update={"reads": "text"}), prose=True) == Numbered(
        {"1": "已谈话；正在核对。\n尚缺 2 份材料", "2": "没有", "3": "已办结；"}
    )
    assert read("没有；都已办结", prose=True) == Numbered({"": "没有；都已办结"})
