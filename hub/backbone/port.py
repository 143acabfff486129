"""What carries admitted events to the journal."""

from collections.abc import Sequence
from typing import Protocol

from hub.database.patience import Patience
from hub.event import Duplicate, Event, Outcome, Sent


class Append(Protocol):
    """Carries a request's events to the journal.

    Durability: when it returns, every Accepted event survives the loss of this process and
    of its machine's power. Order: events of one batch and one key keep their order. Idempotence:
    an event that is known is a Duplicate with its first receipt, or is Rejected as `id_reused`.
    Rejections are recorded with what is stored.
    """

    async def __call__(
        self, events: Sequence[Event], *, atomic: bool, patience: Patience
    ) -> list[Outcome]:
        """Carry the events, at least one, of one caller; what became of each, in their order.

        With `atomic`, raises BatchRefused when one is refused, and nothing was stored. Raises
        Overloaded, Stopping or StorageFailed when nothing is known to be stored and a retry helps:
        what was still under way when patience ended goes on, and may yet be stored.
        """
        ...


class Backbone(Protocol):
    """What takes a request's events on."""

    def expect(self, receipts: Sequence[bytes]) -> Append:
        """A request has come whole: what carries those of its events that are admitted, which
        have none but these receipts. What is to be asked of them is asked while they are examined.
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
