"""LRM: one form as quoted fields, known by their positions."""

from pathlib import Path

import pytest

from adapters.kit.adapter import load
from adapters.kit.port import FaultKind, Record, UnreadableFile
from adapters.kit.readers.opening import opened

WANTED = load("organization.forms").mapping.wanted
FIELDS = [f"第{n}项" for n in range(33)]
FIELDS[9], FIELDS[10] = "大专#@大学#学士", "甲校#专业@乙校#"
FIELDS[20:25] = ["妻子@|", "水样例@|", "197611@|", "群众@|", "教师@|"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "form"


def written(path: Path, fields: list[str]) -> Path:
    path.write_bytes(('"' + '","'.join(fields) + '"\r\n').encode("gbk"))
    return path


def record_of(path: Path) -> Record:
    with opened(path, "样例.LRM", WANTED) as reader:
        (record,) = reader.read()
        assert list(reader.read(record.number)) == []
    assert isinstance(record, Record)
    return record


def test_fields_come_under_the_names_of_the_form_in_xml(path: Path) -> None:
    record = record_of(written(path, FIELDS))
    columns = dict(record.columns)
    assert columns.pop("@form") == "lrm"
    assert columns.pop("quanrizhijiaoyu_xueli") == "大专"
    assert columns.pop("zaizhijiaoyu_xuewei") == "学士"
    assert columns.pop("quanrizhijiaoyu_xuewei_biyeyuanxiaoxi") == "专业"
    assert columns["xingming"] == "第0项"
    assert columns["jianli"] == "第17项"
    assert columns["tianbiaoren"] == "第32项"
    assert record.groups == {
        "family": [
            {
                "chengwei": "妻子",
                "xingming": "水样例",
                "chushengriqi": "197611",
                "zhengzhimianmao": "群众",
                "gongzuodanweijizhiwu": "教师",
            }
        ]
    }


def test_a_form_that_has_no_family_has_no_relative(path: Path) -> None:
    fields = [*FIELDS[:20], *["|"] * 5, *FIELDS[25:]]
    assert all(not any(each.values()) for each in record_of(written(path, fields)).groups["family"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('"甲","乙"', "LRM 应至少有 33 项，只有 2 项"),
        ('"甲","乙', "不是完整的 LRM：首尾没有引号，文件可能不全"),
        ('"', "不是完整的 LRM：首尾没有引号，文件可能不全"),
        (f'"甲"乙{chr(34)},"' + '","'.join(FIELDS) + '"', "LRM 第 0 项的引号不成对（从 0 数起）"),
    ],
)
def test_a_broken_form_is_told_with_where(path: Path, content: str, told: str) -> None:
    path.write_bytes(content.encode("gbk"))
    with pytest.raises(UnreadableFile) as raised, opened(path, "样例.lrm", WANTED):
        pass
    (fault,) = raised.value.faults
    assert (fault.kind, fault.reason) == (FaultKind.FILE, told)
