"""What the processes on one database tell each other."""

from typing import Final

from msgspec import Struct


class News(Struct, frozen=True, omit_defaults=True):
    """What is new: batches wait to be registered; batches of these doors are settled; these
    subscriptions have entries or were changed; the policy, or tokens, have changed. `anything`:
    look at everything.
    """

    intake: bool = False
    doors: frozenset[int] = frozenset()
    subscriptions: frozenset[int] = frozenset()
    policy: bool = False
    tokens: bool = False
    anything: bool = False

    def and_also(self, other: "News") -> "News":
        """Both."""
        return News(
            intake=self.intake or other.intake,
            doors=self.doors | other.doors,
            subscriptions=self.subscriptions | other.subscriptions,
            policy=self.policy or other.policy,
            tokens=self.tokens or other.tokens,
            anything=self.anything or other.anything,
        )


NOTHING: Final = News()
ANYTHING: Final = News(anything=True)
