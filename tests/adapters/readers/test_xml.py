"""XML as agencies' systems write it."""

from pathlib import Path

import pytest

from adapters.kit.port import FaultKind, Record, RowFault
from adapters.kit.readers.limits import Limits
from adapters.kit.wanted import Wanted, WantedGroup
from tests.adapters.readers.documents import Reading, read

NOTICE = Wanted(
    titles={"@no": "编号", "head/msgid": "报文号", "body/text": "正文", "body/text/@kind": "类"},
    required=frozenset({"@no"}),
    ignored=frozenset(),
    records="Body/Object/Record",
)
PERSON = Wanted(
    titles={"xingming": "姓名", "jianli": "简历"},
    required=frozenset({"xingming"}),
    ignored=frozenset(),
    groups={
        "family": WantedGroup(
            "jiatingchengyuan/item", {"chengwei": "称谓", "xingming": "姓名", "@id": "序号"}
        )
    },
)
PLAIN = Wanted(titles={"a": "甲"}, required=frozenset(), ignored=frozenset(), records="r")


def read_text(
    path: Path, text: str, wanted: Wanted = PLAIN, *, encoding: str = "utf-8", columns: int = 500
) -> Reading:
    path.write_bytes(text.encode(encoding))
    return read(path, wanted, limits=Limits(columns=columns))


def message(records: str) -> str:
    return f"<Root><Head><msgId>0</msgId></Head><Body><Object>{records}</Object></Body></Root>"


def test_values_are_found_by_path_and_attribute_below_their_record(path: Path) -> None:
    record = (
        '<Record no="1"><Head><msgId>m</msgId><x>x</x></Head>'
        '<Body><Text kind="k">t</Text><other>o</other></Body></Record>'
    )
    got = read_text(path, message(record), NOTICE)
    expected = {"@no": "1", "head/msgid": "m", "body/text": "t", "body/text/@kind": "k"}
    assert (got.columns, got.notices) == ([expected], ())


def test_a_reference_in_an_attribute_is_the_character_it_stands_for(path: Path) -> None:
    text = (
        '<Root><Body><Object><Record no="R&amp;D &#38; &lt;&#20013;&quot;"/></Object></Body></Root>'
    )
    assert read_text(path, text, NOTICE).columns == [{"@no": 'R&D & <中"'}]


def test_names_count_without_their_namespaces(path: Path) -> None:
    text = (
        '<x:Root xmlns:x="urn:x" xmlns="urn:y"><Body><x:Object><Record x:No="1">'
        "<x:body><Text>t</Text></x:body></Record></x:Object></Body></x:Root>"
    )
    assert read_text(path, text, NOTICE).columns == [{"@no": "1", "body/text": "t"}]


def test_records_elsewhere_than_at_the_path_are_none(path: Path) -> None:
    got = read_text(path, '<Root><Record no="1"/><Body><Record no="2"/></Body></Root>', NOTICE)
    assert got.records == []
    assert [(fault.kind, fault.reason) for fault in got.notices] == [
        (FaultKind.NOTICE, "文件里没有记录（应在 Body/Object/Record）")
    ]


def test_a_bare_name_is_found_at_any_depth_and_the_outermost_counts(path: Path) -> None:
    got = read_text(path, "<x><r><a>1</a><r><a>2</a></r></r><y><r><a>3</a></r></y></x>")
    assert got.columns == [{"a": "1"}, {"a": "3"}]


def test_without_a_path_the_root_is_the_record_and_groups_have_their_parts(path: Path) -> None:
    text = (
        "<Person><XingMing>甲某某</XingMing><JianLi><![CDATA[1999.01--2001.02  示范局\r\n"
        "2001.03--<2002.01]]></JianLi><JiaTingChengYuan>"
        '<Item id="1"><ChengWei>父亲</ChengWei><XingMing>乙某某</XingMing></Item>'
        "<Item><ChengWei>母亲</ChengWei><Other>x</Other></Item></JiaTingChengYuan></Person>"
    )
    (record,) = read_text(path, text, PERSON).records
    assert isinstance(record, Record)
    assert record.columns == {
        "xingming": "甲某某",
        "jianli": "1999.01--2001.02  示范局\n2001.03--<2002.01",
    }
    assert record.groups == {
        "family": [
            {"chengwei": "父亲", "xingming": "乙某某", "@id": "1"},
            {"chengwei": "母亲"},
        ]
    }


