"""The paper that people sign when a matter changes hands (交接单), as a page to be printed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from adapters.kit.port import Sink
from adapters.kit.present import at, said
from adapters.kit.sinks.columns import (
    WITHHELD,
    Event,
    Strict,
    Types,
    takes,
    withheld,
)
from adapters.kit.sinks.taken import (
    FILE_NAME,
    Taken,
    folder_at,
    name_of,
    open_taken,
    receipt_of,
)
from adapters.kit.sources.files import new_file
from contracts.agency import SourceError, publisher_of
from contracts.catalogue import load_catalogue
from contracts.contract import Contract, Slip
from contracts.fields import Field, walk
from contracts.pages.markup import Html, join, tag
from contracts.pages.words import MARKINGS

_RECEIPT: Final = re.compile(r"[0-9a-f]{32}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_WORDS: Final = MappingProxyType(
    {
        "paper": "纸质",
        "scan": "扫描件",
        "electronic": "电子件",
        **{code: told for code, (told, _) in MARKINGS.items()},
    }
)
_NUMBERED: Final = "序号"
# Nothing is loaded from anywhere, and nothing runs.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


class SlipSettings(Strict):
    """`path`: the folder. `types`: which types of events, all that have a slip unless said."""

    type: Literal["slip"]
    path: Path
    types: Types = ("*",)

    @contextmanager
    def opened(self, base: Path, folder: Path) -> Iterator[Sink]:
        """Raises CannotRun for a path that is no folder, Away while another run writes there."""
        target = folder_at(base / self.path)
        with open_taken(target / FILE_NAME) as taken:
            yield SlipSink(target, taken, self.types)


class SlipSink:
    """Writes the slip of each event whose contract has one, into a page named
    by the event's position, if it has one, and its receipt.

    Whoever prints it may take it away; it does not come again.
    """

    def __init__(self, folder: Path, taken: Taken, types: Types) -> None:
        self._folder = folder
        self._taken = taken
        self._types = types

    def take(self, events: Sequence[Mapping[str, Any]]) -> None:
        for event in events:
            contract = load_catalogue().by_dataschema(str(event.get("dataschema")))
            if contract is None or contract.slip is None or not takes(self._types, event):
                continue
            if event not in self._taken:
                # What the agency sent itself has no place in its subscription.
                name = name_of(event) if "hubposition" in event else receipt_of(event)
                with new_file(self._folder / f"{name}.html") as file:
                    file.write(page(event, contract, contract.slip).encode())
                self._taken.add(event)


def page(event: Event, contract: Contract, slip: Slip) -> str:
    """The slip of an event as a page of HTML."""
    titles = {pointer: field.title for pointer, field in walk(contract.fields)}
    receipt = str(event.get("hubreceipt"))
    marking = MARKINGS.get(event.get("dataclassification", "internal"))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", f"{slip.title} {_one(event, slip.numbers[0])}"),
        tag("style", Html(_style(receipt))),
    )
    numbers = [(titles[pointer], _one(event, pointer)) for pointer in slip.numbers]
    facts = [
        *numbers,
        ("事项", contract.title),
        ("发出单位", _sender(event)),
        ("发出时间", _told(event.get("time"))),
        ("回执号", " ".join(re.findall(".{1,8}", receipt)) if _RECEIPT.fullmatch(receipt) else ""),
    ]
    body = tag(
        "body",
        tag("p", f"密级：{marking[0]}", class_="marking") if marking else None,
        tag("h1", slip.title),
        tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts)),
        _listed(event, contract, slip.listed) if slip.listed else None,
        tag("section", *(_signature(who) for who in slip.signed_by), class_="signatures"),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='zh-CN')}\n"


def _style(receipt: str) -> str:
    # A receipt in a style sheet is one, or it is not there.
    shown = f"回执号 {receipt}" if _RECEIPT.fullmatch(receipt) else ""
    style = files("adapters.kit.sinks").joinpath("slip.css").read_text(encoding="utf-8")
    return str(style.replace("{receipt}", shown))


def _one(event: Event, pointer: str) -> str:
    """What stands at a pointer, or that it was kept back."""
    found = "、".join(filter(None, map(_told, at(pointer, event.get("data")))))
    return found or (WITHHELD if withheld(event, pointer) else "")


def _sender(event: Event) -> str:
    try:
        return str(publisher_of(str(event.get("source"))))
    except SourceError:
        return ""


def _told(value: Any) -> str:
    text = said(value)
    return str(_WORDS.get(text, text))


def _listed(event: Event, contract: Contract, pointer: str) -> Html:
    """The list of what is handed over, with the columns that something stands in."""
    (field,) = (field for at, field in walk(contract.fields) if at == pointer)
    items = [item for found in at(pointer, event.get("data")) for item in found]
    if not items:
        told = f"{WITHHELD}清单内容未向本单位提供" if withheld(event, pointer) else "无"
        return tag("section", tag("h2", field.title), tag("p", told))
    columns = [part for part in field.parts if any(_has(item, part) for item in items)]
    heads = [part.title for part in columns] or [field.title]
    rows = [
        [_told(item.get(part.name)) for part in columns] if columns else [_told(item)]
        for item in items
    ]
    # Items may bring numbers of their own.
    if heads[0] != _NUMBERED:
        heads = [_NUMBERED, *heads]
        rows = [[str(n), *cells] for n, cells in enumerate(rows, 1)]
    return tag(
        "section",
        tag("h2", f"{field.title}（共 {len(items)} 项）"),
        tag(
            "table",
            tag("thead", tag("tr", *(tag("th", name) for name in heads))),
            tag("tbody", *map(_row, rows)),
        ),
        _kept_back(event, pointer, field),
        class_="many" if len(heads) > 9 else "some" if len(heads) > 6 else None,
    )


def _has(item: Any, part: Field) -> bool:
    return isinstance(item, Mapping) and item.get(part.name) not in (None, [], "")


def _row(cells: Sequence[str]) -> Html:
    return tag("tr", *(tag("td", cell, class_=_look(cell)) for cell in cells))


def _look(cell: str) -> str | None:
    if _DIGEST.fullmatch(cell):
        return "digest"
    return "short" if len(cell) <= (10 if cell.isascii() else 4) else None


def _kept_back(event: Event, pointer: str, field: Field) -> Html | None:
    """Which columns of the list were kept back."""
    names = [part.title for part in field.parts if withheld(event, f"{pointer}/-/{part.name}")]
    return tag("p", f"{WITHHELD}{'、'.join(names)}", class_="note") if names else None


def _signature(who: str) -> Html:
    return tag(
        "p",
        tag("span", f"{who}（签字）：", class_="who"),
        tag("span", class_="line"),
        join((tag("span", class_="year"), "年", tag("span", class_="day"), "月")),
        join((tag("span", class_="day"), "日")),
    )
