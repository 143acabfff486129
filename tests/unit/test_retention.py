"""Retention on a real database, compared with what its words say, event by event.

Every example works inside one transaction that is rolled back at its end.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json as msgjson

from contracts.catalogue import load_catalogue
from contracts.envelope import moment_of
from contracts.region import load_regions
from hub.database import partitions
from hub.database.connection import Connection
from hub.database.partitions import QUARTERLY, Cut
from hub.database.postgres import open_postgres
from hub.database.sqlite import SqliteDatabase, open_sqlite
from hub.errors import CursorExpired
from hub.event import Accepted, Duplicate, Event, Marking, microseconds
from hub.journal import sql as journal
from hub.journal import subscribing
from hub.journal.feeds import fill_step, ready_until
from hub.journal.openings import record_of
from hub.journal.register import SHARD, Registrar
from hub.journal.retention import sql
from hub.journal.retention.places import place_before
from hub.journal.retention.purge import (
    MOST_ENTRIES,
    MOST_PURGED,
    next_chunk,
    purge,
    sweeps,
    whole_until,
)
from hub.journal.retention.replay import passed, place_since
from hub.journal.retention.terms import DAY, Terms
from hub.journal.subscriptions import Body, Subscription, from_row
from hub.policy import sql as policy_sql
from hub.policy.acts import Actor
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from tests.sample import CITY, DISCIPLINE, admitted, policy

SHORT, MIDDLE, LONG = "petition.case_transferred", "clue.transferred", "briefing.provided"
DAYS = {SHORT: 2, MIDDLE: 5, LONG: 12}
TERMS = Terms({(type_, "1.0"): days for type_, days in DAYS.items()})
END = 2**62


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteDatabase]:
    """A database with a city's policy in force."""
    document = msgjson.encode(policy()).decode()
    with closing(open_sqlite(tmp_path_factory.mktemp("retention"), readers=1)) as made:
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


POLICIES = Policies(
    catalogue=load_catalogue(),
    regions=load_regions(),
    marks=PartyMarks(b"key"),
    ceiling=Marking.internal,
)


@dataclass
class Node:
    """A journal and its subscriptions, at a time that tests set; days since the beginning."""

    connection: Connection
    now: int = DAY
    cut: Cut = QUARTERLY

    def register(self, *events: Event) -> list[int]:
        """Register new events together; their positions."""
        registrar = Registrar(policies=POLICIES, clock=lambda: self.now, cut=self.cut)
        outcomes = registrar.register(self.connection, events, atomic=False).outcomes
        assert [type(outcome) for outcome in outcomes] == [Accepted] * len(events)
        return [o.receipt.position or 0 for o in outcomes if isinstance(o, Accepted)]

    def subscribe(self, id_: str, *, agency: str = DISCIPLINE, start: str = "now") -> Subscription:
        """Make a subscription to everything, to be filled yet."""
        return subscribing.create(
            self.connection,
            agency,
            Body(id=id_, start=start),
            catalogue=load_catalogue(),
            regions=load_regions(),
            by=Actor(agency, 1),
            now=self.now,
            most=1_000,
        )[0]

    def fill(self, subscription: Subscription) -> None:
        """Fill a feed."""
        agency, id_ = subscription.agency, subscription.id
        while fill_step(self.connection, policies=POLICIES, agency=agency, id_=id_) != (
            self.standing(subscription)
        ):
            pass

    def standing(self, subscription: Subscription) -> Subscription:
        """The subscription as it is now."""
        row = journal.subscription(self.connection, subscription.agency, subscription.id)
        assert row is not None
        return from_row(row)

    def purge(self, terms: Terms = TERMS) -> list[int]:
        """Purge all that is due, chunk by chunk; how many events each took."""
        sizes = []
        for sweep in sweeps(self.connection, terms=terms, now=self.now):
            while sweep.after < sweep.until:
                chunk = next_chunk(self.connection, sweep)
                purged = purge(self.connection, chunk, now=self.now)
                sizes.append(purged.events.total())
                sweep = type(sweep)(sweep.contracts, chunk.until, sweep.until)
        return sizes

    def held(self) -> list[int]:
        """The positions of the whole journal."""
        rows = self.connection.exec_driver_sql("SELECT position FROM held ORDER BY position")
        return list(rows.scalars())

    def feed(self, subscription: Subscription) -> list[int]:
        """All positions in a feed."""
        return journal.feed_after(
            self.connection, subscription.number, after=0, until=END, most=END
        )


