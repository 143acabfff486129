"""The matcher in memory, as new as the snapshot of each registration that asks for it."""

from collections.abc import Iterable
from dataclasses import dataclass

from hub.database.connection import Connection
from hub.journal import sql
from hub.journal.matching import Matcher
from hub.journal.subscriptions import from_row
from hub.policy.policy import Policy


@dataclass(frozen=True, slots=True)
class _Held:
    revision: int
    policy: Policy
    matcher: Matcher


class Matchers:
    """Keeps one matcher and brings it up to date by what the log says has changed.

    Exact whatever happened meanwhile. Each change has a random mark, its revision, and stands in
    the log under it: whoever finds the mark he stands at reads on from there. A mark that is not
    in the log is of a change that was rolled back, or long gone: then everything is read anew.
    Used by one thread.
    """

    def __init__(self) -> None:
        self._held: _Held | None = None

    def seen_by(self, connection: Connection, *, revision: int, policy: Policy) -> Matcher:
        """The matcher of the connection's snapshot, in which `revision` and `policy` are newest."""
        held = self._held
        if held is not None and held.revision == revision and held.policy is policy:
            return held.matcher
        # What breaks off half-way must not be taken for whole.
        self._held = None
        changed = None if held is None else sql.changed_since(connection, held.revision)
        if held is None or changed is None:
            rows = sql.all_subscriptions(connection)
            matcher = Matcher(map(from_row, rows), policy=policy)
        else:
            matcher = held.matcher
            matcher.follow(policy)
            _renew(matcher, connection, changed)
        self._held = _Held(revision, policy, matcher)
        return matcher


def _renew(matcher: Matcher, connection: Connection, numbers: Iterable[int]) -> None:
    """Read these subscriptions anew; those that are gone leave the matcher."""
    for number in numbers:
        row = sql.subscription_numbered(connection, number)
        if row is None:
            matcher.remove(number)
        else:
            matcher.put(from_row(row))
