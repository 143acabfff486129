"""`guantong contract diff`: a verdict for machines, sentences for people, an exit status."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Done, guantong

OLD = {"type": "string", "maxLength": 9}
NEW = {"type": "string", "maxLength": 12}


def diff(folder: Path, old: str, new: str, *more: str) -> Done:
    files = [folder / "old.json", folder / "new.json"]
    for file, text in zip(files, (old, new), strict=True):
        file.write_text(text, encoding="utf-8")
    return guantong("contract", "diff", *files, *more)


def test_the_verdict_is_printed_for_machines(tmp_path: Path) -> None:
    status, out, _ = diff(tmp_path, json.dumps(OLD), json.dumps(NEW), "--json")
    told: dict[str, Any] = json.loads(out)
    reason = told["reasons"][0]
    assert (status, told) == (
        1,
        {"new_reads_old": True, "old_reads_new": False, "reasons": [reason]},
    )
    assert reason == {
        "breaks": "old_reads_new",
        "code": "max_length_raised",
        "pointer": "/maxLength",
        "message": reason["message"],
        "message_en": reason["message_en"],
    }
    assert reason["message"].startswith("旧版本的最大长度 9 比新版本严格")


def test_people_get_sentences_and_scripts_an_exit_code(tmp_path: Path) -> None:
    status, out, _ = diff(tmp_path, json.dumps(OLD), json.dumps({**OLD, "title": "a"}))
    assert (status, out) == (
        0,
        "新版本可读旧版本的数据 / new reads old: 是 / yes\n"
        "旧版本可读新版本的数据 / old reads new: 是 / yes\n",
    )


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"minimum": NaN}',
        '{"type": "string", "type": "integer"}',
        "[" * 100_000,
        '"' + "a" * (4 * 1024 * 1024) + '"',
    ],
    ids=["no JSON", "no schema", "no number", "a member twice", "deep", "large"],
)
def test_what_cannot_be_read_is_told_apart_from_a_verdict(tmp_path: Path, text: str) -> None:
    status, out, err = diff(tmp_path, json.dumps(OLD), text, "--json")
    assert (status, out) == (2, "")
    assert "无法读取 JSON Schema / cannot be read as a JSON Schema" in err
