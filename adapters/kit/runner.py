"""The loop: read → translate → check → publish → remember → report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from adapters.kit.adapter import Adapter
from adapters.kit.checkpoint import Checkpoint, Counts, Input, Sent
from adapters.kit.event import event_id, sealed
from adapters.kit.mapping import Row
from adapters.kit.port import (
    FaultKind,
    Reader,
    Record,
    RowFault,
    Translated,
    Unreadable,
    UnreadableFile,
)
from adapters.kit.readers.csv import CsvFile, examine_csv
from adapters.kit.readers.limits import SPREADSHEET, Limits
from adapters.kit.report import report_path, write_report
from adapters.kit.results import EventError, HubAway, Result
from contracts.agency import AgencyId
from contracts.envelope import day_of
from contracts.faults import Fault

MOST_SHOWN: Final = 1_000
_MOST_ROWS: Final = 1_000


class Publisher(Protocol):
    """Where events go. `HubClient` is one."""

    def publish(self, events: Sequence[bytes]) -> list[Result]:
        """One result for each event, in order. Raises HubError when it cannot tell."""
        ...


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a file, all its runs together since it was last begun from the start.

    `read` counts rows with something in them; `rejected` those that were not taken over, here or
    by the hub; `faults` and `receipts` (ids, of this run) are the first thousand. `complete` is
    False when part of the file could not be read. `report` is there when there are faults.
    """

    read: int
    accepted: int
    duplicate: int
    rejected: int
    receipts: tuple[str, ...]
    faults: tuple[RowFault, ...]
    complete: bool
    report: Path | None


Progress = Callable[[int, int | None], None]


