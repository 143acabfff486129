"""JSON and NDJSON as interfaces give them."""

import json
from pathlib import Path

import pytest

from adapters.kit.port import FaultKind, Record
from adapters.kit.wanted import Wanted, WantedGroup
from tests.adapters.readers.documents import Reading, read

WANTED = Wanted(
    titles={"xfjbh": "编号", "xfr/xm": "姓名", "fs": "方式"},
    required=frozenset({"xfjbh"}),
    ignored=frozenset(),
    groups={"people": WantedGroup("bfyr", {"xm": "姓名", "dw/mc": "单位"})},
    records="data/list",
)
OUTERMOST = Wanted(WANTED.titles, WANTED.required, WANTED.ignored, groups=WANTED.groups)


def read_text(path: Path, text: str, wanted: Wanted = OUTERMOST, name: str = "") -> Reading:
    path.write_text(text, encoding="utf-8")
    return read(path, wanted, name=name)


def test_records_are_found_by_path_and_values_below_them(path: Path) -> None:
    record = {"XFJBH": "1", "xfr": {"XM": "甲某某", "zjhm": "x"}, "letter": "原文"}
    text = json.dumps({"code": 200, "Data": {"total": 1, "list": [record]}})
    got = read_text(path, text, WANTED)
    assert (got.columns, got.rows) == ([{"xfjbh": "1", "xfr/xm": "甲某某"}], 1)


def test_one_object_is_one_record(path: Path) -> None:
    assert read_text(path, '{"xfjbh": "1"}').columns == [{"xfjbh": "1"}]
    assert read_text(path, '{"data": {"list": {"xfjbh": "1"}}}', WANTED).columns == [{"xfjbh": "1"}]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("110101199001011234", "110101199001011234"),
        ("0.10", "0.10"),
        ("1e5", "1e5"),
        ("-0", "-0"),
        ("1" * 5_000, "1" * 5_000),
        ("null", ""),
        ("true", "是"),
        ("false", "否"),
        ('["甲", 2, null]', "甲\n2\n"),
        ('"\\u4e00\\ud840\\udc00"', "一𠀀"),
    ],
)
def test_values_are_read_as_they_are_written(path: Path, value: str, text: str) -> None:
    assert read_text(path, f'[{{"xfjbh": {value}}}]').columns == [{"xfjbh": text}]


def test_groups_have_their_parts(path: Path) -> None:
    people = [{"xm": "甲", "dw": {"mc": "示范局"}, "x": 1}, {"xm": "乙"}]
    (record,) = read_text(path, json.dumps([{"xfjbh": "1", "bfyr": people}])).records
    assert isinstance(record, Record)
    assert record.groups == {"people": [{"xm": "甲", "dw/mc": "示范局"}, {"xm": "乙"}]}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('{"xfjbh": 1, "XFJBH": 2}', "记录中有重名的项"),
        ('{"xfjbh": 1, "x": {"y": 1, "y": 2}}', "记录中有重名的项"),
        ("7", "记录不是 JSON 对象"),
        (f'{{"x": {"[" * 70}{"]" * 70}}}', "记录不是完好的 JSON，或嵌套过深"),
    ],
)
def test_a_record_that_is_wrong_does_not_hold_up_the_others(
    path: Path, record: str, reason: str
) -> None:
    for text, name in (
        (f'[{{"xfjbh": "1"}}, {record}, {{"xfjbh": "3"}}]', "x.json"),
        (f'{{"xfjbh": "1"}}\n{record}\n{{"xfjbh": "3"}}\n', "x.ndjson"),
    ):
        got = read_text(path, text, name=name)
        assert got.columns == [{"xfjbh": "1"}, {"xfjbh": "3"}]
        assert [(f.row, f.kind, f.reason) for f in got.unreadable] == [
            (2, FaultKind.SYNTAX, reason)
        ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"xfjbh": "1"}, {"xfjbh"', "JSON 不合语法，或文件不完整"),
        ('[{"xfjbh": "1"}] x', "JSON 不合语法，或文件不完整"),
        ('[{"xfjbh": NaN}]', "JSON 不合语法，或文件不完整"),
        ("[" * 100_000, "JSON 不合语法，或文件不完整"),
    ],
)
def test_a_document_that_is_no_json_is_refused(path: Path, text: str, reason: str) -> None:
    got = read_text(path, text)
    assert (got.records, [fault.reason for fault in got.faults]) == ([], [reason])


def test_a_document_without_the_list_is_refused_and_an_empty_one_is_told(path: Path) -> None:
    got = read_text(path, '{"data": {"rows": []}}', WANTED)
    assert [fault.reason for fault in got.faults] == ["JSON 中没有 data/list"]
    got = read_text(path, '{"data": [1]}', WANTED)
    assert [fault.reason for fault in got.faults] == ["JSON 的 data/list 处不是记录列表"]
    for empty in ("[]", "null"):
        got = read_text(path, f'{{"data": {{"list": {empty}}}}}', WANTED)
        assert [fault.reason for fault in got.notices] == ["文件里没有记录（应在 data/list）"]


def test_half_a_character_is_refused(path: Path) -> None:
    half = '{"xfjbh": "\\ud840"}'
    got = read_text(path, half, name="x.ndjson")
    assert [fault.reason for fault in got.unreadable] == ["记录不是完好的 JSON，或嵌套过深"]
    assert [fault.reason for fault in read_text(path, f"[{half}]").faults] == [
        "JSON 不合语法，或文件不完整"
    ]


def test_every_line_of_ndjson_is_its_own(path: Path) -> None:
    long = '{"x": "' + "y" * (9 << 20) + '"}'
    lines = ['{"xfjbh": 1}', "", '{"xfjbh":', long, '{"xfjbh": 5}\r', "x" * 10, '{"xfjbh": 7}']
    got = read_text(path, "\n".join(lines))
    told = [(each.number, each.place.row) for each in got.records]
    assert told == [(1, 1), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7)]
    assert [columns["xfjbh"] for columns in got.columns] == ["1", "5", "7"]
    assert [fault.reason for fault in got.unreadable] == [
        "记录不是完好的 JSON，或嵌套过深",
        "一行超过 4 Mi 字符，没有读取",
        "记录不是完好的 JSON，或嵌套过深",
    ]
