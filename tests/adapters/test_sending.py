"""Batch after batch goes out: the next at once, and none past one that did not arrive."""

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from adapters.kit.adapter import load
from adapters.kit.client import HubClient, Retry
from adapters.kit.documents import Documents
from adapters.kit.port import Brought, Place, Translated
from adapters.kit.results import HubAway
from adapters.kit.sending import Sending
from adapters.kit.spool import Depth, Fresh, Spool
from adapters.kit.state import State, open_state
from tests.adapters.door import Answer, Asked, Door

SOURCE = "/510100.petition/xfj"
CASES = ("1", "2", "3", "4")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with open_state(tmp_path / "state") as state:
        yield state


@pytest.fixture
def spool(state: State) -> Spool:
    """One event of each case waits."""
    documents, spool = Documents(state, SOURCE), Spool(state, SOURCE)
    raw = documents.next_raw()
    raw.write_bytes(b"a")
    document = documents.add(Brought("a.csv", "1"), raw)
    attributes = {"type": "petition.case_transferred", "time": "2026-11-01T00:00:00+08:00"}
    with state.transaction() as database:
        made = [
            Fresh(Place("a.csv", 2), case, Translated(case, attributes, b"{}")) for case in CASES
        ]
        assert spool.put(database, document.number, made, 0.0) == []
    return spool


@pytest.fixture
def sending(state: State, spool: Spool, door: Door) -> Iterator[Sending]:
    """One event in a batch."""
    with HubClient(door.url, "t", retry=Retry(times=0)) as client:
        yield Sending(load("petition"), state, spool, client, batch=1)


def went(door: Door) -> list[str]:
    """The cases of the requests, in their order."""
    return [
        event["id"].partition("-")[0] for asked in door.asked for event in json.loads(asked.body)
    ]


def test_the_next_batch_goes_out_while_nobody_can_remember_the_answer(
    state: State, sending: Sending, door: Door
) -> None:
    second = Event()

    def nobody_computes(asked: Asked) -> None:
        # Comes in once the batch behind this one stands in the line.
        state.computing.__enter__()

    def arrived(asked: Asked) -> None:
        second.set()

    door.script = deque([nobody_computes, arrived])
    thread = Thread(target=sending.send)
    thread.start()
    try:
        assert second.wait(timeout=60)
        assert state.rows("SELECT count(*) FROM events WHERE sent") == [(0,)]
    finally:
        state.computing.__exit__()
        thread.join()
    assert state.rows("SELECT count(*) FROM events WHERE sent") == [(1,)]


def test_nothing_goes_past_a_batch_that_did_not_arrive(
    spool: Spool, sending: Sending, door: Door
) -> None:
    away = Answer(503, {"code": "busy", "title": "稍后再试", "retryable": True})
    door.script = deque([lambda asked: None, lambda asked: away])
    assert sending.send()
    with pytest.raises(HubAway):
        sending.send()
    assert went(door) == ["1", "2"]
    assert spool.depth() == Depth(3, 6, 0.0)
    while sending.send():
        pass
    assert went(door) == ["1", "2", "2", "3", "4"]
    assert spool.depth() == Depth(0, 0, None)


def test_nothing_is_on_its_way_any_more_for_who_has_closed_it(sending: Sending, door: Door) -> None:
    arrived, answers, answered = Event(), Event(), list[Asked]()

    def slow(asked: Asked) -> None:
        arrived.set()
        answers.wait(timeout=60)
        answered.append(asked)

    door.script = deque([lambda asked: None, slow, answered.append])
    assert sending.send()
    assert arrived.wait(timeout=60)
    Thread(target=answers.set).start()
    sending.close()
    assert answered == door.asked[1:]
