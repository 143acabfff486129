"""The picture of a flow: what is sent goes from left to right, what answers it goes back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from contracts.catalogue import Catalogue
from contracts.contract import Contract
from contracts.deadlines import deadline
from contracts.pages import words
from contracts.pages.frame import place
from contracts.pages.markup import Html, english, join, tag
from contracts.pages.told import newest, senders

_WIDTH: Final = 400
_LEFT: Final = 14
_RIGHT: Final = 386
_STEP: Final = 74
_HEAD: Final = 64
_LONGEST: Final = 14


@dataclass(frozen=True, slots=True)
class Step:
    """One message of a flow; `back`: it goes from right to left."""

    contract: Contract
    back: bool


def steps(catalogue: Catalogue, opening: Contract) -> list[Step]:
    """An opening and all that answers it, directly or in turn; each type once."""
    found: dict[str, Step] = {}
    waiting = [Step(opening, back=False)]
    while waiting:
        step = waiting.pop(0)
        if step.contract.type in found:
            continue
        found[step.contract.type] = step
        for reply in newest(catalogue, catalogue.replies_to(step.contract.type)):
            waiting.append(Step(reply, back=not step.back))
    return list(found.values())


def picture(catalogue: Catalogue, opening: Contract) -> Html:
    """The drawing; it says nothing that the table beside it does not."""
    drawn = steps(catalogue, opening)
    height = _HEAD + _STEP * len(drawn) + 10
    sender, _ = senders(catalogue, opening)
    in_full = {kind for kind, cells in opening.receivers.items() if "full" in cells.values()}
    receiver, _ = words.kinds(in_full or opening.receivers)
    return tag(
        "svg",
        tag("title", f"{opening.title}：{len(drawn)} 个步骤"),
        *_lane(_LEFT, "start", "发出", _short(sender), height),
        *_lane(_RIGHT, "end", "收到", _short(receiver or "指名的收件机关"), height),
        *(_arrow(step, _HEAD + _STEP * n) for n, step in enumerate(drawn)),
        viewBox=f"0 0 {_WIDTH} {height}",
        role="img",
        class_="flow",
    )


def _short(names: str) -> str:
    """As many names as there is room for, and how many more."""
    every = names.split("、")
    shown = every[0][:_LONGEST]
    return shown if len(every) == 1 else f"{shown} 等 {len(every)} 类"


def _lane(x: int, side: str, what: str, who: str, height: int) -> Iterator[Html]:
    yield _text(x, 16, what, side, "lane")
    yield _text(x, 36, who, side, "who")
    yield tag("path", d=f"M{x} 46V{height}", class_="lane")


def _arrow(step: Step, top: int) -> Html:
    contract = step.contract
    line = top + 46
    start, end = (_RIGHT - 4, _LEFT + 4) if step.back else (_LEFT + 4, _RIGHT - 4)
    tip = 9 if step.back else -9
    middle = _WIDTH // 2
    told = [] if step.back else [_levels(contract)]
    if contract.due is not None:
        told.append(f"{deadline(contract.due).title}：限 {words.deadline(contract.due)[0]}")
    kind = "back" if step.back else "out"
    return tag(
        "a",
        _text(middle, top + 20, contract.title, "middle", "name"),
        _text(middle, top + 37, contract.type, "middle", "type"),
        tag("path", d=f"M{start} {line}H{end}", class_=kind),
        tag("path", d=f"M{end} {line}l{tip} -5v10z", class_=f"tip {kind}"),
        _text(middle, line + 16, "　".join(told), "middle", "due"),
        href=place(contract),
    )


def _levels(contract: Contract) -> str:
    found = {r for cells in contract.receivers.values() for r in cells}
    order = [r for r in words.RELATIONS if r in found]
    return " ".join(f"{words.ARROWS[r]} {words.RELATIONS[r][0]}" for r in order)


def _text(x: int, y: int, text: str, side: str, class_: str) -> Html:
    return tag("text", text, x=str(x), y=str(y), text_anchor=side, class_=class_)


def pictures(catalogue: Catalogue, openings: list[Contract]) -> Html:
    """One drawing for each opening."""
    return join(
        tag(
            "figure",
            picture(catalogue, opening),
            tag(
                "figcaption",
                opening.title,
                " ",
                english(opening.title_en),
            ),
        )
        for opening in openings
    )
