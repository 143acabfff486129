"""Who writes: of all processes on one database one has the shard, under an epoch of its own.

The fence is the epoch, which each registration compares in its transaction; the beats only tell
the others when to take over. A writer that was stopped and wakes up finds another epoch.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from structlog.typing import FilteringBoundLogger

from hub.database import shards
from hub.database.shards import Held, Taken
from hub.database.writer import Writer
from hub.errors import Overloaded, StorageFailed
from hub.journal.register import ALONE, SHARD, TURN

# A writer that has not shown itself for so long is replaced, milliseconds.
SILENCE: Final = 2_500


class Writership:
    """One process's claim to the shard. `rest` separates beats, `standing_by` attempts."""

    def __init__(
        self,
        writer: Writer,
        *,
        name: str,
        rest: Callable[[], Awaitable[None]],
        standing_by: Callable[[], Awaitable[None]],
        log: FilteringBoundLogger,
    ) -> None:
        self._writer = writer
        self._name = name
        self._rest = rest
        self._standing_by = standing_by
        self._log = log
        self._epoch = ALONE
        self._held = False

    @property
    def held(self) -> bool:
        """Whether the shard is this process's, as far as it knows."""
        return self._held

    def epoch(self) -> int:
        """The one under which the shard was last taken."""
        return self._epoch

    async def take(self) -> None:
        """Return when the shard is this process's."""
        told = ""
        while not self._held:
            match await self._attempt():
                case Taken(epoch):
                    self._epoch, self._held = epoch, True
                    self._log.info("shard.taken", epoch=epoch)
                case Held(writer):
                    if writer != told:
                        self._log.info("shard.held", writer=writer)
                        told = writer
                    await self._standing_by()
                case None:
                    await self._standing_by()

    async def keep(self) -> None:
        """Show that the writer is alive, again and again; return when another has taken over."""
        while self._held:
            await self._rest()
            try:
                beat = partial(shards.beat, shard=SHARD, epoch=self._epoch)
                self._held = await self._writer.submit(beat, locks=(TURN,))
            except (StorageFailed, Overloaded):
                # Whether it is still the writer, only the database can tell.
                continue
        self._log.warning("shard.lost", epoch=self._epoch)

    async def give_back(self) -> None:
        """Let another take over at once."""
        if self._held:
            self._held = False
            try:
                give_back = partial(shards.give_back, shard=SHARD, epoch=self._epoch)
                await self._writer.submit(give_back, locks=(TURN,))
            except (StorageFailed, Overloaded):
                # Then the others notice the silence.
                return

    async def _attempt(self) -> Taken | Held | None:
        """The shard, who has it, or None when the database cannot be asked."""
        take = partial(shards.take, shard=SHARD, writer=self._name, silence=SILENCE)
        try:
            return await self._writer.submit(take, locks=(TURN,))
        except (StorageFailed, Overloaded):
            return None
