"""An agency's file run dry: everything that a run would do, and nothing done."""

import csv
import json
from pathlib import Path

import pytest

from adapters.kit.adapter import load
from adapters.kit.dry import Covered, Refused, Rehearsal, dry_run, fitting
from adapters.kit.new import new_adapter
from adapters.kit.port import FaultKind
from contracts.agency import AgencyIdError
from deploy.demo.exports import HEADER, LETTER
from tests.adapters.readers.documents import zip_of

SOUND = {
    "djsj": "2026/10/08",
    "xfrq": "2026/10/08",
    "xfxs": "1",
    "xfrs": "1",
    "gkxx": "反映小区公共收益未公开",
    "tsnr": LETTER,
    "wtsddm": "510104",
    "nrfldm": "990000",
    "xfmddm": "2",
    "lmbz": r"\N",
}


def export(path: Path, *rows: dict[str, str], header: tuple[str, ...] = HEADER) -> Path:
    with path.open("w", encoding="gbk", newline="") as out:
        table = csv.writer(out)
        table.writerow(header)
        table.writerows([(SOUND | row).get(column, "") for column in header] for row in rows)
    return path


def rehearse(path: Path) -> Rehearsal:
    return dry_run(load("petition"), path, "510100.petition")


def covered(rehearsal: Rehearsal, column: str) -> Covered:
    return next(each for each in rehearsal.columns if each.column == column)


def test_what_would_be_sent_is_counted_and_the_first_three_are_named(tmp_path: Path) -> None:
    rows = [{"xfjbh": f"XFJ{n}"} for n in range(1, 5)]
    done = rehearse(export(tmp_path / "十月.csv", *rows, rows[0], rows[1] | {"xfrs": "2"}))
    assert (done.read, done.refused, done.again, done.replies) == (6, 0, 1, 0)
    assert done.types == {"petition.case_transferred": 5}
    assert [(e.id.partition("-")[0], e.place.row) for e in done.first] == [
        ("XFJ1", 2),
        ("XFJ2", 3),
        ("XFJ3", 4),
    ]
    assert (done.faults, done.complete) == ((), True)


def test_what_is_refused_is_told_by_kind_and_column_with_the_first_rows(tmp_path: Path) -> None:
    wrong = [{"xfjbh": f"XFJ{n}", "xfrs": "三人"} for n in range(12)]
    done = rehearse(export(tmp_path / "十月.csv", *wrong, {"xfjbh": "XFJ99", "wtsddm": "示范区"}))
    assert (done.read, done.refused, done.types) == (13, 13, {})
    assert done.faults[0] == Refused(
        kind=FaultKind.NUMBER,
        column="xfrs",
        count=12,
        reason="信访人数不是整数",
        advice="请填阿拉伯数字，不加单位或文字",
        rows=tuple(("", row) for row in range(2, 12)),
    )
    assert [(f.kind, f.column, f.rows) for f in done.faults[1:]] == [
        (FaultKind.REGION, "wtsddm", (("", 14),))
    ]


def test_the_columns_of_the_map_are_told_apart_by_what_the_file_says_in_them(
    tmp_path: Path,
) -> None:
    header = tuple(column for column in HEADER if column != "yybz")
    done = rehearse(export(tmp_path / "十月.csv", {"xfjbh": "XFJ1"}, header=header))
    assert covered(done, "xfjbh") == Covered("xfjbh", "信访件编号", True, True, 1)
    assert covered(done, "lmbz") == Covered("lmbz", "联名标志", False, True, 0)
    assert covered(done, "yybz") == Covered("yybz", "扬言标志", False, False, 0)


def test_columns_that_nobody_reads_are_told_by_name_alone(tmp_path: Path) -> None:
    header = (*HEADER, "本地备注", "需修改的问题")
    done = rehearse(
        export(tmp_path / "十月.csv", {"xfjbh": "1", "本地备注": "不读"}, header=header)
    )
    assert done.unread == ("本地备注",)
    assert "不读" not in json.dumps(done.document(show=True), ensure_ascii=False)


def test_a_header_that_lacks_columns_ends_it_with_the_likely_ones(tmp_path: Path) -> None:
    header = tuple("xfrq1" if column == "xfrq" else column for column in HEADER)
    done = rehearse(export(tmp_path / "十月.csv", {"xfjbh": "XFJ1"}, header=header))
    assert (done.read, done.complete) == (0, False)
    assert [(f.kind, f.column, f.advice) for f in done.faults] == [
        (FaultKind.HEADER, "xfrq", "是否即列“xfrq1”？可改表头，或在站点映射中写明")
    ]


