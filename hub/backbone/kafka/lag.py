"""How far registration is behind the brokers: records, and for how long the oldest has waited.

The brokers tell where their topics end, the database how far that is registered. An age is by this
process's own looks, so it begins anew with each process that measures.
"""

import asyncio
from array import array
from collections.abc import Awaitable, Callable, Sequence
from math import nan
from typing import Final, NamedTuple

from hub.backbone.kafka.ends import Ends
from hub.database import offsets
from hub.database.background import Background
from hub.database.offsets import Lane
from hub.database.readers import Readers
from hub.errors import HubError

# What brokers that stand still are waited for, seconds.
ANSWER_SECONDS: Final = 2.0
# Looks that are remembered; of more, every second is forgotten.
MOST_LOOKS: Final = 256


class _Look(NamedTuple):
    at: float
    ends: "array[int]"


class Lag:
    """Measures as long as it runs; `measured` is told NaN when it ends, or nothing is known."""

    def __init__(
        self,
        *,
        ends: Ends,
        lanes: Sequence[Lane],
        readers: Readers,
        measured: Callable[[float, float], None],
        background: Background,
        rest: Callable[[], Awaitable[None]],
        monotonic: Callable[[], float],
    ) -> None:
        self._ends = ends
        self._lanes = lanes
        self._readers = readers
        self._measured = measured
        self._background = background
        self._rest = rest
        self._monotonic = monotonic

    async def run(self) -> None:
        """Measure now and then, until cancelled."""
        looks = Looks(self._lanes)

        async def turn() -> bool:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    ends, begins = await self._ends.ends(), await self._ends.begins()
                    registered = await self._readers.run(offsets.registered)
            except (HubError, TimeoutError):
                # It is told where it happened; what was known is no longer so.
                self._measured(nan, nan)
                return True
            # What nobody has read yet may begin anywhere.
            reached = {lane: max(registered.get(lane, 0), begins[lane]) for lane in ends}
            now = self._monotonic()
            looks.add(now, ends)
            lag = sum(max(0, end - reached[lane]) for lane, end in ends.items())
            self._measured(lag, looks.age(now, reached))
            return True

        try:
            await self._background.again("measure", turn, rest=self._rest)
        finally:
            self._measured(nan, nan)


class Looks:
    """Where the lanes ended at earlier moments."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = lanes
        self._looks: list[_Look] = []

    def __len__(self) -> int:
        return len(self._looks)

    def add(self, now: float, ends: dict[Lane, int]) -> None:
        """They end here now."""
        if len(self._looks) >= MOST_LOOKS:
            # The oldest is what tells the age.
            del self._looks[1::2]
        self._looks.append(_Look(now, array("q", (ends[lane] for lane in self._lanes))))

    def age(self, now: float, reached: dict[Lane, int]) -> float:
        """For how long at least the oldest record behind `reached` has been there; 0 for none."""
        while self._looks and all(
            reached[lane] >= end for lane, end in zip(self._lanes, self._looks[0].ends, strict=True)
        ):
            del self._looks[0]
        return now - self._looks[0].at if self._looks else 0.0
