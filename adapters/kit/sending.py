"""The way on: what waits in the spool is sent, in order for each native number."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Final, Protocol

from msgspec import Struct

from adapters.kit.adapter import Adapter
from adapters.kit.batches import MOST_BYTES, MOST_EVENTS
from adapters.kit.documents import Counts, count, note
from adapters.kit.event import receipt_id, sealed
from adapters.kit.held import Waiting
from adapters.kit.own import Sent, keep_own
from adapters.kit.port import FaultKind, RowFault
from adapters.kit.results import UNNAMED, EventError, HubAway, HubProblem, Result
from adapters.kit.spool import Spool, refuse, take
from adapters.kit.state import State

_ENVELOPE: Final = 1_024
# Batches: one on its way, and the next to go.
_AT_ONCE: Final = 2


class Publisher(Protocol):
    """Where events go; called from one thread at a time. `HubClient` is one."""

    def publish(self, events: Sequence[bytes]) -> list[Result]:
        """One result for each event, in order. Raises HubError when it cannot tell."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """What the hub said to one batch: how many of each, refusals by code, ids of receipts."""

    counts: Counts
    refused: Counter[str]
    receipts: tuple[str, ...]


class _Ready(Struct, frozen=True):
    """An event as it waits, and as it goes out."""

    waiting: Waiting
    body: bytes


@dataclass(frozen=True, slots=True)
class _Going:
    """A batch on its way, or the next to go."""

    events: list[_Ready]
    answer: Future[list[Result]]


class _Line:
    """Batches go out one after the other, each as soon as the one before is answered, and none
    after one that was not."""

    def __init__(self, publish: Callable[[list[_Ready]], list[Result]]) -> None:
        self._publish = publish
        self._guard = Lock()
        self._next: deque[_Going] = deque()
        self._goes = False
        self._thread: Thread | None = None

    def add(self, events: list[_Ready]) -> _Going:
        going = _Going(events, Future())
        with self._guard:
            self._next.append(going)
            begins, self._goes = not self._goes, True
        if begins:
            # Whoever ends the process does not wait for a hub that is away.
            self._thread = Thread(target=self._go, name="sending", daemon=True)
            self._thread.start()
        return going

    def end(self) -> None:
        """Wait for the batch that is on its way; none goes after it."""
        with self._guard:
            self._next.clear()
        if self._thread is not None:
            self._thread.join()

    def _go(self) -> None:
        while going := self._following():
            try:
                going.answer.set_result(self._publish(going.events))
            except Exception as error:
                # Nor does what is added from now on: no thread is begun while one goes.
                going.answer.set_exception(error)
                return

    def _following(self) -> _Going | None:
        with self._guard:
            self._goes = bool(self._next)
            return self._next.popleft() if self._next else None


class Sending:
    """Sends what waits for one adapter; used by one thread. The answer to a batch that is on its
    way when it is used no longer is not kept, and the batch is sent again by the next."""

    def __init__(
        self,
        adapter: Adapter,
        state: State,
        spool: Spool,
        hub: Publisher,
        *,
        batch: int,
        own: bool = False,
        told: Callable[[Answered], None] = lambda answered: None,
    ) -> None:
        self._adapter = adapter
        self._state = state
        self._spool = spool
        self._hub = hub
        self._batch = min(batch, MOST_EVENTS)
        self._own = own
        self._told = told
        self._line = _Line(self._publish)
        self._going: deque[_Going] = deque()

    def send(self) -> bool:
        """Send one batch, and remember the answers in one transaction; False when nothing waits.

        The next batch, of other cases, is made ready while this one is on its way, and goes out
        as soon as this one is answered. Killed before it remembers, it sends the same events again,
        which are duplicates then. Raises HubError; what was not answered for goes on waiting.
        """
        if len(self._going) < _AT_ONCE:
            with self._state.computing:
                self._make_ready(_AT_ONCE)
        if not self._going:
            return False
        try:
            results = self._going[0].answer.result()
        except Exception:
            self._line, self._going = _Line(self._publish), deque()
            raise
        with self._state.computing:
            self._make_ready(_AT_ONCE + 1)
            self._remember(list(zip(self._going.popleft().events, results, strict=True)))
        return True

    def close(self) -> None:
        """Send no more, and wait until nothing is on its way: a connection that is closed under a
        request may read and write what another thread has opened since.
        """
        self._line.end()

    def _make_ready(self, batches: int) -> None:
        """Put as many batches in the line as wait, all of different cases."""
        room = MOST_BYTES - self._batch * _ENVELOPE
        while len(self._going) < batches:
            going = [each.waiting for batch in self._going for each in batch.events]
            waiting = self._spool.front(self._batch, room, going)
            if not waiting:
                return
            self._going.append(self._line.add([_Ready(e, self._sealed(e)) for e in waiting]))

    def _remember(self, sent: Sequence[tuple[_Ready, Result]]) -> None:
        answered = [(each.waiting, result) for each, result in sent if not result.retryable]
        taken = [each for each, result in answered if result.taken]
        refused = [(each, result) for each, result in answered if not result.taken]
        source = self._spool.source
        # Undone by a power cut, it is sent once more, and is a duplicate there.
        with self._state.transaction(durable=False) as database:
            take(database, source, taken)
            refuse(database, source, [each for each, _ in refused])
            if self._own:
                keep_own(database, [_own(source, *each) for each in sent if each[1].taken])
            for document, counts in _by_document(answered).items():
                count(database, document, counts)
            for each, result in refused:
                note(database, each.document, self._faults(each, result))
        self._told(_answer([result for _, result in answered]))
        if len(answered) < len(sent):
            raise HubAway("贯通请求稍后再发部分事件")

    def _publish(self, batch: Sequence[_Ready]) -> list[Result]:
        try:
            return self._hub.publish([each.body for each in batch])
        except HubProblem as problem:
            # A single one that no request can carry is refused; of several, the hub says which.
            if problem.status not in (400, 413, 422) or problem.retryable:
                raise
            if len(batch) > 1:
                return [result for each in batch for result in self._publish([each])]
            # What stands before the hub may find an event too large, and judges nothing else.
            if problem.code == UNNAMED and problem.status != 413:
                raise
            (alone,) = batch
            error = EventError(problem.code, "", problem.title, problem.title_en, False)
            return [Result(self._spool.source, alone.waiting.event, "rejected", None, (error,))]

    def _sealed(self, waiting: Waiting) -> bytes:
        """The event as it goes out; whom the translation addressed, the site does not."""
        address = self._adapter.mapping.address
        named = waiting.made.attributes
        return sealed(
            waiting.made,
            id=waiting.event,
            source=self._spool.source,
            to=named.get("to", address.to),
            cc=named.get("cc", address.cc),
            supersedes=waiting.supersedes,
        )

    def _faults(self, waiting: Waiting, result: Result) -> list[RowFault]:
        return [self._refused(waiting, error) for error in result.errors]

    def _refused(self, waiting: Waiting, error: EventError) -> RowFault:
        column = self._adapter.mapping.column_at(error.pointer, waiting.made.type)
        reason = f"{error.message}（{error.code}）"[:500]
        advice = _ADVICE.get(error.code, _ASK)
        place = waiting.place
        return RowFault(place.row, column, FaultKind.REFUSED, reason, advice, place.sheet)


def _own(source: str, ready: _Ready, result: Result) -> Sent:
    """The event for the adapter's own ledgers; of one that is not registered yet, its own time."""
    waiting = ready.waiting
    when = (result.receipt or {}).get("hubtime") or waiting.made.attributes["time"]
    return Sent(ready.body, receipt_id(source, waiting.event), str(when))


