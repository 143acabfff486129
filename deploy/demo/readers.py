"""The demo's subscribers: each reads its own feed in a thread, as a subscriber's system would."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from adapters.kit.client import HubClient


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event at one reader: when, by the monotonic clock, and seconds after its registration."""

    event: Mapping[str, Any]
    at: float
    seconds: float


class Readers:
    """Reads all feeds until the block ends and each feed is empty."""

    def __init__(self, clients: Mapping[str, HubClient]) -> None:
        self.arrived: dict[str, list[Arrival]] = {agency: [] for agency in clients}
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._read, args=(agency, client))
            for agency, client in clients.items()
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    @property
    def got(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Agency → its events, in the order of its feed."""
        return {agency: [one.event for one in those] for agency, those in self.arrived.items()}

    def wait_for(
        self, agency: str, wanted: Callable[[Mapping[str, Any]], bool], count: int
    ) -> list[Arrival]:
        """So many events of a feed that are wanted; waits up to 60 s for them.

        Raises TimeoutError with the agency.
        """

        def found() -> list[Arrival]:
            return [one for one in self.arrived[agency] if wanted(one.event)]

        with self._changed:
            if not self._changed.wait_for(lambda: len(found()) >= count, timeout=60):
                raise TimeoutError(agency)
            return found()

    def _read(self, agency: str, client: HubClient) -> None:
        while True:
            ending = self._ending.is_set()
            page = client.pull("demo", limit=500, wait=0 if ending else 1)
            # The demo is its own composition root.
            now, at = datetime.now(UTC), time.monotonic()  # noqa: TID251
            with self._changed:
                self.arrived[agency].extend(
                    Arrival(e, at, (now - datetime.fromisoformat(e["hubtime"])).total_seconds())
                    for e in page.events
                )
                self._changed.notify_all()
            client.commit("demo", page.cursor)
            if ending and not page.events:
                return
