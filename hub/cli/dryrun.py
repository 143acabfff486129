"""What `guantong adapter check FILE` shows: what a run would send, refuse and leave unread."""

import json
from pathlib import Path

from adapters.kit.dry import Rehearsal
from hub.cli.output import say, show_table


def show(rehearsal: Rehearsal, file: Path, adapter: str, *, content: bool) -> None:
    """Counts, refusals and the coverage of the map; what events hold only if asked for."""
    say(
        f"{file.name}（{adapter}）：读到 {rehearsal.read} 行，其中退回 {rehearsal.refused} 行、"
        f"原系统已删除 {rehearsal.deleted} 行、重复事件 {rehearsal.again} 件"
        + ("" if rehearsal.complete else "；文件没有读完")
    )
    show_table(("将发送的事件", "件数"), list(rehearsal.types.items()))
    if rehearsal.replies:
        say(f"其中 {rehearsal.replies} 件是答复，发送时再对上来文")
    if rehearsal.faults:
        show_table(
            ("问题类型", "列", "次数", "原因", "处理办法", "行"),
            [
                (f.kind, f.column, f.count, f.reason, f.advice, _rows(f.rows))
                for f in rehearsal.faults
            ],
        )
    show_table(
        ("映射的列", "含义", "必填", "文件中", "有内容的行"),
        [
            (c.column, c.title, "是" if c.required else "", "有" if c.present else "无", c.filled)
            for c in rehearsal.columns
        ],
    )
    if rehearsal.unread:
        say(f"没有人读的列：{'、'.join(rehearsal.unread)}")
    for event in rehearsal.first if content else ():
        say(json.dumps(json.loads(event.event), ensure_ascii=False, indent=2))


def _rows(rows: tuple[tuple[str, int], ...]) -> str:
    return "、".join(f"{sheet} {row}".strip() for sheet, row in rows)
