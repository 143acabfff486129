"""Many adapters in one process: each part in a thread, begun again with a pause when it fails.

An adapter has up to three parts: `reading` (source → spool), `sending` (spool → hub) and `taking`
(hub → sinks). They meet in the adapter's state directory alone, so that reading goes on while the
hub is away, and one that fails holds up no other.
"""

import os
import sqlite3
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

from prometheus_client import start_http_server

from adapters.kit.adapter import Adapter, load, named
from adapters.kit.answers import purge_answers, write_answers
from adapters.kit.client import HubClient, Retry
from adapters.kit.config import AdapterSettings, Settings, keeps_own
from adapters.kit.documents import DAY, Counts, Document, Documents
from adapters.kit.metrics import Exposed, Figures
from adapters.kit.port import Away, CannotRun, FaultKind, Outcome, Source
from adapters.kit.readers.limits import SPREADSHEET, Limits
from adapters.kit.reading import Reading, Watched
from adapters.kit.results import HubError, HubProblem
from adapters.kit.sending import Answered, Sending
from adapters.kit.spool import Spool
from adapters.kit.state import State, open_state
from adapters.kit.taking import Taking
from contracts.agency import AgencyId
from contracts.catalogue import load_catalogue
from contracts.owncodes import Codes

# How often old answers are looked for.
_HOUR: Final = 3_600.0
# Not longer, so that the end of the process need not wait.
_POLL: Final = 5.0
# Between two words on how far a document is read.
_TELLING: Final = 10.0
_LONGEST_PAUSE: Final = 60.0
# The pause that a source or a sink may ask for.
_LONGEST_ASKED: Final = DAY


# Who hears what an adapter does: a log. Names, counts and reasons, never what a cell says.
Told = Callable[..., Any]


class Stopped(Exception):
    """The process ends; what was not kept is read again."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a running adapter has around it: the clock, the sign to stop, the log, and how many
    seconds it pauses after its first failure."""

    now: Callable[[], float]
    stop: Event
    told: Told
    pause: float = 1.0


