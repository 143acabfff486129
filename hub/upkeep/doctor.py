"""A running hub's doctor: examines it on a thread of its own, one examination at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from hub.database.readers import Readers
from hub.errors import Overloaded
from hub.upkeep.examine import Patient, examine
from hub.upkeep.finding import Finding, failure, ok

# A snapshot that is held long keeps SQLite's log from being used anew, and so lets it grow.
QUICK_SECONDS: Final = 20.0
FULL_SECONDS: Final = 3_000.0


class Doctor:
    """Examines. `unready` tells why the hub cannot serve, or None; `beside` what is found of what
    stands beside the database; `monotonic` is in seconds.
    """

    def __init__(
        self,
        readers: Readers,
        *,
        patient: Patient,
        unready: Callable[[], Awaitable[str | None]],
        beside: Callable[[], Awaitable[list[Finding]]],
        version: str,
        clock: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._readers = readers
        self._patient = patient
        self._unready = unready
        self._beside = beside
        self._version = version
        self._clock = clock
        self._monotonic = monotonic
        self._examining = asyncio.Lock()
        self._stopping = False

    async def examine(self, *, full: bool) -> list[Finding]:
        """Every finding. Raises Overloaded while another examination runs."""
        if self._examining.locked():
            raise Overloaded("另一检查正在进行 / another examination runs", retry_after=5)
        async with self._examining:
            deadline = self._monotonic() + (FULL_SECONDS if full else QUICK_SECONDS)
            work = partial(
                examine,
                patient=self._patient,
                full=full,
                now=self._clock(),
                enough=lambda: self._stopping or self._monotonic() > deadline,
            )
            hub = self._judge_hub(await self._unready())
            return [hub, *await self._beside(), *await self._readers.run(work)]

    def stop(self) -> None:
        """Break off the examination that runs: the hub stops."""
        self._stopping = True

    def _judge_hub(self, reason: str | None) -> Finding:
        version = self._version
        if reason is None:
            return ok(
                "hub", f"贯通 {version} 在运行，可写入", f"hub {version} runs and takes writes"
            )
        return failure(
            "hub",
            f"贯通 {version} 在运行，但无法写入：{reason}",
            f"hub {version} runs but takes no writes: {reason}",
            "请查看磁盘空间与日志中的 write.failed",
            "look at the disk's free space and at write.failed in the log",
        )
