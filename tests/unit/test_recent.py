"""Rows that are remembered are those of the snapshot, whatever became of the journal since."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from contracts.catalogue import load_catalogue
from contracts.classes import FieldClass
from hub.database import appending
from hub.database.connection import Connection
from hub.database.sqlite import open_sqlite
from hub.delivery.recent import Recent
from hub.delivery.view import sight_of, view_of
from hub.event import Entry
from hub.journal import sql
from hub.policy.entitle import OPEN, Allowed, circumstances

PLENTY = 2**30
LAST = 60
TYPES = ("petition.case_transferred", "petition.case_closed")


def put(connection: Connection, numbers: range, *, hubtime: int) -> None:
    """Events at these positions, registered at this time."""
    rows = []
    for n in numbers:
        type_, size = TYPES[n % 2], n * 7 % 50
        header = (hubtime, "", "", b"", bytes(16), type_, "1.0", "p", "r", f"k{n % 3}", "", "")
        payload = (0, None, b'{"id":"%d"}' % n, b'{"n":"%s"}' % (b"x" * size))
        rows.append((n, *header, *payload, "/s", f"{n}", "", b"", 0, b""))
    head = appending.head(connection, 0)
    slots = [(n + hubtime * 1_000, n) for n in numbers]
    assert appending.append(connection, head, slots, rows, hubtime=hubtime)


def remove(connection: Connection, positions: range) -> None:
    """As a purge does, or a journal that was put back to what it was before."""
    connection.exec_driver_sql(
        "DELETE FROM journal WHERE position BETWEEN ? AND ?", (positions[0], positions[-1])
    )


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A database with sixty events, ten at a time."""
    with closing(open_sqlite(tmp_path, readers=1)) as made, made.writer.begin() as writing:
        for first in range(1, LAST + 1, 10):
            put(writing, range(first, first + 10), hubtime=1_000 + first)
        yield writing


def full(connection: Connection, positions: Sequence[int]) -> list[Entry]:
    """What the snapshot holds at these positions."""
    return [
        replace(entry, attributes=attributes, data=data)
        for entry, attributes, data in sql.entries(connection, positions)
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("most", [0, 20_000, PLENTY])
def test_what_is_remembered_is_what_the_snapshot_holds(
    connection: Connection, seed: int, most: int
) -> None:
    random, recent, now = Random(seed), Recent(most=most), 5_000
    for _ in range(60):
        first = random.randint(1, LAST)
        stretch = range(first, min(first + random.randint(0, 15), LAST) + 1)
        match random.randrange(6):
            case 0:
                remove(connection, stretch)
            case 1:
                now += 1
                remove(connection, stretch)
                put(connection, stretch, hubtime=now)
            case _:
                wanted = sorted(random.sample(range(1, LAST + 5), random.randint(0, 30)))
                asked = random.choice([wanted, stretch])
                rows = list(chain(*recent.rows(connection, asked)))
                assert [row.full() for row in rows] == full(connection, asked)
                alike = {id(row.circumstances): row.circumstances.values for row in rows}
                assert [alike[id(row.circumstances)] for row in rows] == [
                    circumstances(row.entry) for row in rows
                ]


def test_a_row_is_read_once_and_a_view_is_made_once(connection: Connection) -> None:
    recent = Recent(most=PLENTY)
    first, again = (list(chain(*recent.rows(connection, range(5, 25)))) for _ in range(2))
    assert [id(row) for row in again] == [id(row) for row in first]
    contract = load_catalogue().find(TYPES[0], "1.0")
    assert contract is not None
    ((row,),) = recent.rows(connection, [6])
    assert row.entry.type == TYPES[0]
    whole, masked = (
        sight_of(contract, allowed, caveats=0)
        for allowed in (Allowed(frozenset(FieldClass)), Allowed(OPEN, masked=True))
    )
    seen = recent.view(row, masked)
    assert (row.whole, seen) == tuple(view_of(row.full(), sight) for sight in (whole, masked))
    assert row.whole.withheld == () != seen.withheld
    ((known,),) = recent.rows(connection, [6])
    assert known.views == {masked: seen}
    assert recent.view(known, sight_of(contract, Allowed(OPEN, masked=True), caveats=0)) is seen


def test_what_is_remembered_takes_no_more_than_it_may(connection: Connection) -> None:
    contract = load_catalogue().find(TYPES[0], "1.0")
    assert contract is not None
    sight = sight_of(contract, Allowed(OPEN, masked=True), caveats=0)
    recent, random = Recent(most=40_000), Random(7)
    known: list[int] = []
    for _ in range(200):
        first = random.randint(1, LAST - 5)
        for row in chain(*recent.rows(connection, range(first, first + 5))):
            recent.view(row, sight)
        kept = {id(row): row for part in (recent._older, recent._newer) for row in part.values()}
        known.append(sum(row.size for row in kept.values()))
        documents = ([row.whole, *(row.views or {}).values()] for row in kept.values())
        sizes = (sum(len(view.document) for view in views) for views in documents)
        assert all(row.size >= size for row, size in zip(kept.values(), sizes, strict=True))
    # Both halves full, and in each the page more that filled it.
    assert 20_000 < max(known) < 40_000 + 2 * 5 * 2_000
