"""The state of a hub as a person reads it in a terminal: Chinese first, what matters first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from contracts.region import load_regions

Sort = Literal["silence", "lag", "refused", "agency"]
Told = Mapping[str, Any]

# From here on there is room for names and for what is known besides.
WIDE: Final = 136
# In a terminal the table tells of the others.
MOST_SENTENCES: Final = 3
# The head of the table, and the line that tells how many agencies are left out.
OTHER_LINES: Final = 4
_BEIJING: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    cell: Callable[[Told, datetime], str | Text]
    right: bool = False
    wide: bool = False


def board(told: Told, *, sort: Sort, width: int, height: int | None = None) -> RenderableType:
    """The whole picture; in a terminal of some height what fits, and how many are left out."""
    now = datetime.fromisoformat(told["now"])
    items = sorted(told["items"], key=_ORDERS[sort])
    head, wide = _head(told, now), width >= WIDE
    sentences = [_sentence(item, wide=wide) for item in items if _is_silent(item)]
    shown = items
    if height is not None:
        sentences = sentences[:MOST_SENTENCES]
        for line in (*head, *sentences):
            line.no_wrap, line.overflow = True, "ellipsis"
        shown = items[: max(1, height - len(head) - len(sentences) - OTHER_LINES)]
    left = len(items) - len(shown)
    more = [Text(f"… 另有 {left} 个机构 / {left} more agencies", style="dim")] if left else []
    return Group(*head, _table(shown, now, wide=wide), *more, *sentences)


def _head(told: Told, now: datetime) -> list[Text]:
    journal, refused = told["journal"], told["refused"]
    running = _span(now - datetime.fromisoformat(told["started"]))
    lines = [
        Text.assemble(
            ("贯通 ", "bold"),
            f"{told['version']} · 已运行 {running} · 策略 {told['policy']} · 待写 {told['queue']}",
            f" · {now.astimezone(_BEIJING):%Y-%m-%d %H:%M:%S}",
        ),
        Text(f"登记 {journal['registered']:,} 件 events · 库 {decimal(journal['bytes'])}"),
    ]
    if journal["untallied"]:
        lines[-1].append(f" · 尚未计入 {journal['untallied']:,} 件 untallied", style="yellow")
    codes = sorted(refused["codes"].items(), key=lambda code: (-code[1], code[0]))
    total = sum(refused["codes"].values())
    bound = "" if refused["complete"] else "≥"
    reasons = "，".join(f"{code} {count:,}" for code, count in codes)
    lines.append(Text(f"24 小时退回 refused {bound}{total:,}{'：' if codes else ''}{reasons}"))
    lines.extend(_away(absence) for absence in told["away"])
    return lines


def _away(absence: Told) -> Text:
    # A region of the installation's own is known to the hub alone.
    listed = load_regions().rows.get(absence["region"])
    region = listed.name if listed else absence["region"]
    spoke = f"{absence['spoke']}/{absence['usual']}"
    return Text(
        f"{region}多数机构 {absence['day']} 未来件（{spoke}）：或为节假日、线路故障，不逐个报静默"
        " / most agencies are away",
        style="yellow",
    )


def _table(items: list[Told], now: datetime, *, wide: bool) -> Table:
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        header_style="bold",
    )
    columns = [column for column in _COLUMNS if wide or not column.wide]
    for column in columns:
        justify: Literal["right", "left"] = "right" if column.right else "left"
        # An id, which has no blanks to be broken at, is what gives way in a narrow terminal.
        gives_way = column is _COLUMNS[0]
        table.add_column(
            column.heading,
            justify=justify,
            no_wrap=not gives_way,
            overflow="ellipsis",
            max_width=30,
        )
    for item in items:
        cells = (column.cell(item, now) for column in columns)
        # Not as strings: in those the library looks for its markup.
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))
    return table


def _sentence(item: Told, *, wide: bool) -> Text:
    """Why an agency is called silent."""
    rhythm, last = item["rhythm"], datetime.fromisoformat(item["last"]).astimezone(_BEIJING)
    expected = f"{rhythm['expected']:,.0f}"
    return Text(
        f"{_name(item)}：自 {last:%m-%d %H:%M} 起无来件，"
        f"按以往 {rhythm['weeks']} 周的规律应有约 {expected} 件"
        + (f" / silent; about {expected} events were usual" if wide else ""),
        style="red",
    )


def _name(item: Told) -> str:
    """An agency's name without what would steer the terminal."""
    return "".join(sign if sign.isprintable() else "�" for sign in item["name"])


def _is_silent(item: Told) -> bool:
    return bool(item["rhythm"] and item["rhythm"]["silent"])


def _state(item: Told, _now: datetime) -> Text:
    if _is_silent(item):
        return Text("静默", style="bold red")
    if item["rhythm"]:
        return Text("正常", style="green")
    return Text("学习中" if item["last"] else "—", style="dim")


def _today(item: Told, _now: datetime) -> str:
    usual = f"/{item['rhythm']['weekday']:,.0f}" if item["rhythm"] else ""
    return f"{item['today']['accepted']:,}{usual}"


def _expected(item: Told, _now: datetime) -> str:
    return f"{item['rhythm']['expected']:,.0f}" if item["rhythm"] else ""


def _lag(item: Told, _now: datetime) -> str:
    return f"{'' if item['lag_complete'] else '≥'}{item['lag']:,}" if item["subscriptions"] else ""


def _since(moment: str | None, now: datetime) -> str:
    return "" if moment is None else _span(now - datetime.fromisoformat(moment))


def _span(time: timedelta) -> str:
    """A time in its largest unit, whole."""
    seconds = max(0, int(time.total_seconds()))
    units = ((86_400, "天"), (3_600, "小时"), (60, "分钟"), (1, "秒"))
    size, unit = next((u for u in units if seconds >= u[0]), units[-1])
    return f"{seconds // size} {unit}"


_COLUMNS: Final = (
    _Column("机构\nagency", lambda item, _: item["agency"]),
    _Column("名称\nname", lambda item, _: _name(item), wide=True),
    _Column("状态\nstate", _state),
    _Column("上次来件\nlast", lambda item, now: _since(item["last"], now), right=True),
    _Column("其间应有\nexpected", _expected, right=True, wide=True),
    _Column("今日/通常\ntoday", _today, right=True),
    _Column("重复\nrepeated", lambda i, _: f"{i['since_start']['duplicate']:,}", True, True),
    _Column("退回\nrefused", lambda item, _: f"{item['today']['refused']:,}", right=True),
    _Column("订阅\nfeeds", lambda item, _: f"{item['subscriptions']:,}", True, True),
    _Column("未读\nunread", _lag, right=True),
    _Column("最早未读\noldest", lambda item, now: _since(item["oldest"], now), right=True),
)

_ORDERS: Final[Mapping[Sort, Callable[[Told], tuple[Any, ...]]]] = {
    "silence": lambda i: (i["rhythm"]["chance"] if i["rhythm"] else 2, i["agency"]),
    "lag": lambda i: (-i["lag"], i["agency"]),
    "refused": lambda i: (-i["today"]["refused"], i["agency"]),
    "agency": lambda i: (i["agency"],),
}