def test_a_file_that_breaks_off_is_told_with_what_came_before(tmp_path: Path) -> None:
    path = export(tmp_path / "十月.csv", {"xfjbh": "XFJ1"})
    path.write_bytes(path.read_bytes() + '"没有结束'.encode("gbk"))
    done = rehearse(path)
    assert (done.read, done.types, done.complete) == (1, {"petition.case_transferred": 1}, False)
    assert [f.kind for f in done.faults] == [FaultKind.QUOTES]


def test_as_json_it_holds_no_content_unless_asked(tmp_path: Path) -> None:
    done = rehearse(
        export(tmp_path / "十月.csv", {"xfjbh": "XFJ1"}, {"xfjbh": "XFJ2", "xfrs": LETTER})
    )
    quiet = json.dumps(done.document(), ensure_ascii=False)
    assert "公共收益" not in quiet
    (shown,) = done.document(show=True)["first"]
    assert shown["event"]["data"]["summary"] == "反映小区公共收益未公开"
    assert LETTER not in quiet + json.dumps(shown, ensure_ascii=False)


def test_it_is_run_as_an_agency(tmp_path: Path) -> None:
    with pytest.raises(AgencyIdError):
        dry_run(load("petition"), export(tmp_path / "十月.csv"), "nobody")


def test_a_file_finds_the_adapter_that_reads_the_most_of_it(tmp_path: Path) -> None:
    assert fitting(export(tmp_path / "十月.csv", {"xfjbh": "XFJ1"})) == ("petition",)
    (tmp_path / "其他.csv").write_text("甲,乙\n1,2\n", encoding="utf-8")
    assert fitting(tmp_path / "其他.csv") == ()


def test_what_the_agencys_system_deleted_is_counted_and_not_sent(tmp_path: Path) -> None:
    gone = {"xfjbh": "XFJ2", "scbz": "1"}
    path = export(tmp_path / "十月.csv", {"xfjbh": "XFJ1"}, gone, header=(*HEADER, "scbz"))
    done = rehearse(path)
    assert (done.read, done.deleted, done.refused) == (2, 1, 0)
    assert done.types == {"petition.case_transferred": 1}


def test_a_step_that_cannot_come_yet_is_refused(tmp_path: Path) -> None:
    folder = new_adapter("steps", "clue.disposition_decided", tmp_path)
    steps = '\n[steps."clue.disposition_decided"]\nafter = ["clue.received"]\n'
    with (folder / "mapping.toml").open("a", encoding="utf-8") as mapping:
        mapping.write(steps)
    sample = folder / "samples" / "one" / "in.csv"
    done = dry_run(load(folder), sample, "510100.discipline")
    assert (done.refused, done.types) == (1, {})
    assert [f.kind for f in done.faults] == [FaultKind.STEP]


def test_replies_are_counted_that_still_need_their_opening(tmp_path: Path) -> None:
    folder = new_adapter("replies", "clue.disposition_decided", tmp_path)
    sample = folder / "samples" / "repeated" / "in.csv"
    done = dry_run(load(folder), sample, "510100.discipline")
    assert (done.replies, done.again) == (2, 1)


def test_columns_are_named_as_each_member_of_an_archive_names_them(tmp_path: Path) -> None:
    header = tuple({"xfrs": "信访人数"}.get(name, name) for name in HEADER)
    named = export(
        tmp_path / "a.csv", {"xfjbh": "XFJ1", "信访人数": "若干"}, {"xfjbh": "XFJ2"}, header=header
    )
    plain = export(tmp_path / "b.csv", {"xfjbh": "XFJ3", "xfrs": "若干"})
    path = tmp_path / "十月.zip"
    path.write_bytes(zip_of({"甲.csv": named.read_bytes(), "乙.csv": plain.read_bytes()}))
    done = rehearse(path)
    assert [(fault.column, fault.kind, fault.rows) for fault in done.faults] == [
        ("xfrs", FaultKind.NUMBER, (("乙.csv", 2),)),
        ("信访人数", FaultKind.NUMBER, (("甲.csv", 2),)),
        ("信访人数", FaultKind.MISSING, (("甲.csv", 3),)),
    ]


def test_columns_are_named_as_the_file_names_them(tmp_path: Path) -> None:
    header = tuple({"xfrs": "信访人数", "gkxx": "概况信息"}.get(name, name) for name in HEADER)
    path = export(
        tmp_path / "十月.csv",
        {"xfjbh": "XFJ1", "信访人数": "若干", "概况信息": "样例"},
        header=header,
    )
    done = rehearse(path)
    assert [(f.column, f.kind) for f in done.faults] == [("信访人数", FaultKind.NUMBER)]
    assert covered(done, "概况信息") == Covered("概况信息", "概况", True, True, 1)
