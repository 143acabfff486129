"""What the demo tells: its steps after the adapter, and its tables."""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from rich.console import Console
from rich.table import Column, Table

from contracts.catalogue import load_catalogue
from deploy.demo.own import OwnSystem
from deploy.demo.playing import Done
from deploy.demo.readers import Readers

INSPECTED: Final = "510100.inspected-party.anju"
OTHER_CITY: Final = "510600.inspection-office"
HERE: Final = Path(__file__).parent
POLICY: Final = HERE / "policy.toml"
STEPS: Final[Mapping[str, str]] = {
    "0": "已过期",
    "1": "契约不含此类机构或层级",
    "2": "没有授权",
    "3": "不是收件机构",
    "4": "回避（被反映方）",
    "5": "密级",
}
console: Final = Console(width=150)


@cache
def names() -> Mapping[str, str]:
    """Agency → its name, as the policy registers it."""
    registered = tomllib.loads(POLICY.read_text(encoding="utf-8"))["agencies"]
    return {agency["id"]: agency["name"] for agency in registered}


def heading(text: str) -> None:
    console.rule(f"[bold]{text}", align="left")


def show_runs(runs: list[dict[str, Any]]) -> None:
    """What became of each file."""
    table = Table("文件", "读取", "新收", "重复", "退回", "退回清单")
    for run in runs:
        counts = (str(run[name]) for name in ("read", "accepted", "duplicate", "rejected"))
        table.add_row(run["file"], *counts, " ".join(run["answers"]))
    console.print(table)


def show_faults(runs: list[dict[str, Any]]) -> None:
    """Every refused row: where, what kind, why, what to do; never what the cell held."""
    columns = ("文件", "行", "列", "问题类型", "原因", "处理办法")
    table = Table(*(Column(name, overflow="fold") for name in columns))
    for run in runs:
        for fault in run["faults"]:
            row, column = str(fault["row"] or ""), fault["column"] or ""
            table.add_row(run["file"], row, column, fault["kind"], fault["reason"], fault["advice"])
    console.print(table)


def show_steps(played: Sequence[Done], systems: Mapping[str, OwnSystem]) -> None:
    """A line for each step: when, who, in which file, what it gave, who had it how soon."""
    columns = ("何时", "谁办什么", "以何文件", "发了什么", "谁收到（从投放到读到，秒）")
    table = Table(*(Column(name, overflow="fold") for name in columns), show_lines=True)
    for done in played:
        step = done.step
        given: Counter[str] = Counter()
        for each in step.gives:
            given[each.type] += each.count
        table.add_row(
            f"{step.on:%Y-%m-%d}",
            f"{names()[step.who]}\n{step.does}",
            systems[step.who].way if step.own else f"{Path(step.file).name}\n{step.adapter}",
            "\n".join(
                [
                    *(f"{title(type_)} {n} 件\n{type_}" for type_, n in given.items()),
                    *([f"退回 {step.returns} 行"] if step.returns else []),
                ]
            ),
            "\n".join(f"{names()[who]} {seconds:.1f}" for who, seconds in done.seconds.items()),
        )
    console.print(table)


@cache
def title(type_: str) -> str:
    """What people call a type of event."""
    return load_catalogue().versions(type_)[-1].title


def same_receipts(first: list[dict[str, Any]], again: list[dict[str, Any]]) -> None:
    """Whether the second run got the receipts of the first."""
    same = [{*run["receipts"]} for run in first] == [{*run["receipts"]} for run in again]
    print(f"回执与第一次{'完全相同' if same else '不同'}")


def show_recipients(readers: Readers, denied: Counter[tuple[str, str]]) -> None:
    """Per recipient: what arrived, which fields did not, and what was not handed over and why."""
    table = Table(
        "机构", "收到", "其中缺字段", "未提供的字段（次数）", "未送达（原因）", show_lines=True
    )
    for agency, events in readers.got.items():
        fields = Counter(p for e in events for p in e.get("hubwithheld", "").split())
        partial = sum("hubwithheld" in event for event in events)
        kept = {STEPS[step]: n for (who, step), n in denied.items() if who == agency and n}
        table.add_row(
            f"{names()[agency]}\n{agency}",
            _by_family(events),
            str(partial),
            "\n".join(f"{pointer} ({n})" for pointer, n in fields.most_common()),
            "\n".join(f"{reason}：{n}" for reason, n in kept.items()),
        )
    console.print(table)


def show_others(readers: Readers) -> None:
    """What nobody else saw of the round."""
    counted = {
        "邻近市委巡察办（订阅了本市，没有本市的授权）收到": len(readers.got[OTHER_CITY]),
        "被巡察党组织收到的线索、情况通报、信访": sum(
            event["type"].partition(".")[0] in ("clue", "briefing", "petition")
            for event in readers.got[INSPECTED]
        ),
    }
    print("；".join(f"{what}：{n} 件" for what, n in counted.items()))


def show_summary(readers: Readers, url: str, admin_token: Path) -> None:
    """Delays, and where to look further."""
    delays = [one.seconds * 1000 for those in readers.arrived.values() for one in those]
    cuts = quantiles(delays, n=100)
    print(f"从受理到读取：p50 {cuts[49]:.1f} ms，p99 {cuts[98]:.1f} ms（{len(delays)} 次送达）")
    print(f"接口 {url}/v1  指标 {url}/metrics  管理令牌 {admin_token}")


def _by_family(events: Sequence[Mapping[str, Any]]) -> str:
    families = Counter(event["type"].partition(".")[0] for event in events)
    return "\n".join(f"{family}.* {n}" for family, n in families.items())
