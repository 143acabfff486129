"""`guantong adapter`: running an agency's adapter, and checking it offline."""

import signal
import sys
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
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
from adapters.kit.days import BEIJING
from adapters.kit.dry import Rehearsal, dry_run, fitting
from adapters.kit.new import new_adapter
from adapters.kit.runner import Summary, tune_interpreter
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
    tune_interpreter()
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
            bar.update(task, completed=summary.read, total=summary.read)
            summaries.append((file, summary))
    _show(summaries, as_json=as_json)
    return 0 if all(s.complete and not s.rejected for _, s in summaries) else 1


def _run_on(file: Path, codes: Codes) -> int:
    """All adapters of a file, until a terminal or a service ends the process."""
    # What they need (databases, workbooks) no other command waits for.
    from adapters.kit.config import load_settings
    from adapters.kit.running import Around, run_adapters

    around = Around(now=time.time, stop=asked_to_stop(), told=logger().info)
    run_adapters(load_settings(file), file.parent, codes=codes, around=around)
    return 0


def asked_to_stop() -> Event:
    """What Ctrl-C and SIGTERM set, whenever they come.

    A signal may come while the main thread holds the lock of the event that it waits for; whoever
    sets the event in the handler waits for that lock for ever. So the handler only tells another
    thread, by the one queue that a handler may put into.
    """
    stop, asked = Event(), SimpleQueue[int]()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda number, frame: asked.put(number))

    def pass_on() -> None:
        asked.get()
        stop.set()

    Thread(target=pass_on, name="signals", daemon=True).start()
    return stop


@adapter.command(name="list")
def list_adapters() -> None:
    """列出适配器。/ List the adapters."""
    for name in kit.available():
        say(name)


@adapter.command
def check(
    what: Annotated[
        str, Parameter(help="适配器名称、文件夹，或一个导出文件 / adapter, folder, or file")
    ],
    *,
    adapter: Annotated[
        str | None, Parameter(help="文件用哪个适配器，默认自动找 / which reads it")
    ] = None,
    agency: Annotated[str | None, Parameter(name="--as", help="以哪个机构的身份")] = None,
    site: Annotated[Path | None, Parameter(help="本地字段映射 / the site's field map")] = None,
    show: Annotated[
        bool, Parameter(negative=(), help="显示前几件的内容 / show what they say")
    ] = False,
    codes: OwnCodes = None,
    as_json: AsJson = False,
) -> int:
    """离线核对：适配器的样例，或一个文件会发什么、退回什么。/ Check samples, or run a file dry."""
    path = Path(what)
    if path.is_file():
        return _check_file(path, adapter, agency, site, codes_in(codes), show=show, as_json=as_json)
    found = differences(kit.named(what), codes_in(codes))
    for difference in found:
        complain(difference.case)
        for line in difference.lines:
            complain(f"  {line}")
    say("样例全部一致 / all samples agree" if not found else f"{len(found)} 个样例不一致")
    if found and codes is None:
        say(TAKE_CODES)
    return 1 if found else 0


@adapter.command
def new(
    name: Annotated[str, Parameter(help="新适配器的名称，如 letters / its name")],
    *,
    type_: Annotated[str, Parameter(name="--type", help="发哪种事件 / which events it sends")],
    into: Annotated[Path, Parameter(help="写到哪个目录下 / below which directory")] = Path(),
) -> None:
    """由契约起一个新适配器：映射、转换、说明和样例。/ Begin an adapter from a contract."""
    folder = new_adapter(name, type_, into)
    say(f"已写好 {folder}，核对：guantong adapter check {folder}")


@adapter.command
def template(
    what: Annotated[
        str, Parameter(help="适配器名称、文件夹，或事件类型 / adapter, folder, or type")
    ],
    *,
    type_: Annotated[
        str, Parameter(name="--type", help="只要填报这种事件的列 / for events of this type alone")
    ] = "",
    into: Annotated[Path | None, Parameter(help="写到哪个文件，须尚不存在 / a new file")] = None,
    site: Annotated[Path | None, Parameter(help="本地字段映射 / the site's field map")] = None,
    region: Annotated[
        str | None,
        Parameter(help="填报单位的区划代码，选项以其层级为准 / region of those who fill in"),
    ] = None,
    codes: OwnCodes = None,
) -> None:
    """由映射和契约生成填报模板（xlsx），填好放入投放文件夹。/ A workbook for people to fill in."""
    # Workbooks, which no other command waits for.
    from adapters.kit.template import Offered, adapter_making, template_of
    from adapters.kit.templatebook import write_template

    known = codes_in(codes)
    chosen, only = adapter_making(kit.named(what), site, known)
    today = datetime.fromtimestamp(time.time(), BEIJING).date()
    made = template_of(chosen, Offered(known, region, today), type_ or only)
    path = into or Path(f"{made.title}模板.xlsx")
    write_template(made, path)
    say(f"已写好 {path}：{len(made.columns)} 列，版本 {made.mark.version}")


def _check_file(
    path: Path,
    name: str | None,
    agency: str | None,
    site: Path | None,
    codes: Codes,
    *,
    show: bool,
    as_json: bool,
) -> int:
    fit = (name,) if name else fitting(path)
    if not fit:
        raise ValueError("没有适配器认得这个文件，请用 --adapter 指明 / no adapter reads this file")
    if len(fit) > 1:
        told = "几个适配器同样认得这个文件，请用 --adapter 指明 / several adapters read this file"
        raise ValueError(f"{told}：{'、'.join(fit)}")
    chosen = kit.load(kit.named(fit[0]), site, codes)
    done = dry_run(chosen, path, agency or sample_agency(chosen))
    if as_json:
        show_json({"adapter": chosen.name, **done.document(show=show)})
    else:
        _show_rehearsal(chosen.name, done, show=show)
    return 0 if done.complete and not done.refused else 1


def _show_rehearsal(name: str, done: Rehearsal, *, show: bool) -> None:
    counts = f"读取 {done.read}，退回 {done.refused}，重复 {done.again}，已删除 {done.deleted}"
    say(f"适配器 {name}：{counts}")
    show_table(("事件 / type", "件数 / count"), list(done.types.items()))
    for each in done.first:
        say(f"  {each.id} {each.type}")
        if show:
            say(f"    {each.event.decode()}")
    if done.replies:
        say(f"其中答复 {done.replies} 件，发送时注明来文 / replies get their opening when sent")
    show_table(
        ("问题 / fault", "列 / column", "次数", "行 / rows", "原因和办法 / reason and advice"),
        [
            (f.kind, f.column, f.count, _rows(f.rows), f"{f.reason}；{f.advice}")
            for f in done.faults
        ],
    )
    show_table(
        ("列 / column", "名称 / title", "必填", "在文件中 / found", "有内容的行 / filled"),
        [
            (c.column, c.title, "是" if c.required else "", "有" if c.present else "缺", c.filled)
            for c in done.columns
        ],
    )
    if done.unread:
        say(f"没有人读的列 / columns nobody reads：{'、'.join(done.unread)}")
    if not done.complete:
        complain("文件没有读完 / the file could not be read to its end")


def _rows(rows: tuple[tuple[str, int], ...]) -> str:
    return "、".join(f"{sheet}!{row}" if sheet else str(row) for sheet, row in rows)


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
