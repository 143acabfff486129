"""A hub in several processes on one PostgreSQL database, and agencies that keep it busy."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import httpx

from tests.running import AgencyClient, RunningHub, results_of, start_hub
from tests.sample import PETITION, petition

DOORS = ("a", "b")
WORKS = ("v", "w")
PATIENCE = 90
T = TypeVar("T")
Event = dict[str, Any]


def until(look: Callable[[], T | None]) -> T:
    """What a look finds, as soon as it finds something."""
    began = perf_counter()
    while perf_counter() - began < PATIENCE:
        found = look()
        if found:
            return found
    raise AssertionError(f"not within {PATIENCE} s")


@dataclass
class Cluster:
    """The processes of a hub by name: doors `a` and `b`, of `v` and `w` one writes."""

    folder: Path
    database: str
    running: dict[str, RunningHub] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        """Start processes, all at once, on the directories that they may have had."""
        with ThreadPoolExecutor(len(names)) as threads:
            for name, hub in zip(names, threads.map(self._start, names), strict=True):
                self.running[name] = hub

    def at(self, door: str, agency: str) -> AgencyClient:
        """What an agency does at a door; its token was issued at the door `a`."""
        return AgencyClient(agency, self.running[door].client(self.running["a"].token(agency)))

    def writer(self) -> str:
        """The process that writes, once one does."""
        return until(lambda: next((n for n in WORKS if self.role(n) == "writer"), None))

    def role(self, name: str) -> str | None:
        """What a process says of itself; None when it does not answer."""
        try:
            answer = httpx.get(f"{self.running[name].url}/health/ready", timeout=2, trust_env=False)
        except httpx.TransportError:
            return None
        role: str | None = answer.json().get("role")
        return role

    def end(self) -> None:
        """kill -9 of all that runs."""
        for hub in self.running.values():
            if hub.process.poll() is None:
                hub.kill()

    def _start(self, name: str) -> RunningHub:
        command = "serve" if name in DOORS else "work"
        settings = {"database": self.database}
        return start_hub(self.folder / name, settings=settings, command=command)


@dataclass
class Load:
    """Publishers that each keep one case going, at the doors in turn, an event once the one before
    was answered; what was not answered is sent again.
    """

    cluster: Cluster
    name: str
    told: dict[str, str] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    answered: threading.Condition = field(default_factory=threading.Condition)

    def await_answers(self, more: int) -> None:
        """Return once so many more events were answered."""
        with self.answered:
            goal = len(self.told) + more
            assert self.answered.wait_for(lambda: len(self.told) >= goal, timeout=PATIENCE)

    def publish(self, publisher: int) -> int:
        """Publish until it is over; how many events there are."""
        at = {door: self.cluster.at(door, PETITION) for door in DOORS}
        number = 0
        while not self.over.is_set():
            number += 1
            id_ = f"{self.name}-{publisher}-{number}"
            case = petition(f"{self.name}-{publisher}", id=id_, data={"people": number})
            self._publish(at, number, case)
        return number

    def _publish(self, at: dict[str, AgencyClient], turn: int, case: Event) -> None:
        began = perf_counter()
        while perf_counter() - began < PATIENCE:
            turn += 1
            door = DOORS[turn % len(DOORS)]
            try:
                answer = at[door].publish(case)
            except httpx.TransportError:
                # Another process may have taken the door's place, at another port.
                at[door] = self.cluster.at(door, PETITION)
                continue
            if answer.status_code == 200:
                with self.answered:
                    self.told[case["id"]] = results_of(answer)[0]["status"]
                    self.answered.notify_all()
                return
            assert answer.status_code == 503, answer.text
            assert "retry-after" in answer.headers
        raise AssertionError(f"not answered within {PATIENCE} s")


@contextmanager
def busy(cluster: Cluster, name: str, *, publishers: int = 6) -> Iterator[Load]:
    """Publishers at work; when the block ends they end, and what they sent is registered."""
    load = Load(cluster, name)
    with ThreadPoolExecutor(publishers) as threads:
        try:
            under_way: Sequence[Future[int]] = [
                threads.submit(load.publish, n) for n in range(publishers)
            ]
            yield load
        finally:
            load.over.set()
        counts = [each.result(PATIENCE) for each in under_way]
    assert load.told.keys() == {
        f"{name}-{n}-{number}" for n, count in enumerate(counts) for number in range(1, count + 1)
    }


def numbers_by_case(events: Sequence[Event]) -> dict[str, list[int]]:
    """The numbers that the events of each case carry, as they follow each other."""
    found: dict[str, list[int]] = defaultdict(list)
    for event in events:
        found[event["data"]["petitionid"]].append(event["data"]["people"])
    return dict(found)
