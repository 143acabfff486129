"""Code lists: what is shipped, on which days it counts, and what an installation may add."""

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import contracts
from contracts.catalogue import load_catalogue
from contracts.codelists import COLUMNS, CodeList, Member, code_list, list_names
from contracts.common import Payload
from contracts.envelope import day_of
from contracts.faults import Fault
from contracts.owncodes import (
    SHIPPED,
    Change,
    Codes,
    CodesDamaged,
    change,
    load_codes,
    own_rows,
)
from contracts.region import load_regions
from contracts.tables import MOST_BYTES, MOST_ROWS, Refused, RowFault, read_table

FOLDER = Path(contracts.__file__).parent / "codes"
LISTS = sorted((FOLDER / "lists").glob("*.csv"))
LEVELS = {"central", "province", "city", "county"}
HEADER = ",".join(COLUMNS)
REGION_HEADER = "code,name,parent,valid_from,valid_until,successor,source"


def petition(**changed: Any) -> bytes:
    """An accepted petition with some members changed."""
    path = FOLDER.parent / "petition/examples/valid/petition.case_transferred-1.json"
    return json.dumps({**json.loads(path.read_bytes()), **changed}).encode()


def checked(
    data: bytes, at: date | None = None, codes: Codes = SHIPPED
) -> list[tuple[str, str]] | None:
    """Code and pointer of every fault; None for a payload that is accepted."""
    contract = load_catalogue().versions("petition.case_transferred")[-1]
    found = contract.check(data, at, codes=codes)
    return None if isinstance(found, Payload) else [(f.code, f.pointer) for f in found]


def only_fault(data: bytes, at: date | None, codes: Codes = SHIPPED) -> Fault:
    found = load_catalogue().versions("petition.case_transferred")[-1].check(data, at, codes=codes)
    assert isinstance(found, tuple)
    [fault] = found
    return fault


def table(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join((header, *rows, "")).encode()


def refused(name: str, content: bytes) -> list[tuple[int, str, str]]:
    """Row, column and English sentence of everything that is wrong with a file."""
    made = change(name, content, ())
    assert isinstance(made, Refused)
    assert all(fault.message for fault in made.faults)
    return [(fault.row, fault.column, fault.message_en) for fault in made.faults]


def taken(name: str, content: bytes, directory: Path) -> tuple[int, int, int]:
    """Import a file that is accepted; how many codes were added, changed and left."""
    made = change(name, content, own_rows(directory, name))
    assert isinstance(made, Change)
    (directory / f"{name}.csv").write_text(made.text)
    return len(made.added), len(made.changed), len(made.unchanged)


def test_every_file_has_a_row_that_says_what_it_is_and_every_row_a_file() -> None:
    assert list(list_names()) == [path.stem for path in LISTS]


def test_a_list_is_complete_and_says_where_it_comes_from() -> None:
    for path in LISTS:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = list(csv.DictReader(lines))
        assert tuple(lines[0].split(",")) == COLUMNS, path.stem
        for column in ("code", "label"):
            assert len({row[column] for row in rows}) == len(rows), (path.stem, column)
        for row in rows:
            assert all(cell == cell.strip() for cell in row.values()), (path.stem, row)
            told = row["code"] and row["label"] and row["label_en"] and row["source"]
            assert told, (path.stem, row)


def test_a_list_says_in_both_languages_what_it_is() -> None:
    for name in list_names():
        listed = code_list(name)
        assert listed.title and listed.title_en and listed.source and listed.members, name
        # What is confirmed has a source that can be named.
        sources = {member.source for member in listed.members.values()}
        assert not listed.confirmed or "guantong" not in sources, name


def test_every_member_stands_below_one_that_is_listed_before() -> None:
    for name in list_names():
        listed = code_list(name)
        codes = list(listed.members)
        for n, member in enumerate(listed.members.values()):
            place = (name, member.code)
            assert member.parent is None or member.parent in codes[:n], place
            assert member.valid_from is None or member.in_force(member.valid_from), place
            assert member.valid_until is None or member.in_force(member.valid_until), place
        assert sorted(member.code for member in listed.tree()) == sorted(codes), name


def test_a_level_chooses_below_a_member() -> None:
    for name in list_names():
        levels = code_list(name).levels
        assert set(levels) in (set(), LEVELS), name
        assert set(levels.values()) <= code_list(name).members.keys(), name


def test_the_ethnic_groups_are_fifty_six_and_their_numbers_go_on() -> None:
    members = code_list("ethnic_group").members
    assert list(members) == [f"{number:02}" for number in range(1, 57)]
    assert {member.source for member in members.values()} == {"GB/T 3304"}


def test_a_code_is_within_itself_and_what_stands_above_it() -> None:
    findings = code_list("audit_finding_class")
    assert findings.within("idle", "irregular")
    assert findings.within("irregular", "irregular")
    assert not findings.within("irregular", "idle")
    assert not findings.within("idle", "violation")
    assert not findings.within("none", "none")
    assert [m.code for m in code_list("tip_form").tree()] == [
        "1",
        "2",
        "3",
        "3001",
        "3002",
        "3003",
        "4",
        "5",
    ]
    assert code_list("tip_form").depth("3002") == 1


def test_a_member_is_in_force_on_its_first_and_its_last_day() -> None:
    member = Member("a", "甲", "a", None, date(2026, 3, 1), date(2026, 3, 31))
    days = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1)]
    assert [member.in_force(day) for day in days] == [False, True, True, False]
    assert Member("b", "乙", "b").in_force(date.min)


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("2026-12-31T23:59:59+08:00", date(2026, 12, 31)),
        ("2026-12-31T16:00:00Z", date(2027, 1, 1)),
        ("2026-12-31t15:59:59.5z", date(2026, 12, 31)),
        ("2027-01-01T00:30:00+09:00", date(2026, 12, 31)),
        ("9999-12-31T23:00:00Z", date(9999, 12, 31)),
        ("0001-01-01T00:00:00+14:00", date(1, 1, 1)),
    ],
)
def test_the_day_of_an_event_is_that_of_china(time: str, day: date) -> None:
    assert day_of(time) == day


