"""A document ends with the counts of all its answers, also of those that came just now."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapters.kit.documents import Counts, Documents, count, settle
from adapters.kit.port import Brought, Place, Translated
from adapters.kit.spool import Fresh, Spool, refuse
from adapters.kit.state import State, open_state

SOURCE = "/510100.petition/xfj"


class Between(State):
    """A state in which another thread has its turn after every look."""

    def __init__(self, state: State, turn: Callable[[], None]) -> None:
        super().__init__(state._database, state.directory)
        self.turn = turn

    def rows(self, select: str, *values: object) -> list[Any]:
        found = super().rows(select, *values)
        self.turn()
        return found


def test_answers_that_come_while_it_is_looked_up_are_counted(tmp_path: Path) -> None:
    with open_state(tmp_path) as state:
        documents, spool = Documents(state, SOURCE), Spool(state, SOURCE)
        raw = documents.next_raw()
        raw.write_bytes(b"a")
        document = documents.add(Brought("a.csv", "1"), raw)
        made = Translated("1", {"type": "petition.case_transferred"}, b"{}")
        with state.transaction() as database:
            spool.put(database, document.number, [Fresh(Place("a.csv", 2), "1", made)], 0.0)
            count(database, document.number, Counts(read=1))
            settle(database, document.number, 1)
        documents.read_to_end(document, complete=True)

        def refused() -> None:
            with state.transaction() as database:
                waiting = spool.front(1, 100)
                refuse(database, SOURCE, waiting)
                count(database, document.number, Counts(rejected=len(waiting)))

        answered = Documents(Between(state, refused), SOURCE).answered()
    assert answered is not None
    assert answered.counts == Counts(read=1, rejected=1)
