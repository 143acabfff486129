"""Journal rows that were read of late, with the views that were made of them.

An event goes to many subscriptions, to most of them soon after it came. A row never changes, nor
does what can be seen of it by the same sight; so both are made once, and a snapshot is asked only
whether it holds the rows still. Whether one may be handed over is decided each time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from hub.database.connection import PART_OF_EVENTS, Connection, alone
from hub.delivery.view import Sight, View, view_of, whole
from hub.event import Entry
from hub.journal import sql
from hub.policy.entitle import circumstances

# What a row, and one of its views, take beside their documents: bytes, about.
_ROW_SIZE: Final = 1_500
_VIEW_SIZE: Final = 300


class Circumstances(Struct, gc=False, frozen=True, eq=False):
    """What most of a decision goes by, in one object for all rows that are alike in it: one object
    is found at a glance.
    """

    values: tuple[str | int, ...]


class Row(Struct, gc=False, eq=False):
    """An event of the journal, and its views by what is seen; in bytes, about `size`.

    `entry` is without its attributes and data: they stand in the document that it is as a `whole`,
    the former but for their last brace in the first `opened` bytes, the latter from `payload` on.
    """

    entry: Entry
    circumstances: Circumstances
    whole: View
    opened: int
    payload: int
    views: dict[Sight, View] | None
    size: int

    @property
    def attributes(self) -> bytes:
        """As they were published, a JSON object."""
        return self.whole.document[: self.opened] + b"}"

    def full(self) -> Entry:
        """The entry with its attributes and data."""
        data = self.whole.document[self.payload : -1]
        return replace(self.entry, attributes=self.attributes, data=data)


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
        read: tuple[Entry, bytes, bytes] | None,
        entries: Iterator[tuple[Entry, bytes, bytes]],
    ) -> Iterator[Row]:
        """What is known, and the others as they come, in order."""
        for position in positions:
            if row := known.get(position):
                yield row
            elif read is not None and read[0].position == position:
                yield self._keep(*read)
                read = next(entries, None)

    def view(self, row: Row, sight: Sight) -> View:
        """The view of an event that is seen so, not as a whole."""
        if row.views is None:
            row.views = {}
        view = row.views.get(sight)
        if view is None:
            made = view_of(row.full(), sight)
            view = row.views[sight] = made if made.withheld else row.whole
            grown = _VIEW_SIZE + len(made.document) if made.withheld else _VIEW_SIZE
            row.size += grown
            self._size += grown
        return view

    def _known(self, position: int) -> Row | None:
        row = self._newer.get(position)
        if row is None and (row := self._older.pop(position, None)) is not None:
            self._put(row)
        return row

    def _keep(self, entry: Entry, attributes: bytes, data: bytes) -> Row:
        values = circumstances(entry)
        known = self._circumstances.get(values)
        if known is None:
            known = self._circumstances[values] = Circumstances(values)
        seen = whole(entry, attributes, data)
        size = len(seen.document)
        row = Row(
            entry, known, seen, len(attributes) - 1, size - len(data) - 1, None, _ROW_SIZE + size
        )
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
