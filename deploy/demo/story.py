"""What the demo tells: its steps after the adapter, and its tables."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from rich.console import Console
from rich.table import Column, Table

from adapters.kit.client import HubClient
from deploy.demo.readers import Readers

PETITION: Final = "510100.petition"
CITY: Final = "510100.inspection-office"
COUNTY: Final = "510104.inspection-office"
PROVINCE: Final = "510000.inspection-office"
DISCIPLINE: Final = "510100.discipline"

NAMES: Final[Mapping[str, str]] = {
    PETITION: "市信访局",
    CITY: "市委巡察办",
    COUNTY: "东湖区委巡察办",
    PROVINCE: "省委巡视办",
    DISCIPLINE: "市纪委监委",
}
STEPS: Final[Mapping[str, str]] = {
    "0": "已过期",
    "1": "契约不含此类机构或层级",
    "2": "没有授权",
    "3": "不是收件机构",
    "4": "回避（被反映方）",
    "5": "密级",
}
HERE: Final = Path(__file__).parent
CASE: Final = "clue:XS-510100-DEMO-001"
# Publishes an event, and says what became of it.
Publishing = Callable[[Mapping[str, Any]], str]
# Signs for what an event handed over, and says how.
Signing = Callable[[Mapping[str, Any]], str]
console: Final = Console(width=150)


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
    names = ("文件", "行", "列", "问题类型", "原因", "处理办法")
    table = Table(*(Column(name, overflow="fold") for name in names))
    for run in runs:
        for fault in run["faults"]:
            row, column = str(fault["row"] or ""), fault["column"] or ""
            table.add_row(run["file"], row, column, fault["kind"], fault["reason"], fault["advice"])
    console.print(table)


def hand_over_clue(office: HubClient, sign: Signing, readers: Readers) -> None:
    """The office hands a clue over; discipline signs for it; the office sees the answer."""
    clue = {"to": DISCIPLINE, **_event("clue.transferred", CITY, "clue.json")}
    print(f"市委巡察办发布 {clue['id']}：{published(office, clue)}")
    got = readers.first(DISCIPLINE, lambda event: event["id"] == clue["id"])
    print(f"市纪委监委收到 {got['id']}，回执号 {got['hubreceipt']}")
    print(f"市纪委监委{sign(got)}")
    seen = readers.first(CITY, lambda event: event.get("causationid") == got["hubreceipt"])
    print(f"市委巡察办看到签收：登记号 {seen['data']['register_no']}")


def assign_case(office: HubClient, answer: Signing, readers: Readers) -> None:
    """The office assigns a petition case to the bureau; the bureau accepts it."""
    case = {"to": PETITION, **_event("petition.case_transferred", CITY, "case.json")}
    case["correlationid"] = f"petition:{case['data']['petitionid']}"
    print(f"市委巡察办发布 {case['id']}：{published(office, case)}")
    got = readers.first(PETITION, lambda event: event["id"] == case["id"])
    print(f"市信访局{answer(got)}")
    seen = readers.first(CITY, lambda event: event.get("causationid") == got["hubreceipt"])
    print(f"市委巡察办看到受理：登记号 {seen['data']['register_no']}")


def signed_by(publish: Publishing, opening: Mapping[str, Any]) -> str:
    """Sign for a clue by an event of one's own making."""
    signed = {
        **_event("clue.received", DISCIPLINE, "received.json"),
        "causationid": opening["hubreceipt"],
    }
    return f"签收 {signed['id']}：{publish(signed)}"


def published(client: HubClient, event: Mapping[str, Any]) -> str:
    """Publish an event that must be taken; what was answered."""
    result = client.publish([json.dumps(event, ensure_ascii=False).encode()])[0]
    if result.status == "rejected":
        raise SystemExit(f"演示事件被退回：{result.errors}")
    return result.status


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
            f"{NAMES[agency]}\n{agency}",
            _by_type(events),
            str(partial),
            "\n".join(f"{pointer} ({n})" for pointer, n in fields.most_common()),
            "\n".join(f"{reason}：{n}" for reason, n in kept.items()),
        )
    console.print(table)
    petition_knows = [e for e in readers.got[PETITION] if e["type"].startswith("clue.")]
    print(f"市信访局收到的线索类事件：{len(petition_knows)}")


def show_summary(readers: Readers, url: str, admin_token: Path) -> None:
    """Delays, and where to look further."""
    cuts = quantiles((delay.seconds * 1000 for delay in readers.delays), n=100)
    count = len(readers.delays)
    print(f"从受理到读取：p50 {cuts[49]:.1f} ms，p99 {cuts[98]:.1f} ms（{count} 次送达）")
    print(f"接口 {url}/v1  指标 {url}/metrics  管理令牌 {admin_token}")


def _by_type(events: list[Mapping[str, Any]]) -> str:
    return "\n".join(f"{type_} {n}" for type_, n in Counter(e["type"] for e in events).items())


def _event(type_: str, publisher: str, file: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{CASE.partition(':')[2]}-{type_.partition('.')[2]}",
        "source": f"/{publisher}",
        "type": type_,
        "time": "2026-10-22T10:05:00+08:00",
        "dataschema": f"urn:guantong:contract:{type_}:1.0",
        "datacontenttype": "application/json",
        "correlationid": CASE,
        "data": json.loads((HERE / file).read_text(encoding="utf-8")),
    }
