"""Registration on a real database: positions, the dedup table, feeds, and their backfill.

Every test works inside one transaction that is rolled back at its end.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json as msgjson

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.database import appending
from hub.database.connection import Connection
from hub.database.sqlite import SqliteDatabase, open_sqlite
from hub.event import Accepted, Duplicate, Event, Marking, Outcome, Receipt, Rejected
from hub.journal import sql, subscribing
from hub.journal.feeds import FILL_CHUNK, fill_step, ready_until
from hub.journal.matching import Matcher
from hub.journal.openings import record_of
from hub.journal.register import ID_REUSED, SHARD, BatchRefused, Registrar
from hub.journal.sought import own_record
from hub.journal.sql import feed_after
from hub.journal.subscriptions import All, Body, Exact, Filter, Prefix, Subscription, from_row
from hub.policy import sql as policy_sql
from hub.policy.acts import Actor
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from tests.bench.plans import sent
from tests.sample import CITY, COUNTY, DISCIPLINE, PROVINCE, admitted, policy

END = 2**62
AGENCIES = (CITY, COUNTY, DISCIPLINE, PROVINCE)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteDatabase]:
    """A database with a city's policy in force."""
    document = msgjson.encode(policy()).decode()
    with closing(open_sqlite(tmp_path_factory.mktemp("register"), readers=1)) as made:
        with made.writer.begin() as connection:
            policy_sql.append_version(
                connection, version=1, document=document, by="test", reason="test", now=1
            )
        yield made


@pytest.fixture
def connection(database: SqliteDatabase) -> Iterator[Connection]:
    """A transaction that is never committed."""
    with database.writer.connect() as made:
        yield made


def policies() -> Policies:
    """What gives the policy in force."""
    return Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"key"),
        ceiling=Marking.internal,
    )


def registrar(*times: int) -> Registrar:
    """A registrar whose clock shows these times one after the other, and then the last."""
    left = list(times or (1_000,))
    clock: Callable[[], int] = lambda: left.pop(0) if len(left) > 1 else left[0]  # noqa: E731
    return Registrar(policies=policies(), clock=clock)


@contextmanager
def savepoint(connection: Connection, *, undone: bool) -> Iterator[None]:
    """What the writer puts around a work."""
    connection.exec_driver_sql("SAVEPOINT work")
    try:
        yield
    except BatchRefused:
        undone = True
    if undone:
        connection.exec_driver_sql("ROLLBACK TO work")
    connection.exec_driver_sql("RELEASE work")


def subscribed(
    connection: Connection, agency: str, id_: str, *, start: str = "now", **asked: Any
) -> Subscription:
    """A new subscription."""
    made, new = subscribing.create(
        connection,
        agency,
        Body.model_validate({"id": id_, "start": start, **asked}, strict=False),
        catalogue=load_catalogue(),
        regions=load_regions(),
        by=Actor(agency, 1),
        now=1,
        most=1_000,
    )
    assert new
    return made


def feed_of(connection: Connection, subscription: Subscription) -> list[int]:
    """All positions in the feed of a subscription."""
    return feed_after(connection, subscription.number, after=0, until=END, most=1_000_000)


class Row(NamedTuple):
    """What a journal row keeps of an event's identity."""

    position: int
    hubtime: int
    id: str
    digest: bytes


def registered(connection: Connection) -> list[Row]:
    """The whole journal."""
    columns = "position, hubtime, event_id, digest"
    rows = connection.exec_driver_sql(f"SELECT {columns} FROM journal ORDER BY position")
    return [Row(*row) for row in rows]


def slots_of(connection: Connection) -> dict[int, int]:
    """The dedup table: slot → position."""
    return {
        slot: position
        for slot, position in connection.exec_driver_sql("SELECT slot, position FROM dedup")
    }