@dataclass(slots=True)
class Way:
    """One adapter at work: its settings, what it remembers, and its figures; `slips` are the rows
    of a document at which the translation raised, `told_at` is when it was last told how far that
    is read, `purged` when it last looked for old answers."""

    settings: AdapterSettings
    base: Path
    adapter: Adapter
    state: State
    around: Around
    documents: Documents
    spool: Spool
    figures: Figures
    slips: int = 0
    told_at: float = 0.0
    purged: float = 0.0
    more: Event = field(default_factory=Event)
    room: Event = field(default_factory=Event)

    def client(self, hub: str, ca: Path | None) -> HubClient:
        """A caller that asks once: the parts wait and ask again themselves."""
        token = (self.base / self.settings.token_file).read_text(encoding="utf-8").strip()
        verify = ssl.create_default_context(cafile=ca) if ca else True
        return HubClient(hub, token, verify=verify, retry=Retry(times=0))

    # Reading

    def read_from(self, source: Source) -> Callable[[], bool]:
        """The step of `reading`: finish what is answered, or read what was brought, or bring."""
        reading = Reading(
            self.adapter,
            self.state,
            self.documents,
            self.spool,
            now=self.around.now,
            limits=self._limits,
            watched=Watched(progress=self._progress, kept=self._kept, room=self._wait_for_room),
        )

        def step() -> bool:
            if (answered := self.documents.answered()) is not None:
                self._finish(source, answered)
                return True
            document = self.documents.to_read() or self._bring(source)
            if document is None:
                self._purge()
                return False
            self._wait_for_room()
            self.told_at = self.around.now()
            reading.read(document)
            self._tell_slips(document)
            self._tell_people(self.documents.current(document))
            self.more.set()
            return True

        return step

    def _bring(self, source: Source) -> Document | None:
        raw = self.documents.next_raw()
        brought = source.bring(self.documents.position, raw)
        return None if brought is None else self.documents.add(brought, raw)

    def _tell_slips(self, document: Document) -> None:
        """What no clerk can put right is told whoever runs the adapter, once for a document."""
        if self.slips:
            self.around.told(
                "translation.failed",
                adapter=self.settings.name,
                document=document.number,
                rows=self.slips,
            )
        self.slips = 0

    @property
    def _answers(self) -> Path:
        return self.base / (self.settings.answers or Path(f"{self.settings.name}-answers"))

    def _tell_people(self, document: Document) -> tuple[Path, ...]:
        """Write what people have to put right, as far as it is known."""
        self._answers.mkdir(parents=True, exist_ok=True, mode=0o700)
        return write_answers(
            document.path,
            document.name,
            self.documents.faults(document),
            self._answers,
            wanted=self.adapter.mapping.wanted,
            limits=self._limits,
        )

    def _finish(self, source: Source, document: Document) -> None:
        counts = document.counts
        answers = self._tell_people(document)
        source.finished(
            document.name,
            Outcome(
                counts.read,
                counts.accepted,
                counts.duplicate,
                counts.rejected,
                document.complete,
                answers,
            ),
        )
        self.documents.finish(document, self.around.now())
        self._purge()
        self.around.told(
            "document.finished",
            adapter=self.settings.name,
            document=document.number,
            complete=document.complete,
            read=counts.read,
            accepted=counts.accepted,
            duplicate=counts.duplicate,
            rejected=counts.rejected,
        )

    def _purge(self) -> None:
        now = self.around.now()
        self.documents.purge(now - self.settings.raw_days * DAY)
        if now - self.purged >= _HOUR:
            self.purged = now
            purge_answers(self._answers, now - self.settings.answers_days * DAY)

    def _kept(self, counts: Counts, faults: Counter[FaultKind]) -> None:
        self.figures.kept(counts, faults)
        self.slips += faults[FaultKind.PROGRAM]
        self.more.set()

    def _progress(self, number: int, rows: int | None) -> None:
        """Says how far a long document is read, every ten seconds."""
        if self.around.now() - self.told_at >= _TELLING:
            self.told_at = self.around.now()
            self.around.told(
                "document.progress", adapter=self.settings.name, record=number, of=rows
            )

    @property
    def _limits(self) -> Limits:
        return replace(SPREADSHEET, go_on=self._go_on)

    def _go_on(self) -> None:
        """Raises Stopped when that is asked for."""
        if self.around.stop.is_set():
            raise Stopped

    def _wait_for_room(self) -> None:
        """Wait while the spool is full. Raises Stopped."""
        while True:
            self._go_on()
            self.room.clear()
            depth = self.spool.depth()
            if (
                depth.events < self.settings.spool_events
                and depth.bytes < self.settings.spool_mebibytes << 20
            ):
                return
            self.room.wait(1)

    # Sending

    def did(self, part: str) -> None:
        """A part came to the end of a step."""
        self.figures.success[part] = self.around.now()

    def answered(self, answer: Answered) -> None:
        self.figures.answered(answer)
        self.room.set()


def run_adapters(settings: Settings, base: Path, *, codes: Codes, around: Around) -> None:
    """Run the adapters until the sign to stop; `base` is where the settings' paths start.

    Raises CannotRun for what no waiting mends before anything runs: a kind that is not there, a
    state that another process holds.
    """
    figures: dict[str, Figures] = {}
    with ExitStack() as stack:
        threads = []
        for each in settings.adapter:
            way = stack.enter_context(_opened(each, settings, base, codes, around))
            figures[each.name] = way.figures
            threads += _parts(way, settings, base)
        asked_at = None
        if settings.metrics is not None:
            host, _, port = settings.metrics.rpartition(":")
            exposed = Exposed(figures, around.now)
            server, serving = start_http_server(int(port), host, registry=exposed.registry)
            stack.callback(serving.join)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            asked_at = f"{host}:{server.server_port}"
        for thread in threads:
            thread.start()
            stack.callback(thread.join)
        stack.callback(around.stop.set)
        around.told("adapters.running", adapters=len(settings.adapter), metrics=asked_at)
        around.stop.wait()


