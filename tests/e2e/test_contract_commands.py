"""`guantong contract list|show|check|pages`, as somebody without a hub runs them."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.catalogue import load_catalogue
from contracts.pages.site import site
from hub.cli.eventfiles import MOST_BYTES
from tests.commands import Done, guantong
from tests.examples import FAMILIES, VALID

PAYLOAD = json.loads((FAMILIES / "clue/examples/valid/clue.received-1.json").read_bytes())
FLAWED = """[
  %s,
  {
    "specversion": "1.0", "id": "2", "source": "/510100.discipline",
    "type": "clue.received",
    "time": "yesterday",
    "dataschema": "urn:guantong:contract:clue.received:1.0",
    "data": {}
  },
  {
    "specversion": "1.0", "id": "3", "source": "/510100.discipline",
    "type": "clue.received",
    "time": "2026-11-01T09:00:00+08:00",
    "dataschema": "urn:guantong:contract:clue.received:1.0",
    "data": {
      "clueid": "XS-1",
      "received_at": "2026-11-01T09:00:00+08:00",
      "receiver": [
        {"name": "金样例"},
        {
          "name": 7
        }
      ],
      "register_no": "R 1"
    }
  }
]
"""


def run(*words: str | Path) -> Done:
    """Run a contract command."""
    return guantong("contract", *words)


def faults_in(done: Done) -> list[tuple[Any, ...]]:
    """Of each fault that a check tells: file, line, event, pointer, code."""
    names = ("line", "event", "pointer", "code")
    return [(Path(f["file"]).name, *(f[n] for n in names)) for f in done.document["faults"]]


def event(id_: str = "1", payload: Any = PAYLOAD, type_: str = "clue.received") -> str:
    """An event on one line."""
    members = {
        "specversion": "1.0",
        "id": id_,
        "source": "/510100.discipline",
        "type": type_,
        "time": "2026-11-01T09:00:00+08:00",
        "dataschema": f"urn:guantong:contract:{type_}:1.0",
        "data": payload,
    }
    return json.dumps(members, ensure_ascii=False)


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_events_that_hold_are_counted_in_every_form_that_a_file_may_have(tmp_path: Path) -> None:
    written(tmp_path / "one.json", json.dumps(json.loads(event()), indent=2))
    written(tmp_path / "array.json", f"[{event('2')},\n{event('3')}]\n")
    written(tmp_path / "lines.ndjson", f"{event('4')}\r\n\n{event('5')}\n{event('6')}")
    (tmp_path / "below").mkdir()
    written(tmp_path / "below" / "none.json", "[]")
    written(tmp_path / "notes.txt", "not looked at")
    done = run("check", tmp_path, "--json")
    assert done.document == {
        "files": 4,
        "events": 6,
        "faults": [
            {
                "file": str(tmp_path / "below" / "none.json"),
                "line": None,
                "event": None,
                "pointer": "",
                "code": "no_events",
                "message": "文件中没有事件",
                "message_en": "the file holds no event",
            }
        ],
    }
    (tmp_path / "below" / "none.json").unlink()
    assert (run("check", tmp_path).status, done.status) == (0, 2)


def test_a_fault_is_told_with_the_line_of_the_member_at_fault(tmp_path: Path) -> None:
    file = written(tmp_path / "flawed.json", FLAWED % event())
    done = run("check", file, "--json")
    assert done.status == 1
    assert done.document["events"] == 3
    assert faults_in(done) == [
        ("flawed.json", 6, 2, "/time", "time_format"),
        ("flawed.json", 21, 3, "/data/receiver/1/name", "type"),
        ("flawed.json", 24, 3, "/data/register_no", "format"),
    ]
    told = run("check", file).said.splitlines()
    assert told[1].startswith(f"{file}:21: 第 3 个事件 event 3  /data/receiver/1/name  type  ")
    assert told[-1] == "1 个文件 / files, 3 个事件 / events, 3 处错误 / faults"


def test_a_line_that_is_no_event_does_not_hide_the_others(tmp_path: Path) -> None:
    lines = (event("1"), '{"specversion": ', event("3", {}), "[1]", event("5", type_="no.such"))
    file = written(tmp_path / "events.ndjson", "\n".join(lines))
    done = run("check", file, "--json")
    assert done.status == 2
    required = ("clueid", "receiver", "received_at", "register_no")
    assert faults_in(done) == [
        ("events.ndjson", 2, 2, "", "json_invalid"),
        *(("events.ndjson", 3, 3, f"/data/{name}", "required") for name in required),
        ("events.ndjson", 4, 4, "", "json_invalid"),
        ("events.ndjson", 5, 5, "/dataschema", "contract_unknown"),
    ]


@pytest.mark.parametrize(
    ("content", "line", "number", "code"),
    [
        (b"", None, None, "no_events"),
        (b"\xef\xbb\xbf[]", 1, None, "json_invalid"),
        (b'[\n\n"\xff"]', 3, None, "json_invalid"),
        (b'{\n"a": 1,\n}', 3, 1, "json_invalid"),
        (b'{"a": 1}\nrubbish {', 2, 2, "json_invalid"),
        (b"[1 2]", 1, 2, "json_invalid"),
        (b"[" * 200_000, 1, 1, "too_deep"),
        (b"[" + b"9" * 10_000 + b"]", 1, 1, "json_invalid"),
        (b'{"data": ' + b"[" * 40 + b"]" * 40 + b"}", 1, 1, "too_deep"),
        (b'{"data": "' + b"x" * 400_000 + b'"}', 1, 1, "too_large"),
        (b" " * (MOST_BYTES + 1), None, None, "too_large"),
    ],
    ids=(
        "empty mark bytes comma rubbish commas nested digits deep long huge".split()  # noqa: SIM905
    ),
)
def test_a_hostile_file_gets_one_clear_fault_and_the_next_is_checked(
    tmp_path: Path, content: bytes, line: int | None, number: int | None, code: str
) -> None:
    hostile = written(tmp_path / "a.json", content)
    good = written(tmp_path / "b.json", event(payload={**PAYLOAD, "clueid": " "}))
    done = run("check", hostile, good, "--json")
    last = ("b.json", 1, 1, "/data/clueid", "format")
    own = [fault for fault in faults_in(done) if fault != last]
    assert faults_in(done)[-1] == last
    assert ("a.json", line, number, code) in [(*fault[:3], fault[4]) for fault in own]
    assert len({fault[4] for fault in own}) == 1 or number == 2


def test_what_is_not_there_is_told_and_nothing_of_the_content_is(tmp_path: Path) -> None:
    secret = "样例泄密内容"
    payload = {**PAYLOAD, "register_no": f"{secret} {secret}", secret: secret}
    file = written(tmp_path / "secret.json", event(payload=payload))
    done = run("check", tmp_path / "gone.json", file, "--json")
    assert [fault[1:] for fault in faults_in(done)] == [
        (None, None, "", "unreadable"),
        (1, 1, "/data/register_no", "format"),
        (1, 1, "/data", "undeclared"),
    ]
    assert secret not in done.said + run("check", file).said
    assert done.status == 2


def test_every_example_passes_as_an_event(tmp_path: Path) -> None:
    first = [path for path in VALID if path.stem.count("-") == 1]
    lines = [
        event(path.stem, json.loads(path.read_bytes()), path.stem.rpartition("-")[0])
        for path in first
    ]
    done = run("check", written(tmp_path / "examples.ndjson", "\n".join(lines)), "--json")
    assert done.document == {"files": 1, "events": len(first), "faults": []}


def test_the_list_names_every_version() -> None:
    done = run("list", "--json")
    assert {(c["type"], c["version"], c["title"]) for c in done.document} == {
        (c.type, c.version, c.title) for c in load_catalogue()
    }


def test_a_contract_is_shown_with_who_by_when_and_its_fields() -> None:
    said = run("show", "clue.transferred", "1.0").said
    for expected in (
        "clue.transferred 1.0  问题线索移交 / Clue transferred",
        "谁可以发 who sends：",
        "同级·全文 same level, in full",
        "期限 due：线索签收 5 个工作日 / receipt of a clue, 5 working days",
        "被反映人",
        "clue_source",
    ):
        assert expected in said
    assert run("show", "clue.transferred", "1.0", "--json").document["$id"] == (
        "urn:guantong:contract:clue.transferred:1.0"
    )
    assert run("show", "no.such").status == 1


def test_the_pages_are_written_as_a_hub_serves_them(tmp_path: Path) -> None:
    assert run("pages", "--to", tmp_path / "out").status == 0
    made = site(load_catalogue())
    assert {file.name for file in (tmp_path / "out").iterdir()} == made.keys()
    for name in ("index.html", "family-clue.html", "search.js"):
        assert (tmp_path / "out" / name).read_bytes() == made[name]()