def receipt(event: Event, position: int, hubtime: int) -> Receipt:
    """The receipt of an event that was registered there and then."""
    return Receipt(
        id=event.receipt.hex(),
        state="registered",
        source=event.source,
        event_id=event.id,
        type=event.type,
        digest=event.digest,
        position=position,
        hubtime=hubtime,
    )


def test_positions_are_given_without_gaps_batch_after_batch(connection: Connection) -> None:
    register = partial(registrar(5, 6, 7).register, connection, atomic=False)
    first, second = [admitted("a"), admitted("b")], [admitted("c")]

    outcomes = [*register(first).outcomes, *register(second).outcomes]

    events = [*first, *second]
    assert outcomes == [
        Accepted(receipt(events[0], 1, 5)),
        Accepted(receipt(events[1], 2, 5)),
        Accepted(receipt(events[2], 3, 6)),
    ]
    assert [(e.position, e.hubtime, e.id) for e in registered(connection)] == [
        (1, 5, "a"),
        (2, 5, "b"),
        (3, 6, "c"),
    ]


def test_a_registration_that_is_rolled_back_leaves_no_gap(connection: Connection) -> None:
    register = partial(registrar(5, 9, 6).register, connection, atomic=False)
    register([admitted("a")])
    with savepoint(connection, undone=True):
        register([admitted("b"), admitted("c")])
    again = register([admitted("c")]).outcomes

    assert again == [Accepted(receipt(admitted("c"), 2, 6))]
    assert [(e.position, e.id) for e in registered(connection)] == [(1, "a"), (2, "c")]
    assert sorted(slots_of(connection).values()) == [1, 2]


def test_hubtime_does_not_run_back_with_the_clock(connection: Connection) -> None:
    register = partial(registrar(50, 40, 60, 10).register, connection, atomic=False)
    for id_ in "abcd":
        register([admitted(id_)])
    assert [e.hubtime for e in registered(connection)] == [50, 50, 60, 60]


def test_events_that_hash_to_one_slot_are_told_apart_and_found_again(
    connection: Connection,
) -> None:
    register = partial(registrar().register, connection, atomic=False)
    one, other, third = (admitted(id_, slot=7) for id_ in ("one", "other", "third"))
    neighbour = admitted("neighbour", slot=8)

    together = register([one, other]).outcomes
    later = register([neighbour]).outcomes
    last = register([third, other, admitted("one", slot=7, data=b"[]")]).outcomes

    assert together == [Accepted(receipt(one, 1, 1_000)), Accepted(receipt(other, 2, 1_000))]
    assert later == [Accepted(receipt(neighbour, 3, 1_000))]
    assert last == [
        Accepted(receipt(third, 4, 1_000)),
        Duplicate(receipt(other, 2, 1_000)),
        Rejected(one.source, "one", (ID_REUSED,)),
    ]
    assert slots_of(connection) == {7: 1, 8: 2, 9: 3, 10: 4}
    every = (one, other, neighbour, third)
    found = [record_of(connection, event.receipt) for event in every]
    assert [(e.id, e.position) for e in found if e] == [
        ("one", 1),
        ("other", 2),
        ("neighbour", 3),
        ("third", 4),
    ]
    owned = [own_record(connection, event.receipt, event.publisher) for event in every]
    assert owned == found
    assert own_record(connection, other.receipt, CITY) is None
    unknown = admitted("unknown", slot=7)
    assert record_of(connection, unknown.receipt) is None
    assert own_record(connection, unknown.receipt, unknown.publisher) is None
    assert registrar().find(connection, [*every, unknown]) == [
        *(Duplicate(receipt(event, n, 1_000)) for n, event in enumerate(every, start=1)),
        None,
    ]


# Which data an event carries: the last two are equal as JSON, though not as bytes.
PAYLOADS = (b'{"value":0}', b'{"value":1}', b'{ "value": 1.0 }')
MEANINGS = (0, 1, 1)


