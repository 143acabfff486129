"""The way on: what waits in the spool is sent, in order for each native number."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from adapters.kit.adapter import Adapter
from adapters.kit.batches import MOST_BYTES, MOST_EVENTS
from adapters.kit.documents import Counts, count, note
from adapters.kit.event import sealed
from adapters.kit.port import FaultKind, RowFault
from adapters.kit.results import UNNAMED, EventError, HubAway, HubProblem, Result
from adapters.kit.spool import Spool, Waiting, drop, remember
from adapters.kit.state import State

_ENVELOPE: Final = 1_024


class Publisher(Protocol):
    """Where events go. `HubClient` is one."""

    def publish(self, events: Sequence[bytes]) -> list[Result]:
        """One result for each event, in order. Raises HubError when it cannot tell."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """What the hub said to one batch: how many of each, refusals by code, ids of receipts."""

    counts: Counts
    refused: Counter[str]
    receipts: tuple[str, ...]


class Sending:
    """Sends what waits for one adapter; used by one thread."""

    def __init__(
        self,
        adapter: Adapter,
        state: State,
        spool: Spool,
        hub: Publisher,
        *,
        batch: int,
        told: Callable[[Answered], None] = lambda answered: None,
    ) -> None:
        self._adapter = adapter
        self._state = state
        self._spool = spool
        self._hub = hub
        self._batch = min(batch, MOST_EVENTS)
        self._told = told

    def send(self) -> bool:
        """Send one batch, and remember the answers in one transaction; False when nothing waits.

        Killed before it remembers, it sends the same events again, which are duplicates then.
        Raises HubError; what was not answered for goes on waiting.
        """
        waiting = self._spool.front(self._batch, MOST_BYTES - self._batch * _ENVELOPE)
        if not waiting:
            return False
        results = self._publish(waiting)
        pairs = list(zip(waiting, results, strict=True))
        answered = [pair for pair in pairs if not pair[1].retryable]
        taken = [each for each, result in answered if result.status != "rejected"]
        # Undone by a power cut, it is sent once more, and is a duplicate there.
        with self._state.transaction(durable=False) as database:
            drop(database, [each for each, _ in answered])
            remember(database, self._spool.source, taken)
            for document, counts in _by_document(answered).items():
                count(database, document, counts)
            for each, result in answered:
                if result.status == "rejected":
                    note(database, each.document, self._faults(each, result))
        self._told(_answer(result for _, result in answered))
        if len(answered) < len(pairs):
            raise HubAway("贯通请求稍后再发部分事件")
        return True

    def _publish(self, waiting: Sequence[Waiting]) -> list[Result]:
        try:
            return self._hub.publish([self._sealed(each) for each in waiting])
        except HubProblem as problem:
            # A single one that no request can carry is refused; of several, the hub says which.
            if problem.status not in (400, 413, 422) or problem.retryable:
                raise
            if len(waiting) > 1:
                return [result for each in waiting for result in self._publish([each])]
            # What stands before the hub may find an event too large, and judges nothing else.
            if problem.code == UNNAMED and problem.status != 413:
                raise
            (alone,) = waiting
            error = EventError(problem.code, "", problem.title, problem.title_en, False)
            return [Result(self._spool.source, alone.event, "rejected", None, (error,))]

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


def _by_document(answered: Iterable[tuple[Waiting, Result]]) -> dict[int, Counts]:
    outcomes: dict[int, Counter[str]] = {}
    for each, result in answered:
        outcomes.setdefault(each.document, Counter())[result.status] += 1
    return {document: Counts(**outcome) for document, outcome in outcomes.items()}


def _answer(results: Iterable[Result]) -> Answered:
    given = list(results)
    outcome = Counter(result.status for result in given)
    refused = Counter(
        error.code for result in given if result.status == "rejected" for error in result.errors[:1]
    )
    receipts = (str(r.receipt["id"]) for r in given if r.receipt and r.status != "rejected")
    counts = Counts(
        accepted=outcome["accepted"], duplicate=outcome["duplicate"], rejected=outcome["rejected"]
    )
    return Answered(counts, refused, tuple(receipts))


_ASK: Final = "请把原因告知贯通管理员"
_ADVICE: Final = {
    "id_reused": "该行内容与已发送的相同，只有登记时间或收件单位变了，不能重发，请告知贯通管理员",
}
