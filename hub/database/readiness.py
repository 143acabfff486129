"""Whether the hub can serve: that a write commits is the proof that it can."""

import asyncio
from collections.abc import Callable
from typing import Final

from hub.database.connection import Connection
from hub.database.order import Lock
from hub.database.writer import Writer
from hub.errors import HubError

LONGEST_COMMIT: Final = 2


class Readiness:
    """Why the hub cannot serve. Anybody may ask, so askers share an answer for a second.

    `name` is what is missing when a write does not commit.
    """

    def __init__(self, writer: Writer, *, name: str, monotonic: Callable[[], float]) -> None:
        self._writer = writer
        self._name = name
        self._monotonic = monotonic
        self._asking = asyncio.Lock()
        self._told: tuple[float, str | None] | None = None

    async def reason(self) -> str | None:
        """The reason, or None when the hub is ready."""
        async with self._asking:
            if self._told is None or self._monotonic() - self._told[0] > 1:
                told = await self._probe()
                # Who came meanwhile has it too, however long it took.
                self._told = (self._monotonic(), told)
            return self._told[1]

    async def _probe(self) -> str | None:
        try:
            async with asyncio.timeout(LONGEST_COMMIT):
                await self._writer.submit(probe, locks=(PROBE,))
        except HubError as error:
            return f"{self._name}: {error.code}"
        except TimeoutError:
            return f"{self._name}: no commit within {LONGEST_COMMIT} s"
        return None


def probe(connection: Connection) -> None:
    """Write a little, so that the commit shows whether the disk takes it."""
    connection.exec_driver_sql("UPDATE revisions SET revision = revision + 1 WHERE name = 'probe'")


PROBE: Final = Lock(5, probe)
