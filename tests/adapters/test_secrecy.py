"""However an adapter fails, nothing that a cell or an event says is told: one process, many ways.

Every document and every event bears marks in every column or member. They are looked for in all
that the process writes to its log, in its metrics, in the lists of what to put right, and in the
arguments of the processes that it starts.
"""

import csv
import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from shutil import copy
from threading import Timer
from typing import Any

import httpx
import pytest
from openpyxl import Workbook

from adapters.kit.adapter import available
from adapters.kit.port import FaultKind
from tests.adapters.door import HANG_UP, Answer, Asked, Door, error, open_door
from tests.adapters.sinks.events import transferred
from tests.running import PATIENCE

MARK = "赵密字Zk7Qw"
NUMBERS = ("519999198001010012", "12800000077")
MARKS = (MARK, "Zk7Qw", *NUMBERS)
HERE = Path(__file__).parent
# It tells what processes it starts, too.
PROGRAM = """
import sys
def told(event, args):
    if event == "subprocess.Popen":
        print("started", args[1], file=sys.stderr, flush=True)
sys.addaudithook(told)
from hub.__main__ import main
main()
"""
SOUND: Mapping[str, str] = {
    "xfjbh": "1",
    "djsj": "2026/10/08",
    "xfrq": "2026/10/08",
    "xfxs": "1",
    "xfrs": "1",
    "gkxx": f"反映{MARK}",
    "wtsddm": "510104",
    "nrfldm": "990000",
    "xfmddm": "2",
    "xm": MARK.removesuffix("Zk7Qw"),
    "zjlx": "111",
    "zjhm": NUMBERS[0],
    "sjh": NUMBERS[1],
    "zz": MARK,
    "lmbz": "",
    "xbjzsj": "",
    "bfyrxm": "",
    "bfyrzw": "",
    "bfyrdw": "",
    "tsnr": MARK,
}
RAISING = """
class Broken(Exception):
    pass

def translate(row, contracts):
    if row.text("accused_name") is None:
        raise Broken(repr(row))
    return [repr(row)]
"""


def rows(*changes: Mapping[str, str]) -> list[dict[str, str]]:
    return [{**SOUND, "xfjbh": f"{n}", **change} for n, change in enumerate(changes, 1)]


def export(*changes: Mapping[str, str]) -> bytes:
    out = io.StringIO()
    table = csv.DictWriter(out, list(SOUND))
    table.writeheader()
    table.writerows(rows(*changes))
    return out.getvalue().encode("gbk")