@pytest.fixture
def own(tmp_path: Path) -> Codes:
    rows = (
        "0001,网上信访大厅,online hall,4,2026-03-01,,local",
        "0002,信访代理,through an agent,,,2026-03-31,",
    )
    taken("petition_form", table(*rows), tmp_path)
    zone = table("510171,示范新区,510100,2026-03-01,,,local", header=REGION_HEADER)
    taken("region_overlay", zone, tmp_path)
    return load_codes(tmp_path)


def form(code: str, **more: str) -> bytes:
    return petition(form={"code": code, **more})


def test_an_own_code_is_taken_without_a_label_on_its_days_alone(own: Codes) -> None:
    wrong = [("code_not_in_force", "/data/form")]
    assert checked(form("0001")) == [("code_unknown", "/data/form/code")]
    assert checked(form("0001"), date(2026, 3, 1), own) is None
    assert checked(form("0001"), date(2026, 2, 28), own) == wrong
    # A label does not bring a code back into force.
    assert checked(form("0001", label="大厅"), date(2026, 2, 28), own) == wrong
    assert checked(form("0002"), date(2026, 3, 31), own) is None
    assert checked(form("0002"), date(2026, 4, 1), own) == wrong
    assert checked(form("0001"), None, own) is None


def test_what_is_not_in_force_is_told_since_or_until_when(own: Codes) -> None:
    assert only_fault(form("0001"), date(2026, 2, 28), own) == Fault(
        "code_not_in_force",
        "/data/form",
        "代码表 petition_form 中的该代码自 2026-03-01 起使用，事件当日尚未启用，"
        "请核对代码和事件时间",
        "this code of list petition_form is in force since 2026-03-01, after the event:"
        " compare both",
    )
    assert only_fault(form("0002"), date(2026, 4, 1), own) == Fault(
        "code_not_in_force",
        "/data/form",
        "代码表 petition_form 中的该代码使用至 2026-03-31，事件当日已停用，请改用现行代码",
        "this code of list petition_form was in force until 2026-03-31, before the event:"
        " use the one of today",
    )


def test_an_unknown_code_is_told_what_is_in_force_that_day(own: Codes) -> None:
    told = only_fault(form("none"), date(2026, 4, 1), own).message_en
    assert told == (
        "not a member of code list petition_form; valid: 1, 2, 3, 4, 9, 0001; others need a label"
    )


