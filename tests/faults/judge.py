"""What a fault may not do: lose an event, double it, pass it by another of its key, leave a gap,
tear a batch of all or none, keep what it has refused, leave that untold.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Answered:
    """What was sent at once: the events, by id, that were answered to be accepted and those that
    were refused; whether it was all or none; when it was first sent, and answered, seconds. What a
    producer of Kafka sent is answered by the brokers, and what is refused of it later by the hub.
    """

    accepted: tuple[str, ...]
    refused: tuple[str, ...]
    whole: bool
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
    times were earlier than the one before; how many batches of all or none are there in part; how
    many events are there though they were refused, or answered as refused without a record of it;
    how many that came by Kafka were refused, and nobody told.
    """

    lost: int
    doubled: int
    reordered: int
    gaps: int
    back: int
    torn: int
    recanted: int
    untold: int


@dataclass(frozen=True, slots=True)
class Pauses:
    """The longest, seconds: of a publisher until it had any answer, 503 too; from sending something
    to what became of it, and of that where something was refused and where it was all or none; of a
    reader from an event's answer to the page with it, of one that keeps to a door and of one that
    changes; by Kafka, until the brokers had something, and of any reader from then on; until
    another broker led what one had led; that the machine let nobody run.
    """

    answer: float
    publishers: float
    refused: float
    whole: float
    keeping: float
    changing: float
    produced: float
    arriving: float
    election: float
    still: float


def harm_of(
    answered: Sequence[Answered],
    seen: Mapping[str, Sequence[Seen]],
    kept: Sequence[Kept],
    positions: range,
    recorded: Collection[str],
    *,
    produced: Sequence[Answered] = (),
    told: Collection[str] = (),
) -> Harm:
    """Judge what was answered by what each reader saw, by the part of the journal that was written
    meanwhile, in the order of its positions, and by the refusals that were recorded, by event; so
    too what was `produced` by Kafka, where publishers were `told` of refusals, by event.
    """
    sent = [*answered, *produced]
    promised = {id_ for each in sent for id_ in each.accepted}
    refused = {id_ for each in sent for id_ in each.refused}
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
        torn=sum(_is_torn(each, ids) for each in answered if each.whole),
        recanted=len(ids.keys() & {*refused, *recorded}) + len(refused - {*recorded}),
        untold=len({id_ for each in produced for id_ in each.refused} - {*told}),
    )


def pauses_of(
    answered: Sequence[Answered],
    seen: Mapping[str, Sequence[Seen]],
    *,
    slowest: float,
    changing: str,
    produced: Sequence[Answered] = (),
    election: float = 0.0,
    still: float = 0.0,
) -> Pauses:
    """How long clients had to wait: for the `slowest` answer of all; `changing` is the reader that
    changes doors.
    """
    times = {id_: each.at for each in answered for id_ in each.accepted}
    longest = {reader: _longest(times, events) for reader, events in seen.items()}
    came = {id_: each.at for each in produced for id_ in each.accepted}
    return Pauses(
        answer=slowest,
        publishers=_longest_of(answered),
        refused=_longest_of(each for each in answered if each.refused),
        whole=_longest_of(each for each in answered if each.whole),
        keeping=max(pause for reader, pause in longest.items() if reader != changing),
        changing=longest[changing],
        produced=_longest_of(produced),
        arriving=max(_longest(came, events) for events in seen.values()),
        election=election,
        still=still,
    )


def _is_torn(batch: Answered, kept: Mapping[str, int]) -> bool:
    there = [id_ in kept for id_ in (*batch.accepted, *batch.refused)]
    return any(there) and not all(there)


def _longest_of(answered: Iterable[Answered]) -> float:
    return max((each.at - each.sent for each in answered), default=0.0)


def _longest(answered: Mapping[str, float], events: Sequence[Seen]) -> float:
    first: dict[str, float] = {}
    for event in events:
        first.setdefault(event.id, event.at)
    waited = (at - answered[id_] for id_, at in first.items() if id_ in answered)
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
