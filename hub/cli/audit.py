"""`guantong explain` and `guantong audit`: why it (did not) arrive, and who has seen what."""

import csv
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from adapters.kit.report import harmless
from hub.cli.connection import Where, connected
from hub.cli.events import As
from hub.cli.output import AsJson, say, show_json, show_table

audit = App(name="audit")
CsvFile = Annotated[Path | None, Parameter(name="--csv", help="另存为 CSV / write a CSV file")]
_COLUMNS: Final = {
    "at": "读取时间",
    "agency": "机构",
    "type": "类型",
    "id": "事件编号",
    "source": "来源",
    "key": "案件",
    "classes": "字段类别",
    "masked": "摘要",
    "grants": "依据的授权",
    "subscription": "订阅",
    "channel": "渠道",
    "token": "令牌号",
    "policy": "策略版本",
    "position": "位置",
    "receipt": "回执号",
}
_ON_SCREEN: Final = ("at", "agency", "type", "id", "classes", "grants", "token")
_OF_ACT: Final = {
    "number": "编号",
    "at": "时间",
    "caller": "何人",
    "token": "令牌号",
    "act": "行为",
    "subject": "对象",
}
_OF_PURGE: Final = {
    "number": "编号",
    "at": "清除时间",
    "type": "类型",
    "version": "版本",
    "events": "件数",
    "from_hubtime": "最早登记于",
    "to_hubtime": "最晚登记于",
}
_STRANGER: Final = ("hubtime", "type", "publisher", "region", "unmatched_parties", "receipt")
_STEPS: Final = {0: "有效", 1: "契约", 2: "授权", 3: "收件", 4: "回避", 5: "密级"}
_PLACES: Final = {
    "in_feed": "已列入该订阅",
    "made_later": "事件登记时尚无该订阅",
    "not_asked_for": "不符合该订阅当时的类型、区划或筛选条件，也未点名该机构",
    "ended_since": "曾列入该订阅，订阅已注销",
}


def explain(
    source: Annotated[str, Parameter(help="事件的 source")],
    event: Annotated[str, Parameter(help="事件的 id")],
    *,
    about: Annotated[str | None, Parameter(name="--agency", help="说明哪个机构")] = None,
    agency: As = None,
    as_json: AsJson = False,
    where: Where = Where(),
) -> None:
    """The hub decides what the caller may be told."""
    with connected(where, agency=agency) as client:
        told = client.explain(source, event, about)
    if as_json:
        show_json(told)
        return
    state = told["event"].get("state", "registered")
    say(f"事件 {event}（{source}）：{'已登记' if state == 'registered' else '已退回'}")
    for error in told.get("errors", ()):
        say(f"  {error['at']}  {error['code']}  {error['pointer'] or '/'}")
    for address in told.get("addresses", ()):
        say(f"  {address['address']}：{address['delivered'] or '尚未送达'}")
    if "delivered" in told:
        say("已送达" if told["delivered"] else "尚未送达任何机构")
    if "delivered_to" in told:
        say(f"已送达：{'、'.join(told['delivered_to']) or '无'}")
    for asked in told.get("subscriptions", ()):
        expired = asked["expired_unread"]
        gone = f"；另有 {expired} 件未读即已超过保存期并被清除" if expired else ""
        say(f"  订阅 {asked['id']}：{_PLACES[asked['event']]}{gone}")
    for reading in told.get("readings", ()):
        _tell_reading(reading)
    if told.get("now", {}).get("decision") is not None:
        decision = told["now"]["decision"]
        would = "会得到" if decision["allowed"] else "得不到"
        say(f"现在读取{would}（策略版本 {told['now']['policy']}）")
        _tell_grounds(decision["grounds"])


@audit.command
def event(
    source: str,
    id_: str,
    *,
    to_file: CsvFile = None,
    as_json: AsJson = False,
    where: Where = Where(),
) -> None:
    """谁在何时凭何授权看过某事件。/ Who has seen an event, when, under which grant."""
    _list({"source": source, "id": id_}, to_file, as_json=as_json, where=where)


@audit.command
def case(
    key: Annotated[str, Parameter(help="案件，如 clue:XS-1 / an event key")],
    *,
    to_file: CsvFile = None,
    as_json: AsJson = False,
    where: Where = Where(),
) -> None:
    """谁看过某案件的各个事件。/ Who has seen the events of a case."""
    _list({"case": key}, to_file, as_json=as_json, where=where)


