"""Appointment forms as the organization department keeps them become profiles."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

from adapters.kit.adapter import Adapter, available, load
from adapters.kit.dry import dry_run, rehearsed
from adapters.kit.making import FromRecord, make
from adapters.kit.port import CannotRun
from adapters.kit.readers.opening import opened
from adapters.kit.sources.folder import FolderSettings
from adapters.organization.assessments import assessments
from adapters.organization.membership import political
from adapters.organization.resumes import resume

FORMS = available()["organization.forms"]
WHOLE = FORMS / "samples" / "lrmx"
ORGANIZATION = "510100.organization"


def adapter_with(folder: Path, key: str, mode: int = 0o600) -> Adapter:
    (folder / "密钥").write_text(f"{key}\n", encoding="utf-8")
    (folder / "密钥").chmod(mode)
    site = folder / "site.toml"
    site.write_text('[fields.key]\ndefault_file = "密钥"\n', encoding="utf-8")
    return load("organization.forms", site)


def made_of(adapter: Adapter, path: Path) -> list[FromRecord]:
    with opened(path, path.name, adapter.mapping.wanted) as reader:
        return [make(adapter, record) for record in reader.read()]


def test_a_number_tells_nothing_to_whom_has_not_the_key(tmp_path: Path) -> None:
    form = WHOLE / "in.lrmx"
    (first,), (again,), (other,) = (
        made_of(adapter_with(tmp_path, key * 16), form) for key in ("甲", "甲", "乙")
    )
    numbers = [given.events[0].case for given in (first, again, other)]
    assert numbers[0] == numbers[1] != numbers[2]
    unkeyed = hashlib.sha256(b"51010419750301001X").hexdigest()
    assert not any(unkeyed.startswith(number.removeprefix("gb-")) for number in numbers)


def test_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="只许属主读写"):
        adapter_with(tmp_path, "甲" * 16, mode=0o644)


def test_no_document_says_what_the_site_alone_may_say(tmp_path: Path) -> None:
    form = (WHOLE / "in.lrmx").read_text(encoding="utf-8")
    for name in ("人员编号密钥", "原始文件"):
        form = form.replace(
            "</Person>", f"<{name}>外来的外来的外来的外来的外来的</{name}></Person>"
        )
    path = tmp_path / "样例.lrmx"
    path.write_text(form, encoding="utf-8")
    adapter = adapter_with(tmp_path, "甲" * 16)
    assert made_of(adapter, path) == made_of(adapter, WHOLE / "in.lrmx")


def test_a_password_in_a_file_of_the_sites_opens_a_package(tmp_path: Path) -> None:
    (tmp_path / "密码").write_text("样例Mima-2026\n", encoding="utf-8")
    (tmp_path / "密码").chmod(0o600)
    site = tmp_path / "site.toml"
    site.write_text('[document]\npassword_file = "密码"\n', encoding="utf-8")
    adapter = load("organization.packages", site)
    sample = available()["organization.packages"] / "samples" / "zb3-locked-seven" / "in.7z"
    assert len(made_of(adapter, sample)) == 3
    assert "样例Mima" not in repr(adapter.mapping.wanted) + repr(adapter.mapping.document)


def test_a_short_key_is_none(tmp_path: Path) -> None:
    (given,) = made_of(adapter_with(tmp_path, "甲" * 15), WHOLE / "in.lrmx")
    assert [fault.column for fault in given.faults] == ["人员编号密钥"]


def test_what_the_map_does_not_read_is_listed(tmp_path: Path) -> None:
    form = FORMS / "samples" / "unknown-elements" / "in.lrmx"
    tried = dry_run(adapter_with(tmp_path, "甲" * 16), form, ORGANIZATION)
    assert tried.unread == ("bendikuozhan", "bendikuozhan/yangli")
    family = next(each for each in tried.columns if each.column == "family/xingming")
    assert (family.present, family.filled) == (True, 1)


def test_no_answer_repeats_what_a_form_says(tmp_path: Path) -> None:
    adapter = adapter_with(tmp_path, "甲" * 16)
    archive = FORMS / "samples" / "hostile" / "in.zip"
    told = [fault for tried in rehearsed(adapter, archive, ORGANIZATION) for fault in tried.faults]
    assert len(told) == 17
    said = "".join(fault.reason + fault.advice for fault in told)
    assert not any(each in said for each in ("周试验", "510104197503010011", "大大学", "干亲"))


def test_a_form_and_its_picture_side_by_side_in_a_drop_folder_are_read_together(
    tmp_path: Path,
) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "张三.lrm").write_bytes((FORMS / "samples/lrm/in.lrm").read_bytes())
    (tmp_path / "drop" / "张三.pic").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    raw = tmp_path / "raw"
    with FolderSettings(path=Path("drop"), quiet=0, beside=("*.pic",)).opened(tmp_path) as source:
        brought = source.bring("", raw)
    assert brought is not None
    (given,) = made_of(adapter_with(tmp_path, "甲" * 16), raw)
    (made,) = given.events
    photo = hashlib.new("sm3", b"\xff\xd8\xff\xe0" + bytes(100)).hexdigest()
    assert (brought.name, json.loads(made.event.data)["photo_sm3"]) == ("张三.lrm", photo)


def test_a_large_archive_is_taken_over_whole(tmp_path: Path) -> None:
    form = (WHOLE / "in.lrmx").read_text(encoding="utf-8")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(150):
            one = form.replace("周试验", f"样例{number}").replace("51010419750301001X", "")
            archive.writestr(f"{number:03d}.lrmx", one)
    path = tmp_path / "任免表.zip"
    path.write_bytes(content.getvalue())
    given = made_of(adapter_with(tmp_path, "甲" * 16), path)
    assert not any(each.faults for each in given)
    cases = {made.case for each in given for made in each.events}
    assert len(cases) == 150
    assert all(b"/9j/" not in made.event.data for each in given for made in each.events)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("197204", "01"),
        ("1972.04", "01"),
        ("1972年4月", "01"),
        ("１９７２．０４", "01"),
        ("民建", "06"),
        ("民建；民盟", "06"),
        ("(民建、民盟)", "06"),
        ("民建197204", "06"),
        ("民建（1972.04）", "06"),
        ("民建1972.04、民盟1980.05", "06"),
        ("197204；民建", "01"),
        ("（1972.04；民建）", "01"),
        ("1972.04；民建、民盟", "01"),
        ("群众", "13"),
        ("无党派", "12"),
        ("非中共党员", None),
        ("另有说明", None),
        ("", None),
    ],
)
def test_when_somebody_joined_tells_the_political_status(written: str, code: str | None) -> None:
    assert political(written) == code


@pytest.mark.parametrize("dash", ["--", "—", "——", "–", "-", "~", "～", "至", "－", " — "])
def test_the_line_between_two_months_is_drawn_in_many_ways(dash: str) -> None:
    assert resume(f"1997.07{dash}2003.08  样例\n2003.08{dash}   另一处") == [
        {"from": "1997-07", "to": "2003-08", "text": "样例"},
        {"from": "2003-08", "to": None, "text": "另一处"},
    ]


@pytest.mark.parametrize(
    ("written", "years"),
    [
        ("2022、2023年度称职；2024年优秀", {"2022": "2", "2023": "2", "2024": "1"}),
        ("2022—2024年连续三年优秀。", {"2022": "1", "2023": "1", "2024": "1"}),
        ("2024年度考核结果为不合格", {"2024": "4B"}),
    ],
)
def test_assessments_are_read_year_by_year(written: str, years: dict[str, str]) -> None:
    read = assessments(written)
    assert isinstance(read, list)
    assert {each["year"]: each["grade"]["code"] for each in read} == years


@pytest.mark.parametrize(
    "written",
    ["2024年优秀（嘉奖）", "称职", "2024年", "2024-2020年称职", "1900-2090年称职", "-称职"],
)
def test_an_assessment_that_would_be_lost_is_refused(written: str) -> None:
    assert not isinstance(assessments(written), list)
