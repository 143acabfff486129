"""Code lists: data files beside the contracts, one per list (`contracts/codes/lists/README.md`).

`codes/lists.csv` says of each list what it is, whether it is open and where its codes come from.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

COLUMNS: Final = ("code", "label", "label_en", "parent", "valid_from", "valid_until", "source")


@dataclass(frozen=True, slots=True)
class Member:
    """A code of a list. `parent`: the code it stands below. Days are included; None: no bound."""

    code: str
    label: str
    label_en: str
    parent: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    source: str = ""

    def in_force(self, on: date) -> bool:
        """Whether the code may be used for an event of that day."""
        after_start = self.valid_from is None or self.valid_from <= on
        return after_start and (self.valid_until is None or on <= self.valid_until)


@dataclass(frozen=True, slots=True)
class CodeList:
    """A named list. A closed one refuses unknown members; an open one takes them with a label.

    `members` stand in the order of a form. `levels`: for a list that depends on the level of the
    office, the member below which an office of that level chooses. `confirmed`: whether the codes
    were compared with the source that `source` names.
    """

    name: str
    title: str
    title_en: str
    closed: bool
    confirmed: bool
    source: str
    levels: Mapping[str, str]
    members: Mapping[str, Member]

    @property
    def labels(self) -> Mapping[str, str]:
        """Code → Chinese label."""
        return {code: member.label for code, member in self.members.items()}

    def in_force(self, on: date | None) -> tuple[Member, ...]:
        """The members that may be used on a day; None: all of them."""
        return tuple(m for m in self.members.values() if on is None or m.in_force(on))

    def within(self, code: str, ancestor: str) -> bool:
        """Whether `code` is `ancestor` or stands below it. A code that is not listed is not."""
        step = self.members.get(code)
        while step is not None and step.code != ancestor:
            step = self.members.get(step.parent) if step.parent else None
        return step is not None

    def depth(self, code: str) -> int:
        """How many members stand above a listed code."""
        parent = self.members[code].parent
        return 0 if parent is None else 1 + self.depth(parent)

    def tree(self) -> tuple[Member, ...]:
        """The members, each followed by those below it."""
        below: dict[str | None, list[Member]] = {}
        for member in self.members.values():
            below.setdefault(member.parent, []).append(member)
        return tuple(_branches(None, below))

    def extended(self, own: Iterable[Member]) -> "CodeList":
        """The list with an installation's own members behind those shipped, which go first."""
        added = {m.code: m for m in own if m.code not in self.members}
        return replace(self, members=MappingProxyType({**self.members, **added}))


def _branches(parent: str | None, below: Mapping[str | None, list[Member]]) -> Iterable[Member]:
    for member in below.get(parent, ()):
        yield member
        yield from _branches(member.code, below)


def member_of(row: Mapping[str, str]) -> Member:
    """The member that a row says. Raises ValueError for a day that is none."""
    return Member(
        code=row["code"],
        label=row["label"],
        label_en=row["label_en"] or row["label"],
        parent=row["parent"] or None,
        valid_from=date.fromisoformat(row["valid_from"]) if row["valid_from"] else None,
        valid_until=date.fromisoformat(row["valid_until"]) if row["valid_until"] else None,
        source=row["source"],
    )


@cache
def code_list(name: str) -> CodeList:
    """The list `name` as it is shipped.

    Raises KeyError for a list that is not: a contract names only lists that are.
    """
    head = _heads()[name]
    rows = _read(f"lists/{name}.csv")
    levels = (pair.partition("=")[::2] for pair in head["levels"].split())
    return CodeList(
        name=name,
        title=head["title"],
        title_en=head["title_en"],
        closed=head["open"] == "no",
        confirmed=head["confirmed"] == "yes",
        source=head["source"],
        levels=MappingProxyType(dict(levels)),
        members=MappingProxyType({row["code"]: member_of(row) for row in rows}),
    )


def list_names() -> tuple[str, ...]:
    """The names of the lists that are shipped, sorted."""
    return tuple(sorted(_heads()))


@cache
def _heads() -> Mapping[str, Mapping[str, str]]:
    return {row["name"]: row for row in _read("lists.csv")}


def _read(name: str) -> list[dict[str, str]]:
    text = (files("contracts") / "codes" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
