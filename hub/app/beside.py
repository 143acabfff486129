"""Works that go on beside a process's own, for as long as that lasts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

REST_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Aside:
    """What is done beside the process's own works, and whether it is under way, where it is to be.

    Works that have ended may be begun again.
    """

    works: Callable[[], Sequence[Coroutine[Any, Any, None]]]
    open: Callable[[], bool]


NOTHING_ASIDE: Final = Aside(works=lambda: (), open=lambda: True)


@asynccontextmanager
async def beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Works that go on beside the block and end with it; one that fails ends the block too."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def rest() -> None:
    """Before the next attempt at what storage keeps from being done."""
    await asyncio.sleep(REST_SECONDS)