@contextmanager
def _opened(
    each: AdapterSettings, settings: Settings, base: Path, codes: Codes, around: Around
) -> Iterator[Way]:
    site = base / each.site if each.site else None
    adapter = load(named(each.kind, base), site, codes)
    source = f"/{AgencyId.parse(each.agency)}/{adapter.mapping.system}"
    with open_state(base / settings.state / each.name) as state:
        spool = Spool(state, source)
        yield Way(
            settings=each,
            base=base,
            adapter=adapter,
            state=state,
            around=around,
            documents=Documents(state, source),
            spool=spool,
            figures=Figures(spool.depth if each.source else None),
        )


def _parts(way: Way, settings: Settings, base: Path) -> list[Thread]:
    ca = base / settings.hub.ca if settings.hub.ca else None
    parts: list[tuple[str, Callable[[], None]]] = []
    if way.settings.source is not None:
        parts.append(("reading", lambda: _reading(way)))
        parts.append(("sending", lambda: _sending(way, settings.hub.url, ca)))
    if way.settings.subscription is not None:
        parts.append(("taking", lambda: _taking(way, settings.hub.url, ca)))
    for name, _ in parts:
        # One that never succeeds is told by how long it tries.
        way.did(name)
    return [
        Thread(target=_begun_again, args=(way, name, part), name=f"{way.settings.name}.{name}")
        for name, part in parts
    ]


def _reading(way: Way) -> None:
    assert way.settings.source is not None
    with way.settings.source.opened(way.base) as source:
        step = way.read_from(source)
        while not way.around.stop.is_set():
            worked = step()
            way.did("reading")
            if not worked:
                way.around.stop.wait(way.settings.every)


def _sending(way: Way, hub: str, ca: Path | None) -> None:
    with ExitStack() as stack:
        client = stack.enter_context(way.client(hub, ca))
        sending = Sending(
            way.adapter,
            way.state,
            way.spool,
            client,
            batch=way.settings.batch,
            own=way.settings.own,
            told=way.answered,
        )
        stack.callback(sending.close)
        while not way.around.stop.is_set():
            way.more.clear()
            sent = sending.send()
            way.did("sending")
            if not sent:
                way.more.wait(1)


def _taking(way: Way, hub: str, ca: Path | None) -> None:
    assert way.settings.subscription is not None
    with ExitStack() as stack:
        settings = way.settings.sinks
        sinks = [stack.enter_context(s.opened(way.base, way.adapter.folder)) for s in settings]
        own = [
            sink
            for sink, told in zip(sinks, settings, strict=True)
            if way.settings.own and keeps_own(told)
        ]
        client = stack.enter_context(way.client(hub, ca))
        body = {"id": way.settings.name, **way.settings.subscription}
        taking = Taking(
            client,
            body,
            way.state,
            load_catalogue(),
            sinks,
            own=own,
            told=lambda n: _taken(way, n),
        )
        while not way.around.stop.is_set():
            taking.take(wait=_POLL)
            way.did("taking")


def _taken(way: Way, events: int) -> None:
    if events:
        way.figures.taken += events
        way.around.told("events.taken", adapter=way.settings.name, events=events)


def _begun_again(way: Way, name: str, part: Callable[[], None]) -> None:
    """Run a part until the sign to stop; after a failure begin it again, later each time."""
    pause = way.around.pause
    while not way.around.stop.is_set():
        began = way.around.now()
        try:
            part()
        except Stopped:
            return
        except Exception as error:
            way.figures.restarts[name] += 1
            way.around.told(
                "adapter.failed",
                adapter=way.settings.name,
                part=name,
                kind=type(error).__name__,
                reason=_reason(error),
            )
            if way.around.now() - began > _LONGEST_PAUSE:
                pause = way.around.pause
            asked = error.wait if isinstance(error, Away) else 0.0
            way.around.stop.wait(max(pause, min(asked, _LONGEST_ASKED)))
            pause = min(pause * 2, _LONGEST_PAUSE)


def _reason(error: Exception) -> str:
    """What the kit says, or the system: anything else may repeat what was read."""
    match error:
        case HubProblem():
            return f"{error.title} ({error.code}, HTTP {error.status})"
        case HubError() | Away() | CannotRun():
            return str(error)
        case OSError(errno=int(number)):
            return os.strerror(number)
        case sqlite3.Error():
            return getattr(error, "sqlite_errorname", "")
    return ""