@pytest.fixture
def node(connection: Connection) -> Node:
    """An empty journal."""
    return Node(connection)


def events(type_: str, *ids: object) -> list[Event]:
    """Events of a type."""
    return [admitted(f"{type_}-{id_}", type_=type_) for id_ in ids]


def digest(type_: str, *ids: object) -> bytes:
    """SHA-256 over the receipts of events."""
    return hashlib.sha256(b"".join(event.receipt for event in events(type_, *ids))).digest()


# --- times and places -----------------------------------------------------------------------------


def test_a_time_is_just_before_the_first_entry_of_it_or_later(node: Node) -> None:
    for day in (3, 3, 5, 9):
        node.now = day * DAY
        node.register(*events(LONG, f"{day}-{node.held()}", f"{day}-{node.held()}-b"))
    found = {t: place_before(node.connection, t * DAY) for t in (0, 3, 4, 5, 6, 9, 10)}
    assert found == {0: 0, 3: 0, 4: 4, 5: 4, 6: 6, 9: 6, 10: 8}
    assert place_before(node.connection, 5 * DAY + 1) == 6
    assert place_before(node.connection, -1) == 0


def test_the_hubtime_stands_still_while_the_machines_clock_is_behind(node: Node) -> None:
    for n, day in enumerate((8, 2, 7, 9)):
        node.now = day * DAY
        node.register(*events(LONG, n))
    times = node.connection.exec_driver_sql("SELECT hubtime FROM journal ORDER BY position")
    assert list(times.scalars()) == [8 * DAY, 8 * DAY, 8 * DAY, 9 * DAY]
    assert place_before(node.connection, 8 * DAY) == 0
    assert place_before(node.connection, 8 * DAY + 1) == 3


def test_an_empty_journal_has_one_place(node: Node) -> None:
    assert [place_before(node.connection, t) for t in (-DAY, 0, DAY)] == [0, 0, 0]


# --- what a purge leaves --------------------------------------------------------------------------


def test_only_what_has_outlived_its_own_days_is_purged_and_each_chunk_is_recorded(
    node: Node,
) -> None:
    old = node.register(*events(SHORT, 1, 2), *events(LONG, 3), *events(MIDDLE, 4))
    node.now = DAY + DAYS[SHORT] * DAY
    young = node.register(*events(SHORT, 5))
    node.purge()
    assert node.held() == [*old, *young], "an event is kept for its days to the end"
    node.now += 1
    node.purge()
    assert node.held() == [old[2], old[3], *young]
    node.now = DAY + DAYS[MIDDLE] * DAY + 1
    node.purge()
    assert node.held() == [old[2]]
    late, later = DAY + DAYS[SHORT] * DAY, node.now
    rows = node.connection.exec_driver_sql("SELECT * FROM purges ORDER BY number")
    assert [tuple(row)[1:] for row in rows] == [
        (SHORT, "1.0", old[0], old[1], DAY, DAY, 2, digest(SHORT, 1, 2), late + 1),
        (SHORT, "1.0", young[0], young[0], late, late, 1, digest(SHORT, 5), later),
        (MIDDLE, "1.0", old[3], old[3], DAY, DAY, 1, digest(MIDDLE, 4), later),
    ]


def test_a_chunk_that_another_has_purged_since_it_was_read_is_left_alone(node: Node) -> None:
    """So that a writer that was paused, and has been replaced, records nothing a second time."""
    node.register(*events(SHORT, 1, 2))
    node.now += DAYS[SHORT] * DAY + 1
    read = [
        next_chunk(node.connection, sweep)
        for sweep in sweeps(node.connection, terms=TERMS, now=node.now)
    ]
    assert sum(node.purge()) == 2
    node.register(*events(SHORT, 3))
    kept = node.connection.exec_driver_sql("SELECT * FROM purges").all()
    swept = sql.swept(node.connection)
    assert [purge(node.connection, chunk, now=node.now).events.total() for chunk in read] == [0]
    assert node.connection.exec_driver_sql("SELECT * FROM purges").all() == kept
    assert sql.swept(node.connection) == swept


