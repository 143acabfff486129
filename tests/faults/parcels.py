"""What publishers send in a fault: lone events and batches, and some that must be refused."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any, Final

from hub.intake.accept import Mode
from tests.running import AgencyClient
from tests.sample import petition

MOST: Final = 20
# Of ten requests so many carry several events, have one event that is refused.
BATCHES: Final = 4
SPOILT: Final = 2
# No region that there is.
NOWHERE: Final = "999999"
GOOD, OTHER = (petition(f"away-{n}") for n in (1, 2))
BAD: Final = petition("away-3", region=NOWHERE)


@dataclass(frozen=True, slots=True)
class Parcel:
    """The events of one case that are sent at once, in their order; `bad` are refused."""

    events: Sequence[Mapping[str, Any]]
    mode: Mode
    bad: frozenset[str]

    @property
    def is_whole(self) -> bool:
        """Whether all of it is stored, or nothing."""
        return self.mode == "all"

    @property
    def accepted(self) -> tuple[str, ...]:
        """The events that the hub has to store, by id."""
        if self.is_whole and self.bad:
            return ()
        return tuple(event["id"] for event in self.events if event["id"] not in self.bad)

    @property
    def refused(self) -> tuple[str, ...]:
        """Those that it must not."""
        taken = {*self.accepted}
        return tuple(event["id"] for event in self.events if event["id"] not in taken)


def parcels(
    case: str, dice: Random, *, modes: Sequence[Mode] = ("each", "all")
) -> Iterator[Parcel]:
    """What a publisher sends, one after the other, without end: `people` numbers its events."""
    numbers = count(1)

    def of_ten(chance: int) -> bool:
        return dice.randrange(10) < chance

    while True:
        size = dice.randrange(2, MOST + 1) if of_ten(BATCHES) else 1
        mode = dice.choice(modes)
        spoilt = dice.randrange(size) if of_ten(SPOILT) else None
        events = []
        for place in range(size):
            number = next(numbers)
            where = {"region": NOWHERE} if place == spoilt else {}
            id_ = f"{case}-{number}"
            events.append(petition(case, id=id_, data={"people": number}, **where))
        bad = frozenset[str]() if spoilt is None else frozenset({events[spoilt]["id"]})
        yield Parcel(events, mode, bad)


def assert_put_off(at: AgencyClient) -> None:
    """A publisher is told when to come again whatever it publishes, good or bad, all at once."""
    requests: Sequence[tuple[Mode, Sequence[Mapping[str, Any]]]] = (
        ("each", [GOOD]),
        ("each", [BAD]),
        ("each", [GOOD, BAD, OTHER]),
        ("all", [GOOD, OTHER]),
        ("all", [GOOD, BAD]),
    )
    with ThreadPoolExecutor(len(requests)) as threads:
        asked = [threads.submit(at.publish, *events, mode=mode) for mode, events in requests]
        for each in asked:
            refused = each.result()
            told = (refused.status_code, refused.json()["code"], refused.headers["retry-after"])
            assert told == (503, "storage_failed", "1")
