"""Plays the round: hands each step's workbook in, and waits until everybody concerned has it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from deploy.demo.desk import Desk
from deploy.demo.failed import DemoFailed
from deploy.demo.own import OwnSystem
from deploy.demo.readers import Readers
from deploy.demo.steps import Given, Step


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was played: the receipts of its events, and by agency the seconds from the drop
    of the workbook until it had read all that is for it."""

    step: Step
    receipts: frozenset[str]
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Agencies:
    """Who takes part: the desks, those who have a system of their own, and everybody's feed."""

    desks: Mapping[str, Desk]
    systems: Mapping[str, OwnSystem]
    readers: Readers

    def play(self, steps: Iterable[Step], before: Iterable[Done]) -> list[Done]:
        """Play steps after those played before; the steps of one day at the same time.

        Raises DemoFailed, also when somebody does not get what is for them.
        """
        known = {receipt for done in before for receipt in done.receipts}
        played: list[Done] = []
        for _, day in groupby(steps, key=lambda step: step.on):
            for step, began in [(step, self._begin(step)) for step in day]:
                if step.own is None:
                    self.desks[step.who].answered(step)
                done = _read(step, began, self.readers, known)
                known |= done.receipts
                played.append(done)
        return played

    def _begin(self, step: Step) -> float:
        if step.own is None:
            return self.desks[step.who].hand_in(step)
        return self.systems[step.who].send(step.own, self.readers.got[step.who])


def amiss(played: Iterable[Done], readers: Readers) -> Iterator[str]:
    """Sentences on what anybody read of the round that no step has for them, or lacks."""
    for done in played:
        for agency, events in readers.got.items():
            due = Counter[str]()
            for given in done.step.gives:
                due[given.type] += given.count * (agency in given.to)
            read = Counter(e["type"] for e in events if e["hubreceipt"] in done.receipts)
            for type_ in due.keys() | read.keys():
                if due[type_] != read[type_]:
                    step = f"{done.step.on} {done.step.does}"
                    yield f"{step}：{agency} 应收到 {type_} {due[type_]} 件，收到 {read[type_]} 件"


def _read(step: Step, began: float, readers: Readers, known: Collection[str]) -> Done:
    """Wait until everybody has read what a step gives."""
    receipts: set[str] = set()
    seconds: dict[str, float] = {}
    for given in step.gives:
        for agency in given.to:
            try:
                got = readers.wait_for(agency, _new(step, given, known), given.count)
            except TimeoutError:
                told = f"{step.on} {step.does}：{agency} 没有收到 {given.type}"
                raise DemoFailed(told) from None
            receipts |= {one.event["hubreceipt"] for one in got}
            seconds[agency] = max(seconds.get(agency, 0.0), *(one.at - began for one in got))
    return Done(step, frozenset(receipts), seconds)


def _new(step: Step, given: Given, known: Collection[str]) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an event is one of those that a step gives."""

    def new(event: Mapping[str, Any]) -> bool:
        return (
            event["type"] == given.type
            and event["source"].startswith(f"/{step.who}/")
            and event["hubreceipt"] not in known
        )

    return new
