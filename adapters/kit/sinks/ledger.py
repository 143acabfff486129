"""A workbook kept current (台账): a row for each case, which people have open and fill in."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator

from adapters.kit.port import CannotRun, Sink
from adapters.kit.present import said
from adapters.kit.sinks.columns import (
    WITHHELD,
    Event,
    Kept,
    Strict,
    changes,
    described,
    key_of,
    rows_of,
)
from adapters.kit.sinks.ledgerform import Ledger
from adapters.kit.sinks.ledgerrows import LedgerRows, open_rows
from adapters.kit.sinks.taken import folder_at
from adapters.kit.sinks.workbook import Workbook, joined
from contracts.owncodes import SHIPPED, Codes, CodesDamaged, load_codes

_NOT_NAMED: Final = "更正后不再列入，请删去该行"


def _workbook(path: Path) -> Path:
    if path.suffix != ".xlsx":
        raise ValueError("台账的文件名应以 .xlsx 结尾")
    return path


class LedgerSettings(Strict):
    """`path`: the workbook. `ledger`: its description, in the adapter's folder. `codes`: the
    directory of the installation's own codes, for the choices that people have."""

    type: Literal["ledger"]
    path: Annotated[Path, AfterValidator(_workbook)]
    ledger: Path = Path("ledger.toml")
    codes: Path | None = None

    @contextmanager
    def opened(self, base: Path, folder: Path) -> Iterator[Sink]:
        """Raises CannotRun for a description that cannot be used, Away while another run writes."""
        ledger = described(folder / self.ledger, Ledger)
        codes = _codes(base, self.codes)
        choices = {column.title: column.choices_of(codes) for column in ledger.columns}
        file = base / self.path
        folder_at(file.parent)
        with open_rows(file.with_name(f".{file.name}.db")) as rows:
            yield LedgerSink(ledger, rows, Workbook(file, ledger, choices))


class LedgerSink:
    """Takes events into the rows of a ledger, and brings its workbook up to them.

    A correction's old values are kept on the sheet of corrections. While people have the workbook
    open it raises Away; the rows are kept, and the workbook follows when it is closed.
    """

    def __init__(self, ledger: Ledger, rows: LedgerRows, workbook: Workbook) -> None:
        self._ledger = ledger
        self._rows = rows
        self._workbook = workbook

    def take(self, events: Sequence[Mapping[str, Any]]) -> None:
        with self._rows.transaction():
            for event in events:
                kept = self._ledger.events.get(event["type"])
                if kept is not None and event not in self._rows.taken:
                    self._rows.taken.add(event)
                    entered = {self._enter(row, kept) for row in rows_of(kept, event)}
                    if kept.each and "supersedes" in event:
                        self._forget_others(event, kept, entered)
        if self._rows.behind or self._workbook.touched:
            self._workbook.write(self._rows)
            self._rows.written()

    def _enter(self, event: Event, kept: Kept) -> str:
        """Enter one row, and answer its key."""
        named = dict(zip(self._ledger.key, key_of(kept, event), strict=True))
        key = joined(named.values())
        before = self._rows.cells(key)
        changed = changes(self._ledger.columns, before, event, kept.state)
        untold = {t: k for t, k in named.items() if changed.get(t) in (None, WITHHELD)}
        after = {**before, **changed, **untold}
        self._rows.put(key, {title: v for title, v in after.items() if v is not None})
        if "supersedes" not in event:
            return key
        for title in (column.title for column in self._ledger.columns if column.pointer):
            if title in before and title in changed and changed[title] != before[title]:
                change = (said(before[title]), said(changed[title]))
                self._rows.note(event["hubtime"], key, title, change, event["hubreceipt"])
        return key

    def _forget_others(self, event: Event, kept: Kept, entered: Collection[str]) -> None:
        """Keep no longer the rows of items that a correction does not name; that is noted. What
        people have of them in the workbook is theirs to delete."""
        case = joined((key_of(kept, event)[0], ""))
        for key in self._rows.keys_under(case):
            if key not in entered:
                self._rows.forget(key)
                change = (key, _NOT_NAMED)
                self._rows.note(
                    event["hubtime"], key, self._ledger.key[-1], change, event["hubreceipt"]
                )


def _codes(base: Path, directory: Path | None) -> Codes:
    try:
        return SHIPPED if directory is None else load_codes(base / directory)
    except (CodesDamaged, OSError) as error:
        raise CannotRun(str(error)) from error
