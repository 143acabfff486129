"""An agency's desk: its adapter, both ways, and the clerk who fills the ledger in.

The adapter runs as an agency's own machine would run it: one process and one `adapters.toml`. What
the hub has for the agency goes into a ledger and onto hand-over slips; what the clerk enters there
is dropped into a folder and goes out.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, Final

from openpyxl import load_workbook

from deploy.demo.story import CITY, DISCIPLINE, PETITION

_SETTINGS: Final = """\
state = "state"

[hub]
url = "{url}"

[[adapter]]
name = "{name}"
kind = "{kind}"
agency = "{agency}"
token_file = "token"
every = 0.1
source = {{ type = "folder", path = "drop", quiet = 0.5 }}
answers = "answers"

[adapter.subscription]
types = ["{opening}"]
start = "earliest"
filters = [{{ exact = {{ source = "/{sender}" }} }}]

[[adapter.sinks]]
type = "ledger"
path = "{ledger}"

[[adapter.sinks]]
type = "slip"
path = "slips"
"""


@dataclass(frozen=True)
class Work:
    """What a desk does: for whom, by which adapter, on what, and what its clerk enters, by the
    titles of the ledger's columns."""

    agency: str
    kind: str
    opening: str
    ledger: str
    case: str
    case_column: str
    entered: Mapping[str, str]


CLUES: Final = Work(
    agency=DISCIPLINE,
    kind="discipline.clues",
    opening="clue.transferred",
    ledger="线索台账.xlsx",
    case="clueid",
    case_column="线索编号",
    entered={
        "签收时间": "2026-10-22 10:05",
        "签收人": "韩样例；杨示范",
        "登记号": "示纪线〔2026〕演示1号",
        "承办部门": "案件监督管理室",
    },
)
PETITIONS: Final = Work(
    agency=PETITION,
    kind="petition.handling",
    opening="petition.case_transferred",
    ledger="办理台账.xlsx",
    case="petitionid",
    case_column="信访件编号",
    entered={
        "办理单位": "示范市住房保障中心",
        "受理日期": "2026-10-23",
        "受理登记号": "示信受〔2026〕演示1号",
        "办结期限": "2026-12-22",
    },
)


@dataclass(frozen=True)
class Desk:
    """A desk at work in a folder; `lines` is what its adapter logs."""

    work: Work
    folder: Path
    lines: "Queue[Mapping[str, Any]]"

    def answer(self, opening: Mapping[str, Any]) -> str:
        """Enter the answer to an opening in the ledger, when it stands there, and drop it in."""
        case = opening["data"][self.work.case]
        self._wait_for("events.taken")
        ledger = self.folder / self.work.ledger
        book = load_workbook(ledger)
        rows = iter(book.worksheets[0].iter_rows())
        titles = next(
            names
            for row in rows
            if self.work.case_column in (names := [str(c.value or "").strip("*") for c in row])
        )
        line = next(row for row in rows if row[titles.index(self.work.case_column)].value == case)
        for title, entered in self.work.entered.items():
            line[titles.index(title)].value = entered
        # Whole when it is seen there.
        whole = self.folder / f".{ledger.name}"
        book.save(whole)
        whole.rename(self.folder / "drop" / ledger.name)
        done = self._wait_for("document.finished")
        slips = sorted((self.folder / "slips").glob("*.html"))
        return (
            f"在 {ledger} 中填写后投放：发出 {done['accepted']} 件、退回 {done['rejected']} 行"
            + "".join(f"；交接单 {slip}" for slip in slips)
        )

    def _wait_for(self, event: str) -> Mapping[str, Any]:
        while (line := self.lines.get(timeout=60)).get("event") != event:
            pass
        return line


@contextmanager
def desk(work: Work, folder: Path, url: str, token: str) -> Iterator[Desk]:
    """The desk at work, until the block ends."""
    folder.mkdir(parents=True)
    settings = folder / "adapters.toml"
    told = _SETTINGS.format(
        url=url,
        name=work.kind.replace(".", "-"),
        kind=work.kind,
        agency=work.agency,
        opening=work.opening,
        sender=CITY,
        ledger=work.ledger,
    )
    settings.write_text(told, encoding="utf-8")
    (folder / "token").write_text(token, encoding="utf-8")
    (folder / "token").chmod(0o600)
    process = subprocess.Popen(
        [sys.executable, "-m", "hub", "adapter", "run", str(settings)],
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),  # noqa: TID251 (what the demo itself was given)
    )
    lines: Queue[Mapping[str, Any]] = Queue()
    reader = Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    try:
        yield Desk(work, folder, lines)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        reader.join()


def _read(process: subprocess.Popen[str], lines: "Queue[Mapping[str, Any]]") -> None:
    """What the adapter logs; what is no line of its log is shown."""
    assert process.stderr is not None
    for line in process.stderr:
        try:
            lines.put(json.loads(line))
        except ValueError:
            sys.stderr.write(line)
