"""The way out: a page of a subscription's events → openings remembered → sinks → cursor."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from adapters.kit.openings import keep_openings
from adapters.kit.own import forget_own, own_events
from adapters.kit.port import Sink
from adapters.kit.results import Page
from adapters.kit.state import State
from contracts.catalogue import Catalogue


class Feed(Protocol):
    """Where events come from. `HubClient` is one."""

    def subscribe(self, body: Mapping[str, Any]) -> Mapping[str, Any]: ...

    def pull(self, subscription: str, *, limit: int, wait: float) -> Page: ...

    def commit(self, subscription: str, cursor: str) -> None: ...


class Taking:
    """Takes one subscription into its sinks; used by one thread."""

    def __init__(
        self,
        feed: Feed,
        subscription: Mapping[str, Any],
        state: State,
        catalogue: Catalogue,
        sinks: Sequence[Sink],
        *,
        own: Sequence[Sink] = (),
        limit: int = 100,
        told: Callable[[int], None] = lambda events: None,
    ) -> None:
        """`subscription` is the body that makes it (with its `id`); `own` are those of the sinks
        that take, too, what the adapter sent itself."""
        self._feed = feed
        self._subscription = subscription
        self._state = state
        self._catalogue = catalogue
        self._sinks = sinks
        self._own = own
        self._limit = limit
        self._told = told
        self._made = False
        self._cursor = ""

    def take(self, wait: float) -> bool:
        """Take one page, waiting so many seconds for it; False when nothing came.

        The cursor is committed when every sink has it on disk, so whoever is killed in between
        gets the same page again. Raises HubError, Away, CannotRun and OSError.
        """
        if not self._made:
            self._feed.subscribe(self._subscription)
            self._made = True
        name = str(self._subscription["id"])
        page = self._feed.pull(name, limit=self._limit, wait=wait)
        # What was sent before an answer came stands before the answer.
        mine = self._take_own()
        if page.events:
            keep_openings(self._state, self._catalogue, page.events)
        # With none, too: what people changed meanwhile is looked at.
        for sink in self._sinks:
            sink.take(page.events)
        # What is kept from the agency moves the cursor on, too.
        if page.cursor != self._cursor:
            self._feed.commit(name, page.cursor)
            self._cursor = page.cursor
        self._told(len(page.events) + mine)
        return bool(page.events) or mine > 0

    def _take_own(self) -> int:
        """How many events of its own the sinks have taken."""
        last, events = own_events(self._state) if self._own else (0, [])
        if events:
            for sink in self._own:
                sink.take(events)
            forget_own(self._state, last)
        return len(events)
