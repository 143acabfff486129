"""How long the oldest record has waited, by the looks that were taken at the topics' ends."""

from hub.backbone.kafka.lag import MOST_LOOKS, Looks
from hub.database.offsets import Lane

A, B = Lane("share.petition", 0), Lane("share.clue", 1)


def test_the_oldest_has_waited_since_it_was_first_seen() -> None:
    looks = Looks([A, B])
    ages = []
    for now, ends, reached in [
        (0, {A: 5, B: 9}, {A: 5, B: 9}),
        (2, {A: 7, B: 9}, {A: 5, B: 9}),
        (4, {A: 9, B: 9}, {A: 6, B: 9}),
        (6, {A: 9, B: 10}, {A: 8, B: 9}),
        (8, {A: 9, B: 10}, {A: 9, B: 9}),
        (10, {A: 9, B: 10}, {A: 9, B: 10}),
    ]:
        looks.add(now, ends)
        ages.append(looks.age(now, reached))
    assert ages == [0, 0, 2, 2, 2, 0]


def test_however_long_it_takes_few_looks_are_kept_and_the_oldest_is_among_them() -> None:
    looks = Looks([A])
    for now in range(10 * MOST_LOOKS):
        looks.add(now, {A: now + 1})
    assert len(looks) <= MOST_LOOKS
    now = 10 * MOST_LOOKS
    assert looks.age(now, {A: 0}) == now
    # What lies further back is known less exactly, and never said to be older than it is.
    assert now / 4 < looks.age(now, {A: now // 2}) <= now / 2
    assert looks.age(now, {A: now}) == 0