def run(
    adapter: Adapter,
    path: Path,
    *,
    agency: str,
    hub: Publisher,
    state: Checkpoint,
    reports: Path | None = None,
    batch: int = 100,
    limits: Limits = SPREADSHEET,
    progress: Progress = lambda done, total: None,
) -> Summary:
    """Send one export to the hub as `agency`, going on where an earlier run was interrupted.

    A row that cannot be taken over goes to the report and holds up no other. When the hub stays
    away or refuses the caller, raises HubError; what was sent until then is remembered. Raises
    AgencyIdError for the agency, and OSError.
    """
    source = f"/{AgencyId.parse(agency)}/{adapter.mapping.system}"
    try:
        file = examine_csv(path, limits)
    except UnreadableFile as error:
        return _unreadable(path, error.faults, reports)
    known = state.input(source=source, file=path.name, digest=file.digest)
    job = _Job(
        adapter=adapter,
        source=source,
        hub=hub,
        state=state,
        input=known,
        batch=batch,
        progress=lambda row: progress(row, file.rows),
    )
    try:
        table = CsvFile(
            file,
            name=path.name,
            wanted=adapter.mapping.wanted,
            limits=limits,
        )
        job.work_through(table, after=known.row)
        complete = True
    except UnreadableFile as error:
        job.end(error.faults)
        complete = False
    return _summary(path, reports, job, complete=complete)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An event made from a row and not yet sent."""

    row: int
    sent: Sent
    event: bytes


@dataclass(slots=True)
class _Job:
    """One run over one input: what was read and is not settled yet."""

    adapter: Adapter
    source: str
    hub: Publisher
    state: Checkpoint
    input: Input
    batch: int
    progress: Callable[[int], None]
    receipts: list[str] = field(default_factory=list)
    waiting: list[_Waiting] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)
    unsettled: list[Record | Unreadable] = field(default_factory=list)
    rejected: int = 0

    def work_through(self, reader: Reader, *, after: int) -> None:
        self.faults.extend(reader.notices)
        for record in reader.read(after):
            self._take(record)
            if len(self.waiting) == self.batch or len(self.unsettled) == _MOST_ROWS:
                self._settle()
        self.end(())

    def end(self, faults: tuple[RowFault, ...]) -> None:
        """Settle what is left: there is nothing more to read."""
        self._settle()
        with self.state.transaction():
            self.input.note(faults)
            self.input.finish()

    def _take(self, record: Record | Unreadable) -> None:
        made = self._made(record)
        if not isinstance(made, Translated):
            self.faults.extend(made)
            self.rejected += 1
        else:
            # What an event replaces is certain once the hub has answered for the one before.
            if any(waiting.sent.native == made.native for waiting in self.waiting):
                self._settle()
            self.waiting.append(self._event(record.place.row, made))
        self.unsettled.append(record)

    def _made(self, record: Record | Unreadable) -> Translated | tuple[RowFault, ...]:
        """A record as an event that the contract admits, or what is wrong with it."""
        if isinstance(record, Unreadable):
            return record.faults
        row = self.adapter.mapping.read(record, self.adapter.codes)
        if not isinstance(row, Row):
            return row if isinstance(row, tuple) else ()
        (made,) = self.adapter.translate(row, self.adapter.contracts)
        if isinstance(made, RowFault):
            return (made,)
        day, codes = day_of(made.attributes["time"]), self.adapter.codes
        checked = self.adapter.contracts[made.type].check(made.data, day, codes=codes)
        if isinstance(checked, tuple):
            return tuple(self._broken_rule(record.place.row, fault) for fault in checked)
        return made

    def _event(self, row: int, made: Translated) -> _Waiting:
        event = event_id(made)
        before = self.state.supersedes(source=self.source, native=made.native, event=event)
        address = self.adapter.mapping.address
        return _Waiting(
            row=row,
            sent=Sent(native=made.native, event=event, supersedes=before),
            event=sealed(
                made,
                id=event,
                source=self.source,
                to=address.to,
                cc=address.cc,
                supersedes=before,
            ),
        )

    def _settle(self) -> None:
        """Publish what waits; once the hub has answered, remember it all in one transaction."""
        if not self.unsettled:
            return
        results = self.hub.publish([w.event for w in self.waiting]) if self.waiting else []
        answered = list(zip(self.waiting, results, strict=True))
        if any(result.retryable for result in results):
            raise HubAway("贯通暂不能受理，已记录进度，请稍后重新运行")
        with self.state.transaction():
            kept = [(waiting, r) for waiting, r in answered if r.status != "rejected"]
            self.state.remember(self.source, (waiting.sent for waiting, _ in kept))
            for waiting, result in answered:
                self.faults.extend(self._refused(waiting.row, e) for e in result.errors)
            self.input.note(self.faults)
            self.input.count(self._counts(results))
            self.input.settle(self.unsettled[-1].number)
        self._keep_receipts(results)
        self.progress(self.unsettled[-1].place.row)
        self.waiting, self.faults, self.unsettled, self.rejected = [], [], [], 0

    def _counts(self, results: list[Result]) -> Counts:
        outcome = [result.status for result in results]
        return Counts(
            read=len(self.unsettled),
            accepted=outcome.count("accepted"),
            duplicate=outcome.count("duplicate"),
            rejected=outcome.count("rejected") + self.rejected,
        )

    def _keep_receipts(self, results: list[Result]) -> None:
        got = [str(r.receipt["id"]) for r in results if r.receipt and r.status != "rejected"]
        self.receipts.extend(got[: MOST_SHOWN - len(self.receipts)])

    def _broken_rule(self, row: int, fault: Fault) -> RowFault:
        column = self.adapter.mapping.column_at(fault.pointer)
        advice = "请按原因改正该列后重新导出" if column else "请核对该行，或请管理员核对字段映射"
        return RowFault(row, column, FaultKind.CONTRACT, fault.message, advice)

    def _refused(self, row: int, error: EventError) -> RowFault:
        column = self.adapter.mapping.column_at(error.pointer)
        reason = f"{error.message}（{error.code}）"[:500]
        return RowFault(row, column, FaultKind.REFUSED, reason, _ADVICE.get(error.code, _ASK))


_ASK: Final = "请把原因告知贯通管理员"
_ADVICE: Final = {
    "id_reused": "该行内容与已发送的相同，只有登记时间或收件单位变了，不能重发，请告知贯通管理员",
}


def _summary(path: Path, reports: Path | None, job: _Job, *, complete: bool) -> Summary:
    counts = job.input.counts
    report = report_path(path, reports)
    if job.input.fault_count:
        write_report(report, path.name, job.input.faults())
    else:
        report.unlink(missing_ok=True)
    return Summary(
        read=counts.read,
        accepted=counts.accepted,
        duplicate=counts.duplicate,
        rejected=counts.rejected,
        receipts=tuple(job.receipts),
        faults=tuple(islice(job.input.faults(), MOST_SHOWN)),
        complete=complete,
        report=report if job.input.fault_count else None,
    )


def _unreadable(path: Path, faults: tuple[RowFault, ...], reports: Path | None) -> Summary:
    report = report_path(path, reports)
    write_report(report, path.name, faults)
    return Summary(
        read=0,
        accepted=0,
        duplicate=0,
        rejected=0,
        receipts=(),
        faults=faults,
        complete=False,
        report=report,
    )
