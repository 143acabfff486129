"""Journal rows that were read of late, with the views that were made of them.

An event goes to many subscriptions, to most of them soon after it came. A row never changes, nor
does what can be seen of it by the same sight; so both are made once, and a snapshot is asked only
whether it holds the rows still. Whether one may be handed over is decided each time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct

from hub.database.connection import PART_OF_EVENTS, Connection, alone
from hub.delivery.view import Sight, View, view_of
from hub.event import Entry
from hub.journal import sql
from hub.policy.entitle import circumstances

# What a row takes beside its payload and attributes: bytes, about.
_ROW_SIZE: Final = 1_500


class Circumstances(Struct, gc=False, frozen=True, eq=False):
    """What most of a decision goes by, in one object for all rows that are alike in it: one object
    is found at a glance.
    """

    values: tuple[str | int, ...]


class Row(Struct, gc=False, eq=False):
    """An event of the journal, and its views by what is seen; in bytes, about `size`."""

    entry: Entry
    circumstances: Circumstances
    views: dict[Sight, View]
    size: int


class Recent:
    """Rows of at most `most` bytes, and a page more. Used by one thread.

    There are an older and a newer half. Whatever is used goes to the newer one; when that is full,
    the older one is forgotten.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._begin({})

    def rows(self, connection: Connection, positions: Sequence[int]) -> Iterable[Sequence[Row]]:
        """The journal rows at `positions` that the connection's snapshot holds, in order, some at
        a time.
        """
        if all(map(self._newer.get, positions)):
            return self._rows(connection, positions)
        with alone(connection):
            return self._rows(connection, positions)

    def _rows(self, connection: Connection, positions: Sequence[int]) -> Iterable[Sequence[Row]]:
        found = list(map(self._newer.get, positions))
        if not all(found):
            found = list(map(self._known, positions))
        known = [row for row in found if row]
        if known and not _are_held(connection, known):
            self._begin({})
            known = []
        if len(known) == len(positions):
            return [known]
        at = {row.entry.position: row for row in known}
        entries = sql.entries(connection, [n for n in positions if n not in at])
        # The first one also ends the waiting for all of them.
        return _in_parts(self._among(at, positions, next(entries, None), entries))

    def _among(
        self,
        known: Mapping[int, Row],
        positions: Iterable[int],
        entry: Entry | None,
        entries: Iterator[Entry],
    ) -> Iterator[Row]:
        """What is known, and the others as they come, in order."""
        for position in positions:
            if row := known.get(position):
                yield row
            elif entry is not None and entry.position == position:
                yield self._keep(entry)
                entry = next(entries, None)

    def view(self, row: Row, sight: Sight) -> View:
        """The view of an event that is seen so."""
        view = row.views.get(sight)
        if view is None:
            view = row.views[sight] = view_of(row.entry, sight)
            row.size += len(view.document)
            self._size += len(view.document)
        return view

    def _known(self, position: int) -> Row | None:
        row = self._newer.get(position)
        if row is None and (row := self._older.pop(position, None)) is not None:
            self._put(row)
        return row

    def _keep(self, entry: Entry) -> Row:
        values = circumstances(entry)
        known = self._circumstances.get(values)
        if known is None:
            known = self._circumstances[values] = Circumstances(values)
        row = Row(entry, known, {}, _ROW_SIZE + len(entry.attributes) + len(entry.data))
        self._put(row)
        return row

    def _put(self, row: Row) -> None:
        if self._size > self._most // 2:
            self._begin(self._newer)
        self._newer[row.entry.position] = row
        self._size += row.size

    def _begin(self, older: dict[int, Row]) -> None:
        self._older = older
        self._newer: dict[int, Row] = {}
        self._circumstances: dict[tuple[str | int, ...], Circumstances] = {}
        self._size = 0


def _in_parts(rows: Iterator[Row]) -> Iterator[Sequence[Row]]:
    while part := list(islice(rows, PART_OF_EVENTS)):
        yield part


def _are_held(connection: Connection, known: Sequence[Row]) -> bool:
    """Whether a snapshot holds all these rows, and not others in their places, as of a journal that
    was restored: then they are of other times.
    """
    entries = [row.entry for row in known]
    times = [entry.hubtime for entry in entries]
    told = sql.times(connection, [entry.position for entry in entries], since=times[0])
    return told == (len(times), sum(times) - times[0] * len(times))
