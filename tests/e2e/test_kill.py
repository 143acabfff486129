"""The kill campaign (promises 1 to 4): kill -9 at any moment, and nothing acknowledged is lost.

Publishers and readers go on through the kills as real clients do: what was not answered is sent
again, and reading goes on from the last cursor that is known to be kept.
"""

import json
import sqlite3
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import httpx
import pytest

from tests.running import (
    PATIENCE,
    AgencyClient,
    RunningHub,
    restart_hub,
    results_of,
    running_hub,
    start_hub,
)
from tests.sample import CITY, DISCIPLINE, PETITION, petition, policy

SEED = 20261122
PUBLISHERS = 8
KEYS = 3
LARGEST_BATCH = 40
# A kill comes after 1 to this many steps; a request that is sent or answered is a step.
MOST_STEPS = 48
CLOSING = "closing"

Event = dict[str, Any]
Receipt = dict[str, Any]


class Hall:
    """Where clients find the hub that runs at the moment, and the controller their progress."""

    def __init__(self, hub: RunningHub, tokens: Mapping[str, str]) -> None:
        self.tokens = tokens
        self.finishing = threading.Event()
        self._hub = hub
        self._generation = 0
        self._steps = 0
        self._broken = False
        self._changed = threading.Condition()

    def newer_than(self, generation: int) -> tuple[RunningHub, int]:
        """The hub, once it is of a later generation."""
        with self._changed:
            self._await(lambda: self._generation > generation)
            return self._hub, self._generation

    def open(self, hub: RunningHub) -> None:
        """A hub runs again."""
        with self._changed:
            self._hub = hub
            self._generation += 1
            self._changed.notify_all()

    def step(self) -> None:
        """A request was sent or answered."""
        with self._changed:
            self._steps += 1
            self._changed.notify_all()

    def await_steps(self, more: int) -> None:
        """Return once this many more steps were made."""
        with self._changed:
            goal = self._steps + more
            self._await(lambda: self._steps >= goal)

    @contextmanager
    def breaking_all(self) -> Iterator[None]:
        """What fails inside ends the waiting of everybody else too."""
        try:
            yield
        except BaseException:
            with self._changed:
                self._broken = True
                self._changed.notify_all()
            raise

    def _await(self, condition: Callable[[], bool]) -> None:
        assert self._changed.wait_for(lambda: self._broken or condition(), timeout=PATIENCE)
        assert not self._broken, "a client has failed"


class Client:
    """A client in a thread of its own, which sends again what was not answered."""

    def __init__(self, hall: Hall, agency: str) -> None:
        self._hall = hall
        self._agency = agency
        self._generation = 0
        self._known: AgencyClient | None = None

    def ask(self, call: Callable[..., httpx.Response], *given: Any, **named: Any) -> httpx.Response:
        """The answer of 200 to a call of AgencyClient, from whichever hub gives one."""
        while True:
            if self._known is None:
                hub, self._generation = self._hall.newer_than(self._generation)
                token = self._hall.tokens[self._agency]
                self._known = AgencyClient(self._agency, hub.client(token))
            self._hall.step()
            try:
                answer = call(self._known, *given, **named)
            except httpx.TransportError:
                self._known.http.close()
                self._known = None
                continue
            self._hall.step()
            assert answer.status_code == 200, answer.text
            return answer

    def close(self) -> None:
        """Close the connection."""
        if self._known is not None:
            self._known.http.close()


@dataclass
class Published:
    """What one publisher sent and was told; `first` is the receipt of an event's first answer."""

    sent: dict[str, Event] = field(default_factory=dict)
    first: dict[str, Receipt] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    contradictions: list[tuple[Receipt, Receipt]] = field(default_factory=list)

    def told(self, results: Sequence[Mapping[str, Any]]) -> None:
        """Keep the answer to a batch."""
        for result in results:
            self.statuses[result["status"]] += 1
            receipt = result["receipt"]
            first = self.first.setdefault(result["id"], receipt)
            if receipt != first:
                self.contradictions.append((first, receipt))


def counted(publisher: int, key: int, count: int) -> Event:
    """The event that carries a key's next number in its data."""
    return petition(f"{publisher}-{key}", id=f"p{publisher}-k{key}-{count}", data={"people": count})


def batches(publisher: int, published: Published) -> Iterator[tuple[list[Event], str]]:
    """Batches of one publisher without end: numbers in order for each key, some events repeated."""
    random = Random(f"{SEED}-{publisher}")
    counts = [0] * KEYS
    while True:
        batch: list[Event] = []
        for _ in range(random.randint(1, LARGEST_BATCH)):
            key = random.randrange(KEYS)
            if random.random() < 0.1 and counts[key] > 0:
                # An earlier event once more, of this batch or of one that was answered long ago.
                count = random.randint(1, counts[key])
            else:
                counts[key] += 1
                count = counts[key]
            batch.append(counted(publisher, key, count))
        published.sent.update((event["id"], event) for event in batch)
        yield batch, random.choice(("each", "all"))


