"""An agency's desk: its adapters, both ways, and the clerk who fills workbooks in.

The adapters run as an agency's own machine would run them: one process and one `adapters.toml`.
What the hub has for the agency goes into ledgers and onto hand-over slips; what the clerk enters,
there or in a template, is dropped into a folder and goes out.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from typing import Any, Final

from openpyxl import Workbook, load_workbook

from adapters.kit.workbooks import save
from contracts.agency import AgencyId
from deploy.demo.failed import DemoFailed
from deploy.demo.kept import kept
from deploy.demo.steps import HERE, Runs, Step
from deploy.demo.workbooks import blank, enter

_SETTINGS: Final = """\
state = "state"

[hub]
url = "{url}"
"""
_ADAPTER: Final = """
[[adapter]]
name = "{name}"
kind = "{kind}"
agency = "{agency}"
token_file = "token"
every = 0.1
source = {{ type = "folder", path = "投放/{name}", quiet = 0 }}
answers = "退回"
"""
# What is logged of all adapters of a machine together.
_WHOLE: Final = ""
_SECONDS: Final = 120

Lines = Queue[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Desk:
    """A desk at work in a folder; `lines` is what each of its adapters logs."""

    agency: str
    folder: Path
    runs: Mapping[str, Runs]
    lines: Mapping[str, Lines]

    def hand_in(self, step: Step) -> float:
        """Enter the step's rows, in a ledger once they stand there, and drop the workbook in; when
        that was, by the monotonic clock. Raises DemoFailed."""
        name, path = adapter_name(step.adapter), self.folder / step.file
        while not self._filled_in(step, path):
            self._wait_for("events.taken", step)
        # Whole when it is seen there.
        copy = self.folder / f".{path.name}"
        shutil.copyfile(path, copy)
        copy.rename(self.folder / "投放" / name / path.name)
        return monotonic()

    def answered(self, step: Step) -> None:
        """Wait until the hub has answered for what was handed in. Raises DemoFailed unless it took
        as many events, and as many rows came back, as the step says."""
        done = self._wait_for("document.finished", step)
        if (done["accepted"], done["rejected"]) != (step.count, step.returns):
            raise DemoFailed(
                f"{self.agency} {step.does}：应发 {step.count} 件、退回 {step.returns} 行，"
                f"发出 {done['accepted']} 件、退回 {done['rejected']} 行，见 {self.folder / '退回'}"
            )

    def _filled_in(self, step: Step, path: Path) -> bool:
        """Whether the step's rows stand in its workbook; a ledger may not have theirs yet."""
        run = self.runs[step.adapter]
        if step.file == run.ledger and not path.exists():
            return False
        with _open(path):
            book = load_workbook(path) if path.exists() else self._blank(step.adapter)
            if not enter(book, step.rows):
                return False
            save(book, path)
        return True

    def _blank(self, kind: str) -> Workbook:
        return blank(kind, site(self.runs[kind]), AgencyId.parse(self.agency).region)

    def _wait_for(self, event: str, step: Step) -> Mapping[str, Any]:
        try:
            return _logged(event, self.lines[adapter_name(step.adapter)])
        except Empty:
            told = f"{self.agency} {step.does}：{_SECONDS} 秒内没有 {event}，见 {self.folder}"
            raise DemoFailed(told) from None


@contextmanager
def _open(path: Path) -> Iterator[None]:
    """A workbook is open: the mark beside it is what a spreadsheet makes, and a ledger heeds."""
    mark = path.with_name(f"~${path.name}")
    mark.touch()
    try:
        yield
    finally:
        mark.unlink()


def _logged(event: str, lines: Lines) -> Mapping[str, Any]:
    """The next line that logs an event. Raises Empty when there is none for long."""
    while (line := lines.get(timeout=_SECONDS))["event"] != event:
        pass
    return line


def adapter_name(kind: str) -> str:
    """What `adapters.toml` calls the adapter of a kind."""
    return kind.replace(".", "-")


def site(runs: Runs) -> Path | None:
    """The site's own field map of an adapter."""
    return HERE / "sites" / runs.site if runs.site else None


@contextmanager
def desks(
    machines: Mapping[str, Mapping[str, Runs]], place: Path, url: str, tokens: Mapping[str, str]
) -> Iterator[Mapping[str, Desk]]:
    """The desks at work, until the block ends. Raises DemoFailed when one does not begin."""
    with ExitStack() as stack:
        processes: list[subprocess.Popen[str]] = []
        stack.callback(_end, processes)
        at_work: dict[str, Desk] = {}
        for agency, runs in machines.items():
            folder = place / agency
            _set_up(folder, agency, runs, url, tokens[agency])
            lines = {name: Lines() for name in (_WHOLE, *map(adapter_name, runs))}
            processes.append(_run(folder, lines))
            at_work[agency] = Desk(agency, folder, runs, lines)
        for agency, at in at_work.items():
            try:
                _logged("adapters.running", at.lines[_WHOLE])
            except Empty:
                raise DemoFailed(f"{agency} 的适配器没有启动，见 {at.folder}") from None
        yield at_work


def _set_up(folder: Path, agency: str, runs: Mapping[str, Runs], url: str, token: str) -> None:
    """The files of an agency's machine."""
    for kind in runs:
        (folder / "投放" / adapter_name(kind)).mkdir(parents=True)
    told = _SETTINGS.format(url=url) + "".join(
        _adapter(kind, agency, each) for kind, each in runs.items()
    )
    (folder / "adapters.toml").write_text(told, encoding="utf-8")
    (folder / "token").write_text(token, encoding="utf-8")
    (folder / "token").chmod(0o600)


def _adapter(kind: str, agency: str, runs: Runs) -> str:
    told = _ADAPTER.format(name=adapter_name(kind), kind=kind, agency=agency)
    if runs.site:
        told += f'site = "{site(runs)}"\n'
    if not runs.takes:
        return told
    if runs.own:
        told += "own = true\n"
    told += "\n[adapter.subscription]\n"
    told += f'types = {json.dumps(runs.takes)}\nstart = "earliest"\n'
    if runs.source:
        told += f'filters = [{{ exact = {{ source = "{runs.source}" }} }}]\n'
    told += "\n[[adapter.sinks]]\n"
    told += f'type = "ledger"\npath = "{runs.ledger}"\nledger = "{runs.form}"\n'
    if runs.slips:
        told += '\n[[adapter.sinks]]\ntype = "slip"\npath = "交接单"\n'
    return told


def _run(folder: Path, lines: Mapping[str, Lines]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*kept(), sys.executable, "-m", "hub", "adapter", "run", str(folder / "adapters.toml")],
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),  # noqa: TID251 (what the demo itself was given)
        # A Ctrl-C at the terminal is for the demo to answer.
        process_group=0,
    )
    Thread(target=_read, args=(process, lines), daemon=True).start()
    return process


def _end(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        # An adapter loses nothing by it, and what it asks the hub just now is not waited for.
        process.kill()
    for process in processes:
        process.wait()


def _read(process: subprocess.Popen[str], lines: Mapping[str, Lines]) -> None:
    """What each adapter logs; what failed, but for what only has to wait (a ledger that the clerk
    has open), and what is no line of a log, is shown."""
    assert process.stderr is not None
    for written in process.stderr:
        try:
            line = json.loads(written)
        except ValueError:
            sys.stderr.write(written)
            continue
        if line.get("event") == "adapter.failed" and line["kind"] != "Away":
            sys.stderr.write(written)
        if (name := line.get("adapter", _WHOLE)) in lines:
            lines[name].put(line)
