"""Agencies that keep a hub of several processes busy through a fault: they publish, and read."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, Final

import httpx

from tests.cluster import DOORS, Cluster, until
from tests.faults.judge import Answered, Seen
from tests.running import PATIENCE, AgencyClient, results_of
from tests.sample import CITY, PETITION, petition

PUBLISHERS: Final = 6
# A reader for each door, which knows no other, and one that changes.
CHANGING: Final = "both"
READERS: Final = {"a": ("a",), "b": ("b",), CHANGING: DOORS}
# What clients have patience for, seconds: an answer, news in a long poll, the next attempt.
ANSWER: Final = 5.0
WAIT: Final = 1
AGAIN: Final = 0.05


@dataclass
class Load:
    """Publishers that each keep one case going, at the doors in turn, an event once the one before
    was answered; what was not answered is sent again. Readers of one subscription each, which
    commit what they read.
    """

    cluster: Cluster
    name: str
    # By event.
    answered: dict[str, Answered] = field(default_factory=dict)
    # By reader, everything in its order.
    seen: dict[str, list[Seen]] = field(default_factory=lambda: {name: [] for name in READERS})
    # How many answers were 503.
    refused: int = 0
    _failed: BaseException | None = None
    _over: threading.Event = field(default_factory=threading.Event)
    _all_read: threading.Event = field(default_factory=threading.Event)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def await_answers(self, more: int) -> None:
        """Return once so many more events were answered."""
        goal = len(self.answered) + more
        self._await(lambda: len(self.answered) >= goal)

    def await_refusals(self, more: int) -> None:
        """Return once so many more answers were 503, with the time after which to come again."""
        goal = self.refused + more
        self._await(lambda: self.refused >= goal)

    def await_word(self) -> None:
        """Return once anybody was answered, whatever it was."""
        heard = len(self.answered) + self.refused
        self._await(lambda: len(self.answered) + self.refused > heard)

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

    def publish(self, publisher: int) -> int:
        """Publish until it is over; how many events there are."""
        at = _Doors(self.cluster, PETITION, turn=publisher, doors=DOORS)
        number = 0
        with self.failing_all():
            while not self._over.is_set():
                number += 1
                id_ = f"{self.name}-{publisher}-{number}"
                case = petition(f"{self.name}-{publisher}", id=id_, data={"people": number})
                self._publish(at, case)
        return number

    def read(self, reader: str) -> None:
        """Read and commit until all has been read."""
        with self.failing_all():
            self._read(reader)

    def _read(self, reader: str) -> None:
        at = _Doors(self.cluster, CITY, turn=0, doors=READERS[reader])
        subscription = self.subscription(reader)
        while not self._all_read.is_set():
            try:
                page = at.next().page(subscription, wait=WAIT, limit=100)
                if page.status_code != 200:
                    self._note_refusal(page)
                    continue
                self._note_seen(reader, page.json())
                kept = at.next().commit(page.headers["guantong-cursor"], subscription)
                if kept.status_code != 200:
                    self._note_refusal(kept)
            except httpx.TransportError:
                at.lost()

    def end(self, publishing: Sequence[Future[int]]) -> None:
        """Let the publishers end, and then the readers once they have everything."""
        self._over.set()
        counts = [each.result(PATIENCE) for each in publishing]
        assert self.answered.keys() == {
            f"{self.name}-{n}-{number}"
            for n, count in enumerate(counts)
            for number in range(1, count + 1)
        }
        # What is missing then is lost, and told.
        began = perf_counter()
        while perf_counter() - began < PATIENCE and not (self._failed or self._have_all()):
            time.sleep(AGAIN)

    def stop(self) -> None:
        """Have everybody stop, whatever is still to come."""
        self._over.set()
        self._all_read.set()

    def _await(self, come: Callable[[], bool]) -> None:
        with self._news:
            in_time = self._news.wait_for(lambda: self._failed or come(), timeout=PATIENCE)
        if self._failed:
            raise self._failed
        assert in_time, f"not within {PATIENCE} s"

    def _have_all(self) -> bool:
        return all(
            self.answered.keys() <= {event.id for event in seen} for seen in self.seen.values()
        )

    def _publish(self, at: "_Doors", case: dict[str, Any]) -> None:
        began = perf_counter()
        while perf_counter() - began < PATIENCE:
            try:
                answer = at.next().publish(case)
            except httpx.TransportError:
                at.lost()
                continue
            if answer.status_code == 200:
                now = perf_counter()
                assert results_of(answer)[0]["status"] in ("accepted", "duplicate"), answer.text
                with self._news:
                    self.answered[case["id"]] = Answered(began, now)
                    self._news.notify_all()
                return
            self._note_refusal(answer)
        raise AssertionError(f"not answered within {PATIENCE} s")

    def _note_refusal(self, answer: httpx.Response) -> None:
        assert answer.status_code == 503, answer.text
        assert "retry-after" in answer.headers
        with self._news:
            self.refused += 1
            self._news.notify_all()
        time.sleep(AGAIN)

    def _note_seen(self, reader: str, events: Sequence[dict[str, Any]]) -> None:
        now = perf_counter()
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
        time.sleep(AGAIN)


@contextmanager
def busy(cluster: Cluster, name: str) -> Iterator[Load]:
    """Agencies at work; when the block ends they have sent, been answered, and read everything."""
    load = Load(cluster, name)
    for reader, doors in READERS.items():
        cluster.at(doors[0], CITY).subscribe(load.subscription(reader), types=["petition.*"])
    with ThreadPoolExecutor(PUBLISHERS + len(READERS)) as threads:
        reading = [threads.submit(load.read, reader) for reader in READERS]
        publishing = [threads.submit(load.publish, n) for n in range(PUBLISHERS)]
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
