"""`guantong contract`: the catalogue, offline."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

from cyclopts import App, Parameter

from contracts import publishing
from contracts.catalogue import Catalogue, load_catalogue
from contracts.compatibility.compare import compare_contracts
from contracts.contract import Contract
from contracts.outline import outline
from contracts.pages.frame import START
from contracts.pages.site import site
from contracts.pages.told import summary
from hub.cli.output import AsJson, complain, say, show_json, show_table

MOST_SCHEMA_BYTES: Final = 4 * 1024 * 1024

contract = App(name="contract")
contract.command(
    "hub.cli.checking:check",
    help="按契约检查事件文件；退出码 0 合格，1 有错误，2 有文件读不了。/ Check events offline.",
)
contract.command(
    "hub.cli.impact:impact",
    help="契约版本的启用或停用会影响哪些发布方和订阅。/ Whom a new or retired version touches.",
)


@contract.command(name="list")
def list_contracts(*, as_json: AsJson = False) -> None:
    """列出全部契约。/ List all contracts."""
    contracts = sorted(load_catalogue(), key=lambda c: (c.type, c.version))
    if as_json:
        show_json(
            [
                {
                    "type": c.type,
                    "version": c.version,
                    "family": c.family,
                    "title": c.title,
                    "title_en": c.title_en,
                    "answers": list(c.answers),
                    "flows": list(c.flows),
                }
                for c in contracts
            ]
        )
    else:
        show_table(
            ("类型", "版本", "名称", "Title"),
            [(c.type, c.version, c.title, c.title_en) for c in contracts],
        )


@contract.command
def show(
    type_: Annotated[str, Parameter(help="事件类型 / event type")],
    version: str | None = None,
    *,
    as_json: AsJson = False,
) -> int:
    """谁发、谁收、何时答复和字段；--json 输出 JSON Schema。/ Who, by when, and the fields."""
    versions = load_catalogue().versions(type_)
    found = [c for c in versions if version in (None, c.version)]
    if not found:
        complain(f"没有契约 {type_} / no such contract")
        return 1
    if as_json:
        show_json(found[-1].schema())
    else:
        _show(load_catalogue(), found[-1])
    return 0


def _show(catalogue: Catalogue, shown: Contract) -> None:
    say(f"{shown.name}  {shown.title} / {shown.title_en}")
    say(f"{shown.description}\n{shown.description_en}")
    for name, told in summary(catalogue, shown):
        say(f"{name}：{told}")
    show_table(
        ("字段 field", "名称 name", "类别", "必填", "内容 value"),
        [
            (
                f"{'  ' * line.depth}{line.field.name}",
                f"{line.field.title} {line.field.title_en}",
                line.field.field_class,
                "必填" if line.needed else "",
                line.listed or line.shared or line.kind[0],
            )
            for line in outline(shown)
        ],
    )


@contract.command
def publish(
    *,
    check_only: Annotated[
        bool, Parameter(name="--check", negative="", help="只核对，不写 / compare, write nothing")
    ] = False,
    to: Annotated[
        Path | None,
        Parameter(help="发布目录，缺省为契约自带的 published / where releases stand"),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """发布新的契约版本；已发布的不得改动。/ Publish what is new; what was published never changes.

    退出码 0 表示一致，1 表示有差异，什么也没有写。/ Exits with 1 for differences: then nothing is
    written.
    """
    catalogue, folder = load_catalogue(), to or publishing.FOLDER
    added: list[str] = []
    if check_only:
        found = publishing.differences(catalogue, folder)
    else:
        added, found = publishing.publish(catalogue, folder)
    if as_json:
        show_json({"added": added, "differences": [asdict(one) for one in found]})
        return 1 if found else 0
    for one in found:
        complain(f"{one.path}: {one.message} / {one.message_en}")
        for reason in one.reasons:
            complain(f"  {reason.pointer or '/'}  {reason.message} / {reason.message_en}")
    if not found:
        say(f"一致，新增 {len(added)} 个文件 / in order, {len(added)} files added")
    return 1 if found else 0


@contract.command
def pages(
    *, to: Annotated[Path, Parameter(help="写到哪个目录 / the directory to write to")]
) -> None:
    """把契约目录写成网页，可离线翻阅。/ Write the catalogue as pages to read offline."""
    to.mkdir(parents=True, exist_ok=True)
    files = site(load_catalogue())
    for name, make in files.items():
        (to / name).write_bytes(make())
    say(f"{len(files)} 个文件，从 {to / START} 读起 / files; begin there")


@contract.command
def diff(
    old: Annotated[Path, Parameter(help="旧版本的 JSON Schema / the old schema")],
    new: Annotated[Path, Parameter(help="新版本的 JSON Schema / the new schema")],
    *,
    as_json: AsJson = False,
) -> int:
    """比较两个版本：谁还能读谁；退出码 0 双向兼容，1 不兼容，2 无法读取。/ Compare two versions."""
    documents = []
    for file in (old, new):
        try:
            documents.append(_schema(file))
        except (OSError, ValueError, RecursionError) as error:
            why = "嵌套过深 / nested too deeply" if isinstance(error, RecursionError) else error
            complain(f"{file}：无法读取 JSON Schema / cannot be read as a JSON Schema: {why}")
            return 2
    verdict = compare_contracts(*documents)
    if as_json:
        show_json(asdict(verdict))
    else:
        for breaks, holds, meaning in (
            ("new_reads_old", verdict.new_reads_old, "新版本可读旧版本的数据 / new reads old"),
            ("old_reads_new", verdict.old_reads_new, "旧版本可读新版本的数据 / old reads new"),
        ):
            say(f"{meaning}: {'是 / yes' if holds else '否 / no'}")
            for reason in verdict.reasons:
                if reason.breaks == breaks:
                    say(f"  {reason.pointer or '/'}\t{reason.code}\t{reason.message}")
    return 0 if verdict.new_reads_old and verdict.old_reads_new else 1


def _schema(file: Path) -> Any:
    """A schema document. Raises ValueError for what is none, OSError, RecursionError."""
    with file.open("rb") as opened:
        text = opened.read(MOST_SCHEMA_BYTES + 1)
    if len(text) > MOST_SCHEMA_BYTES:
        raise ValueError("文件超过 4 MiB / the file is larger than 4 MiB")
    document = json.loads(
        text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_distinct
    )
    if not isinstance(document, dict | bool):
        raise ValueError("应为对象、true 或 false / must be an object, true or false")
    return document


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"JSON 中没有 {name} / JSON has no {name}")


def _distinct(members: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(members)
    if len(held) < len(members):
        raise ValueError("同一对象中有重名成员 / a member name stands twice in one object")
    return held