def test_a_region_that_cannot_exist_yet_is_refused_and_a_retired_one_is_not(own: Codes) -> None:
    def place(code: str) -> bytes:
        return petition(place=code)

    wrong = [("code_not_in_force", "/data/place")]
    assert load_regions().rows["330383"].valid_from == date(2019, 5, 1)
    assert checked(place("330383"), date(2019, 4, 30)) == wrong
    assert checked(place("330383"), date(2019, 5, 1)) is None
    assert not load_regions().known("110103", date(2026, 11, 1))
    assert checked(place("110103"), date(2026, 11, 1)) is None
    assert checked(place("510171"), date(2026, 11, 1)) == [("region_unknown", "/data/place")]
    assert checked(place("510171"), date(2026, 11, 1), own) is None
    assert checked(place("510171"), date(2026, 2, 1), own) == wrong
    assert own.regions().covers("510000", "510171")


def test_an_import_adds_changes_and_leaves_and_doing_it_again_changes_nothing(
    tmp_path: Path,
) -> None:
    first = table("x1,甲类,,,,,", "x2,乙类,b,x1,,,")
    second = table("x2,乙类,b,x1,,2026-12-31,", "x3,丙类,c,x2,,,", "other,其他,other,,,,anywhere")
    assert taken("issue_category", first, tmp_path) == (2, 0, 0)
    assert taken("issue_category", first, tmp_path) == (0, 0, 2)
    assert taken("issue_category", second, tmp_path) == (1, 1, 1)
    text = (tmp_path / "issue_category.csv").read_text()
    assert taken("issue_category", second, tmp_path) == (0, 0, 3)
    assert (tmp_path / "issue_category.csv").read_text() == text
    listed = load_codes(tmp_path).list_of("issue_category")
    assert listed.members["x1"] == Member("x1", "甲类", "甲类")
    assert listed.within("x3", "x1")
    assert len(listed.members) == len(code_list("issue_category").members) + 3


def test_a_file_may_be_utf_8_or_gb18030_with_blank_rows_and_a_mark(tmp_path: Path) -> None:
    text = f"{HEADER}\r\n x1 , 甲类 ,,,,,\r\n,,,,,,\r\n"
    for content in (text.encode(), text.encode("utf-8-sig"), text.encode("gb18030")):
        rows = read_table(content, COLUMNS)
        assert not isinstance(rows, Refused)
        assert [(row.number, row.cells["code"], row.cells["label"]) for row in rows] == [
            (2, "x1", "甲类")
        ]


LONG = "甲" * 201


@pytest.mark.parametrize(
    ("name", "content", "faults"),
    [
        (
            "none",
            table("x,甲,,,,,"),
            [(0, "", "no such code list: the file bears the name of one")],
        ),
        (
            "petition_purpose",
            table("x,甲,,,,,"),
            [(0, "", "code list petition_purpose is closed: nothing can be added")],
        ),
        ("medium", b"\xff\xff\x00", [(0, "", "neither UTF-8 nor GB18030")]),
        ("medium", b"", [(1, "", f"the header must be: {HEADER}")]),
        ("medium", table("x,甲", header="code,label"), [(1, "", f"the header must be: {HEADER}")]),
        ("medium", table(), [(0, "", "there is no row")]),
        ("medium", table("x,甲"), [(2, "", "2 cells, not 7")]),
        ("medium", table('x,"甲,,,,,'), [(2, "", "quotes do not match, or this is no CSV file")]),
        ("medium", table(f"x,{LONG},,,,,"), [(2, "label", "longer than 200 characters")]),
        ("medium", table("x,甲\x1b[2J,,,,,"), [(2, "label", "holds control characters")]),
        (
            "medium",
            b" " * (MOST_BYTES + 1),
            [(0, "", "larger than 1 MiB: split the file")],
        ),
        (
            "medium",
            table(*["x,,,,,,"] * (MOST_ROWS + 1)),
            [(0, "", "more than 50,000 rows: split the file")],
        ),
        (
            "medium",
            table("*,甲,,,,,", "x,,,,,,", "y,乙,,,,,", "y,乙,,,,,"),
            [
                (2, "code", "must be 1 to 32 characters without spaces, commas and asterisks"),
                (3, "label", "the name is missing"),
                (5, "code", "the code stands twice"),
            ],
        ),
        (
            "medium",
            table("x,甲,,,20260101,2026-02-30,", "y,乙,,,2026-02-01,2026-01-31,"),
            [
                (2, "valid_from", "must be a date like 2026-11-01"),
                (2, "valid_until", "must be a date like 2026-11-01"),
                (3, "valid_until", "is before valid_from"),
            ],
        ),
        (
            "medium",
            table("x,甲,,none,,,", "y,乙,,z,,,", "z,丙,,y,,,"),
            [
                (2, "parent", "the parent is not listed"),
                (3, "parent", "parents go in a circle, or through more than 6 levels"),
                (4, "parent", "parents go in a circle, or through more than 6 levels"),
            ],
        ),
        ("medium", table("weibo,别的,,,,,"), [(2, "code", "is shipped and cannot be changed")]),
        (
            "medium",
            table("weibo,微博,microblog,,,2026-01-01,"),
            [(2, "code", "is shipped and cannot be changed")],
        ),
        (
            "region_overlay",
            table(
                "5101,甲,510100,,,,",
                "510171,,,,,999999,",
                "510104,别的,510100,,,,",
                header=REGION_HEADER,
            ),
            [
                (2, "code", "must be 6 digits"),
                (3, "name", "the name is missing"),
                (3, "parent", "the parent is missing"),
                (3, "successor", "must be a region code that is shipped"),
            ],
        ),
        (
            "region_overlay",
            table("510104,别的,510100,,,,", header=REGION_HEADER),
            [(2, "code", "is shipped and cannot be changed")],
        ),
    ],
    ids=lambda value: "file" if isinstance(value, bytes) else str(value)[:60],
)
def test_a_file_with_faults_is_refused_whole_and_told_every_one(
    name: str, content: bytes, faults: list[tuple[int, str, str]]
) -> None:
    assert refused(name, content) == faults


