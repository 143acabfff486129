"""`guantong codes`: the code lists and an installation's own codes, offline."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from contracts.codelists import CodeList, list_names
from contracts.owncodes import CODES, change, load_codes, own_rows, told
from contracts.tables import MOST_BYTES, Refused
from hub.cli.output import AsJson, complain, say, show_json, show_table
from hub.cli.owncodes import codes_of
from hub.upkeep.files import write_whole

codes = App(name="codes")
Data = Annotated[Path | None, Parameter(help="本机数据目录 / data directory of a local hub")]
MOST_TOLD = 20


@codes.command(name="list")
def list_lists(*, data: Data = None, as_json: AsJson = False) -> None:
    """列出全部代码表及其来源。/ List all code lists and where they come from."""
    known = codes_of(data)
    lists = [known.list_of(name) for name in list_names()]
    if as_json:
        show_json([_head(listed) for listed in lists])
    else:
        show_table(
            ("代码表", "名称", "开放", "已核对", "代码数", "来源"),
            [
                (
                    listed.name,
                    listed.title,
                    "" if listed.closed else "open",
                    "confirmed" if listed.confirmed else "",
                    len(listed.members),
                    listed.source,
                )
                for listed in lists
            ],
        )


@codes.command
def show(
    name: Annotated[str, Parameter(help="代码表 / code list")],
    *,
    at: Annotated[
        str | None, Parameter(help="只列该日有效的代码，如 2026-11-01 / in force that day")
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> int:
    """显示代码表（树形）。/ Show a code list as a tree."""
    day = date.fromisoformat(at) if at else None
    if name not in list_names():
        complain(f"没有代码表 {name} / no such code list")
        return 1
    listed = codes_of(data).list_of(name)
    members = [m for m in listed.tree() if day is None or m.in_force(day)]
    if as_json:
        show_json({**_head(listed), "members": [asdict(member) for member in members]})
        return 0
    state = "封闭 closed" if listed.closed else "开放 open"
    say(f"{listed.name}  {listed.title} / {listed.title_en}  {state}  来源 source: {listed.source}")
    for level, code in listed.levels.items():
        say(f"{level}: {code}")
    show_table(
        ("代码", "名称", "Label", "启用", "停用", "来源"),
        [
            (
                "  " * listed.depth(m.code) + m.code,
                m.label,
                m.label_en,
                m.valid_from or "",
                m.valid_until or "",
                m.source,
            )
            for m in members
        ],
    )
    return 0


@codes.command(name="import")
def take_over(
    file: Annotated[Path, Parameter(help="CSV 文件（UTF-8 或 GB18030）/ CSV file")],
    *,
    data: Data = None,
    to: Annotated[Path | None, Parameter(help="代码目录，代替 --data / or a directory")] = None,
    name: Annotated[
        str | None,
        Parameter(name="--list", help="代码表；不写则取文件名 / the list, if not the file's name"),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """导入本单位的代码，全部成功或全不导入；枢纽下次启动时生效。/ Import own codes, all or none.

    A running hub uses them from its next start. 退出码 1 表示有错，未导入任何内容。/ Exits with 1
    when the file has faults; then nothing was imported.
    """
    places = [*([to] if to else []), *([data / CODES] if data else [])]
    if len(places) != 1:
        raise ValueError("须给出 --data 或 --to 之一 / name one of --data and --to")
    [directory] = places
    name = name or file.stem
    with file.open("rb") as source:
        content = source.read(MOST_BYTES + 1)
    # What stands there must be sound as a whole, or the hub would not start with it.
    load_codes(directory)
    made = change(name, content, own_rows(directory, name))
    if isinstance(made, Refused):
        _tell_refused(name, made, as_json=as_json)
        return 1
    if made.added or made.changed:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(directory / f"{name}.csv", made.text)
    counts = {
        "added": len(made.added),
        "changed": len(made.changed),
        "unchanged": len(made.unchanged),
    }
    if as_json:
        show_json({"list": name, **counts, "refused": []})
    else:
        say(
            f"{name}：新增 {counts['added']}，修改 {counts['changed']}，未变 {counts['unchanged']}"
            " / added, changed, unchanged"
        )
        say("枢纽下次启动时生效 / in force when the hub starts next")
    return 0


def _head(listed: CodeList) -> dict[str, Any]:
    return {
        "name": listed.name,
        "title": listed.title,
        "title_en": listed.title_en,
        "open": not listed.closed,
        "confirmed": listed.confirmed,
        "source": listed.source,
        "levels": dict(listed.levels),
    }


def _tell_refused(name: str, refused: Refused, *, as_json: bool) -> None:
    if as_json:
        faults = [asdict(fault) for fault in refused.faults]
        show_json({"list": name, "added": 0, "changed": 0, "unchanged": 0, "refused": faults})
        return
    for fault in refused.faults[:MOST_TOLD]:
        complain(told(fault))
    more = len(refused.faults) - MOST_TOLD
    if more > 0:
        complain(f"另有 {more} 处 / {more} more")
    complain("未导入任何内容 / nothing was imported")
