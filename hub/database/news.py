"""What the processes on one database tell each other."""

from typing import Final

from msgspec import Struct


class News(Struct, frozen=True, omit_defaults=True):
    """What is new: batches wait to be registered; batches are settled, by door, each with its
    number and its outcomes as they are kept; these subscriptions have entries or were changed; the
    policy, or tokens, have changed. `anything`: look at everything.
    """

    intake: bool = False
    settled: dict[int, tuple[tuple[int, bytes], ...]] = {}
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
            subscriptions=self.subscriptions | other.subscriptions,
            policy=self.policy or other.policy,
            tokens=self.tokens or other.tokens,
            anything=self.anything or other.anything,
        )


NOTHING: Final = News()
ANYTHING: Final = News(anything=True)