def publish(hall: Hall, publisher: int) -> Published:
    """Publish until the end, each batch until it is answered."""
    published = Published()
    with hall.breaking_all(), closing(Client(hall, PETITION)) as client:
        for batch, mode in batches(publisher, published):
            answer = client.ask(AgencyClient.publish, *batch, mode=mode)
            results = results_of(answer)
            assert [r["id"] for r in results] == [event["id"] for event in batch]
            published.told(results)
            if hall.finishing.is_set():
                return published
    raise AssertionError("batches have no end")


def read_and_commit(hall: Hall, subscription: str) -> list[Event]:
    """Read from the committed cursor; what was read counts once its cursor is committed."""
    seen: list[Event] = []
    with hall.breaking_all(), closing(Client(hall, CITY)) as client:
        while not any(event["id"] == CLOSING for event in seen):
            page = client.ask(AgencyClient.page, subscription, wait=20, limit=50)
            cursor = page.headers["guantong-cursor"]
            # A commit whose answer was lost is made again: that is the same cursor.
            client.ask(AgencyClient.commit, cursor, subscription)
            seen.extend(page.json())
    return seen


def read_with_own_cursor(hall: Hall, subscription: str, kept: Path) -> list[Event]:
    """Never commit: each page is kept in a file together with the cursor after it."""
    with closing(sqlite3.connect(kept)) as file, hall.breaking_all():
        file.execute("CREATE TABLE pages (cursor TEXT, events TEXT)")
        with closing(Client(hall, DISCIPLINE)) as client:
            closed = False
            while not closed:
                last = "SELECT cursor FROM pages ORDER BY rowid DESC LIMIT 1"
                kept_last = file.execute(last).fetchone()
                query = {"cursor": kept_last[0]} if kept_last else {}
                page = client.ask(AgencyClient.page, subscription, wait=20, limit=70, **query)
                with file:
                    row = (page.headers["guantong-cursor"], page.text)
                    file.execute("INSERT INTO pages VALUES (?, ?)", row)
                closed = any(event["id"] == CLOSING for event in page.json())
        pages = file.execute("SELECT events FROM pages ORDER BY rowid").fetchall()
    return [event for (page,) in pages for event in json.loads(page)]


@dataclass(frozen=True)
class Journal:
    """The journal's file: (number, event id, data) by position, and what SQLite says of it."""

    rows: list[tuple[int, str, Any]]
    heads: list[tuple[int, int]]
    claims: int
    integrity: list[tuple[str]]