@audit.command(name="agency")
def of_agency(
    agency_id: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    to_file: CsvFile = None,
    as_json: AsJson = False,
    where: Where = Where(),
) -> None:
    """某机构看过什么。/ What an agency has seen."""
    asked = {"agency": agency_id}
    for name, moment in (("since", since), ("until", until)):
        if moment is not None:
            asked[name] = moment.astimezone().isoformat()
    _list(asked, to_file, as_json=as_json, where=where)


@audit.command
def strangers(*, as_json: AsJson = False, where: Where = Where()) -> None:
    """所涉单位未登记的事件，供安全管理员核对。/ Events whose parties no registered agency is."""
    with connected(where) as client:
        found = list(client.strangers())
    if as_json:
        show_json(found)
        return
    show_table(
        ("收到时间", "类型", "发布机构", "区划", "未登记的单位数", "回执号"),
        [tuple(s[name] for name in _STRANGER) for s in found],
    )


@audit.command
def acts(
    *,
    subject: Annotated[str | None, Parameter(help="对象：机构、角色、订阅 / done to whom")] = None,
    act: Annotated[str | None, Parameter(help="行为，如 token.issued / which act")] = None,
    since: datetime | None = None,
    as_json: AsJson = False,
    where: Where = Where(),
) -> None:
    """管理行为的记录：谁、何时、对谁、做了什么。/ The record of administrative acts."""
    moment = since and since.astimezone().isoformat()
    asked = {"subject": subject, "act": act, "since": moment}
    with connected(where) as client:
        found = list(client.acts({name: value for name, value in asked.items() if value}))
    if as_json:
        show_json(found)
        return
    rows = [
        [*(_text(act_[name]) for name in _OF_ACT), json.dumps(act_["detail"], ensure_ascii=False)]
        for act_ in found
    ]
    show_table((*_OF_ACT.values(), "详情"), rows)


@audit.command
def purges(*, as_json: AsJson = False, where: Where = Where()) -> None:
    """已超过保存期并被清除的事件的记录。/ The record of events that expired and were purged."""
    with connected(where) as client:
        found = list(client.purges())
    if as_json:
        show_json(found)
        return
    rows = [[_text(purge[name]) for name in _OF_PURGE] for purge in found]
    show_table(list(_OF_PURGE.values()), rows)


def _tell_reading(reading: Mapping[str, Any]) -> None:
    read = f"  {reading['at']} 订阅 {reading['subscription']}"
    if reading.get("reason"):
        say(f"{read}：未送达（{reading['reason']}）")
    else:
        say(f"{read}：已送达，字段 {_text(reading['classes'])}")
        if reading["withheld"]:
            say(f"    未提供：{' '.join(reading['withheld'])}")
    _tell_grounds(reading.get("grounds", ()))


def _tell_grounds(grounds: Iterable[Mapping[str, Any]]) -> None:
    for ground in grounds:
        say(f"    {ground['step']} {_STEPS[ground['step']]}：{ground['message']}")


def _list(asked: Mapping[str, str], to_file: Path | None, *, as_json: bool, where: Where) -> None:
    with connected(where) as client:
        found = client.reads(asked)
        if to_file is not None:
            say(f"{_write_csv(to_file, found)} 行 → {to_file}")
        elif as_json:
            show_json(list(found))
        else:
            rows = [[_text(sighting[name]) for name in _ON_SCREEN] for sighting in found]
            show_table([_COLUMNS[name] for name in _ON_SCREEN], rows)


def _write_csv(path: Path, found: Iterable[Mapping[str, Any]]) -> int:
    """Write a file that a spreadsheet opens, and takes nothing in it for a formula."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        lines = csv.writer(out, lineterminator="\r\n")
        lines.writerow(_COLUMNS.values())
        for sighting in found:
            lines.writerow([harmless(_text(sighting[name])) for name in _COLUMNS])
            count += 1
    return count


def _text(value: Any) -> str:
    """A value of a sighting in one cell."""
    if isinstance(value, list):
        return " ".join(f"{v['id']}（{v['purpose']}）" if isinstance(v, dict) else v for v in value)
    if isinstance(value, bool):
        return "是" if value else "否"
    return "" if value is None else str(value)
