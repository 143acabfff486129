"""What carries admitted events to the journal."""

from collections.abc import Sequence
from typing import Protocol

from hub.event import Duplicate, Event, Outcome, Sent


class Backbone(Protocol):
    """Carries a batch to the journal.

    Durability: when `append` returns, every Accepted event survives the loss of this process and
    of its machine's power. Order: events of one batch and one key keep their order. Idempotence:
    an event that is known is a Duplicate with its first receipt, or is Rejected as `id_reused`.
    Rejections are recorded with what is stored.
    """

    async def append(self, events: Sequence[Event], *, atomic: bool) -> list[Outcome]:
        """Carry the events, at least one, of one caller; what became of each, in their order.

        With `atomic`, raises BatchRefused when one is refused, and nothing was stored. Raises
        Overloaded, Stopping or StorageFailed when nothing is known to be stored and a retry helps.
        """
        ...

    async def passed(self) -> None:
        """Return when all that was accepted so far is registered or refused, or is known to wait.

        Raises BackboneAway or NotYetRegistered where that cannot be told.
        """
        ...

    async def find(self, events: Sequence[Event]) -> list[Outcome | None]:
        """What would become of events, without storing any; None for one that would be stored."""
        ...

    async def known(self, sent: Sequence[Sent]) -> list[Duplicate | None]:
        """The first receipts of what is registered already and the same; None for all else."""
        ...
