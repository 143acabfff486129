"""A policy rehearsed on what has come lately: what it would let through, and what keep back.

Two policies decide on the same events at the same moment. An agency gets an event when a
subscription of its own matches it and it is entitled to it: as it would, reading now.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Final

from contracts.classes import FieldClass
from contracts.contract import Contract
from contracts.fields import Field
from hub.database.connection import Connection
from hub.database.readers import Readers
from hub.errors import Overloaded
from hub.event import Caveat, Entry
from hub.journal import sql
from hub.journal.matching import Matcher
from hub.journal.subscriptions import Subscription, from_row, passes
from hub.policy.entitle import OPEN, Allowed, Decisions
from hub.policy.policy import Policy

# A step holds a reader's thread for some 20 ms at most.
STEP_EVENTS: Final = 200
STEP_DECISIONS: Final = 1_000
MOST_EVENTS: Final = 100_000
MOST_DECISIONS: Final = 2_000_000
_END: Final = 2**63 - 1

# Agency → the fields that it is shown of an event.
Seen = Mapping[str, frozenset[str]]


@dataclass(slots=True)
class Tally:
    """How many events of a type change for an agency; `example` is the newest one's receipt id.

    `allowed` and `denied` come or stay away as a whole; `wider` and `narrower` show more or fewer
    of the fields that their contract declares.
    """

    example: str
    allowed: int = 0
    denied: int = 0
    wider: int = 0
    narrower: int = 0


@dataclass(slots=True)
class Replay:
    """What has been compared, from the newest event back to `since` (microseconds UTC).

    `reached` is where it has come to, `before` the position it goes on from; `complete` says that
    nothing is left. `changes` has a tally by agency and type, where there is one.
    """

    since: int
    reached: int = 0
    before: int = _END
    events: int = 0
    decisions: int = 0
    complete: bool = False
    changes: dict[tuple[str, str], Tally] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether it is complete, or has cost as much as one may."""
        return self.complete or self.events >= MOST_EVENTS or self.decisions >= MOST_DECISIONS


class Rehearsal:
    """The standing and the proposed policy on the subscriptions of one moment; pure."""

    def __init__(
        self, standing: Policy, proposed: Policy, subscriptions: Sequence[Subscription], *, now: int
    ) -> None:
        self._standing = _Side(standing, subscriptions, now)
        self._proposed = _Side(proposed, subscriptions, now)
        self._now = now

    def compare(self, events: Iterable[Entry], replay: Replay) -> None:
        """Count what changes in events, newest first, as far as one step goes."""
        enough = replay.decisions + STEP_DECISIONS
        for side in (self._standing, self._proposed):
            side.forget()
        for entry in events:
            replay.complete = entry.hubtime < replay.since
            if replay.ended or replay.decisions >= enough:
                return
            replay.before, replay.reached = entry.position, entry.hubtime
            replay.events += 1
            # What has expired reaches nobody any more, whatever the policy.
            if entry.expires is None or entry.expires > self._now:
                before = self._standing.seen(entry, replay)
                after = self._proposed.seen(entry, replay)
                _count(replay, entry, before, after)


class Replays:
    """Runs replays on readers' threads, one at a time, step by step with pauses between."""

    def __init__(self, *, readers: Readers, pause: Callable[[], Awaitable[None]]) -> None:
        self._readers = readers
        self._pause = pause
        self._running = False

    async def run(self, standing: Policy, proposed: Policy, *, since: int, now: int) -> Replay:
        """Compare two policies on the events registered from `since` on (microseconds UTC).

        Raises Overloaded while another one runs.
        """
        if self._running:
            raise Overloaded("另一次策略预演正在进行 / another replay is running", retry_after=5)
        self._running = True
        try:
            rehearsal = await self._readers.run(
                partial(_rehearsal, standing=standing, proposed=proposed, now=now)
            )
            replay = Replay(since)
            while not replay.ended:
                await self._readers.run(partial(_step, rehearsal=rehearsal, replay=replay))
                await self._pause()
            return replay
        finally:
            self._running = False


class _Side:
    """One of the two policies."""

    def __init__(self, policy: Policy, subscriptions: Sequence[Subscription], now: int) -> None:
        self._policy = policy
        self._now = now
        self._matcher = Matcher(subscriptions, policy=policy)
        self._decisions: dict[str, Decisions] = {}

    def forget(self) -> None:
        """Let go of what decisions have in common: it would grow with what is compared."""
        self._decisions.clear()

    def seen(self, entry: Entry, replay: Replay) -> Seen:
        """Who gets an event, and what they are shown of it."""
        contract = self._policy.catalogue.find(entry.type, entry.version)
        if contract is None:
            return {}
        matching = self._matcher.matches(entry, audience=entry.audience)
        shown: dict[str, frozenset[str]] = {}
        asking = {
            s.agency
            for s in matching
            if s.start < entry.position and passes(s.body.filters, entry.attributes)
        }
        for id_ in asking:
            agency = self._policy.agency(id_)
            if agency is None:
                continue
            decisions = self._decisions.get(id_)
            if decisions is None:
                decisions = Decisions(agency, policy=self._policy, now=self._now)
                self._decisions[id_] = decisions
            decision = decisions.on(entry)
            replay.decisions += 1
            if isinstance(decision, Allowed):
                sealed = bool(entry.caveats & Caveat.sealed)
                shown[id_] = (
                    frozenset() if sealed else _shown(contract, decision.classes, decision.masked)
                )
        return shown


def _rehearsal(
    connection: Connection, *, standing: Policy, proposed: Policy, now: int
) -> Rehearsal:
    subscriptions = [from_row(row) for row in sql.all_subscriptions(connection)]
    return Rehearsal(standing, proposed, subscriptions, now=now)


def _step(connection: Connection, *, rehearsal: Rehearsal, replay: Replay) -> None:
    events = sql.headers_before(connection, before=replay.before, most=STEP_EVENTS)
    rehearsal.compare(events, replay)
    if len(events) < STEP_EVENTS and (not events or replay.before == events[-1].position):
        replay.complete = True


def _count(replay: Replay, entry: Entry, before: Seen, after: Seen) -> None:
    for agency in before.keys() | after.keys():
        old, new = before.get(agency), after.get(agency)
        if old == new:
            continue
        key = (agency, entry.type)
        tally = replay.changes.setdefault(key, Tally(example=entry.receipt.hex()))
        if old is None:
            tally.allowed += 1
        elif new is None:
            tally.denied += 1
        else:
            tally.wider += bool(new - old)
            tally.narrower += bool(old - new)


@lru_cache(maxsize=4096)
def _shown(contract: Contract, classes: frozenset[FieldClass], masked: bool) -> frozenset[str]:
    """The pointers of the values that whoever is allowed this much is shown of a contract."""
    return frozenset(_values(contract.fields, classes, masked, ""))


def _values(
    fields: Iterable[Field], classes: frozenset[FieldClass], masked: bool, above: str
) -> Iterator[str]:
    for each in fields:
        left_out = masked and each.field_class not in OPEN and not each.in_summary
        if each.field_class in classes and not left_out:
            pointer = f"{above}/{each.name}"
            if each.parts:
                yield from _values(each.parts, classes, masked, pointer)
            else:
                yield pointer