def test_a_file_is_refused_that_would_spoil_what_was_imported_before(tmp_path: Path) -> None:
    chain = [f"y{n},第{n}级,,{f'y{n - 1}' if n else ''},,," for n in range(5)]
    taken("medium", table(*chain), tmp_path)
    made = change(
        "medium",
        table("z0,甲,,,,,", "z1,乙,,z0,,,", "y0,第0级,,z1,,,"),
        own_rows(tmp_path, "medium"),
    )
    depth = "beside earlier imports: parents go in a circle, or through more than 6 levels"
    assert isinstance(made, Refused)
    assert [(f.row, f.column, f.message_en) for f in made.faults] == [(0, "parent", depth)]


def test_a_directory_with_faults_is_named_with_row_and_column(tmp_path: Path) -> None:
    (tmp_path / "medium.csv").write_bytes(table("x,甲,,none,,,"))
    with pytest.raises(CodesDamaged, match=r"medium\.csv: 第 2 行 parent") as damaged:
        load_codes(tmp_path)
    assert damaged.value.faults == (
        RowFault(2, "parent", "上级代码不存在", "the parent is not listed"),
    )


def test_a_release_takes_the_place_of_what_an_installation_had_added(tmp_path: Path) -> None:
    (tmp_path / "medium.csv").write_bytes(table("weibo,别的,,,,,", "x,甲,,weibo,,,"))
    (tmp_path / "region_overlay.csv").write_bytes(
        table("510104,别的,510100,,,,", header=REGION_HEADER)
    )
    codes = load_codes(tmp_path)
    assert codes.list_of("medium").members["weibo"] == code_list("medium").members["weibo"]
    assert codes.list_of("medium").within("x", "weibo")
    assert codes.regions().name("510104") == "锦江区"


def test_the_zones_of_the_page_are_imported_as_it_says(tmp_path: Path) -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    example = page.partition("```csv\n")[2].partition("```")[0]
    assert taken("region_overlay", example.encode(), tmp_path) == (2, 0, 0)
    regions = load_codes(tmp_path).regions()
    assert [(regions.level(code), regions.lineage(code)) for code in ("510171", "650071")] == [
        ("county", ("510171", "510100", "510000", "000000")),
        ("county", ("650071", "650000", "000000")),
    ]
    assert example.count("示范") == 2, "invented places are called so"


def test_a_directory_that_is_not_there_adds_nothing(tmp_path: Path) -> None:
    codes = load_codes(tmp_path / "none")
    lists: list[CodeList] = [codes.list_of(name) for name in list_names()]
    assert lists == [code_list(name) for name in list_names()]
    assert codes.regions().rows == load_regions().rows
