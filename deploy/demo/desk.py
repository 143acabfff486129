"""The desk of discipline inspection: its adapter, both ways, and the clerk who fills the ledger in.

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

from deploy.demo.story import DISCIPLINE

LEDGER: Final = "线索台账.xlsx"
CASE_COLUMN: Final = "线索编号"
ENTERED: Final[Mapping[str, str]] = {
    "签收时间": "2026-10-22 10:05",
    "签收人": "韩样例；杨示范",
    "登记号": "示纪线〔2026〕演示1号",
    "承办部门": "案件监督管理室",
}
_SETTINGS: Final = """\
state = "state"

[hub]
url = "{url}"

[[adapter]]
name = "discipline-clues"
kind = "discipline.clues"
agency = "{agency}"
token_file = "token"
every = 0.1
source = {{ type = "folder", path = "drop", quiet = 0.5 }}
answers = "answers"
subscription = {{ types = ["clue.*"], start = "earliest" }}
sinks = [{{ type = "ledger", path = "{ledger}" }}, {{ type = "slip", path = "slips" }}]
"""


@dataclass(frozen=True)
class Desk:
    """Where the ledger lies; `lines` is what the adapter logs."""

    folder: Path
    lines: "Queue[Mapping[str, Any]]"

    @property
    def ledger(self) -> Path:
        return self.folder / LEDGER

    def sign(self, opening: Mapping[str, Any]) -> str:
        """Sign for a clue in the ledger, when it stands there, and drop the ledger in."""
        self._wait_for("events.taken")
        book = load_workbook(self.ledger)
        sheet = book.worksheets[0]
        rows = iter(sheet.iter_rows())
        titles = next(
            names
            for row in rows
            if CASE_COLUMN in (names := [str(cell.value or "").strip("*") for cell in row])
        )
        clue = next(
            row for row in rows if row[titles.index(CASE_COLUMN)].value == opening["data"]["clueid"]
        )
        for title, entered in ENTERED.items():
            clue[titles.index(title)].value = entered
        # Whole when it is seen there.
        whole = self.folder / f".{LEDGER}"
        book.save(whole)
        whole.rename(self.folder / "drop" / LEDGER)
        done = self._wait_for("document.finished")
        slips = sorted(path.name for path in (self.folder / "slips").glob("*.html"))
        return (
            f"在 {self.ledger} 中填写签收后投放：发出 {done['accepted']} 件、退回 "
            f"{done['rejected']} 行；交接单 {self.folder / 'slips' / slips[0]}"
        )

    def _wait_for(self, event: str) -> Mapping[str, Any]:
        while (line := self.lines.get(timeout=60)).get("event") != event:
            pass
        return line


@contextmanager
def desk(folder: Path, url: str, token: str) -> Iterator[Desk]:
    """The desk at work, until the block ends."""
    folder.mkdir(parents=True)
    settings = folder / "adapters.toml"
    told = _SETTINGS.format(url=url, agency=DISCIPLINE, ledger=LEDGER)
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
        yield Desk(folder, lines)
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