def journal_of(directory: Path) -> Journal:
    """Read the file, and only read it."""
    with closing(sqlite3.connect(f"file:{directory / 'hub.db'}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT position, event_id, data FROM journal ORDER BY position")
        return Journal(
            rows=[(position, id_, json.loads(data)) for position, id_, data in rows],
            heads=database.execute("SELECT shard, next_number FROM shards").fetchall(),
            claims=database.execute("SELECT count(*) FROM dedup").fetchone()[0],
            integrity=database.execute("PRAGMA integrity_check").fetchall(),
        )


def numbers_by_key(data: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
    """The numbers that each key's events carry, as they follow each other."""
    found: dict[str, list[int]] = defaultdict(list)
    for payload in data:
        found[payload["petitionid"]].append(payload["people"])
    return dict(found)


@dataclass(frozen=True)
class Campaign:
    """What the clients have to tell; `restarts` are seconds from a kill to the next ready line."""

    hub: RunningHub
    published: list[Published]
    readers: dict[str, list[Event]]
    restarts: list[float]


@pytest.fixture
def runs() -> Iterator[list[RunningHub]]:
    """The hubs that were started, one after the other; the last is ended with the test."""
    started: list[RunningHub] = []
    yield started
    for hub in started:
        if hub.process.poll() is None:
            hub.kill()


def run_campaign(runs: list[RunningHub], directory: Path, kills: int) -> Campaign:
    """Publish and read through so many kills, and then to the end."""
    random = Random(SEED)
    hub = start_hub(directory / "data")
    runs.append(hub)
    hub.apply(policy())
    hall = Hall(hub, {agency: hub.token(agency) for agency in (PETITION, CITY, DISCIPLINE)})
    hub.agency(CITY).subscribe("committing", types=["petition.*"])
    hub.agency(DISCIPLINE).subscribe("keeping", types=["petition.*"])
    restarts: list[float] = []
    with ThreadPoolExecutor(PUBLISHERS + 2) as threads, hall.breaking_all():
        publishers = [threads.submit(publish, hall, n) for n in range(PUBLISHERS)]
        committing = threads.submit(read_and_commit, hall, "committing")
        keeping = threads.submit(read_with_own_cursor, hall, "keeping", directory / "kept.db")
        hall.open(hub)
        for kill in range(kills):
            hall.await_steps(random.randint(1, MOST_STEPS))
            began = perf_counter()
            hub = restart_hub(hub)
            runs.append(hub)
            restarts.append(perf_counter() - began)
            hall.open(hub)
            if kill == kills // 2:
                hub.agency(CITY).subscribe("late", types=["petition.*"], start="earliest")
        hall.await_steps(MOST_STEPS)
        hall.finishing.set()
        published = [publisher.result(PATIENCE) for publisher in publishers]
        hub.agency(PETITION).accepted(petition("closing", id=CLOSING, data={"people": 1}))
        readers = {"committing": committing.result(PATIENCE), "keeping": keeping.result(PATIENCE)}
    return Campaign(hub, published, readers, restarts)


@pytest.mark.timeout(7200)
def test_nothing_acknowledged_is_lost_doubled_or_disordered_by_kills(
    kills: int, runs: list[RunningHub], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    campaign = run_campaign(runs, tmp_path, kills)
    hub = campaign.hub
    first = {id_: receipt for p in campaign.published for id_, receipt in p.first.items()}
    sent = {id_: event for p in campaign.published for id_, event in p.sent.items()}
    statuses = sum((p.statuses for p in campaign.published), Counter[str]())

    assert [c for p in campaign.published for c in p.contradictions] == []
    assert first.keys() == sent.keys()
    assert statuses.keys() <= {"accepted", "duplicate"}

    # Receipts stay what they were, and a repetition of everything adds nothing.
    publisher = hub.agency(PETITION)
    for chunk in chunks(list(sent.values()), 1000):
        answer = publisher.publish(*chunk)
        assert [(r["status"], r["receipt"]) for r in results_of(answer)] == [
            ("duplicate", first[event["id"]]) for event in chunk
        ]

    city = hub.agency(CITY)
    city.subscribe("fresh", types=["petition.*"], start="earliest")
    streams = {**campaign.readers, "fresh": filled(city, "fresh")}
    if kills:
        streams["late"] = filled(city, "late")
    assert hub.stop() == 0
    assert [line for line in hub.lines if '"error"' in line] == []

    journal = journal_of(hub.directory)
    total = len(sent) + 1
    assert journal.integrity == [("ok",)]
    assert [position for position, _, _ in journal.rows] == list(range(1, total + 1))
    assert (journal.heads, journal.claims) == ([(0, total + 1)], total)
    ids = [id_ for _, id_, _ in journal.rows]
    assert Counter(ids) == Counter([*first, CLOSING])
    data = {id_: event["data"] for id_, event in sent.items()}
    assert {id_: payload for _, id_, payload in journal.rows if id_ != CLOSING} == data
    assert {f"0-{p}": id_ for p, id_, _ in journal.rows if id_ != CLOSING} == {
        receipt["position"]: id_ for id_, receipt in first.items()
    }
    in_order = {
        key: list(range(1, len(numbers) + 1))
        for key, numbers in numbers_by_key([payload for _, _, payload in journal.rows]).items()
    }
    for seen in streams.values():
        assert [event["id"] for event in seen] == ids
        assert [event["hubposition"] for event in seen] == [f"0-{n + 1}" for n in range(total)]
        assert numbers_by_key([event["data"] for event in seen]) == in_order

    with capsys.disabled():
        sys.stdout.write(
            f"\nkills {kills} | events {total} | acknowledged {sum(statuses.values()) + 1} | "
            f"duplicates {statuses['duplicate']} | "
            f"longest restart {max(campaign.restarts, default=0):.2f} s\n"
        )


def filled(agency: AgencyClient, subscription: str) -> list[Event]:
    """All of a subscription, read along while what is older than it is still being filled in."""
    seen: list[Event] = []
    query: dict[str, Any] = {"limit": 1000, "wait": 20}
    while not any(event["id"] == CLOSING for event in seen):
        page = agency.page(subscription, **query)
        assert page.status_code == 200, page.text
        assert page.json() != [], "what is to come never came"
        seen.extend(page.json())
        query["cursor"] = page.headers["guantong-cursor"]
    return seen


def chunks(events: Sequence[Event], size: int) -> Iterator[Sequence[Event]]:
    """The events, so many at a time."""
    for start in range(0, len(events), size):
        yield events[start : start + size]


def test_an_admin_token_that_a_kill_left_empty_is_made_again(tmp_path: Path) -> None:
    # The first start was killed between making the file and writing the token.
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "admin.token").touch(mode=0o600)

    with running_hub(tmp_path / "data") as hub, hub.admin as admin:
        answer = admin.get("/v1/policy")

    assert (answer.status_code, answer.json()["version"]) == (200, 0)
