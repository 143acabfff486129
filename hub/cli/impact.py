"""`guantong contract impact`: whom a contract version touches, asked of a running hub."""

from typing import Annotated, Any

from cyclopts import Parameter

from hub.cli.connection import Where, connected
from hub.cli.output import AsJson, say, show_json, show_table
from hub.web.impact import DAYS, REPLAYED


def impact(
    type_: Annotated[str, Parameter(help="事件类型 / event type")],
    version: Annotated[
        str, Parameter(help="拟启用或停用的版本 / the version to be brought in or retired")
    ],
    *,
    days: Annotated[int, Parameter(help="看最近多少天 / of how many days")] = DAYS,
    replay: Annotated[
        int, Parameter(help="以最近多少件事件试行 / tried on so many events")
    ] = REPLAYED,
    as_json: AsJson = False,
    where: Where = Where(),
) -> int:
    """Asked of a running hub, which reads what was published and read of late."""
    with connected(where) as client:
        told = dict(client.impact(type_, version, days=days, replay=replay))
    if as_json:
        show_json(told)
    else:
        _show(told)
    return 0


def _show(told: dict[str, Any]) -> None:
    incomplete = "" if told["complete"] else "，未及全部 / not all of it"
    say(f"{told['type']} {told['version']}  自 / since {told['since']}{incomplete}")
    show_table(
        ("发布方 publisher", "版本 version", "件数 events", "最近 last"),
        [(p["agency"], p["version"], str(p["events"]), p["last"]) for p in told["publishers"]],
    )
    show_table(
        ("订阅方 subscriber", "订阅 id", "定版 pin", "页数 pages", "最近 last"),
        [
            (s["agency"], s["id"], s["pin"] or "—", str(s["pages"]), s["last"] or "—")
            for s in told["subscriptions"]
        ],
    )
    replayed = told["replayed"]
    say(
        f"试行 / tried: 符合 valid {replayed['valid']}  可转换 converted {replayed['converted']}"
        f"  不可转换 inconvertible {replayed['inconvertible']}  密封 sealed {replayed['sealed']}"
    )
    for fault in replayed["faults"]:
        say(f"  {fault['code']}  {fault['pointer'] or '/'}  {fault['events']}")
