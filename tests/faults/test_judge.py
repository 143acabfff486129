"""The judge of the faults sees what it is to see."""

from tests.faults.judge import Answered, Harm, Kept, Pauses, Seen, harm_of, pauses_of

ANSWERED = ("k-1", "k-2", "k-3")
KEPT = [Kept(7, "k-1", 100), Kept(8, "k-2", 100), Kept(9, "k-3", 101)]
POSITIONS = range(7, 10)


def seen(*numbers: int, key: str = "k") -> list[Seen]:
    """Events of a key as a reader got them."""
    return [Seen(f"{key}-{n}", key, n, f"0-{n}", at=float(n)) for n in numbers]


def test_what_came_once_each_in_order_is_well() -> None:
    whole = {"one": seen(1, 2, 3), "other": seen(1, 2, 3)}
    assert harm_of(ANSWERED, whole, KEPT, POSITIONS) == Harm(0, 0, 0, 0, 0)


def test_a_page_that_is_read_again_does_no_harm() -> None:
    again = {"one": seen(1, 2, 1, 2, 3)}
    assert harm_of(ANSWERED, again, KEPT, POSITIONS) == Harm(0, 0, 0, 0, 0)


def test_what_is_not_in_the_journal_is_lost_and_so_is_what_a_reader_never_got() -> None:
    short = {"one": seen(1, 2, 3), "other": seen(1, 3)}
    assert harm_of((*ANSWERED, "k-4"), short, KEPT, POSITIONS) == Harm(1 + 1 + 2, 0, 0, 0, 0)


def test_what_is_registered_twice_is_doubled_and_so_is_what_a_reader_gets_at_two_positions() -> (
    None
):
    twice = [*KEPT, Kept(10, "k-1", 102)]
    moved = {"one": [*seen(1, 2, 3), Seen("k-1", "k", 1, "0-10", at=4.0)]}
    assert harm_of(ANSWERED, moved, twice, range(7, 11)) == Harm(0, 1 + 1, 0, 0, 0)


def test_what_comes_after_a_later_one_of_its_key_is_reordered() -> None:
    mixed = {"one": [*seen(3, 1, 2), *seen(1, key="other")]}
    assert harm_of(ANSWERED, mixed, KEPT, POSITIONS) == Harm(0, 0, 2, 0, 0)


def test_a_position_that_nobody_has_is_a_gap_and_a_time_that_goes_back_is_told() -> None:
    gap = [Kept(7, "k-1", 100), Kept(8, "k-2", 99), Kept(10, "k-3", 101)]
    whole = {"one": seen(1, 2, 3)}
    assert harm_of(ANSWERED, whole, gap, range(7, 11)) == Harm(0, 0, 0, 1, 1)


def test_pauses_are_the_longest_and_a_reader_is_late_from_the_answer_on() -> None:
    answered = {"k-1": Answered(0.0, 2.0), "k-2": Answered(2.0, 2.5)}
    late = [*seen(1), Seen("k-2", "k", 2, "0-2", at=6.0)]
    readers = {"a": seen(1, 2), "b": late, "both": [*seen(1), Seen("k-2", "k", 2, "0-2", at=3.0)]}
    assert pauses_of(answered, readers, "both") == Pauses(publishers=2.0, keeping=3.5, changing=0.5)


def test_what_is_seen_again_later_is_no_pause() -> None:
    answered = {"k-1": Answered(0.0, 1.0)}
    again = [*seen(1), Seen("k-1", "k", 1, "0-1", at=9.0)]
    found = pauses_of(answered, {"a": again, "both": seen()}, "both")
    assert found == Pauses(publishers=1.0, keeping=0.0, changing=0.0)
