"""Agencies that keep a hub of several processes busy through a fault: they publish, and read."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random
from time import perf_counter
from typing import Any, Final

import httpx

from tests.cluster import DOORS, Cluster, until
from tests.faults.judge import Answered, Seen
from tests.faults.parcels import Parcel, parcels
from tests.running import PATIENCE, AgencyClient, results_of
from tests.sample import CITY, PETITION

PUBLISHERS: Final = 8
# A reader for each door, which knows no other, and one that changes.
CHANGING: Final = "both"
READERS: Final = {"a": ("a",), "b": ("b",), CHANGING: DOORS}
# What clients have patience for, seconds: an answer, news in a long poll, the next attempt.
ANSWER: Final = 5.0
WAIT: Final = 1
AGAIN: Final = 0.05
# How often it is looked whether the machine stands still, seconds.
LOOKS: Final = 0.05


@dataclass
class Load:
    """Publishers that each keep one case going, at the doors in turn, an event or a batch once what
    came before was answered; what was not answered is sent again. Readers of one subscription each,
    which commit what they read.
    """

    cluster: Cluster
    name: str
    answered: list[Answered] = field(default_factory=list)
    # By reader, everything in its order.
    seen: dict[str, list[Seen]] = field(default_factory=lambda: {name: [] for name in READERS})
    # What the brokers took of a producer of Kafka.
    produced: list[Answered] = field(default_factory=list)
    # How many answers were 503.
    put_off: int = 0
    # The longest that a publisher waited for an answer, whatever it was, or in vain; seconds.
    slowest: float = 0.0
    # The longest that nobody led what a broker had led, seconds.
    election: float = 0.0
    # The longest that the machine let nobody run: what waited for it has waited for nothing else.
    still: float = 0.0
    _known: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in READERS})
    _failed: BaseException | None = None
    _over: threading.Event = field(default_factory=threading.Event)
    _all_read: threading.Event = field(default_factory=threading.Event)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def await_answers(self, more: int) -> None:
        """Return once so many more requests of publishers were answered."""
        goal = len(self.answered) + more
        self._await(lambda: len(self.answered) >= goal)

    def await_refusals(self, more: int) -> None:
        """Return once so many more answers were 503, with the time after which to come again."""
        goal = self.put_off + more
        self._await(lambda: self.put_off >= goal)

    def await_word(self) -> None:
        """Return once anybody was answered, whatever it was."""
        heard = len(self.answered) + self.put_off
        self._await(lambda: len(self.answered) + self.put_off > heard)

    def await_seen(self) -> None:
        """Return once all that is promised now was read by every reader."""
        promised = self._promised()
        self._await(lambda: self._have_read(promised))

    def subscription(self, reader: str) -> str:
        """What a reader reads."""
        return f"{self.name}-{reader}"

    @contextmanager
    def failing_all(self) -> Iterator[None]:
        """What fails inside ends the waiting of everybody."""
        try:
            yield
        except BaseException as failed:
            with self._news:
                self._failed = self._failed or failed
                self._news.notify_all()
            self.stop()
            raise

    def publish(self, publisher: int) -> None:
        """Publish until it is over."""
        at = _Doors(self.cluster, PETITION, turn=publisher, doors=DOORS)
        case = f"{self.name}-{publisher}"
        with self.failing_all():
            for parcel in parcels(case, Random(case)):
                if self._over.is_set():
                    return
                self._publish(at, parcel)

    def read(self, reader: str) -> None:
        """Read and commit until all has been read."""
        with self.failing_all():
            self._read(reader)

    def _read(self, reader: str) -> None:
        at = _Doors(self.cluster, CITY, turn=0, doors=READERS[reader])
        subscription = self.subscription(reader)
        while not self._all_read.is_set():
            try:
                page = at.next().page(subscription, wait=WAIT, limit=1000)
                if page.status_code != 200:
                    self._note_refusal(page)
                    continue
                self._note_seen(reader, page.json())
                kept = at.next().commit(page.headers["guantong-cursor"], subscription)
                if kept.status_code != 200:
                    self._note_refusal(kept)
            except httpx.TransportError:
                at.lost()
                self._rest()

    def end(self, publishing: Sequence[Future[None]]) -> None:
        """Let the publishers end, and then the readers once they have everything."""
        self._over.set()
        for each in publishing:
            each.result(PATIENCE)
        promised = self._promised()
        # What is missing then is lost, and told.
        with self._news:
            self._news.wait_for(lambda: self._failed or self._have_read(promised), timeout=PATIENCE)

    def stop(self) -> None:
        """Have everybody stop, whatever is still to come."""
        self._over.set()
        self._all_read.set()

    def produce(self, send: Callable[[Parcel], None]) -> None:
        """Have a producer of Kafka `send` parcels one by one, until it is over."""
        case = f"{self.name}-produced"
        with self.failing_all():
            for parcel in parcels(case, Random(case), modes=("each",)):
                if self._over.is_set():
                    return
                began = perf_counter()
                send(parcel)
                now = perf_counter()
                with self._news:
                    self.produced.append(
                        Answered(parcel.accepted, parcel.refused, False, began, now)
                    )
                self._rest()

    def watch_machine(self) -> None:
        """Measure how long it stands still, until all has been read."""
        last = perf_counter()
        while not self._all_read.wait(LOOKS):
            now = perf_counter()
            self.still = max(self.still, now - last - LOOKS)
            last = now

    def _promised(self) -> set[str]:
        sent = (*self.answered, *self.produced)
        return {id_ for each in sent for id_ in each.accepted}

    def _have_read(self, promised: set[str]) -> bool:
        return all(promised <= known for known in self._known.values())

    def _await(self, come: Callable[[], bool]) -> None:
        with self._news:
            in_time = self._news.wait_for(lambda: self._failed or come(), timeout=PATIENCE)
        if self._failed:
            raise self._failed
        assert in_time, f"not within {PATIENCE} s"

    def _publish(self, at: "_Doors", parcel: Parcel) -> None:
        """Send a parcel until it is answered."""
        began = perf_counter()
        while perf_counter() - began < PATIENCE:
            sent = perf_counter()
            try:
                answer = at.next().publish(*parcel.events, mode=parcel.mode)
            except httpx.TransportError:
                at.lost()
                self._note_wait(perf_counter() - sent)
                self._rest()
                continue
            now = perf_counter()
            self._note_wait(now - sent)
            if answer.status_code in (200, 207, 422):
                assert _told(answer) == _due(parcel), answer.text
                with self._news:
                    self.answered.append(
                        Answered(parcel.accepted, parcel.refused, parcel.is_whole, began, now)
                    )
                    self._news.notify_all()
                return
            self._note_refusal(answer)
        raise AssertionError(f"not answered within {PATIENCE} s")

    def _note_wait(self, seconds: float) -> None:
        with self._news:
            self.slowest = max(self.slowest, seconds)

    def _note_refusal(self, answer: httpx.Response) -> None:
        assert answer.status_code == 503, answer.text
        assert "retry-after" in answer.headers
        with self._news:
            self.put_off += 1
            self._news.notify_all()
        self._rest()

    def _rest(self) -> None:
        """A moment before the next attempt, if there is to be one."""
        self._all_read.wait(AGAIN)

    def _note_seen(self, reader: str, events: Sequence[dict[str, Any]]) -> None:
        now = perf_counter()
        with self._news:
            self.seen[reader] += [
                Seen(
                    id=event["id"],
                    key=event["data"]["petitionid"],
                    number=event["data"]["people"],
                    position=event["hubposition"],
                    at=now,
                )
                for event in events
            ]
            self._known[reader].update(event["id"] for event in events)
            self._news.notify_all()


class _Doors:
    """An agency at its doors in turn."""

    def __init__(self, cluster: Cluster, agency: str, *, turn: int, doors: Sequence[str]) -> None:
        self._cluster = cluster
        self._agency = agency
        self._doors = doors
        self._turn = turn
        self._known: dict[str, AgencyClient] = {}

    def next(self) -> AgencyClient:
        """The agency at the next door."""
        self._turn += 1
        door = self._doors[self._turn % len(self._doors)]
        if door not in self._known:
            self._known[door] = self._cluster.at(door, self._agency, timeout=ANSWER)
        return self._known[door]

    def lost(self) -> None:
        """It did not answer: another process may have taken the door's place, at another port."""
        lost = self._known.pop(self._doors[self._turn % len(self._doors)])
        lost.http.close()