@dataclass(frozen=True)
class Batch:
    """A batch as it is sent: (id, payload) pairs; `undone`: the writer rolls it back."""

    events: tuple[tuple[int, int], ...]
    atomic: bool
    undone: bool
    time: int

    def admitted(self) -> list[Event]:
        """Its events; twelve ids share three slots, on both sides of zero."""
        return [
            admitted(f"{n}", slot=n % 3 - 1, data=PAYLOADS[payload]) for n, payload in self.events
        ]


@dataclass
class Model:
    """A journal as a dictionary: id → the receipt and the meaning of what was registered."""

    known: dict[str, tuple[Receipt, int]] = field(default_factory=dict)
    hubtime: int = 0

    def register(self, batch: Batch) -> tuple[bool, list[Outcome | None]]:
        """Whether the batch is refused as a whole, and what becomes of each event."""
        now = max(batch.time, self.hubtime)
        known = dict(self.known)
        outcomes: list[Outcome | None] = []
        for event, (_, payload) in zip(batch.admitted(), batch.events, strict=True):
            if event.id not in known:
                given = receipt(event, len(known) + 1, now)
                known[event.id] = (given, MEANINGS[payload])
                outcomes.append(Accepted(given))
            elif known[event.id][1] == MEANINGS[payload]:
                outcomes.append(Duplicate(known[event.id][0]))
            else:
                outcomes.append(Rejected(event.source, event.id, (ID_REUSED,)))
        if batch.atomic and any(isinstance(outcome, Rejected) for outcome in outcomes):
            return True, [self._as_refused(outcome) for outcome in outcomes]
        if not batch.undone and len(known) > len(self.known):
            self.known, self.hubtime = known, now
        return False, outcomes

    def _as_refused(self, outcome: Outcome | None) -> Outcome | None:
        if isinstance(outcome, Accepted | Duplicate):
            return outcome if outcome.receipt.event_id in self.known else None
        return outcome


BATCHES = st.lists(
    st.builds(
        Batch,
        events=st.lists(
            st.tuples(st.integers(0, 11), st.integers(0, len(PAYLOADS) - 1)),
            min_size=1,
            max_size=8,
        ).map(tuple),
        atomic=st.booleans(),
        undone=st.sampled_from((False, False, False, True)),
        time=st.integers(0, 100),
    ),
    max_size=8,
)


@settings(max_examples=200)
@given(batches=BATCHES)
def test_registration_does_what_a_dictionary_would(
    database: SqliteDatabase, batches: list[Batch]
) -> None:
    model = Model()
    times = [batch.time for batch in batches] or [0]
    with database.writer.connect() as connection:
        tested = registrar(*times)
        for batch in batches:
            refused, expected = model.register(batch)
            said: list[Outcome] | list[Outcome | None] = []
            with savepoint(connection, undone=batch.undone):
                try:
                    said = tested.register(
                        connection, batch.admitted(), atomic=batch.atomic
                    ).outcomes
                except BatchRefused as no:
                    said = no.outcomes
                    assert refused
                    raise
                assert not refused
            assert said == expected

        rows = registered(connection)
        assert rows == [
            (r.position, r.hubtime, r.event_id, r.digest) for r, _ in model.known.values()
        ]
        assert [row.position for row in rows] == list(range(1, len(rows) + 1))
        head = appending.head(connection, SHARD)
        assert (head.next_number, head.hubtime) == (len(rows) + 1, model.hubtime)
        assert sorted(slots_of(connection).values()) == [row.position for row in rows]
        every = [admitted(f"{n}", slot=n % 3 - 1) for n in range(12)]
        found = [record_of(connection, event.receipt) for event in every]
        assert [e.position if e else None for e in found] == [
            model.known[event.id][0].position if event.id in model.known else None
            for event in every
        ]


@dataclass(frozen=True)
class Left:
    """What registrations left behind, and what they answered."""

    outcomes: list[list[Outcome]]
    touched: set[int]
    rows: list[Row]
    slots: dict[int, int]
    feeds: list[list[int]]
    pins: list[str]


