"""Whose turn it is, of the feeds that the hub itself writes."""

import asyncio
from dataclasses import dataclass, field

import pytest

from hub.delivery.rota import FIRST_PAUSE, LONGEST_PAUSE, Feed, Rota

ONE, TWO, THREE = (Feed(number, "510100.discipline", f"s{number}") for number in (1, 2, 3))


@dataclass
class Clock:
    """Stands still unless it is told."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """A rota that knows three feeds, each of which has had a first turn."""

    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.rota = Rota(monotonic=self.clock)
        self.rota.know([ONE, TWO, THREE], newest=5)

    async def turns(self) -> list[Feed]:
        """The feeds that have a turn at once, in order; their turns go on."""
        found: list[Feed] = []
        while True:
            taking = asyncio.ensure_future(self.rota.next())
            for _ in range(3):
                await asyncio.sleep(0)
            if not taking.done():
                taking.cancel()
                return found
            found.append(taking.result())


@pytest.fixture
async def world() -> World:
    world = World()
    for feed in await world.turns():
        world.rota.fed(feed, more=False)
    return world


async def test_every_feed_that_becomes_known_has_a_turn() -> None:
    assert await World().turns() == [ONE, TWO, THREE]


async def test_who_has_news_has_a_turn_and_who_has_none_has_not(world: World) -> None:
    assert await world.turns() == []
    world.rota.news([3, 1, 4])
    assert await world.turns() == [THREE, ONE]


async def test_a_feed_has_one_turn_at_a_time_and_news_meanwhile_bring_another(world: World) -> None:
    world.rota.news([1])
    assert await world.turns() == [ONE]
    world.rota.news([1])
    world.rota.news([1])
    assert await world.turns() == []
    world.rota.fed(ONE, more=False)
    assert await world.turns() == [ONE]


async def test_whoever_has_more_comes_after_the_others(world: World) -> None:
    world.rota.news([1])
    assert await world.turns() == [ONE]
    world.rota.news([2])
    world.rota.fed(ONE, more=True)
    assert await world.turns() == [TWO, ONE]


async def test_one_that_waits_has_its_turn_when_its_time_has_come_ever_more_rarely(
    world: World,
) -> None:
    world.rota.news([1])
    (feed,) = await world.turns()
    told, pause = [world.rota.put_off(feed, "no_topic")], FIRST_PAUSE
    for _ in range(10):
        world.rota.news([1])
        world.clock.now += pause - 0.01
        world.rota.recall()
        assert await world.turns() == []
        world.clock.now += 0.01
        world.rota.recall()
        assert await world.turns() == [ONE]
        told.append(world.rota.put_off(feed, "no_topic"))
        pause = min(2 * pause, LONGEST_PAUSE)
    # It is told once why it waits, and once again when that has changed.
    assert told == [True] + [False] * 10
    assert world.rota.put_off(feed, "NotEnoughReplicasError")
    assert (world.rota.waiting(but="forbidden"), world.rota.waiting(but="no_topic")) == (1, 1)


async def test_one_whose_reason_is_over_has_its_turn_at_once(world: World) -> None:
    world.rota.news([1, 2])
    for feed, reason in zip(await world.turns(), ("no_topic", "forbidden"), strict=True):
        world.rota.put_off(feed, reason)
    world.rota.recall(over=lambda feed, reason: (feed, reason) == (ONE, "no_topic"))
    assert await world.turns() == [ONE]


async def test_what_came_while_one_waited_is_not_forgotten(world: World) -> None:
    world.rota.news([1])
    (feed,) = await world.turns()
    world.rota.put_off(feed, "no_topic")
    world.clock.now += FIRST_PAUSE
    world.rota.recall()
    assert await world.turns() == [ONE]
    # It has been read by now, and this comes behind what was read.
    world.rota.news([1])
    assert world.rota.fed(ONE, more=False)
    assert await world.turns() == [ONE]
    assert not world.rota.fed(ONE, more=False)
    assert await world.turns() == []


async def test_after_a_change_of_the_policy_also_those_that_wait_are_looked_at(
    world: World,
) -> None:
    world.rota.news([1])
    (feed,) = await world.turns()
    world.rota.put_off(feed, "forbidden")
    world.rota.anything()
    assert sorted(feed.number for feed in await world.turns()) == [1, 2, 3]


async def test_a_feed_that_is_no_more_has_no_turn(world: World) -> None:
    world.rota.news([1])
    (feed,) = await world.turns()
    world.rota.news([1])
    world.rota.forget(feed)
    world.rota.news([1])
    world.rota.anything()
    assert await world.turns() == [TWO, THREE]


async def test_strangers_are_asked_for_once_there_may_be_some(world: World) -> None:
    async def asked() -> bool:
        waiting = asyncio.ensure_future(world.rota.strangers())
        for _ in range(3):
            await asyncio.sleep(0)
        return waiting.done() or not waiting.cancel()

    # None is known at the start.
    assert await asked()
    world.rota.news([4, 5])
    assert not await asked()
    world.rota.news([6])
    assert world.rota.newest == 5
    assert await asked()
    assert not await asked()
    world.rota.know([Feed(6, "510100.audit", "s")], newest=7)
    assert [feed.number for feed in await world.turns()] == [6]
    world.rota.anything()
    assert await asked()