def test_a_resend_of_what_was_purged_is_a_new_event(node: Node) -> None:
    (event,) = events(SHORT, "again")
    (first,) = node.register(event)
    node.now += DAYS[SHORT] * DAY + 1
    node.purge()
    assert record_of(node.connection, event.receipt) is None
    (second,) = node.register(event)
    record = record_of(node.connection, event.receipt)
    assert record is not None
    assert (second, record.position) == (first + 1, second)


def test_a_large_purge_goes_in_chunks_and_passes_over_what_stays(node: Node) -> None:
    reader = node.subscribe("all")
    for start in range(0, 3000, 500):
        node.register(*events(LONG, *range(start, start + 400)))
        node.register(*events(SHORT, *range(start, start + 250)))
    node.now += DAYS[SHORT] * DAY + 1
    sizes = node.purge()
    assert (sum(sizes), max(sizes)) == (1500, MOST_PURGED)
    stays = [p for p in range(1, 3901) if (p - 1) % 650 < 400]
    assert (node.held(), node.feed(reader)) == (stays, stays)
    assert node.standing(reader).expired == 1500
    assert node.purge() == [], "what was swept is not swept again"


def test_a_chunk_is_smaller_where_its_events_stand_in_many_feeds(node: Node) -> None:
    feeds = [node.subscribe(f"s{n}") for n in range(40)]
    node.register(*events(SHORT, *range(400)))
    node.now += DAYS[SHORT] * DAY + 1
    sizes = node.purge()
    assert (sum(sizes), max(sizes)) == (400, MOST_ENTRIES // len(feeds))
    assert [node.standing(feed).expired for feed in feeds] == [400] * len(feeds)


def test_feeds_that_are_filled_after_a_chunk_was_found_lose_it_too(node: Node) -> None:
    node.register(*events(SHORT, 1), *events(LONG, 2))
    filling = node.subscribe("filling", start="earliest")
    node.now += DAYS[SHORT] * DAY + 1
    (sweep,) = sweeps(node.connection, terms=TERMS, now=node.now)
    chunk = next_chunk(node.connection, sweep)
    made_since = node.subscribe("made-since", start="earliest")
    for feed in (filling, made_since):
        node.fill(feed)
        assert node.feed(feed) == [1, 2]
    purged = purge(node.connection, chunk, now=node.now)
    assert (purged.events, purged.unread) == ({SHORT: 1}, {DISCIPLINE: 2})
    assert [node.feed(feed) for feed in (filling, made_since)] == [[2], [2]]


def test_shorter_days_given_later_hold_for_what_is_there(node: Node) -> None:
    node.register(*events(SHORT, 1), *events(LONG, 2))
    node.now += DAYS[SHORT] * DAY + 1
    node.purge()
    assert node.held() == [2]
    node.purge(Terms({(SHORT, "1.0"): 9, (LONG, "1.0"): 1}))
    assert node.held() == []


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=7))
@settings(max_examples=150)
def test_events_that_share_a_slot_are_known_still_when_others_of_it_are_purged(
    database: SqliteDatabase, drawn: Sequence[tuple[int, bool]]
) -> None:
    with database.writer.connect() as connection:
        node = Node(connection)
        made = [
            admitted(f"e{n}", slot=10 + slot, type_=SHORT if goes else LONG)
            for n, (slot, goes) in enumerate(drawn)
        ]
        for event in made:
            node.register(event)
        node.now += DAYS[SHORT] * DAY + 1
        node.purge()
        positions = connection.exec_driver_sql("SELECT position FROM dedup ORDER BY position")
        assert list(positions.scalars()) == node.held()
        registrar = Registrar(policies=POLICIES, clock=lambda: node.now)
        outcomes = registrar.register(connection, made, atomic=False).outcomes
        assert [isinstance(outcome, Accepted) for outcome in outcomes] == [g for _, g in drawn]
        assert {type(outcome) for outcome in outcomes} <= {Accepted, Duplicate}


