"""One file, once: copied, read into the spool and sent, going on where an earlier run ended."""

import gc
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shutil import copyfileobj
from threading import Event
from typing import Final

from adapters.kit.adapter import Adapter
from adapters.kit.answers import write_answers
from adapters.kit.documents import DAY, RAW_DAYS, Document, Documents, digest_of
from adapters.kit.event import receipt_id
from adapters.kit.port import Brought, RowFault
from adapters.kit.readers.limits import SPREADSHEET, Limits
from adapters.kit.reading import Reading, Watched
from adapters.kit.sending import Publisher, Sending
from adapters.kit.sources.files import new_file
from adapters.kit.spool import Spool
from adapters.kit.state import State
from adapters.kit.wanted import Wanted
from contracts.agency import AgencyId

MOST_SHOWN: Final = 1_000
# Seconds: reading is all computing, and would let sending, which waits for the network again and
# again, have its turn too seldom.
_TURN: Final = 0.0005
# Objects: a row makes some hundred that live until their chunk is settled, and none in a circle.
_YOUNG: Final = 50_000
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a file, all its runs together since it was last begun from the start.

    `read` counts rows with something in them; `accepted` and `duplicate` events; `rejected` rows
    that were not taken over whole and events that the hub refused; `faults` (columns as the file
    calls them) and `receipts` (ids, of this run) are the first thousand. `complete` is False when
    part of the file could not be read. `answers` tell people what to put right, none when there is
    nothing.
    """

    read: int
    accepted: int
    duplicate: int
    rejected: int
    receipts: tuple[str, ...]
    faults: tuple[RowFault, ...]
    complete: bool
    answers: tuple[Path, ...]


Progress = Callable[[int, int | None], None]


def tune_interpreter() -> None:
    """Settings of the interpreter for a process that does nothing but run adapters."""
    sys.setswitchinterval(_TURN)
    gc.set_threshold(_YOUNG)


def run(
    adapter: Adapter,
    path: Path,
    *,
    agency: str,
    hub: Publisher,
    state: State,
    now: Callable[[], float],
    answers: Path | None = None,
    batch: int = 100,
    limits: Limits = SPREADSHEET,
    again: bool = False,
    raw_days: float = RAW_DAYS,
    progress: Progress = lambda done, total: None,
) -> Summary:
    """Send one file to the hub as `agency`, going on where an earlier run was interrupted.

    A row that cannot be taken over goes to the answers (beside the file, or in `answers`) and
    holds up no other. When the hub stays away or refuses the caller, raises HubError once the file
    is read: what waits is in the spool, and the next run sends it first. `again` sends what was
    sent before once more; `raw_days` is how long raw copies are kept. Raises AgencyIdError for the
    agency, and OSError.
    """
    source = f"/{AgencyId.parse(agency)}/{adapter.mapping.system}"
    documents, spool = Documents(state, source), Spool(state, source)
    document = documents.unfinished(path.name, digest_of(path)) or _kept(documents, path)
    receipts: list[str] = []

    def shown(more: Sequence[str]) -> None:
        receipts.extend(more[: MOST_SHOWN - len(receipts)])

    more, ended = Event(), Event()
    watched = Watched(
        progress=progress,
        kept=lambda counts, faults: more.set(),
        known=lambda event: shown([receipt_id(source, event)]),
        room=partial(_go_on, ended),
    )
    reading = Reading(
        adapter,
        state,
        documents,
        spool,
        now=now,
        limits=replace(limits, go_on=partial(_go_on, ended)),
        again=again,
        watched=watched,
    )
    sending = Sending(
        adapter, state, spool, hub, batch=batch, told=lambda answer: shown(answer.receipts)
    )
    at_once(partial(reading.read, document), sending.send, more, ended)
    told = _answered(documents, document, answers or path.parent, wanted=adapter.mapping.wanted)
    summary = replace(told, receipts=tuple(receipts))
    documents.finish(document, now())
    documents.purge(now() - raw_days * DAY)
    return summary


def _answered(documents: Documents, document: Document, into: Path, *, wanted: Wanted) -> Summary:
    """What became of a document, its answers written; without the receipts, which are not kept."""
    ended = documents.current(document)
    shown: list[RowFault] = []

    def told(fault: RowFault) -> None:
        shown.extend([fault] if len(shown) < MOST_SHOWN else ())

    files = write_answers(
        document.path, document.name, documents.faults(ended), into, wanted=wanted, told=told
    )
    return Summary(
        read=ended.counts.read,
        accepted=ended.counts.accepted,
        duplicate=ended.counts.duplicate,
        rejected=ended.counts.rejected,
        receipts=(),
        faults=tuple(shown),
        complete=ended.complete,
        answers=files,
    )


class _Ended(Exception):
    """Whoever runs the file has ended the run; what was not kept is read by the next."""


def _go_on(ended: Event) -> None:
    if ended.is_set():
        raise _Ended


def at_once(read: Callable[[], None], send: Callable[[], bool], more: Event, ended: Event) -> None:
    """Read in a thread of its own and send in this one, until everything is read and sent.

    What was read is kept when sending fails; that is told when all is read. `ended` is set when the
    process is asked to end before.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="reading") as threads:
        try:
            reading = threads.submit(read)
            reading.add_done_callback(lambda _: more.set())
            _send_all(reading, send, more)
        except KeyboardInterrupt:
            ended.set()
            raise
        reading.result()


def _send_all(reading: Future[None], send: Callable[[], bool], more: Event) -> None:
    """Send until all that was read is sent."""
    while True:
        more.clear()
        done = reading.done()
        while send():
            pass
        if done:
            return
        more.wait()


def _kept(documents: Documents, path: Path) -> Document:
    """A document of the file as it is now, durable before anything of it is read."""
    raw = documents.next_raw()
    with path.open("rb") as given, new_file(raw) as out:
        copyfileobj(given, out, _CHUNK)
    return documents.add(Brought(path.name, documents.position), raw)
