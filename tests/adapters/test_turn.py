"""Threads take turns in the order in which they come, also when one comes back at once."""

from threading import Thread

from adapters.kit.turn import Turn
from tests.cluster import until


def test_who_waits_has_its_turn_before_who_has_just_had_one() -> None:
    turn = Turn()
    order: list[str] = []

    def other() -> None:
        with turn:
            order.append("other")

    waits = Thread(target=other)
    with turn:
        order.append("first")
        waits.start()
        until(turn._next.locked)
    with turn:
        order.append("first")
    waits.join()
    assert order == ["first", "other", "first"]