FORGETTING = {
    sql.delete_refused: (
        "INSERT INTO refused (receipt, publisher, told, at) VALUES (randomblob(16), 'a', x'', ?)"
    ),
    sql.delete_refusals: (
        "INSERT INTO refusals (caller, code, pointer, refused_at) VALUES ('c', 'x', '', ?)"
    ),
    sql.delete_reads: (
        "INSERT INTO reads (subscription, agency, subscription_id, token, channel, policy, first,"
        " last, outcomes, read_at) VALUES (1, 'a', 's', 1, 'pull', 1, 1, 1, x'', ?)"
    ),
}


@pytest.mark.parametrize(("forget", "insert"), FORGETTING.items())
def test_records_are_kept_for_their_days(
    node: Node, forget: Callable[..., int], insert: str
) -> None:
    for day in (1, 2, 3):
        node.connection.exec_driver_sql(insert, [(day * DAY,)] * 300)
    removed = [forget(node.connection, before=3 * DAY, most=MOST_PURGED) for _ in range(3)]
    table = insert.split()[2]
    column = {"refused": "at", "refusals": "refused_at", "reads": "read_at"}[table]
    left = node.connection.exec_driver_sql(f"SELECT count(*), min({column}) FROM {table}")
    assert (removed, tuple(left.one())) == ([500, 100, 0], (300, 3 * DAY))


# --- what readers are told ------------------------------------------------------------------------


def told(node: Node, reader: Subscription, *, after: int, more: bool = False) -> tuple[int, int]:
    """How many expired between `after` and the end of the feed, and the cursor then."""
    standing = node.standing(reader)
    page = [p for p in node.feed(reader) if p > after]
    on = passed(
        node.connection, standing, after=after, cursor=page[-1] if page else after, more=more
    )
    return on.expired, on.cursor


def test_what_expired_at_the_end_of_a_feed_is_told_once(node: Node) -> None:
    reader = node.subscribe("all")
    node.register(*events(LONG, 1), *events(SHORT, 2, 3))
    node.now += DAYS[SHORT] * DAY + 1
    node.purge()
    assert told(node, reader, after=0) == (2, 3)
    assert told(node, reader, after=3) == (0, 3)
    assert told(node, reader, after=0, more=True) == (0, 1)


def test_the_time_of_the_oldest_entry_is_good_though_some_of_it_has_expired(node: Node) -> None:
    reader = node.subscribe("all")
    node.register(*events(SHORT, 1), *events(LONG, 2))
    registered_at = node.now
    node.now += DAYS[SHORT] * DAY + 1
    node.purge()
    standing = node.standing(reader)
    assert place_since(node.connection, standing, registered_at) == 1
    with pytest.raises(CursorExpired):
        place_since(node.connection, standing, registered_at - 1)


def test_what_expired_while_older_events_were_still_to_come_is_counted_whole(node: Node) -> None:
    node.register(*events(LONG, 1))
    reader = node.subscribe("all", start="earliest")
    node.register(*events(SHORT, 2, 3))
    node.now += DAYS[SHORT] * DAY + 1
    node.purge()
    node.fill(reader)
    assert node.feed(reader) == [1]
    assert told(node, reader, after=0) == (2, 3)


# --- days -----------------------------------------------------------------------------------------


def test_the_narrowest_of_the_days_given_holds_and_else_the_contracts() -> None:
    own = {(c.type, c.version): c.retention_days for c in load_catalogue()}
    assert Terms.of(load_catalogue(), {}).days == own
    given_ = {"*": 100, "clue.*": 50, "clue.received": 7}
    found = Terms.of(load_catalogue(), given_).days
    assert {found[SHORT, "1.0"], found[LONG, "1.0"]} == {100}
    assert (found[MIDDLE, "1.0"], found["clue.received", "1.0"]) == (50, 7)
    assert Terms.of(load_catalogue(), given_).longest == 100


