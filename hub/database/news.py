"""What the processes on one database tell each other."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace


class News(Struct, frozen=True, omit_defaults=True):
    """What is new: batches wait to be registered; batches are settled, by door, each with its
    number and its outcomes as they are kept, or only that these doors may `look` for them; these
    subscriptions have entries or were changed; the
    policy, or tokens, have changed. `anything`: look at everything.
    """

    intake: bool = False
    settled: dict[int, tuple[tuple[int, bytes], ...]] = {}
    look: frozenset[int] = frozenset()
    subscriptions: frozenset[int] = frozenset()
    policy: bool = False
    tokens: bool = False
    anything: bool = False

    def and_also(self, other: "News") -> "News":
        """Both."""
        return News(
            intake=self.intake or other.intake,
            settled={
                door: self.settled.get(door, ()) + other.settled.get(door, ())
                for door in self.settled.keys() | other.settled.keys()
            },
            look=self.look | other.look,
            subscriptions=self.subscriptions | other.subscriptions,
            policy=self.policy or other.policy,
            tokens=self.tokens or other.tokens,
            anything=self.anything or other.anything,
        )

    def shortened(self) -> "News":
        """The same without the outcomes: their doors look for them."""
        return replace(self, settled={}, look=self.look | self.settled.keys())


NOTHING: Final = News()
ANYTHING: Final = News(anything=True)
