"""Pages that leave together, made until the test says so."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from hub.delivery.leaving import Leaving
from tests.unit.test_turns import settle


@dataclass
class Hall:
    """Notes which pages have left."""

    leaving: Leaving = field(default_factory=lambda: Leaving(most=3))
    left: list[str] = field(default_factory=list)
    ends: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    on_leaving: Callable[[], object] = lambda: None

    def page(self, name: str) -> "asyncio.Task[None]":
        self.ends[name] = asyncio.get_running_loop().create_future()
        return asyncio.create_task(self._make(name))

    async def _make(self, name: str) -> None:
        with self.leaving.making():
            await self.ends[name]
        await self.leaving.together()
        self.left.append(name)
        self.on_leaving()

    async def end(self, name: str) -> None:
        self.ends[name].set_result(None)
        await settle()


async def test_a_page_that_is_made_alone_leaves_at_once() -> None:
    hall = Hall()
    hall.page("a")
    await settle()
    await hall.end("a")
    assert hall.left == ["a"]


async def test_pages_leave_when_they_are_as_many_as_are_still_being_made() -> None:
    hall = Hall()
    for name in "abcd":
        hall.page(name)
    await settle()
    await hall.end("a")
    assert hall.left == []
    await hall.end("b")
    assert sorted(hall.left) == ["a", "b"]
    await hall.end("c")
    await hall.end("d")
    assert sorted(hall.left) == ["a", "b", "c", "d"]


async def test_no_page_waits_for_more_than_so_many() -> None:
    hall = Hall()
    for name in "abcdefg":
        hall.page(name)
    await settle()
    await hall.end("a")
    await hall.end("b")
    assert hall.left == []
    await hall.end("c")
    assert sorted(hall.left) == ["a", "b", "c"]


@pytest.mark.parametrize("how", ["fails", "is given up"])
async def test_a_page_that_is_never_made_keeps_none_waiting(how: str) -> None:
    hall = Hall()
    hall.page("a")
    never, last = hall.page("b"), hall.page("c")
    await settle()
    await hall.end("a")
    assert hall.left == []
    if how == "fails":
        hall.ends["b"].set_exception(OSError())
    else:
        never.cancel()
    await settle()
    assert hall.left == ["a"]
    await hall.end("c")
    await last
    (outcome,) = await asyncio.gather(never, return_exceptions=True)
    assert type(outcome) is (OSError if how == "fails" else asyncio.CancelledError)


async def test_a_reader_that_goes_while_its_page_waits_keeps_none_waiting() -> None:
    hall = Hall()
    gone = hall.page("a")
    for name in "bcd":
        hall.page(name)
    await settle()
    await hall.end("a")
    gone.cancel()
    await settle()
    for name in "bcd":
        await hall.end(name)
    assert sorted(hall.left) == ["b", "c", "d"]


async def test_what_those_do_that_are_let_go_is_found_by_a_call_of_the_first() -> None:
    """So the writer, which who submits first calls for the end of the turn, finds all works."""
    hall = Hall()
    found: list[int] = []
    hall.on_leaving = lambda: asyncio.get_running_loop().call_soon(
        lambda: found.append(len(hall.left))
    )
    for name in "abcdef":
        hall.page(name)
    await settle()
    for name in "abc":
        await hall.end(name)
    assert found == [3, 3, 3]
