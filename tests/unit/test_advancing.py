"""The cursor of a feed that the hub writes moves from where its page was read, or not at all."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hub.database.connection import Connection
from hub.database.sqlite import open_sqlite
from hub.journal import sql
from hub.journal.subscribing import advance

AGENCY = "510100.discipline"
KEPT = {"agency": AGENCY, "pins": "{}", "start": 0, "filled": 0, "fill_until": 0, "created_at": 0}
BY_KAFKA = '{"id":null,"types":["*"],"filters":[],"versions":{},"delivery":{"channel":"kafka"}}'
# What stands in an agency's own words is escaped there.
BY_PULL = (
    '{"id":null,"types":["*"],"filters":[{"exact":{"source":'
    '"\\"delivery\\":{\\"channel\\":\\"kafka\\"}"}}],"delivery":{"channel":"pull"}}'
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with closing(open_sqlite(tmp_path, readers=1)) as made, made.writer.begin() as writing:
        for id_, body in (("a", BY_KAFKA), ("b", BY_PULL), ("c", BY_KAFKA)):
            sql.insert_subscription(writing, {**KEPT, "id": id_, "body": body, "committed": 10})
        yield writing


def committed(connection: Connection, id_: str) -> int:
    row = sql.subscription(connection, AGENCY, id_)
    assert row is not None
    return row.committed


def test_it_moves_on_from_where_the_page_was_read(connection: Connection) -> None:
    assert advance(connection, 1, after=10, position=25)
    assert (committed(connection, "a"), committed(connection, "c")) == (25, 10)


@pytest.mark.parametrize("elsewhere", [0, 9, 30])
def test_a_replay_or_another_process_that_moved_it_meanwhile_is_not_undone(
    connection: Connection, elsewhere: int
) -> None:
    sql.set_cursor(connection, 1, elsewhere)
    assert not advance(connection, 1, after=10, position=25)
    assert committed(connection, "a") == elsewhere


def test_of_an_ended_subscription_nothing_moves(connection: Connection) -> None:
    sql.delete_subscription(connection, 1)
    assert not advance(connection, 1, after=10, position=25)


def test_the_feeds_are_told_from_other_subscriptions(connection: Connection) -> None:
    fed = sql.fed_by_kafka(connection, after=0, most=10)
    assert [(row.number, row.id) for row in fed] == [(1, "a"), (3, "c")]
    assert [row.id for row in sql.fed_by_kafka(connection, after=1, most=10)] == ["c"]
    assert [row.id for row in sql.fed_by_kafka(connection, after=0, most=1)] == ["a"]
    assert sql.newest_subscription(connection) == 3
