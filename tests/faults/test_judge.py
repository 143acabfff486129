"""The judge of the faults sees what it is to see."""

from collections.abc import Sequence
from dataclasses import replace

from tests.faults.judge import Answered, Harm, Kept, Pauses, Seen, harm_of, pauses_of


def answered(
    *accepted: str, refused: Sequence[str] = (), whole: bool = False, sent: float = 0, at: float = 0
) -> Answered:
    """What became of what was sent at once."""
    return Answered(accepted, tuple(refused), whole, sent, at)


ANSWERED = [answered("k-1"), answered("k-2", "k-3", whole=True)]
KEPT = [Kept(7, "k-1", 100), Kept(8, "k-2", 100), Kept(9, "k-3", 101)]
POSITIONS = range(7, 10)
NOTHING: set[str] = set()
WELL = Harm(0, 0, 0, 0, 0, 0, 0, 0)


def seen(*numbers: int, key: str = "k") -> list[Seen]:
    """Events of a key as a reader got them."""
    return [Seen(f"{key}-{n}", key, n, f"0-{n}", at=float(n)) for n in numbers]


def test_what_came_once_each_in_order_is_well() -> None:
    whole = {"one": seen(1, 2, 3), "other": seen(1, 2, 3)}
    assert harm_of(ANSWERED, whole, KEPT, POSITIONS, NOTHING) == WELL


def test_a_page_that_is_read_again_does_no_harm() -> None:
    again = {"one": seen(1, 2, 1, 2, 3)}
    assert harm_of(ANSWERED, again, KEPT, POSITIONS, NOTHING) == WELL


def test_what_is_not_in_the_journal_is_lost_and_so_is_what_a_reader_never_got() -> None:
    short = {"one": seen(1, 2, 3), "other": seen(1, 3)}
    lost = harm_of([*ANSWERED, answered("k-4")], short, KEPT, POSITIONS, NOTHING)
    assert lost == replace(WELL, lost=1 + 1 + 2)


def test_what_is_registered_twice_is_doubled_and_so_is_what_a_reader_gets_at_two_positions() -> (
    None
):
    twice = [*KEPT, Kept(10, "k-1", 102)]
    moved = {"one": [*seen(1, 2, 3), Seen("k-1", "k", 1, "0-10", at=4.0)]}
    assert harm_of(ANSWERED, moved, twice, range(7, 11), NOTHING) == replace(WELL, doubled=1 + 1)


def test_what_comes_after_a_later_one_of_its_key_is_reordered() -> None:
    mixed = {"one": [*seen(3, 1, 2), *seen(1, key="other")]}
    assert harm_of(ANSWERED, mixed, KEPT, POSITIONS, NOTHING) == replace(WELL, reordered=2)


def test_a_position_that_nobody_has_is_a_gap_and_a_time_that_goes_back_is_told() -> None:
    gap = [Kept(7, "k-1", 100), Kept(8, "k-2", 99), Kept(10, "k-3", 101)]
    whole = {"one": seen(1, 2, 3)}
    assert harm_of(ANSWERED, whole, gap, range(7, 11), NOTHING) == replace(WELL, gaps=1, back=1)


def test_a_batch_of_all_or_none_that_is_there_in_part_is_torn() -> None:
    none = [answered(refused=("k-4", "k-5"), whole=True)]
    whole = {"one": seen(1, 2, 3)}
    recorded = {"k-4", "k-5"}
    assert harm_of([*ANSWERED, *none], whole, KEPT, POSITIONS, recorded) == WELL
    part = [*KEPT, Kept(10, "k-5", 102)]
    assert harm_of([*ANSWERED, *none], whole, part, range(7, 11), recorded) == replace(
        WELL, torn=1, recanted=1
    )
    short = {"one": seen(1, 2)}
    assert harm_of(ANSWERED, short, KEPT[:2], range(7, 9), NOTHING) == replace(
        WELL, lost=1 + 1, torn=1
    )


def test_what_is_refused_is_on_record_and_what_is_on_record_is_not_kept() -> None:
    whole = {"one": seen(1, 2, 3)}
    each = [*ANSWERED, answered(refused=("k-4",))]
    assert harm_of(each, whole, KEPT, POSITIONS, {"k-4"}) == WELL
    assert harm_of(each, whole, KEPT, POSITIONS, NOTHING) == replace(WELL, recanted=1)
    assert harm_of(ANSWERED, whole, KEPT, POSITIONS, {"k-3"}) == replace(WELL, recanted=1)


def test_pauses_are_the_longest_and_a_reader_is_late_from_the_answer_on() -> None:
    sent = [
        answered("k-1", at=2.0),
        answered("k-2", refused=("k-3",), sent=2.0, at=2.5),
        answered(refused=("k-4", "k-5"), whole=True, sent=3.0, at=4.5),
    ]
    late = [*seen(1), Seen("k-2", "k", 2, "0-2", at=6.0)]
    readers = {"a": seen(1, 2), "b": late, "both": [*seen(1), Seen("k-2", "k", 2, "0-2", at=3.0)]}
    assert pauses_of(sent, readers, slowest=1.25, changing="both") == Pauses(
        answer=1.25,
        publishers=2.0,
        refused=1.5,
        whole=1.5,
        keeping=3.5,
        changing=0.5,
        produced=0.0,
        arriving=0.0,
        election=0.0,
        still=0.0,
    )


def test_what_is_seen_again_later_is_no_pause() -> None:
    again = [*seen(1), Seen("k-1", "k", 1, "0-1", at=9.0)]
    sent, readers = [answered("k-1", at=1.0)], {"a": again, "both": seen()}
    assert pauses_of(sent, readers, slowest=0.5, changing="both") == Pauses(
        answer=0.5,
        publishers=1.0,
        refused=0.0,
        whole=0.0,
        keeping=0.0,
        changing=0.0,
        produced=0.0,
        arriving=0.0,
        election=0.0,
        still=0.0,
    )


def test_what_the_brokers_took_is_promised_too_and_its_refusal_is_told() -> None:
    whole = {"one": seen(1, 2, 3)}
    produced = [answered("k-4", refused=("k-5",))]
    kept = [*KEPT, Kept(10, "k-4", 101)]
    all_seen = {"one": seen(1, 2, 3, 4)}
    well = harm_of(ANSWERED, all_seen, kept, range(7, 11), {"k-5"}, produced=produced, told={"k-5"})
    assert well == WELL
    lost = harm_of(ANSWERED, whole, KEPT, POSITIONS, NOTHING, produced=produced)
    assert lost == replace(WELL, lost=1 + 1, recanted=1, untold=1)


def test_what_is_produced_is_late_until_the_brokers_have_it_and_then_until_it_is_read() -> None:
    sent = [answered("k-1", at=1.0)]
    produced = [answered("k-2", sent=1.0, at=1.75), answered("k-3", sent=1.75, at=2.5)]
    readers = {"a": seen(1, 2, 3), "both": seen(1, 2)}
    pauses = pauses_of(
        sent, readers, slowest=0.5, changing="both", produced=produced, election=3.25, still=0.25
    )
    assert pauses == Pauses(
        answer=0.5,
        publishers=1.0,
        refused=0.0,
        whole=0.0,
        keeping=0.0,
        changing=0.0,
        produced=0.75,
        arriving=0.5,
        election=3.25,
        still=0.25,
    )
