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
    fills,
    key_of,
    rows_of,
    withheld,
)
from adapters.kit.sinks.ledgerform import Ledger
from adapters.kit.sinks.ledgerrows import Key, LedgerRows, open_rows
from adapters.kit.sinks.taken import folder_at
from adapters.kit.sinks.workbook import Workbook, joined
from adapters.kit.sinks.workdays import days_off
from contracts.owncodes import SHIPPED, Codes, CodesDamaged, load_codes

_NOT_NAMED: Final = "更正后不再列入，请删去该行"


def _workbook(path: Path) -> Path:
    if path.suffix != ".xlsx":
        raise ValueError("台账的文件名应以 .xlsx 结尾")
    return path


class LedgerSettings(Strict):
    """`path`: the workbook. `ledger`: its description, in the adapter's folder. `codes`: the
    directory of the installation's own codes, for the choices that people have. `calendar`: the
    file of its public holidays and of the weekends worked for them, for formulas."""

    type: Literal["ledger"]
    path: Annotated[Path, AfterValidator(_workbook)]
    ledger: Path = Path("ledger.toml")
    codes: Path | None = None
    calendar: Path | None = None

    @contextmanager
    def opened(self, base: Path, folder: Path) -> Iterator[Sink]:
        """Raises CannotRun for a description or a calendar that cannot be used, Away while another
        run writes."""
        ledger = described(folder / self.ledger, Ledger)
        codes = _codes(base, self.codes)
        choices = {column.title: column.choices_of(codes) for column in ledger.columns}
        file = base / self.path
        calendar = base / self.calendar if self.calendar else None
        if calendar:
            days_off(calendar)
        folder_at(file.parent)
        with open_rows(file.with_name(f".{file.name}.db"), ledger.key) as rows:
            yield LedgerSink(ledger, rows, Workbook(file, ledger, choices, calendar))


class LedgerSink:
    """Takes events into the rows of a ledger, and brings its workbook up to them.

    A correction's old values are kept on the sheet of corrections. While people have the workbook
    open it raises Away; the rows are kept, and the workbook follows when it is closed. What they
    saved is looked at, whether or not events come: where it says other than the rows, it is put
    right.
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
                    self._name(event, kept, entered)
        written = self._rows.written
        if written is None or self._workbook.differs(written):
            self._rows.written = self._workbook.write(self._rows, written)

    def _enter(self, event: Event, kept: Kept) -> Key:
        """Enter one row, and answer its key."""
        key = key_of(kept, event)
        named = dict(zip(self._ledger.key, key, strict=True))
        before = self._rows.cells(key)
        changed = changes(self._ledger.columns, before, event, kept.state)
        untold = {t: k for t, k in named.items() if changed.get(t) in (None, WITHHELD)}
        after = {**before, **changed, **untold}
        self._rows.put(key, {title: v for title, v in after.items() if v is not None})
        if "supersedes" not in event:
            return key
        for title in (column.title for column in self._ledger.columns if column.pointer):
            if title in before and title in changed and changed[title] != before[title]:
                self._note(event, key, title, (said(before[title]), said(changed[title])))
        return key

    def _name(self, event: Event, kept: Kept, entered: Collection[Key]) -> None:
        """Remember the event's rows. One of which a correction is no longer, and no other event, is
        kept no longer; of one that others are about, too, what is the event's own is blanked. Both
        are noted. What people have of a row in the workbook is theirs to delete."""
        source, replaced = event["source"], event.get("supersedes")
        instead_of = None if replaced is None else f"{source}\n{replaced}"
        name = f"{source}\n{event['id']}"
        dropped = self._rows.name(name, entered, instead_of=instead_of)
        if kept.each is None or withheld(event, kept.each):
            self._rows.name(name, dropped, instead_of=None)
            return
        for key in dropped:
            if self._rows.is_named(key):
                self._blank(event, key)
            else:
                self._rows.forget(key)
                self._note(event, key, self._ledger.key[-1], (joined(key), _NOT_NAMED))

    def _blank(self, event: Event, key: Key) -> None:
        """Blank the columns of a row that are for events like this one alone."""
        cells = self._rows.cells(key)
        own = {c.title for c in self._ledger.columns if c.where and fills(c, event)}
        self._rows.put(key, {title: v for title, v in cells.items() if title not in own})
        for title in cells.keys() & own:
            self._note(event, key, title, (said(cells[title]), ""))

    def _note(self, event: Event, key: Key, title: str, change: tuple[str, str]) -> None:
        self._rows.note(event["hubtime"], joined(key), title, change, event["hubreceipt"])


def _codes(base: Path, directory: Path | None) -> Codes:
    try:
        return SHIPPED if directory is None else load_codes(base / directory)
    except (CodesDamaged, OSError) as error:
        raise CannotRun(str(error)) from error
