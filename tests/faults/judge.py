"""What a fault may not do: lose an event, double it, pass it by another of its key, leave a gap."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Answered:
    """When an event was first sent, and when it was answered that it is accepted; seconds."""

    sent: float
    at: float


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as a reader got it; `number` is its place among those of its key."""

    id: str
    key: str
    number: int
    position: str
    at: float


@dataclass(frozen=True, slots=True)
class Kept:
    """An event of the journal: its position without the shard, and the hub's time."""

    position: int
    id: str
    hubtime: int


@dataclass(frozen=True, slots=True)
class Harm:
    """How many events were lost, doubled, reordered; how many positions nobody has, and how many
    times were earlier than the one before.
    """

    lost: int
    doubled: int
    reordered: int
    gaps: int
    back: int


@dataclass(frozen=True, slots=True)
class Pauses:
    """The longest, seconds: of a publisher from sending an event to its answer; of a reader from
    an event's answer to the page with it, of one that keeps to a door and of one that changes.
    """

    publishers: float
    keeping: float
    changing: float


def harm_of(
    answered: Iterable[str],
    seen: Mapping[str, Sequence[Seen]],
    kept: Sequence[Kept],
    positions: range,
) -> Harm:
    """Judge what was answered by what each reader saw, and by the part of the journal that was
    written meanwhile, in the order of its positions.
    """
    promised = set(answered)
    ids = Counter(each.id for each in kept)
    lost = len(promised - ids.keys())
    doubled = sum(count - 1 for count in ids.values())
    reordered = 0
    for events in seen.values():
        lost += len(promised - {event.id for event in events})
        places = {(event.id, event.position) for event in events}
        doubled += len(places) - len({id_ for id_, _ in places})
        reordered += _reordered(events)
    taken = {each.position for each in kept}
    times = [each.hubtime for each in kept]
    return Harm(
        lost=lost,
        doubled=doubled + len(kept) - len(taken),
        reordered=reordered,
        gaps=len(set(positions) ^ taken),
        back=sum(later < earlier for earlier, later in pairwise(times)),
    )


def pauses_of(
    answered: Mapping[str, Answered], seen: Mapping[str, Sequence[Seen]], changing: str
) -> Pauses:
    """How long clients had to wait; `changing` is the reader that changes doors."""
    longest = {reader: _longest(answered, events) for reader, events in seen.items()}
    return Pauses(
        publishers=max((each.at - each.sent for each in answered.values()), default=0.0),
        keeping=max(pause for reader, pause in longest.items() if reader != changing),
        changing=longest[changing],
    )


def _longest(answered: Mapping[str, Answered], events: Sequence[Seen]) -> float:
    first: dict[str, float] = {}
    for event in events:
        first.setdefault(event.id, event.at)
    waited = (at - answered[id_].at for id_, at in first.items() if id_ in answered)
    return max(waited, default=0.0)


def _reordered(events: Sequence[Seen]) -> int:
    """How many events came for the first time after a later one of their key."""
    newest: dict[str, int] = {}
    known: set[str] = set()
    found = 0
    for event in events:
        if event.id in known:
            continue
        known.add(event.id)
        found += event.number < newest.get(event.key, 0)
        newest[event.key] = max(event.number, newest.get(event.key, 0))
    return found
