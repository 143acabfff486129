"""The sinks that the conformance suite tries, and what each has made of its events."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from adapters.kit.port import Sink
from adapters.kit.sinks.ledger import LedgerSettings

HERE = Path(__file__).parent
# How many events the hub gives at once.
PAGE = 6


@dataclass(frozen=True, slots=True)
class Made:
    """A kind of sink: opened in a folder, and all that it left there, for comparing."""

    opened: Callable[[Path], AbstractContextManager[Sink]]
    state: Callable[[Path], Any]

    def run(self, base: Path, events: list[dict[str, Any]], page: int = PAGE) -> None:
        with self.opened(base) as sink:
            for start in range(0, len(events), page):
                sink.take(events[start : start + page])


def ledger() -> Made:
    settings = LedgerSettings(type="ledger", file="台账/线索台账.xlsx")
    return Made(lambda base: settings.opened(base, HERE), lambda base: cells(base / settings.file))


def cells(file: Path) -> dict[str, Any]:
    """What every sheet of a workbook says, with the types of its cells."""
    return {
        sheet.title: [[(cell.value, cell.data_type) for cell in row] for row in sheet.iter_rows()]
        for sheet in load_workbook(file).worksheets
    }


@contextmanager
def making(kind: str) -> Iterator[Made]:
    yield {"ledger": ledger}[kind]()


KINDS = ("ledger",)
