"""What waits in a topic is tried again, later each time, and forgotten once it is safe."""

import json
import logging

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import RequestTimedOutError

from hub.errors import Overloaded, ShareExceeded, StorageFailed
from hub.intake.kafka import Record
from hub.intake.kafkawaiting import LONGEST_PAUSE, Waiting
from hub.logs import logger
from hub.metrics import Metrics

FIRST, SECOND = TopicPartition("intake.a", 0), TopicPartition("intake.a", 1)


@pytest.fixture
def time() -> list[float]:
    """The time, in seconds, as its only item."""
    return [100.0]


@pytest.fixture
def waiting(time: list[float]) -> Waiting:
    metrics = Metrics(version="0", sqlite="0")
    return Waiting(metrics=metrics, log=logger(level=logging.CRITICAL), monotonic=lambda: time[0])


def at(partition: TopicPartition, offset: int, moment: int) -> Record:
    """A record of a moment."""
    return Record(partition.topic, partition.partition, offset, moment, None, (), b"")


def pauses(waiting: Waiting, time: list[float], error: Exception, *, times: int) -> list[float]:
    """How long it is until each of so many tries."""
    found = []
    for _ in range(times):
        waiting.put_off(FIRST, error, after=0)
        began = time[0]
        while waiting.due() == []:
            time[0] += 0.25
        found.append(time[0] - began)
    return found


def test_each_try_comes_after_twice_the_pause_up_to_the_longest(
    waiting: Waiting, time: list[float]
) -> None:
    waited = pauses(waiting, time, StorageFailed(), times=9)
    assert waited == [0.5, 1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    waiting.settled([FIRST])
    assert pauses(waiting, time, StorageFailed(), times=1) == [0.5]


def test_whoever_is_told_to_come_later_comes_no_sooner(waiting: Waiting, time: list[float]) -> None:
    waiting.put_off(FIRST, ShareExceeded(), after=45)
    waiting.put_off(SECOND, Overloaded(), after=1)
    time[0] += 1
    assert waiting.due() == [SECOND]
    time[0] += 44
    assert waiting.due() == [FIRST, SECOND]


def test_the_first_and_the_oldest_of_what_is_not_safe_are_known(waiting: Waiting) -> None:
    assert (waiting.first(FIRST), waiting.oldest) == (None, None)
    waiting.hold({FIRST: [at(FIRST, 7, 5_000), at(FIRST, 8, 1)], SECOND: [at(SECOND, 3, 4_000)]})
    assert (waiting.first(FIRST), waiting.first(SECOND), waiting.oldest) == (7, 3, 4_000)
    waiting.settled([SECOND])
    assert (waiting.first(SECOND), waiting.oldest) == (None, 5_000)
    # Records without a time say -1.
    waiting.hold({SECOND: [at(SECOND, 4, -1)]})
    assert (waiting.first(SECOND), waiting.oldest) == (4, 5_000)


def test_what_another_process_reads_now_is_forgotten(waiting: Waiting, time: list[float]) -> None:
    waiting.hold({FIRST: [at(FIRST, 7, 5_000)]})
    waiting.put_off(FIRST, StorageFailed(), after=0)
    waiting.put_off(SECOND, StorageFailed(), after=0)
    waiting.keep_only({SECOND})
    time[0] += 60
    assert (waiting.first(FIRST), waiting.due()) == (None, [SECOND])


def test_a_fault_of_the_hub_is_counted_and_what_only_waits_is_told_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    metrics = Metrics(version="0", sqlite="0")
    waiting = Waiting(metrics=metrics, log=logger(), monotonic=lambda: 0.0)
    for error in (StorageFailed(), RequestTimedOutError(), KeyError("content")):
        for _ in range(3):
            waiting.put_off(FIRST, error, after=0)
        waiting.settled([FIRST])
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["reason"], line["level"]) for line in told] == [
        ("records.wait", "storage_failed", "warning"),
        ("records.wait", "RequestTimedOutError", "warning"),
        ("records.failed", "KeyError", "error"),
    ]
    assert {(line["topic"], line["partition"]) for line in told} == {("intake.a", 0)}
    assert b"guantong_errors_total 1.0" in metrics.exposition()[0]
