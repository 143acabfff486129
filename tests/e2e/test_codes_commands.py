"""`guantong codes`, as an administrator runs it, and the hub that starts with what was imported."""

import json
from pathlib import Path

from tests.commands import Done, guantong
from tests.e2e.commands import run as run_apart
from tests.running import running_hub
from tests.sample import PETITION, petition, policy

COLUMNS = "code,label,label_en,parent,valid_from,valid_until,source"
OWN = f"{COLUMNS}\n0001,网上信访大厅,online hall,4,2026-01-01,,local\n1,来信,letter,,,,\n"
ZONE = "code,name,parent,valid_from,valid_until,successor,source\n510171,示范新区,510100,,,,local\n"


def run(*words: str | Path) -> Done:
    """Run a codes command."""
    return guantong("codes", *words)


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_a_hub_takes_what_was_imported_from_its_next_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    form, zone = petition("local-form"), petition("local-zone")
    form["data"]["form"] = {"code": "0001"}
    zone["data"]["place"] = "510171"
    late = {**petition("too-early"), "time": "2025-12-31T23:00:00+08:00", "data": form["data"]}

    def told() -> list[str | list[str]]:
        with running_hub(data) as hub:
            hub.apply(policy())
            results = hub.agency(PETITION).publish(form, zone, late).json()["results"]
            return [
                [error["code"] for error in result["errors"]] or result["status"]
                for result in results
            ]

    assert told() == [["code_unknown"], ["region_unknown"], ["code_unknown"]]
    file = written(tmp_path / "forms.csv", OWN, "gb18030")
    overlay = written(tmp_path / "region_overlay.csv", ZONE)
    first = run("import", file, "--list", "petition_form", "--data", data, "--json")
    counts = {"list": "petition_form", "added": 1, "changed": 0, "unchanged": 1, "refused": []}
    assert (first.status, first.document) == (0, counts)
    again = run("import", file, "--list", "petition_form", "--data", data, "--json")
    assert again.document == {**counts, "added": 0, "unchanged": 2}
    assert run("import", overlay, "--data", data).status == 0
    assert told() == ["accepted", "accepted", ["code_not_in_force"]]


def test_files_of_events_are_checked_with_the_codes_that_a_hub_imported(tmp_path: Path) -> None:
    codes = tmp_path / "codes"
    overlay = written(tmp_path / "region_overlay.csv", ZONE)
    assert run("import", overlay, "--to", codes).status == 0
    zone = petition("local-zone")
    zone["data"]["place"] = "510171"
    event = written(tmp_path / "event.json", json.dumps(zone))

    status, said, _ = guantong("contract", "check", event)
    assert status == 1 and "/data/place  region_unknown" in said
    assert said.endswith("are taken with --codes <data>/codes\n")
    status, said, _ = guantong("contract", "check", event, "--codes", codes)
    assert (status, said) == (0, "1 个文件 / files, 1 个事件 / events, 0 处错误 / faults\n")
    status, said, complained = guantong("contract", "check", event, "--codes", tmp_path / "none")
    assert (status, said) == (1, "") and "不是目录 / not a directory" in complained


def test_a_file_with_a_fault_is_refused_and_nothing_of_it_is_taken(tmp_path: Path) -> None:
    file = written(tmp_path / "medium.csv", f"{COLUMNS}\nx,甲,,,,,\nweibo,别的,,,2026,,\n")
    done = run("import", file, "--to", tmp_path / "codes")
    assert (done.status, done.said, done.complained) == (
        1,
        "",
        "第 3 行 valid_from：应为日期，如 2026-11-01"
        " / row 3 valid_from: must be a date like 2026-11-01\n"
        "未导入任何内容 / nothing was imported\n",
    )
    assert run("import", file, "--to", tmp_path / "codes", "--json").document == {
        "list": "medium",
        "added": 0,
        "changed": 0,
        "unchanged": 0,
        "refused": [
            {
                "row": 3,
                "column": "valid_from",
                "message": "应为日期，如 2026-11-01",
                "message_en": "must be a date like 2026-11-01",
            }
        ],
    }
    assert not (tmp_path / "codes").exists()
    assert run("import", file).status == 1
    assert run("import", file, "--to", tmp_path, "--data", tmp_path).status == 1


def test_lists_are_shown_as_trees_of_what_is_in_force_that_day(tmp_path: Path) -> None:
    def focuses(day: str) -> list[str]:
        members = run("show", "inspection_focus", "--at", day, "--json").document["members"]
        return [member["code"] for member in members if member["parent"] == "three_focuses"]

    assert focuses("2024-12-31") == ["grassroots", "people", "party_building"]
    assert focuses("2025-01-01")[3:] == ["inspection_rectification"]
    shown = run("show", "tip_form").said
    assert "开放 open" in shown and "│   3001" in shown
    assert run("show", "none").complained == "没有代码表 none / no such code list\n"
    assert run("show", "tip_form", "--at", "2025-02-30").status == 1
    by_name = {listed["name"]: listed for listed in run("list", "--json").document}
    assert by_name["ethnic_group"] == {
        "name": "ethnic_group",
        "title": "民族",
        "title_en": "ethnic group",
        "open": True,
        "confirmed": True,
        "source": "GB/T 3304: the fifty-six; others with a label",
        "levels": {},
    }
    assert not by_name["petition_purpose"]["open"]
    assert "petition_purpose" in run("list").said


def test_a_hub_does_not_start_with_codes_that_are_wrong(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "codes").mkdir(parents=True)
    written(data / "codes" / "medium.csv", f"{COLUMNS}\nx,,,,,,\n")
    done = run("list", "--data", data)
    assert done.status == 1
    assert "medium.csv: 第 2 行 label：缺少名称 / row 2 label: the name is missing" in (
        done.complained
    )
    status, _, complained = run_apart("up", "--data", data, "--listen", "127.0.0.1:0")
    assert (status, complained.count(str(data / "codes" / "medium.csv"))) == (1, 1)