def _told(answer: httpx.Response) -> dict[str, bool]:
    """By event, whether the publisher was told that the hub has it."""
    return {result["id"]: result["status"] != "rejected" for result in results_of(answer)}


def _due(parcel: Parcel) -> dict[str, bool]:
    """By event, whether it is to be told that."""
    return {**dict.fromkeys(parcel.accepted, True), **dict.fromkeys(parcel.refused, False)}


@contextmanager
def busy(
    cluster: Cluster, name: str, *, producers: Sequence[Callable[[Parcel], None]] = ()
) -> Iterator[Load]:
    """Agencies at work, and those that send by Kafka; when the block ends they have sent, been
    answered, and read everything.
    """
    load = Load(cluster, name)
    for reader, doors in READERS.items():
        cluster.at(doors[0], CITY).subscribe(load.subscription(reader), types=["petition.*"])
    with ThreadPoolExecutor(PUBLISHERS + len(producers) + len(READERS) + 1) as threads:
        threads.submit(load.watch_machine)
        reading = [threads.submit(load.read, reader) for reader in READERS]
        publishing = [
            *(threads.submit(load.publish, n) for n in range(PUBLISHERS)),
            *(threads.submit(load.produce, send) for send in producers),
        ]
        try:
            yield load
            load.end(publishing)
        finally:
            load.stop()
    for each in reading:
        each.result()
    for reader in READERS:
        until(partial(_ended, cluster, load.subscription(reader)))


def _ended(cluster: Cluster, subscription: str) -> bool:
    return cluster.at("a", CITY).http.delete(f"/v1/subscriptions/{subscription}").status_code == 204
