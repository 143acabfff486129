"""The round as data: its steps in `round/*.toml`, and what each agency's machine runs in
`agencies.toml`. A further step, or a further adapter, is a few lines there.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

HERE: Final = Path(__file__).parent


class Entered(Struct, frozen=True, forbid_unknown_fields=True):
    """What a clerk enters in one row, by the columns' titles: in a new row, or in the one that
    already says what `find` says. `sheet`: which, if it is not the workbook's first."""

    cells: Mapping[str, Any]
    find: Mapping[str, str] = {}
    sheet: str = ""


class Given(Struct, frozen=True, forbid_unknown_fields=True):
    """Events of one type that a step gives, and everybody who reads them."""

    type: str
    to: tuple[str, ...]
    count: int = 1


class Own(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An event that an agency's own system makes; an answer to the event of type `answers` that
    says the same in `case`, or to none."""

    id: str
    type: str
    time: str
    answers: str = ""
    case: Mapping[str, str] = {}
    data: Mapping[str, Any]


class Step(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody enters rows in a workbook, and drops it in for the adapter of that kind; or an
    agency's own system publishes.

    `on`: the day of the story; the steps of one day are done at the same time. `file`: a workbook
    of the clerk's own, made from the adapter's template, the ledger that the adapter keeps, or a
    workbook that came back. `returns`: rows that come back.
    """

    on: date
    who: str
    does: str
    adapter: str = ""
    file: str = ""
    rows: tuple[Entered, ...] = ()
    own: Own | None = None
    returns: int = 0
    gives: tuple[Given, ...]

    @property
    def count(self) -> int:
        """How many events it gives."""
        return sum(given.count for given in self.gives)


class Phase(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the round, with its title for people."""

    title: str
    step: tuple[Step, ...]


class Runs(Struct, frozen=True, forbid_unknown_fields=True):
    """An adapter on an agency's machine: the types that it takes from the hub (of `source` alone,
    if there is one), the ledger that it keeps of them (if `own`, of what it sends itself, too),
    whether it prints slips, its site's map."""

    takes: tuple[str, ...] = ()
    source: str = ""
    ledger: str = ""
    form: str = "ledger.toml"
    own: bool = False
    slips: bool = False
    site: str = ""


def phases() -> list[Phase]:
    """The whole round, in its order."""
    return [
        msgspec.convert(_table(file), Phase) for file in sorted((HERE / "round").glob("*.toml"))
    ]


def machines() -> Mapping[str, Mapping[str, Runs]]:
    """Agency → kind of adapter → what it does there."""
    return msgspec.convert(_table(HERE / "agencies.toml"), dict[str, dict[str, Runs]])


def _table(file: Path) -> Mapping[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))
