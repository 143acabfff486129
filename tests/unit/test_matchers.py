"""The matcher that follows the changes answers as one that is made anew, whatever happened."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json as msgjson

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.database import appending
from hub.database.connection import Connection
from hub.database.sqlite import SqliteDatabase, open_sqlite
from hub.errors import HubError
from hub.event import Event, Marking
from hub.journal import sql, subscribing
from hub.journal.matchers import Matchers
from hub.journal.matching import Matcher
from hub.journal.register import SHARD
from hub.journal.subscriptions import Body, Change, from_row
from hub.policy.acts import Actor
from hub.policy.document import PolicyDocument, parse
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies, Policy
from tests.sample import AUDIT, CITY, COUNTY, DISCIPLINE, PROVINCE, admitted, agency, policy

AGENCIES = (CITY, COUNTY, DISCIPLINE, AUDIT, PROVINCE)
TYPES = ("*", "petition.*", "petition.case_transferred", "clue.*", "briefing.provided")
REGIONS = ("510000", "510100", "510104", "510105")


def compiled(*agencies: dict[str, Any]) -> Policy:
    """A policy with these agencies."""
    document = parse(msgjson.encode(policy(agencies=agencies, grants=[])))
    assert isinstance(document, PolicyDocument)
    policies = Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"key"),
        ceiling=Marking.internal,
    )
    return policies.compile(1, document)


POLICIES = (
    compiled(*(agency(id_, id_) for id_ in AGENCIES)),
    # One office does another's work as well, one is gone.
    compiled(
        *(agency(id_, id_) for id_ in AGENCIES if id_ not in (AUDIT, COUNTY)),
        agency(AUDIT, "x", acts_as=["inspection-office", "discipline"]),
    ),
)
EVENTS: Sequence[tuple[Event, str]] = [
    *((admitted("e", type_=t, region=r), "") for t in TYPES if "*" not in t for r in REGIONS),
    (admitted("e", type_="clue.transferred", region="510104", to=DISCIPLINE), CITY),
    (admitted("e", region="510104", cc=f"{AUDIT} inspection-office@510100/*"), ""),
]


def answers(matcher: Matcher) -> list[list[tuple[int, dict[str, str]]]]:
    """Which subscriptions, with which pins, each event is for."""
    found = (matcher.matches(event, audience=audience) for event, audience in EVENTS)
    return [sorted((s.number, dict(s.pins)) for s in each) for each in found]


@dataclass
class World:
    """A database's subscriptions, and those who follow them."""

    connection: Connection
    policy: Policy = POLICIES[0]
    followers: tuple[Matchers, ...] = field(default_factory=lambda: (Matchers(), Matchers()))

    def look(self, follower: int) -> None:
        """A follower answers as a matcher that is made anew from all rows."""
        revision = appending.head(self.connection, SHARD).subscriptions_revision
        followed = self.followers[follower].seen_by(
            self.connection, revision=revision, policy=self.policy
        )
        rows = sql.all_subscriptions(self.connection)
        anew = Matcher(map(from_row, rows), policy=self.policy)
        assert answers(followed) == answers(anew)
        assert followed.is_empty == (not rows)


Step = Callable[[World], object]


def making(agency_id: str, id_: str, **asked: Any) -> Step:
    return lambda world: subscribing.create(
        world.connection,
        agency_id,
        Body(id=id_, **asked),
        catalogue=load_catalogue(),
        regions=load_regions(),
        by=Actor(agency_id, 1),
        now=1,
        most=1_000,
    )


def changing(agency_id: str, id_: str, **asked: Any) -> Step:
    return lambda world: subscribing.change(
        world.connection,
        agency_id,
        id_,
        Change(**asked),
        catalogue=load_catalogue(),
        regions=load_regions(),
        by=Actor(agency_id, 1),
        now=1,
    )


def ending(agency_id: str, id_: str) -> Step:
    return lambda world: subscribing.end(
        world.connection, agency_id, id_, by=Actor(agency_id, 1), now=1
    )


def pinning(number: int) -> Step:
    return lambda world: sql.change_subscription(
        world.connection, number, pins='{"clue.transferred":"1.0"}'
    )


def ruling(number: int) -> Step:
    return lambda world: setattr(world, "policy", POLICIES[number])


def looking(follower: int) -> Step:
    return lambda world: world.look(follower)


WHO = (st.sampled_from(AGENCIES), st.sampled_from(("a", "b")))
ASKED = {
    "types": st.lists(st.sampled_from(TYPES), min_size=1, max_size=3).map(tuple),
    "region": st.none() | st.sampled_from(REGIONS),
}
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(making, *WHO, **ASKED),
    st.builds(changing, *WHO, **ASKED),
    st.builds(ending, *WHO),
    st.builds(pinning, st.integers(1, 6)),
    st.builds(ruling, st.sampled_from((0, 1))),
    st.builds(looking, st.just(0)),
)
# Steps that the writer takes together, and whether it must take them back.
GROUPS = st.lists(st.tuples(st.lists(STEPS, max_size=5), st.booleans()), max_size=10)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteDatabase]:
    with closing(open_sqlite(tmp_path_factory.mktemp("matchers"), readers=1)) as made:
        yield made


@settings(max_examples=150)
@given(groups=GROUPS)
def test_following_the_changes_comes_to_what_reading_all_anew_comes_to(
    database: SqliteDatabase, groups: list[tuple[list[Step], bool]]
) -> None:
    with database.writer.connect() as connection:
        world = World(connection)
        for steps, undone in groups:
            standing = world.policy
            connection.exec_driver_sql("SAVEPOINT work")
            for step in steps:
                try:
                    step(world)
                except HubError:
                    continue
            world.look(0)
            if undone:
                connection.exec_driver_sql("ROLLBACK TO work")
                world.policy = standing
            connection.exec_driver_sql("RELEASE work")
        world.look(0)
        # It has not looked since the start, like another process that had nothing to register.
        world.look(1)


def reads_of(connection: Connection, follower: Matchers, number: int) -> list[str]:
    """The statements that a follower needs to see one change among so many subscriptions."""
    for n in range(number):
        making(CITY, f"s{n}")(World(connection))
    revision = appending.head(connection, SHARD).subscriptions_revision
    follower.seen_by(connection, revision=revision, policy=POLICIES[0])
    changing(CITY, "s0", region="510104")(World(connection))
    revision = appending.head(connection, SHARD).subscriptions_revision
    told: list[str] = []
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.set_trace_callback(told.append)
    follower.seen_by(connection, revision=revision, policy=POLICIES[0])
    driver.set_trace_callback(None)
    return [" ".join(statement.split()[:1]) for statement in told]


def test_a_change_is_read_alone_however_many_subscriptions_there_are(
    database: SqliteDatabase,
) -> None:
    with database.writer.connect() as connection:
        few = reads_of(connection, Matchers(), 1)
        connection.rollback()
        many = reads_of(connection, Matchers(), 300)
    assert few == many == ["SELECT"] * 3


def test_whoever_is_too_far_behind_reads_all_anew(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "CHANGES_KEPT", 3)
    with database.writer.connect() as connection:
        world = World(connection)
        making(CITY, "first")(world)
        world.look(0)
        first = appending.head(connection, SHARD).subscriptions_revision
        for n in range(3):
            making(CITY, f"s{n}")(world)
        assert sql.changed_since(connection, first) is None
        world.look(0)
        kept = connection.exec_driver_sql("SELECT count(*) FROM subscription_changes")
        assert kept.scalar_one() == 3