def test_values_at_one_path_are_joined_as_lines(path: Path) -> None:
    assert read_text(path, "<r><a>1</a><b/><a>2</a></r>").columns == [{"a": "1\n2"}]


def test_elements_inside_a_text_belong_to_it(path: Path) -> None:
    assert read_text(path, "<r><a>一<br/>二<b>三<i>四</i></b>五</a></r>").columns == [
        {"a": "一\n二三四五"}
    ]


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("GB2312", "gb18030"),
        ("GBK", "gbk"),
        ("gb18030", "gb18030"),
        ("UTF-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        # What is declared is not what is there.
        ("UTF-8", "gbk"),
        ("GB2312", "utf-8"),
        ("", "gbk"),
    ],
)
def test_encodings_are_read_whatever_is_declared(path: Path, declared: str, encoding: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    text = f"{declaration}<x><r><a>镕堃示例</a></r></x>"
    assert read_text(path, text, encoding=encoding).columns == [{"a": "镕堃示例"}]


def test_the_declaration_decides_where_the_bytes_do_not(path: Path) -> None:
    """These two characters in GBK are two others in UTF-8."""
    head, tail = b'<?xml version="1.0" encoding="GBK"?><r><a>', b"</a></r>"
    path.write_bytes(head + "联通".encode("gbk") + tail)
    assert read(path, PLAIN).columns == [{"a": "联通"}]


def test_characters_that_gb18030_moved_in_2022_are_read_as_of_2022(path: Path) -> None:
    path.write_bytes(b'<?xml version="1.0" encoding="GB18030"?><r><a>\xfe\x59</a></r>')
    assert read(path, PLAIN).columns == [{"a": "\u9fb4"}]


def test_where_it_is_broken_the_records_before_are_given(path: Path) -> None:
    text = "<x>\n<r><a>1</a></r>\n<r><a>2</a></r>\n<r><a>3 & 4</a></r>\n</x>"
    got = read_text(path, text)
    assert [columns["a"] for columns in got.columns] == ["1", "2"]
    assert [(fault.row, fault.kind, fault.reason) for fault in got.faults] == [
        (0, FaultKind.FILE, "XML 从第 4 行起不合语法，此后的内容无法读取")
    ]
    cut = read_text(path, text[:30])
    assert ([columns["a"] for columns in cut.columns], len(cut.faults)) == (["1"], 1)


LAUGHS = (
    '<?xml version="1.0"?><!-- 一 --><!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    "<x><r><a>&b;</a></r></x>"
)


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        '<!DOCTYPE r SYSTEM "file:///etc/passwd"><r><a>1</a></r>',
        '<!DOCTYPE r [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]><r><a>&x;</a></r>',
        f"<!-- {'x' * 70_000} --><!DOCTYPE r []><r><a>1</a></r>",
        f"<!-- {'x' * 2_000_000} --><!DOCTYPE r []><r><a>1</a></r>",
        '<!DOCTYPE r [<!ENTITY a "x">]><r b="&a;"><a>1</a></r>',
        "\ufeff" + LAUGHS,
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_a_doctype_is_refused(path: Path, text: str, encoding: str) -> None:
    got = read_text(path, text, encoding=encoding)
    reason = "XML 中有 DOCTYPE 声明，为安全起见不读取"
    assert (got.records, [fault.reason for fault in got.faults]) == ([], [reason])


def test_an_entity_that_nobody_declared_ends_the_document(path: Path) -> None:
    got = read_text(path, "<x><r><a>1</a></r><r><a>&nbsp;</a></r></x>")
    assert (len(got.columns), len(got.faults)) == (1, 1)


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("<b>" * 63 + "</b>" * 63, "XML 嵌套超过 64 层，此后的内容没有读取"),
        (
            "<b " + " ".join(f'a{n}="" ' for n in range(600)) + "/>",
            "XML 有元素的属性超过 500 个，此后的内容没有读取",
        ),
        (f"<{'b' * 401}/>", "XML 有元素或属性的名称超过 400 字，此后的内容没有读取"),
        (f"<b {'b' * 401}='1'/>", "XML 有元素或属性的名称超过 400 字，此后的内容没有读取"),
    ],
)
def test_what_is_too_deep_or_too_wide_ends_the_document(
    path: Path, inside: str, reason: str
) -> None:
    got = read_text(path, f"<x><r><a>1</a></r><r>{inside}</r></x>")
    assert (got.columns, [fault.reason for fault in got.faults]) == ([{"a": "1"}], [reason])


