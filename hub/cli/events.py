"""`guantong publish`, `subscribe`, `pull`: an agency's own work from the command line."""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from hub.cli.connection import Where, connected
from hub.cli.output import AsJson, complain, say, show_json, show_table

As = Annotated[str | None, Parameter(name="--as", help="以哪个机构的身份 / as which agency")]


def publish(
    *files: Annotated[Path, Parameter(help="事件文件（JSON 对象或数组），- 为标准输入")],
    mode: Literal["each", "all"] = "each",
    agency: As = None,
    as_json: AsJson = False,
    where: Where = Where(),
) -> int:
    """Exits with 1 if an event was rejected."""
    if not files:
        raise ValueError("至少给出一个文件 / name at least one file")
    events = [event for file in files for event in _read(file)]
    with connected(where, agency=agency) as client:
        results = client.publish(events, mode=mode)
    if as_json:
        show_json(
            [
                {
                    "source": r.source,
                    "id": r.id,
                    "status": r.status,
                    "receipt": r.receipt,
                    "errors": [
                        {"code": e.code, "pointer": e.pointer, "message": e.message}
                        for e in r.errors
                    ],
                }
                for r in results
            ]
        )
    else:
        for result in results:
            say(f"{result.status}\t{result.source}\t{result.id}")
            for error in result.errors:
                say(f"  {error.code}\t{error.pointer or '/'}\t{error.message} / {error.message_en}")
    return 1 if Counter(result.status for result in results)["rejected"] else 0


def subscribe(
    id_: Annotated[str, Parameter(help="订阅编号 / subscription id")],
    *,
    types: Annotated[tuple[str, ...], Parameter(help="事件类型，可用 * 与 <族>.*")] = ("*",),
    region: str | None = None,
    start: Annotated[str, Parameter(help="now、earliest 或时间 / or an RFC 3339 time")] = "now",
    channel: Annotated[
        Literal["pull", "kafka"],
        Parameter(help="自行读取，或由贯通写入 Kafka / read, or written to Kafka by the hub"),
    ] = "pull",
    agency: As = None,
    as_json: AsJson = False,
    where: Where = Where(),
) -> None:
    """The same again changes nothing."""
    body: dict[str, Any] = {"id": id_, "types": list(types), "start": start}
    body["delivery"] = {"channel": channel}
    if region is not None:
        body["region"] = region
    with connected(where, agency=agency) as client:
        made = client.subscribe(body)
    if as_json:
        show_json(made)
    else:
        say(f"订阅 {made['id']}：{'、'.join(made['types'])}，区划 {made['region']}")


def pull(
    subscription: Annotated[str, Parameter(help="订阅编号 / subscription id")],
    *,
    limit: int = 100,
    wait: float = 0,
    since: Annotated[
        str | None, Parameter(help="从该时间起重读（如 2026-11-01T00:00:00+08:00）/ replay")
    ] = None,
    commit: Annotated[bool, Parameter(help="读后提交游标 / commit the cursor after")] = False,
    agency: As = None,
    as_json: AsJson = False,
    where: Where = Where(),
) -> None:
    """Without `commit` the same events come again."""
    with connected(where, agency=agency) as client:
        if since is not None:
            client.replay(subscription, since)
        page = client.pull(subscription, limit=limit, wait=wait)
        show_events(page.events, as_json=as_json)
        if page.expired:
            complain(
                f"另有 {page.expired} 件已超过保存期并被清除 / {page.expired} more have expired"
            )
        if page.parked:
            complain(
                f"另有 {page.parked} 件无法转换为所定版本，见 guantong dead-letters list"
                f" / {page.parked} more have no form in the pinned version"
            )
        if commit:
            client.commit(subscription, page.cursor)


def show_events(events: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print what was handed over."""
    if as_json:
        show_json(list(events))
    else:
        rows = [_line(event) for event in events]
        show_table(("类型", "区划", "编号", "收到时间", "未提供的字段"), rows)


def _line(event: Any) -> tuple[str, ...]:
    names = ("type", "region", "id", "hubtime", "hubwithheld")
    return tuple(str(event.get(name, "")) for name in names)


def _read(file: Path) -> list[bytes]:
    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    document = json.loads(text)
    events = document if isinstance(document, list) else [document]
    return [json.dumps(event, ensure_ascii=False).encode() for event in events]