def _by_document(answered: Iterable[tuple[Waiting, Result]]) -> dict[int, Counts]:
    outcomes: dict[int, list[str]] = {}
    for each, result in answered:
        outcomes.setdefault(each.document, []).append(result.status)
    return {document: Counts(**Counter(every)) for document, every in outcomes.items()}


def _answer(given: Sequence[Result]) -> Answered:
    outcome = Counter([result.status for result in given])
    refused = Counter(
        error.code for result in given if not result.taken for error in result.errors[:1]
    )
    receipts = [str(r.receipt["id"]) for r in given if r.receipt and r.taken]
    counts = Counts(
        accepted=outcome["accepted"], duplicate=outcome["duplicate"], rejected=outcome["rejected"]
    )
    return Answered(counts, refused, tuple(receipts))


_ASK: Final = "请把原因告知贯通管理员"
_ADVICE: Final = {
    "address_unknown": "请核对收件机构编号和属地；编号无误的，请贯通管理员登记该机构",
    "caveat_circle": "请逐一写明收件机构编号，不写“*”",
    "region_unknown": "请核对区划代码；开发区等无正式代码的，请贯通管理员加入补充表",
    "contract_retired": "请管理员换用新版的适配器或模板",
    "id_reused": "该行内容与已发送的相同，只有登记时间或收件单位变了，不能重发，请告知贯通管理员",
}
