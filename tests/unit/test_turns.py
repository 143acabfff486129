"""Turns at the reading thread, with works that end when the test says so."""

import asyncio
from dataclasses import dataclass, field

from hub.delivery.turns import Turns


@dataclass
class Desk:
    """Notes which works have begun; each goes on until it is ended."""

    turns: Turns = field(default_factory=lambda: Turns(most=2))
    begun: list[str] = field(default_factory=list)
    ends: dict[str, asyncio.Event] = field(default_factory=dict)

    async def work(self, agency: str, name: str) -> None:
        async with self.turns.take(agency):
            self.begun.append(name)
            await self.ends.setdefault(name, asyncio.Event()).wait()

    def end(self, name: str) -> None:
        self.ends[name].set()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_an_agency_waits_for_its_own_works_and_nobody_elses() -> None:
    desk = Desk()
    works = [asyncio.create_task(desk.work("loud", f"loud-{n}")) for n in range(4)]
    await settle()
    works.append(asyncio.create_task(desk.work("quiet", "quiet")))
    await settle()
    assert desk.begun == ["loud-0", "loud-1", "quiet"]
    desk.end("loud-1")
    await settle()
    assert desk.begun == ["loud-0", "loud-1", "quiet", "loud-2"]
    for name in ("quiet", "loud-0", "loud-2"):
        desk.end(name)
    await settle()
    desk.end("loud-3")
    await asyncio.gather(*works)


async def test_who_no_longer_waits_keeps_nobody_waiting() -> None:
    desk = Desk()
    works = [asyncio.create_task(desk.work("loud", f"{n}")) for n in range(5)]
    await settle()
    works[0].cancel()
    works[3].cancel()
    await settle()
    assert desk.begun == ["0", "1", "2"]
    desk.end("1")
    await settle()
    assert desk.begun == ["0", "1", "2", "4"]
    desk.end("2")
    desk.end("4")
    await asyncio.gather(*works, return_exceptions=True)