def left_by(
    connection: Connection,
    batches: Sequence[Sequence[Event]],
    standing: Sequence[Subscription],
    *,
    together: bool,
) -> Left:
    """Register batches at once as far as that is possible, or each alone; then take it back."""
    with savepoint(connection, undone=True):
        tested = registrar()
        tested.register(connection, [admitted("0", slot=0)], atomic=False)
        done = tested.register_together(connection, batches) if together else None
        if done is None:
            done = [tested.register(connection, batch, atomic=False) for batch in batches]
        return Left(
            outcomes=[registration.outcomes for registration in done],
            touched={number for registration in done for number in registration.touched},
            rows=registered(connection),
            slots=slots_of(connection),
            feeds=[feed_of(connection, subscription) for subscription in standing],
            pins=[row.pins for row in sql.all_subscriptions(connection)],
        )


@settings(max_examples=100)
@given(
    sent=st.lists(
        st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=1, max_size=3),
        min_size=1,
        max_size=5,
    )
)
def test_batches_registered_at_once_leave_what_they_leave_one_by_one(
    database: SqliteDatabase, sent: list[list[tuple[int, int]]]
) -> None:
    batches = [
        [
            admitted(f"{n}", slot=n, data=PAYLOADS[payload], region=("510104", "510105")[n % 2])
            for n, payload in batch
        ]
        for batch in sent
    ]
    with database.writer.connect() as connection:
        standing = [subscribed(connection, CITY, "a"), subscribed(connection, COUNTY, "b")]
        at_once = left_by(connection, batches, standing, together=True)
        alone = left_by(connection, batches, standing, together=False)
    assert at_once == alone


def test_only_batches_of_new_events_are_registered_at_once(connection: Connection) -> None:
    tested = registrar()
    known, new = admitted("known"), admitted("new")
    tested.register(connection, [known], atomic=False)
    before = (registered(connection), slots_of(connection))
    assert tested.register_together(connection, [[new], [known]]) is None
    assert tested.register_together(connection, [[new], [new]]) is None
    assert (registered(connection), slots_of(connection)) == before
    again = tested.register_together(connection, [[new], [admitted("newer")]])
    assert again is not None
    assert [r.outcomes for r in again] == [
        [Accepted(receipt(new, 2, 1_000))],
        [Accepted(receipt(admitted("newer"), 3, 1_000))],
    ]


def test_a_registration_sees_the_subscriptions_of_its_own_moment(connection: Connection) -> None:
    register = partial(registrar().register, connection, atomic=False)
    assert register([admitted("before")]).touched == ()
    standing = subscribed(connection, CITY, "standing")
    assert register([admitted("one")]).touched == (standing.number,)
    brief = subscribed(connection, DISCIPLINE, "brief", region="510000")
    assert register([admitted("two")]).touched == (standing.number, brief.number)
    subscribing.end(connection, DISCIPLINE, "brief", by=Actor(DISCIPLINE, 1), now=2)
    assert register([admitted("three")]).touched == (standing.number,)
    with savepoint(connection, undone=True):
        subscribed(connection, DISCIPLINE, "undone")
        register([admitted("four")])
    assert register([admitted("four")]).touched == (standing.number,)

    assert feed_of(connection, standing) == [2, 3, 4, 5]
    assert feed_of(connection, brief) == []


def test_a_type_that_a_wildcard_meets_first_is_pinned_with_its_event(
    connection: Connection,
) -> None:
    made = subscribed(connection, CITY, "wild", types=["petition.*"])
    sql.change_subscription(connection, made.number, pins='{"briefing.provided":"1.0"}')
    registrar().register(connection, [admitted("a"), admitted("b")], atomic=False)

    row = sql.subscription(connection, CITY, "wild")
    assert row is not None
    assert from_row(row).pins == {
        "briefing.provided": "1.0",
        "petition.case_transferred": "1.0",
    }
    assert feed_of(connection, made) == [1, 2]