def workbook(*changes: Mapping[str, str]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    sheet = book.worksheets[0]
    for line in (list(SOUND), *(list(row.values()) for row in rows(*changes))):
        sheet.append(line)
    book.save(out)
    return out.getvalue()


# A mark in each column of its own, and in all.
MARKED = [*({column: MARK} for column in SOUND), dict.fromkeys(SOUND, MARK)]
SHEET = workbook(*MARKED)
DOCUMENTS: Mapping[str, Mapping[str, bytes]] = {
    "unreadable": {
        "a.csv": export({}) + f'2,"{MARK}'.encode("gbk"),
        "b.xlsx": SHEET[: len(SHEET) // 2],
        "c.json": json.dumps({"data": {"list": rows({})}}, ensure_ascii=False).encode()[:-9],
        "d.xml": f"<rows><row><xm>{MARK}</xm>".encode(),
        "e.xml": f'<!DOCTYPE a [<!ENTITY x "{MARK}">]><a><xm>&x;</xm></a>'.encode(),
        "f.csv": f"{MARK},{NUMBERS[0]}\n{MARK},{NUMBERS[1]}\n".encode("gbk"),
    },
    "wrong": {
        "a.csv": export(*MARKED),
        "b.xlsx": SHEET,
        "c.json": json.dumps({"data": {"list": rows(*MARKED)}}, ensure_ascii=False).encode(),
        "d.csv": export({}).replace(b"\r\n1,", f"\r\n{MARK},{MARK},1,".encode("gbk"), 1),
    },
    "contract": {"a.csv": export({"gkxx": f"{MARK}\x07"}, {"bfyrxm": f"{MARK}\x1b"})},
    "refused": {"a.csv": export({}, {})},
    "away": {"a.csv": export({})},
    "gateway": {"a.csv": export({})},
    "large": {"a.csv": export({})},
    "raising": {"a.csv": export({}, {"bfyrxm": MARK}), "b.xlsx": workbook({})},
}
AGENCIES = {name: f"5101{number:02}.petition" for number, name in enumerate(DOCUMENTS, 4)}
SINKS = {
    "call-500": '{ type = "call", path = "called", url = "%s/echo/500" }',
    "call-401": '{ type = "call", path = "called-2", url = "%s/echo/401" }',
    "ledger": '{ type = "ledger", path = "broken.xlsx" }',
    "files": '{ type = "files", path = "broken.xlsx" }',
    "table": '{ type = "table", url = "sqlite:///strict.db", create = true }',
}
SOURCES = {
    "http-echo": '{ type = "http", url = "%s/echo/500" }',
    "http-list": '{ type = "http", url = "%s/echo/200", items = "data.list",'
    ' paging = { by = "page" } }',
    "sql": '{ type = "sql", url = "sqlite:///away.db", table = "marked",'
    ' columns = ["xm"], changed = "xm", key = "broken" }',
}
# What is told at least so often: of a document that it ended, of a part that it failed.
AWAITED: Mapping[tuple[str, str], int] = {
    ("away", "adapter.failed"): 2,
    ("gateway", "adapter.failed"): 2,
    **{(name, "adapter.failed"): 2 for name in (*SINKS, *SOURCES)},
    **{
        (name, "document.finished"): len(documents)
        for name, documents in DOCUMENTS.items()
        if name not in ("away", "gateway")
    },
    ("raising", "translation.failed"): 2,
}


def adapters_toml(url: str) -> str:
    parts = [f'state = "state"\nmetrics = "127.0.0.1:0"\n[hub]\nurl = "{url}"\n']
    for name, agency in AGENCIES.items():
        kind = "own" if name == "raising" else "petition"
        source = f'{{ type = "folder", path = "{name}", quiet = 0 }}'
        parts.append(part(name, kind, agency, f"source = {source}"))
    for name, source in SOURCES.items():
        parts.append(part(name, "petition", "510100.petition", f"source = {filled(source, url)}"))
    for name, sink in SINKS.items():
        taken = f'subscription = {{ types = ["*"] }}\nsinks = [{filled(sink, url)}]'
        parts.append(part(name, "own", "510100.petition", taken))
    return "\n".join(parts)


def filled(text: str, url: str) -> str:
    return text.replace("%s", url)


def part(name: str, kind: str, agency: str, rest: str) -> str:
    head = f'[[adapter]]\nname = "{name}"\nkind = "{kind}"\nagency = "{agency}"\nevery = 0.01\n'
    return f'{head}token_file = "token"\n{rest}\n'


def prepare(base: Path, url: str) -> Path:
    """Everything the process finds: documents, a translation that raises, a table that refuses."""
    (base / "token").write_text("t", encoding="utf-8")
    (base / "broken.xlsx").write_text(MARK, encoding="utf-8")
    own = base / "own"
    own.mkdir()
    (own / "translate.py").write_text(RAISING, encoding="utf-8")
    for kept in (
        available()["petition"] / "mapping.toml",
        HERE / "sinks" / "ledger.toml",
        HERE / "sinks" / "table.toml",
    ):
        copy(kept, own)
    for name, documents in DOCUMENTS.items():
        (base / name).mkdir()
        for file, content in documents.items():
            (base / name / file).write_bytes(content)
    with closing(sqlite3.connect(base / "strict.db")) as database:
        columns = "线索编号, title CHECK (length(title) = 0), amount, period_from, reporter"
        columns += ", received_at, state, receipt"
        database.execute(f"CREATE TABLE 线索接收表 ({columns})")
    with closing(sqlite3.connect(base / "away.db")) as database:
        select = f"SELECT '{MARK}' AS xm, json('{MARK}') AS broken"
        database.execute(f"CREATE VIEW marked AS {select}")
    path = base / "adapters.toml"
    path.write_text(adapters_toml(url), encoding="utf-8")
    return path


def answer(door: Door, asked: Asked) -> Answer:
    """The hub, and an interface that repeats what it is sent."""
    echoed = {"code": MARK, "title": MARK, "detail": MARK, "message": MARK, "data": {"list": MARK}}
    if asked.path.startswith("/echo/"):
        return Answer(int(asked.path.partition("?")[0].rpartition("/")[2]), echoed)
    if asked.path.startswith("/v1/subscriptions"):
        event = transferred(1, MARK, MARK, summary=MARK, phone=NUMBERS[1], idno=NUMBERS[0])
        return Answer(200, [event] if asked.method == "GET" else {}, {"Guantong-Cursor": "c"})
    agency = json.loads(asked.body)[0]["source"].split("/")[1]
    if agency == AGENCIES["away"]:
        return HANG_UP
    if agency in (AGENCIES["gateway"], AGENCIES["large"]):
        return Answer(413 if agency == AGENCIES["large"] else 400, echoed)
    door.rejects = lambda event: (
        [error("not_permitted", "没有该地区的发布授权", pointer="/data/summary")]
        if event["source"].split("/")[1] == AGENCIES["refused"]
        else []
    )
    return door.take(asked)


@dataclass(frozen=True, slots=True)
class Ran:
    """Everything that the process told anybody, and its log by adapter."""

    output: str
    metrics: str
    lists: Mapping[str, str]
    log: Mapping[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    base = tmp_path_factory.mktemp("secrecy")
    with open_door() as door:

        def answering(asked: Asked) -> Answer:
            door.script.append(answering)
            return answer(door, asked)

        door.script.append(answering)
        yield run(base, prepare(base, door.url))


def run(base: Path, path: Path) -> Ran:
    """Run the process until each adapter has failed in its way."""
    command = [sys.executable, "-c", PROGRAM, "adapter", "run", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    awaited, log = Counter(AWAITED), defaultdict[str, list[dict[str, Any]]](list)
    output, metrics = "", ""
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        late = Timer(PATIENCE, child.kill)
        late.start()
        for line in child.stdout or ():
            output += line
            told = json.loads(line) if line.startswith("{") else {}
            log[told.get("adapter", "")].append(told)
            awaited -= Counter([(told.get("adapter", ""), told.get("event", ""))])
            if not awaited and not metrics:
                address = log[""][0]["metrics"]
                metrics = httpx.get(f"http://{address}/metrics", trust_env=False, verify=False).text
                child.send_signal(signal.SIGTERM)
        late.cancel()
    assert (child.returncode, awaited) == (0, Counter())
    lists = {
        f"{file.relative_to(base)}": file.read_text(encoding="utf-8-sig")
        for pattern in ("*.errors.csv", "说明-*.txt")
        for file in base.rglob(pattern)
    }
    return Ran(output, metrics, lists, log)


def marks_in(text: str) -> set[str]:
    """Also as Python and JSON write what is not ASCII, and in capitals or small letters."""
    plain = re.sub(r"\\+u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
    return {mark for mark in MARKS if mark.casefold() in plain.casefold()}


@pytest.mark.parametrize("name", sorted({name for name, _ in AWAITED}))
def test_who_fails_tells_nothing_that_was_read(ran: Ran, name: str) -> None:
    assert ran.log[name]
    assert marks_in(json.dumps(ran.log[name])) == set()
    lists = {file: text for file, text in ran.lists.items() if file.startswith(f"{name}/")}
    assert [file for file, text in lists.items() if marks_in(text)] == []


def test_each_document_was_refused_for_what_is_wrong_with_it(ran: Ran) -> None:
    kinds: dict[str, set[str]] = {name: set() for name in DOCUMENTS}
    for file, text in ran.lists.items():
        kinds[file.partition("/")[0].removesuffix("-answers")] |= told(text)
    assert kinds.pop("wrong") >= {
        FaultKind.CELLS,
        FaultKind.CITIZEN_ID,
        FaultKind.CODE,
        FaultKind.DATE,
        FaultKind.FLAG,
        FaultKind.NUMBER,
        FaultKind.REGION,
    }
    assert kinds == {
        "unreadable": {FaultKind.FILE, FaultKind.HEADER, FaultKind.QUOTES},
        "contract": {FaultKind.CONTRACT},
        "refused": {FaultKind.REFUSED},
        "large": {FaultKind.REFUSED},
        "raising": {FaultKind.PROGRAM},
        "away": set(),
        "gateway": set(),
    }


def told(text: str) -> set[str]:
    return {line[4] for line in csv.reader(io.StringIO(text))} - {"问题类型"}


def test_nothing_that_the_process_writes_tells_what_was_read(ran: Ran) -> None:
    assert marks_in(ran.output) == set()
    assert marks_in(ran.metrics) == set()
    assert "started" in ran.output
