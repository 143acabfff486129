"""`guantong adapter`: running an agency's adapter, and checking it offline."""

import signal
import sys
import time
from functools import partial
from pathlib import Path
from threading import Event
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from adapters.kit import adapter as kit
from adapters.kit.check import check as differences
from adapters.kit.check import sample_agency
from adapters.kit.runner import Summary
from adapters.kit.runner import run as run_file
from adapters.kit.state import open_state
from contracts.owncodes import Codes
from hub.cli.connection import Where, connected
from hub.cli.output import AsJson, complain, say, show_json, show_table
from hub.cli.owncodes import TAKE_CODES, OwnCodes, codes_in, codes_of
from hub.logs import logger

adapter = App(name="adapter")


@adapter.command
def run(
    name: Annotated[str, Parameter(help="适配器名称，如 petition；或 adapters.toml")],
    *files: Annotated[Path, Parameter(help="导出文件 / export files")],
    agency: Annotated[str | None, Parameter(name="--as", help="以哪个机构的身份")] = None,
    state: Annotated[Path | None, Parameter(help="进度目录 / where progress is kept")] = None,
    reports: Annotated[Path | None, Parameter(help="退回清单目录，默认与文件同处")] = None,
    site: Annotated[Path | None, Parameter(help="本地字段映射 / the site's field map")] = None,
    batch: int = 100,
    again: Annotated[bool, Parameter(help="已发过的也再发 / also what was sent before")] = False,
    codes: OwnCodes = None,
    as_json: AsJson = False,
    where: Where = Where(),
) -> int:
    """读取导出文件并发布；被打断后再次运行会接着做。/ Read export files and publish their rows.

    给出 adapters.toml 时按该文件常驻运行其中的全部适配器，直到 Ctrl-C。
    / With an adapters.toml: run all adapters of that file until Ctrl-C.
    """
    known = codes_of(where.data) if codes is None else codes_in(codes)
    if name.endswith(".toml"):
        if files or agency or state or reports or site or as_json or again:
            raise ValueError("常驻运行的选项都写在文件里 / what runs on is told in the file alone")
        return _run_on(Path(name), known)
    if not files or batch < 1 or agency is None or state is None:
        raise ValueError(
            "至少一个文件，并须写明 --as 和 --state，--batch 至少为 1"
            " / at least one file, --as and --state, --batch at least 1"
        )
    chosen = kit.load(kit.named(name), site, known)
    summaries: list[tuple[Path, Summary]] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TimeElapsedColumn(), console=Console(file=sys.stderr))
    own = agency if where.data is not None else None
    with connected(where, agency=own) as client, open_state(state) as kept, bar:
        for file in files:
            task = bar.add_task(file.name, total=None)
            summary = run_file(
                chosen,
                file,
                agency=agency,
                hub=client,
                state=kept,
                now=time.time,
                answers=reports,
                batch=batch,
                again=again,
                progress=partial(_advance, bar, task),
            )
            summaries.append((file, summary))
    _show(summaries, as_json=as_json)
    return 0 if all(s.complete and not s.rejected for _, s in summaries) else 1


def _run_on(file: Path, codes: Codes) -> int:
    """All adapters of a file, until a terminal or a service ends the process."""
    # What they need (databases, workbooks) no other command waits for.
    from adapters.kit.config import load_settings
    from adapters.kit.running import Around, run_adapters

    stop = Event()
    log = logger()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda number, frame: stop.set())
    around = Around(now=time.time, stop=stop, told=log.info)
    run_adapters(load_settings(file), file.parent, codes=codes, around=around)
    return 0


@adapter.command(name="list")
def list_adapters() -> None:
    """列出适配器。/ List the adapters."""
    for name in kit.available():
        say(name)


@adapter.command
def check(
    what: Annotated[str, Parameter(help="适配器名称、适配器目录，或要试读的文件")],
    *,
    name: Annotated[str | None, Parameter(name="--adapter", help="用哪个适配器试读")] = None,
    agency: Annotated[str | None, Parameter(name="--as", help="以哪个机构的身份")] = None,
    site: Annotated[Path | None, Parameter(help="本地字段映射 / the site's field map")] = None,
    show: Annotated[bool, Parameter(help="显示头几件事件的内容 / what events would hold")] = False,
    codes: OwnCodes = None,
    as_json: AsJson = False,
) -> int:
    """核对适配器的样例，或试读一个文件，都不联网。/ Check samples, or run a file dry, offline."""
    path = Path(what)
    if path.is_file():
        return _try(path, name, agency, site, codes, show=show, as_json=as_json)
    found = differences(kit.named(what), codes_in(codes))
    for difference in found:
        complain(difference.case)
        for line in difference.lines:
            complain(f"  {line}")
    say("样例全部一致 / all samples agree" if not found else f"{len(found)} 个样例不一致")
    if found and codes is None:
        say(TAKE_CODES)
    return 1 if found else 0


def _try(
    path: Path,
    name: str | None,
    agency: str | None,
    site: Path | None,
    codes: OwnCodes,
    *,
    show: bool,
    as_json: bool,
) -> int:
    """Run a file dry; 1 when something of it would be refused."""
    from adapters.kit.dry import dry_run, fitting
    from hub.cli import dryrun

    if name is None:
        name = next(iter(fitting(path)), None)
        if name is None:
            raise ValueError("没有适配器认得该文件的列，请用 --adapter 指定 / name the adapter")
    chosen = kit.load(kit.named(name), site, codes_in(codes))
    told = dry_run(chosen, path, agency or sample_agency(chosen))
    if as_json:
        show_json({"file": path.name, "adapter": name, **told.document(show=show)})
    else:
        dryrun.show(told, path, name, content=show)
    return 1 if told.refused or not told.complete else 0


@adapter.command
def new(
    name: Annotated[str, Parameter(help="新适配器的名称，如 letters / its name")],
    *,
    type_: Annotated[str, Parameter(name="--type", help="生成哪种事件，如 briefing.provided")],
    into: Annotated[Path, Parameter(help="写在哪个目录下 / below which folder")] = Path(),
) -> None:
    """由契约起草一个适配器，已能通过核对。/ Begin an adapter from a contract."""
    from adapters.kit.new import new_adapter

    say(f"已写好 {new_adapter(name, type_, into)}，请先读其中的 README.md")


def _advance(bar: Progress, task: TaskID, done: int, total: int | None) -> None:
    bar.update(task, completed=done, total=total)


def _show(summaries: list[tuple[Path, Summary]], *, as_json: bool) -> None:
    if as_json:
        show_json(
            [
                {
                    "file": file.name,
                    "read": s.read,
                    "accepted": s.accepted,
                    "duplicate": s.duplicate,
                    "rejected": s.rejected,
                    "complete": s.complete,
                    "answers": s.answers,
                    "receipts": s.receipts,
                    "faults": [
                        {
                            "row": f.row,
                            "column": f.column,
                            "kind": f.kind,
                            "reason": f.reason,
                            "advice": f.advice,
                            "sheet": f.sheet,
                        }
                        for f in s.faults
                    ],
                }
                for file, s in summaries
            ]
        )
        return
    show_table(
        ("文件", "读取", "新收", "重复", "退回", "退回清单"),
        [
            (
                file.name,
                s.read,
                s.accepted,
                s.duplicate,
                s.rejected,
                " ".join(p.name for p in s.answers),
            )
            for file, s in summaries
        ],
    )