def test_what_is_just_not_too_deep_is_read(path: Path) -> None:
    got = read_text(path, f"<x><r>{'<b>' * 62}{'</b>' * 62}<a>1</a></r></x>")
    assert (got.columns, got.faults) == ([{"a": "1"}], ())


def test_ten_megabytes_in_one_element_are_a_fault_of_its_record_alone(path: Path) -> None:
    got = read_text(path, f"<x><r><a>{'乙' * 3_500_000}</a></r><r><a>2</a></r></x>")
    assert got.columns == [{"a": "2"}]
    assert got.unreadable == [
        RowFault(1, "a", FaultKind.TOO_LONG, "内容超过 32767 字", "请缩短后重新导出")
    ]


def test_a_group_of_too_many_parts_is_a_fault_of_its_record(path: Path) -> None:
    items = "<Item><ChengWei>子</ChengWei></Item>" * 1_001
    text = f"<P><XingMing>甲</XingMing><JiaTingChengYuan>{items}</JiaTingChengYuan></P>"
    assert [fault.reason for fault in read_text(path, text, PERSON).unreadable] == [
        "同类项超过 1000 个"
    ]


def test_characters_and_texts_are_whole_wherever_the_parser_is_given_a_piece(path: Path) -> None:
    filling = "示范" * 60_000
    for shift in range(4):
        text = f"<x><!--{'y' * shift}{filling}--><r><a>甲{filling[:30_000]}乙</a></r></x>"
        assert read_text(path, text).columns == [{"a": f"甲{filling[:30_000]}乙"}]


def test_a_value_inside_a_longer_one_is_its_own(path: Path) -> None:
    wanted = Wanted({"a": "甲", "a/b": "乙"}, frozenset(), frozenset(), records="r")
    long = "示" * 15_000
    text = f"<x><r><a>{long}<b>{long * 2}</b>{long}<br/>末</a></r></x>"
    assert read_text(path, text, wanted).columns == [{"a": f"{long * 2}\n末", "a/b": long * 2}]


def test_a_record_of_many_long_values_is_a_fault(path: Path) -> None:
    titles = {f"a{number}": "甲" for number in range(129)}
    wanted = Wanted(titles, frozenset(), frozenset(), records="r")
    values = "".join(f"<{name}>{'乙' * 32_767}</{name}>" for name in titles)
    assert [
        (fault.column, fault.reason)
        for fault in read_text(path, f"<x><r>{values}</r></x>", wanted).unreadable
    ] == [("", "整条记录超过 4194304 字")]


def test_a_record_that_is_too_long_in_all_is_a_fault(path: Path) -> None:
    item = f"<Item><ChengWei>{'子' * 30_000}</ChengWei></Item>"
    text = f"<P><XingMing>甲</XingMing><JiaTingChengYuan>{item * 150}</JiaTingChengYuan></P>"
    assert [(fault.column, fault.reason) for fault in read_text(path, text, PERSON).unreadable] == [
        ("", "整条记录超过 4194304 字")
    ]
