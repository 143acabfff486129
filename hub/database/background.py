"""What is done beside the requests, again and again: no turn that fails may be the last."""

import asyncio
from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger

from hub.database.transactions import storage_reason
from hub.errors import Overloaded, Stopping
from hub.logs import places_of
from hub.metrics import Metrics, Task


class Background:
    """Takes turns for the tasks of a hub; what turns meet is counted, and logged once."""

    def __init__(self, *, metrics: Metrics, log: FilteringBoundLogger) -> None:
        self._metrics = metrics
        self._log = log
        # What was told of each task since a turn of it went well.
        self._told: dict[Task, str] = {}

    async def again(
        self,
        task: Task,
        turn: Callable[[], Awaitable[bool]],
        *,
        rest: Callable[[], Awaitable[None]],
    ) -> None:
        """Take turns until one tells, with False, that it was the last, or until the hub stops.

        After a `rest` comes the next, whatever this one met.
        """
        while await self._goes_on(task, turn):
            await rest()

    async def _goes_on(self, task: Task, turn: Callable[[], Awaitable[bool]]) -> bool:
        (ended,) = await asyncio.gather(turn(), return_exceptions=True)
        match ended:
            case bool():
                self._told.pop(task, None)
                return ended
            case Stopping():
                return False
            case Overloaded():
                # The writer is full, which is seen elsewhere; nothing is lost by coming later.
                return True
            case _:
                self._metrics.background_failed(task)
                met = storage_reason(ended)
                # Turns come twice a second, for as long as it takes.
                if self._told.get(task) != met:
                    self._told[task] = met
                    self._log.error(f"{task}.failed", reason=met, at=places_of(ended))
                return True