def test_a_feed_gets_one_row_a_registration(connection: Connection) -> None:
    made = subscribed(connection, CITY, "rows", types=["petition.*"])
    register = partial(registrar().register, connection, atomic=False)
    register([admitted("a"), admitted("b", type_="clue.transferred"), admitted("c")])
    register([admitted("d", type_="clue.transferred")])
    register([admitted("e")])

    rows = connection.exec_driver_sql(
        "SELECT subscription, first, last, positions FROM feed"
    ).fetchall()
    assert [(n, first, last, array("q", packed).tolist()) for n, first, last, packed in rows] == [
        (made.number, 1, 3, [1, 3]),
        (made.number, 5, 5, [5]),
    ]


# Rows of a feed: how far each position lies behind the one before it.
ROWS = st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=4), max_size=4)


def positions_of(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """The positions of each row."""
    last = 0
    found: list[list[int]] = []
    for row in rows:
        found.append([])
        for step in row:
            last += step
            found[-1].append(last)
    return found


@settings(max_examples=100)
@given(rows=ROWS)
def test_a_feed_reads_like_one_list_wherever_its_rows_begin(
    database: SqliteDatabase, rows: list[list[int]]
) -> None:
    written = positions_of(rows)
    everything = [position for row in written for position in row]
    end = (everything[-1] if everything else 0) + 2
    with database.writer.connect() as connection:
        for row in written:
            # Feeds before and after it in the table are not its own.
            neighbours = {1: array("q", [row[0]]), 3: array("q", [row[-1]])}
            sql.append_feeds(connection, {2: array("q", row), **neighbours})
        for after in range(end):
            for until in (*range(after, end), END):
                within = [p for p in everything if after < p <= until]
                for most in range(1, len(within) + 2):
                    read = feed_after(connection, 2, after=after, until=until, most=most)
                    assert read == within[:most]


@pytest.mark.parametrize(("size", "most", "asked"), [(100, 150, [4]), (1, 45, [4, 32, 9])])
def test_whoever_is_far_behind_reads_few_rows_of_a_feed_that_he_does_not_need(
    connection: Connection, size: int, most: int, asked: list[int]
) -> None:
    for first in range(0, 300 * size, size):
        sql.append_feeds(connection, {2: array("q", range(first + 1, first + size + 1))})
    with sent(connection) as statements:
        read = feed_after(connection, 2, after=size // 2, until=END, most=most)
    assert read == list(range(size // 2 + 1, size // 2 + most + 1))
    assert [values[-1] for _, values in statements] == asked


ASKED_FILTERS: st.SearchStrategy[tuple[Filter, ...]] = st.sampled_from(
    (
        (),
        (Exact(exact={"sequence": "a"}),),
        (Prefix(prefix={"sequence": "a"}),),
        (All(all=(Prefix(prefix={"id": "1"}), Exact(exact={"sequence": "b"}))),),
    )
)
BODIES = st.builds(
    dict[str, Any],
    types=st.lists(
        st.sampled_from(("*", "petition.*", "clue.*", "clue.transferred", "briefing.provided")),
        min_size=1,
        max_size=2,
    ).map(tuple),
    region=st.sampled_from((None, "000000", "510000", "510100", "510104", "510105", "110000")),
    filters=ASKED_FILTERS,
)
Asked = tuple[str, dict[str, Any]]
ASKED = st.lists(st.tuples(st.sampled_from(AGENCIES), BODIES), min_size=1, max_size=5)
HAPPENED = st.lists(
    st.lists(
        st.builds(
            dict[str, Any],
            type_=st.sampled_from(("petition.case_transferred", "clue.transferred")),
            region=st.sampled_from(("510000", "510100", "510104", "510105")),
            to=st.sampled_from(("", "", DISCIPLINE, "inspection-office@510100/*")),
            cc=st.sampled_from(("", "", CITY)),
            sequence=st.sampled_from(("a", "ab", "b")),
        ),
        min_size=1,
        max_size=5,
    ),
    max_size=5,
)


@settings(max_examples=100)
@given(asked=ASKED, happened=HAPPENED)
def test_a_backfill_finds_what_live_matching_would_have_found(
    database: SqliteDatabase,
    asked: list[tuple[str, dict[str, Any]]],
    happened: list[list[dict[str, Any]]],
) -> None:
    numbers = iter(range(1_000))
    batches = [[admitted(f"{next(numbers)}", **given_) for given_ in b] for b in happened]
    with database.writer.connect() as connection:
        live = [
            subscribed(connection, agency, f"live-{n}", start="earliest", **body)
            for n, (agency, body) in enumerate(asked)
        ]
        tested, known = registrar(), policies()
        touched = {n for b in batches for n in tested.register(connection, b, atomic=False).touched}
        late = [
            subscribed(connection, agency, f"late-{n}", start="earliest", **body)
            for n, (agency, body) in enumerate(asked)
        ]
        for subscription in late:
            fill(connection, known, subscription)

        feeds_of_live = [feed_of(connection, s) for s in live]
        assert [feed_of(connection, s) for s in late] == feeds_of_live
        # And both are what matching says of each subscription by itself.
        in_force = known.seen_by(connection)
        events = [event for batch in batches for event in batch]
        assert feeds_of_live == [
            [
                position
                for position, event in enumerate(events, start=1)
                if Matcher([s], policy=in_force).matches(event, audience="")
            ]
            for s in live
        ]
        assert touched == {s.number for s, f in zip(live, feeds_of_live, strict=True) if f}


def fill(connection: Connection, known: Policies, subscription: Subscription) -> None:
    """Take the steps of a backfill to its end."""
    standing: Subscription | None = subscription
    while standing is not None and standing.filling:
        step = fill_step(
            connection, policies=known, agency=subscription.agency, id_=subscription.id
        )
        assert step is None or step.filled > standing.filled
        standing = step


def test_a_backfill_of_several_chunks_is_read_as_far_as_it_is_complete(
    connection: Connection,
) -> None:
    register, known = partial(registrar().register, connection, atomic=False), policies()
    past = 2 * FILL_CHUNK + 7
    types = ("clue.transferred", "petition.case_transferred", "petition.case_transferred")
    for start in range(0, past, 500):
        numbers = range(start, min(start + 500, past))
        register([admitted(f"{n}", type_=types[n % 3]) for n in numbers])
    made = subscribed(connection, CITY, "late", types=["petition.*"], start="earliest")
    assert (made.filled, made.fill_until, ready_until(made)) == (0, past, 0)
    step = partial(fill_step, connection, policies=known, agency=CITY, id_="late")

    ready: list[tuple[int, list[int]]] = []
    for n in range(3):
        register([admitted(f"during-{n}")])
        standing = step()
        assert standing is not None
        until = ready_until(standing)
        read = feed_after(connection, made.number, after=0, until=until, most=1_000_000)
        ready.append((standing.filled, read))

    wanted = [n + 1 for n in range(past) if n % 3 != 0]
    assert ready == [
        (FILL_CHUNK, [p for p in wanted if p <= FILL_CHUNK]),
        (2 * FILL_CHUNK, [p for p in wanted if p <= 2 * FILL_CHUNK]),
        (past, [*wanted, past + 1, past + 2, past + 3]),
    ]
    assert step() is not None
    assert feed_of(connection, made) == [*wanted, past + 1, past + 2, past + 3]


def test_a_backfill_of_a_subscription_that_is_gone_ends(connection: Connection) -> None:
    registrar().register(connection, [admitted("a")], atomic=False)
    subscribed(connection, CITY, "gone", start="earliest")
    subscribing.end(connection, CITY, "gone", by=Actor(CITY, 1), now=2)
    assert fill_step(connection, policies=policies(), agency=CITY, id_="gone") is None
    assert connection.exec_driver_sql("SELECT count(*) FROM feed").scalar_one() == 0
