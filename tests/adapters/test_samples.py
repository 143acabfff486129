"""Every adapter's samples are tests; a new adapter is one folder."""

import json
from pathlib import Path
from shutil import copytree

import pytest

import adapters
from adapters.kit.adapter import UnknownAdapter, available, load, named
from adapters.kit.check import Difference, check, outcome, samples, written
from adapters.kit.port import CannotRun, FaultKind
from contracts.owncodes import SHIPPED, Codes, load_codes

CASES = [(name, case) for name in available() for case in samples(name)]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{n}/{c.name}" for n, c in CASES])
def test_a_sample_comes_out_as_written(name: str, case: Path) -> None:
    assert written(outcome(name, case)) == (case / "out.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{n}/{c.name}" for n, c in CASES])
def test_the_letter_itself_is_nowhere_in_what_comes_out(name: str, case: Path) -> None:
    assert "来信原文" not in (case / "out.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", available())
def test_an_adapter_has_a_page_and_eight_samples(name: str) -> None:
    assert (available()[name] / "README.md").is_file()
    assert len(list(samples(name))) >= 8


def test_checking_a_sound_adapter_finds_no_difference() -> None:
    assert check("petition") == ()


@pytest.mark.parametrize("name", ["discipline.briefings", "inspection.rectification", "petition"])
def test_an_adapter_is_checked_by_its_path_as_by_its_name(name: str) -> None:
    assert check(available()[name]) == ()


def test_a_sample_may_name_a_region_that_a_hub_imported(tmp_path: Path) -> None:
    header = "code,name,parent,valid_from,valid_until,successor,source"
    (tmp_path / "codes").mkdir()
    overlay = tmp_path / "codes" / "region_overlay.csv"
    overlay.write_text(f"{header}\n510171,示范新区,510100,,,,local\n", encoding="utf-8")
    rows = (available()["petition"] / "samples" / "people" / "in.csv").read_bytes()
    (tmp_path / "in.csv").write_bytes(rows.replace(b"510104", b"510171"))

    def told(codes: Codes) -> tuple[set[str], set[FaultKind]]:
        made = outcome("petition", tmp_path, codes)
        kinds = {FaultKind(fault["kind"]) for fault in made["faults"]}
        return {event["data"]["place"] for event in made["events"]}, kinds

    assert told(SHIPPED) == (set(), {FaultKind.REGION, FaultKind.NUMBER})
    assert told(load_codes(tmp_path / "codes")) == ({"510171"}, {FaultKind.NUMBER})


def test_an_unknown_adapter_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownAdapter) as raised:
        load("petitions")
    known = "、".join(available())
    assert str(raised.value) == f"没有这个适配器（是否指 petition？），可用：{known}"


@pytest.mark.parametrize("name", ["../petition", "petition/../petition", "kit", "", "/"])
def test_a_name_is_looked_up_and_never_made_into_a_path(name: str) -> None:
    with pytest.raises(UnknownAdapter):
        load(name)


def test_an_adapter_is_added_as_a_folder_and_checked_by_its_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "letters"
    case = folder / "samples" / "one"
    case.mkdir(parents=True)
    for name in ("mapping.toml", "translate.py"):
        (folder / name).write_bytes((available()["petition"] / name).read_bytes())
    sample = available()["petition"] / "samples" / "people"
    (case / "in.csv").write_bytes((sample / "in.csv").read_bytes())
    expected = json.loads((sample / "out.json").read_text(encoding="utf-8"))
    expected["faults"][0]["row"] = 99
    (case / "out.json").write_text(written(expected), encoding="utf-8")
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, str(tmp_path)])

    assert "letters" in available()
    (difference,) = check("letters")
    assert isinstance(difference, Difference)
    assert difference.case == "one"
    changed = [line for line in difference.lines if line[:1] in "+-"]
    assert changed == ["--- out.json", "+++ 现在", '-      "row": 99,', '+      "row": 3,']


def test_an_adapter_of_the_agencys_own_stands_in_a_folder_anywhere(tmp_path: Path) -> None:
    folder = tmp_path / "来信"
    copytree(available()["petition"], folder)
    assert named("来信", tmp_path) == named(str(folder)) == folder
    assert load(folder).name == "来信"
    assert check(folder) == ()
    assert named("petition", tmp_path) == "petition"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("def translate(:", "invalid syntax"),
        ("import there_is_no_such_module", "No module named 'there_is_no_such_module'"),
        ("x = 1", "has no attribute 'translate'"),
    ],
)
def test_a_translation_that_does_not_load_is_told(tmp_path: Path, code: str, told: str) -> None:
    (tmp_path / "mapping.toml").write_bytes((available()["petition"] / "mapping.toml").read_bytes())
    (tmp_path / "translate.py").write_text(code, encoding="utf-8")
    with pytest.raises(CannotRun, match="不能装入") as raised:
        load(tmp_path)
    assert told in str(raised.value)


def test_a_folder_without_a_map_is_no_adapter(tmp_path: Path) -> None:
    with pytest.raises(UnknownAdapter, match="须有 mapping"):
        load(tmp_path)


def test_an_adapter_without_samples_is_not_called_sound(tmp_path: Path) -> None:
    for name in ("mapping.toml", "translate.py"):
        (tmp_path / name).write_bytes((available()["petition"] / name).read_bytes())
    with pytest.raises(CannotRun, match="没有样例"):
        check(tmp_path)


def test_a_sample_that_says_nothing_yet_is_shown_what_comes_out(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    copytree(available()["petition"], folder)
    (folder / "samples" / "people" / "out.json").unlink()
    (difference,) = check(folder)
    assert difference.case == "people"
    assert '+  "events": [' in difference.lines


def test_a_sample_has_one_input(tmp_path: Path) -> None:
    (tmp_path / "out.json").touch()
    with pytest.raises(CannotRun, match="须有一个 in"):
        outcome("petition", tmp_path)