@pytest.mark.parametrize("pattern", ["clue", "nothing.*", "clue.nothing", ""])
def test_days_for_what_is_no_type_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="no such type"):
        Terms.of(load_catalogue(), {pattern: 3})


# --- what readers are told, against the words -----------------------------------------------------


@dataclass
class Told:
    """What a feed has held, as the words have it: position → hubtime, and what of it is gone."""

    subscription: Subscription
    entries: dict[int, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    unread: int = 0


class World:
    """A node, and beside it lists of everything, kept by hand."""

    def __init__(self, connection: Connection, *, cut: Cut = QUARTERLY) -> None:
        self.node = Node(connection, cut=cut)
        self.types: dict[int, str] = {}
        self.times: dict[int, int] = {}
        self.feeds: list[Told] = []

    def register(self, types: Sequence[str], days: int) -> None:
        self.node.now += days * DAY
        made = [admitted(f"{len(self.types)}-{n}", type_=t) for n, t in enumerate(types)]
        for position, type_ in zip(self.node.register(*made), types, strict=True):
            self.types[position], self.times[position] = type_, self.node.now
            for told in self.feeds:
                told.entries[position] = self.node.now

    def subscribe(self, start: str) -> None:
        agency = (DISCIPLINE, CITY)[len(self.feeds) % 2]
        made = self.node.subscribe(f"s{len(self.feeds)}", agency=agency, start=start)
        self.feeds.append(Told(made))

    def fill(self) -> None:
        for told in self.feeds:
            subscription = self.node.standing(told.subscription)
            self.node.fill(subscription)
            for p in self.times:
                if subscription.filled < p <= subscription.fill_until:
                    told.entries[p] = self.times[p]

    def commit(self, choice: int) -> None:
        for told in self.feeds:
            if told.entries:
                position = sorted(told.entries)[choice % len(told.entries)]
                number = told.subscription.number
                journal.commit_cursor(self.node.connection, number, position)

    def purge(self, choice: int, days: int) -> None:
        """With `choice` odd, feeds are made and filled between finding and purging."""
        self.node.now += days * DAY
        for sweep in sweeps(self.node.connection, terms=TERMS, now=self.node.now):
            chunk = next_chunk(self.node.connection, sweep)
            if choice % 2:
                self.fill()
                self.subscribe("earliest")
                self.fill()
            gone = [row.position for row in chunk.rows]
            expected = [
                p
                for p, t in self.types.items()
                if (t, "1.0") in sweep.contracts and p in self.times
                if self.times[p] < self.node.now - DAYS[t] * DAY
            ]
            assert gone == sorted(expected)
            for told in self.feeds:
                committed = self.node.standing(told.subscription).committed
                lost = [p for p in gone if p in told.entries]
                told.gone.update(lost)
                told.unread += sum(p > committed for p in lost)
            purge(self.node.connection, chunk, now=self.node.now)
            for p in gone:
                del self.times[p]

    def check(self) -> None:
        assert self.node.held() == sorted(self.times)
        for told in self.feeds:
            standing = self.node.standing(told.subscription)
            held = sorted(told.entries.keys() - told.gone)
            assert (self.node.feed(standing), standing.expired) == (held, told.unread)
            self._check_reading(told, standing)
            self._check_since(told, standing)

    def _check_reading(self, told: Told, standing: Subscription) -> None:
        """From every cursor there can be, and with pages that end early or not."""
        ready = ready_until(standing)
        held = [p for p in sorted(told.entries) if p not in told.gone and p <= ready]
        before = held[0] - 1 if held else ready
        for after in (standing.start, *(p for p in told.entries if p <= ready)):
            page = [p for p in held if p > after]
            for limit in (1, 2, 100):
                more = len(page) > limit
                cursor = page[:limit][-1] if page else after
                end = cursor if more else ready
                expired = [p for p in told.gone if after < p <= end]
                if any(p <= before for p in expired):
                    with pytest.raises(CursorExpired) as told_:
                        self._passed(standing, after, cursor, more=more)
                    self._go_on(told_.value, standing, held)
                else:
                    on = self._passed(standing, after, cursor, more=more)
                    assert on == (len(expired), max([cursor, *expired]))

    def _passed(
        self, standing: Subscription, after: int, cursor: int, *, more: bool
    ) -> tuple[int, int]:
        on = passed(self.node.connection, standing, after=after, cursor=cursor, more=more)
        return on.expired, on.cursor

    def _go_on(self, error: CursorExpired, standing: Subscription, held: list[int]) -> None:
        """The way on gives everything that is still there."""
        begin = error.members()["available"]["from"]
        place = place_since(self.node.connection, standing, microseconds(moment_of(begin)))
        assert [p for p in held if p <= place] == []
        self._passed(standing, place, place, more=False)

    def _check_since(self, told: Told, standing: Subscription) -> None:
        ready = ready_until(standing)
        held = [p for p in sorted(told.entries) if p not in told.gone and p <= ready]
        before = held[0] - 1 if held else ready
        moments = {time + d for time in (0, *told.entries.values()) for d in (-1, 0, 1)}
        for since in moments:
            lost = [p for p in told.gone if told.entries[p] >= since]
            at_oldest = bool(held) and told.entries[held[0]] == since
            if any(p <= before for p in lost) and not at_oldest:
                with pytest.raises(CursorExpired) as told_:
                    place_since(self.node.connection, standing, since)
                self._go_on(told_.value, standing, held)
                continue
            place = place_since(self.node.connection, standing, since)
            assert place >= standing.start
            assert [p for p in held if p > place] == [p for p in held if told.entries[p] >= since]
            assert all(p > place for p in lost if p > before)
            self._passed(standing, place, place, more=False)


class InPartitions(World):
    """A world whose journal is cleared away as far as it can be, after each purge."""

    def purge(self, choice: int, days: int) -> None:
        super().purge(choice, days)
        connection = self.node.connection
        whole = whole_until(connection, terms=TERMS, now=self.node.now)
        while partitions.erase(connection, SHARD, beyond=whole, most=1):
            pass
        if (past := partitions.past(connection, SHARD)) is not None:
            assert partitions.drop(connection, past) > 0
        rows = connection.exec_driver_sql("SELECT position FROM journal ORDER BY position")
        there = [position for position in rows.scalars() if position > whole]
        assert there == [position for position in self.node.held() if position > whole]


def play(world: World, steps: Sequence[tuple[object, ...]]) -> None:
    """Take the steps, and look at everything after each."""
    world.subscribe("now")
    for name, *given_ in steps:
        getattr(world, str(name))(*given_)
        world.check()


STEPS = st.one_of(
    st.tuples(
        st.just("register"),
        st.lists(st.sampled_from([SHORT, MIDDLE, LONG]), min_size=1, max_size=4),
        st.integers(0, 3),
    ),
    st.tuples(st.just("subscribe"), st.sampled_from(["now", "earliest"])),
    st.tuples(st.just("fill")),
    st.tuples(st.just("commit"), st.integers(0, 20)),
    st.tuples(st.just("purge"), st.integers(0, 3), st.integers(0, 6)),
)


@given(st.lists(STEPS, min_size=4, max_size=14))
@settings(max_examples=100)
def test_readers_are_told_exactly_what_expired(
    database: SqliteDatabase, steps: Sequence[tuple[object, ...]]
) -> None:
    with database.writer.connect() as connection:
        play(World(connection), steps)


@given(st.lists(STEPS, min_size=8, max_size=14))
@settings(max_examples=12)
def play_in_partitions(connection: Connection, steps: Sequence[tuple[object, ...]]) -> None:
    """The same where the journal has partitions of a few events each."""
    with connection.begin_nested() as undone:
        play(InPartitions(connection, cut=Cut(span=DAY, least=3)), steps)
        undone.rollback()


def test_they_are_told_the_same_where_partitions_go(postgres_database: str) -> None:
    document = msgjson.encode(policy()).decode()
    with (
        closing(open_postgres(postgres_database)) as database,
        closing(database.writing()) as transactions,
    ):
        put = partial(policy_sql.append_version, version=1, document=document, by="t", now=1)
        transactions.run(partial(put, reason="t"))
        transactions.run(play_in_partitions)
