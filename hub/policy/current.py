"""The policy as publishing sees it: at most a moment old, without asking the database each time."""

import asyncio
from collections.abc import Callable
from typing import Final

from hub.database.readers import Readers
from hub.errors import StorageFailed
from hub.policy.policy import Policies, Policy

MAX_AGE: Final = 0.5
# Who publishes is told that storage does not answer, sooner than a connection is given up.
PATIENCE: Final = 2.0


class CurrentPolicy:
    """Holds the newest policy for up to half a second (publishing may lag a change by one).

    `changed` is told when a new version was committed here.
    """

    def __init__(
        self,
        *,
        readers: Readers,
        policies: Policies,
        monotonic: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._readers = readers
        self._policies = policies
        self._monotonic = monotonic
        self._changed = changed
        self._held: tuple[float, Policy] | None = None
        self._asking: asyncio.Task[Policy] | None = None

    async def get(self) -> Policy:
        """The policy in force, or that of at most half a second ago. Raises StorageFailed."""
        held = self._fresh()
        if held is not None:
            return held
        # One asks, whoever comes meanwhile has its answer.
        asking = self._asking
        if asking is None:
            asking = self._asking = asyncio.create_task(self._ask())
            asking.add_done_callback(self._asked)
        done, _ = await asyncio.wait({asking}, timeout=PATIENCE)
        if not done:
            raise StorageFailed(retry_after=1)
        return asking.result()

    async def _ask(self) -> Policy:
        now, held = self._monotonic(), await self._readers.run(self._policies.seen_by)
        self._held = (now, held)
        return held

    def _asked(self, asking: asyncio.Task[Policy]) -> None:
        self._asking = None
        if not asking.cancelled():
            # Those who waited have it; nobody may have.
            asking.exception()

    @property
    def version(self) -> int:
        """The newest version that this process knows to be in force; 0 before it has looked."""
        return self._held[1].version if self._held else 0

    def renew(self, policy: Policy) -> None:
        """A new version has just been committed."""
        self._held = (self._monotonic(), policy)
        self._changed()

    def doubt(self) -> None:
        """Look at the next question: another process has changed the policy."""
        if self._held is not None:
            self._held = (self._monotonic() - MAX_AGE - 1, self._held[1])

    def _fresh(self) -> Policy | None:
        if self._held is None or self._monotonic() - self._held[0] > MAX_AGE:
            return None
        return self._held[1]
