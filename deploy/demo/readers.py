"""The demo's subscribers: each reads its own feed in a thread, as a subscriber's system would."""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from adapters.kit.client import HubClient


@dataclass(frozen=True, slots=True)
class Delay:
    """Seconds from an event's registration to its arrival at one reader."""

    agency: str
    seconds: float


class Readers:
    """Reads all feeds until the block ends and each feed is empty."""

    def __init__(self, clients: Mapping[str, HubClient]) -> None:
        self.got: dict[str, list[Mapping[str, Any]]] = {agency: [] for agency in clients}
        self.delays: list[Delay] = []
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

    def first(self, agency: str, wanted: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """The first event of a feed that is wanted; waits up to 30 s for it."""

        def found() -> list[Mapping[str, Any]]:
            return [event for event in self.got[agency] if wanted(event)]

        with self._changed:
            if not self._changed.wait_for(found, timeout=30):
                raise TimeoutError(agency)
            return found()[0]

    def wait_for(self, agency: str, receipts: Collection[str]) -> None:
        """Until a feed has given the events of these receipts; waits up to 60 s for them."""

        def found() -> bool:
            return {*receipts} <= {event["hubreceipt"] for event in self.got[agency]}

        with self._changed:
            if not self._changed.wait_for(found, timeout=60):
                raise TimeoutError(agency)

    def _read(self, agency: str, client: HubClient) -> None:
        while True:
            ending = self._ending.is_set()
            page = client.pull("demo", limit=500, wait=0 if ending else 1)
            now = datetime.now(UTC)  # noqa: TID251 (the demo is its own composition root)
            with self._changed:
                self.got[agency].extend(page.events)
                self.delays.extend(
                    Delay(agency, (now - datetime.fromisoformat(e["hubtime"])).total_seconds())
                    for e in page.events
                )
                self._changed.notify_all()
            client.commit("demo", page.cursor)
            if ending and not page.events:
                return
