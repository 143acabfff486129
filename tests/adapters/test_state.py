"""What an adapter remembers: documents and how far they were read, the spool, what was sent."""

import json
import resource
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.kit.documents import Counts, Documents, count, note, settle
from adapters.kit.event import event_id
from adapters.kit.held import Waiting
from adapters.kit.port import Brought, FaultKind, Place, RowFault, Translated
from adapters.kit.spool import Depth, Fresh, Spool, refuse, take
from adapters.kit.state import FILE_NAME, State, StateBroken, StateInUse, open_state

SOURCE = "/510100.petition/xfj"
FAULT = RowFault(3, "xfrq", FaultKind.DATE, "不是有效的日期", "请改", "十月")
PLACE = Place("十月.csv", 3)
# The tables of a state before events were named apart from their bytes.
FORMER = """
CREATE TABLE spool (
    number INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, document INTEGER NOT NULL,
    sheet TEXT NOT NULL, row INTEGER NOT NULL, "case" TEXT NOT NULL, native TEXT NOT NULL,
    type TEXT NOT NULL, event TEXT NOT NULL, attributes BLOB NOT NULL, data BLOB NOT NULL,
    since REAL NOT NULL, UNIQUE (source, event));
CREATE INDEX spool_case ON spool (source, "case");
CREATE INDEX spool_native ON spool (source, native);
CREATE TABLE depth (
    source TEXT PRIMARY KEY, events INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER spool_in AFTER INSERT ON spool BEGIN
    INSERT INTO depth VALUES (NEW.source, 1, length(NEW.data)) ON CONFLICT (source)
        DO UPDATE SET events = events + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER spool_out AFTER DELETE ON spool BEGIN
    UPDATE depth SET events = events - 1, bytes = bytes - length(OLD.data)
        WHERE source = OLD.source;
END;
CREATE TABLE sent (
    number INTEGER PRIMARY KEY, source TEXT NOT NULL, "case" TEXT NOT NULL, native TEXT NOT NULL,
    type TEXT NOT NULL, event TEXT NOT NULL, supersedes TEXT, UNIQUE (source, event));
CREATE INDEX sent_case ON sent (source, "case");
CREATE INDEX sent_native ON sent (source, native);
"""
# And of one in which each event that waited had a row of its own.
ONE_IN_A_ROW = """
CREATE TABLE events (
    number INTEGER PRIMARY KEY, source TEXT NOT NULL, "case" TEXT NOT NULL, native TEXT NOT NULL,
    type TEXT NOT NULL, event TEXT NOT NULL, waits INTEGER NOT NULL, sent INTEGER NOT NULL,
    supersedes TEXT, UNIQUE (source, event));
CREATE TABLE spool (
    number INTEGER PRIMARY KEY, entry INTEGER NOT NULL, source TEXT NOT NULL,
    document INTEGER NOT NULL, sheet TEXT NOT NULL, row INTEGER NOT NULL,
    attributes BLOB NOT NULL, data BLOB NOT NULL, since REAL NOT NULL);
CREATE TABLE depth (
    source TEXT PRIMARY KEY, events INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with open_state(tmp_path / "state") as state:
        yield state


def bring(documents: Documents, name: str = "十月.csv", position: str = "1") -> int:
    raw = documents.next_raw()
    raw.write_bytes(name.encode())
    return documents.add(Brought(name, position), raw).number


def event(native: str, data: str, type_: str = "petition.case_transferred") -> Translated:
    return Translated(native, {"type": type_, "time": "2026-11-01T00:00:00+08:00"}, data.encode())


def put(state: State, spool: Spool, document: int, *events: Translated, again: bool = False) -> int:
    """How many of them wait now."""
    with state.transaction() as database:
        made = [Fresh(PLACE, each.native, each) for each in events]
        return len(events) - len(spool.put(database, document, made, 7.0, again=again))


def answer(state: State, spool: Spool, waiting: list[Waiting], *, taken: bool = True) -> None:
    with state.transaction() as database:
        (take if taken else refuse)(database, spool.source, waiting)


def front(spool: Spool, most: int = 100) -> list[tuple[str, bytes]]:
    return [(each.made.native, each.made.data) for each in spool.front(most, 1 << 20)]


def test_what_was_settled_is_there_after_opening_again(tmp_path: Path) -> None:
    with open_state(tmp_path) as state:
        documents = Documents(state, SOURCE)
        number = bring(documents)
        with state.transaction() as database:
            note(database, number, [FAULT, FAULT])
            count(database, number, Counts(read=4, duplicate=1, rejected=1))
            settle(database, number, 5)
    with open_state(tmp_path) as state:
        documents = Documents(state, SOURCE)
        known = documents.to_read()
        assert known is not None
        assert (known.number, known.name, known.record) == (number, "十月.csv", 5)
        assert known.counts == Counts(read=4, duplicate=1, rejected=1)
        assert list(documents.faults(known)) == [FAULT]
        assert known.path.read_bytes() == "十月.csv".encode()
        assert documents.position == "1"


def test_settling_an_earlier_record_takes_nothing_back(state: State) -> None:
    documents = Documents(state, SOURCE)
    number = bring(documents)
    for record in (5, 4):
        with state.transaction() as database:
            settle(database, number, record)
    document = documents.to_read()
    assert document is not None
    assert document.record == 5


def test_a_document_is_answered_when_it_is_read_and_nothing_of_it_waits(state: State) -> None:
    documents, spool = Documents(state, SOURCE), Spool(state, SOURCE)
    first, second = bring(documents, "a"), bring(documents, "b")
    put(state, spool, first, event("1", "x"))
    assert documents.answered() is None
    for number in (first, second):
        document = documents.to_read()
        assert document is not None
        assert document.number == number
        documents.read_to_end(document, complete=True)
    # The second gave nothing, and yet is told after the first.
    assert documents.answered() is None
    answer(state, spool, spool.front(10, 1 << 20))
    ended = []
    while (document := documents.answered()) is not None:
        ended.append(document.number)
        documents.finish(document, 9.0)
    assert ended == [first, second]
    assert documents.to_read() is None


def test_raw_copies_go_after_their_time_and_numbers_are_not_used_again(state: State) -> None:
    documents = Documents(state, SOURCE)
    first = bring(documents)
    document = documents.to_read()
    assert document is not None
    documents.read_to_end(document, complete=False)
    documents.finish(document, 9.0)
    documents.purge(9.0)
    assert document.path.exists()
    documents.purge(9.5)
    assert not document.path.exists()
    assert bring(documents) == first + 1


def test_what_a_killed_run_left_in_place_of_the_next_document_is_gone(state: State) -> None:
    documents = Documents(state, SOURCE)
    documents.next_raw().write_bytes(b"half")
    assert not documents.next_raw().exists()


def test_events_wait_in_order_and_one_of_each_case_at_a_time(state: State) -> None:
    documents, spool = Documents(state, SOURCE), Spool(state, SOURCE)
    document = bring(documents)
    made = [event("1", "a"), event("1", "b"), event("2", "c"), event("1", "d"), event("3", "e")]
    assert put(state, spool, document, *made) == 5
    assert spool.depth() == Depth(5, 5, 7.0)
    assert front(spool) == [("1", b"a"), ("2", b"c"), ("3", b"e")]
    assert front(spool, most=2) == [("1", b"a"), ("2", b"c")]
    others = spool.front(1, 1 << 20, spool.front(2, 1 << 20))
    assert [(each.made.native, each.made.data) for each in others] == [("3", b"e")]
    answer(state, spool, spool.front(2, 1 << 20))
    assert front(spool) == [("3", b"e"), ("1", b"b")]
    answer(state, spool, spool.front(9, 1 << 20))
    assert front(spool) == [("1", b"d")]
    answer(state, spool, spool.front(9, 1 << 20))
    assert spool.depth() == Depth(0, 0, None)


def test_what_is_put_together_stands_in_rows_that_can_be_sent_whole(state: State) -> None:
    documents, spool = Documents(state, SOURCE), Spool(state, SOURCE)
    cases = [f"{n}" for n in range(150)]
    steps = [event(case, step) for case in cases for step in ("a", "b")]
    large = [event(f"large{n}", "x" * 700_000) for n in range(3)]
    assert put(state, spool, bring(documents), *steps, *large) == 303
    rows = "SELECT events FROM spool ORDER BY number"
    assert [row[0] for row in state.rows(rows)] == [100, 51, 1, 1, 100, 50]
    first = spool.front(100, 1 << 20)
    assert [(each.made.native, each.made.data) for each in first] == [
        (c, b"a") for c in cases[:100]
    ]
    # Behind a row of which all is on its way, and behind one of which some is.
    going = [*first, *spool.front(20, 1 << 20, first)]
    assert [each.case for each in going] == cases[:120]
    following = spool.front(40, 1 << 30, going)
    assert [each.case for each in following] == [*cases[120:], *(each.native for each in large)]
    assert spool.front(40, 1 << 30, [*going, *following]) == []
    # One of them is to be sent again: its next step waits for it, whatever others do.
    answer(state, spool, first[:7] + first[8:])
    assert [row[0] for row in state.rows(rows)] == [1, 51, 1, 1, 100, 50]
    second = spool.front(300, 1 << 30)
    assert [(each.made.native, each.made.data) for each in second] == [
        ("7", b"a"),
        *((case, b"a") for case in cases[100:]),
        *((each.native, each.data) for each in large),
        *((case, b"b") for case in cases[:100] if case != "7"),
    ]
    answer(state, spool, second)
    assert front(spool, 300) == [(case, b"b") for case in ("7", *cases[100:])]
    assert spool.depth() == Depth(51, 51, 7.0)


def test_a_batch_is_bounded_in_bytes_but_never_empty(state: State) -> None:
    documents, spool = Documents(state, SOURCE), Spool(state, SOURCE)
    put(state, spool, bring(documents), event("1", "a" * 900), event("2", "b" * 900))
    assert [len(spool.front(9, size)) for size in (10, 1_000, 4_000)] == [1, 1, 2]


def test_an_event_that_waits_or_was_sent_does_not_wait_again(state: State) -> None:
    documents, spool = Documents(state, SOURCE), Spool(state, SOURCE)
    document = bring(documents)
    assert put(state, spool, document, event("1", "a"), event("1", "a")) == 1
    assert put(state, spool, document, event("1", "a")) == 0
    answer(state, spool, spool.front(9, 1 << 20))
    assert put(state, spool, document, event("1", "a")) == 0
    assert put(state, spool, document, event("1", "a"), again=True) == 1
    answer(state, spool, spool.front(9, 1 << 20), taken=False)
    assert put(state, Spool(state, "/other"), document, event("1", "a")) == 1


def test_a_new_event_replaces_the_last_one_of_its_number_and_type(state: State) -> None:
    documents, spool = Documents(state, SOURCE), Spool(state, SOURCE)
    document = bring(documents)
    names: dict[str, tuple[str, str | None]] = {}

    def send(data: str, type_: str, *, taken: bool = True) -> None:
        put(state, spool, document, event("1", data, type_), again=True)
        (waiting,) = spool.front(9, 1 << 20)
        names[data] = (waiting.event, waiting.supersedes)
        answer(state, spool, [waiting], taken=taken)

    send("a", "clue.received")
    send("b", "clue.concluded")
    send("c", "clue.received", taken=False)
    send("d", "clue.received")
    assert [names[each][1] for each in "abcd"] == [None, None, names["a"][0], names["a"][0]]
    # What was sent before is made the same again.
    before = dict(names)
    send("a", "clue.received")
    send("d", "clue.received")
    assert names == before
    with state.transaction() as database:
        assert spool.gone_before(database, "1") == {"clue.received", "clue.concluded"}


def test_a_transaction_that_fails_leaves_nothing(state: State) -> None:
    documents, spool = Documents(state, SOURCE), Spool(state, SOURCE)
    document = bring(documents)
    with pytest.raises(KeyboardInterrupt), state.transaction() as database:
        spool.put(database, document, [Fresh(PLACE, "1", event("1", "a"))], 7.0)
        settle(database, document, 5)
        raise KeyboardInterrupt
    assert spool.depth() == Depth(0, 0, None)
    unread = documents.to_read()
    assert unread is not None
    assert unread.record == 0


def test_what_was_answered_for_is_not_in_the_file_any_more(tmp_path: Path) -> None:
    with open_state(tmp_path) as state:
        documents, spool = Documents(state, SOURCE), Spool(state, SOURCE)
        put(state, spool, bring(documents), event("1", "a-secret-of-somebody" * 50))
        answer(state, spool, spool.front(9, 1 << 20))
    assert b"a-secret" not in b"".join(p.read_bytes() for p in tmp_path.glob(f"{FILE_NAME}*"))


def test_one_run_at_a_time_holds_the_state(tmp_path: Path) -> None:
    with open_state(tmp_path), pytest.raises(StateInUse), open_state(tmp_path):
        pass
    with open_state(tmp_path) as state:
        assert Documents(state, SOURCE).to_read() is None


def test_only_the_owner_can_read_the_state(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    with open_state(directory) as state:
        bring(Documents(state, SOURCE))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    raw = modes.pop("raw")
    assert raw == stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert modes[FILE_NAME] == 0o600
    assert set(modes.values()) == {0o600}


def test_a_full_disk_is_told_and_nothing_of_the_step_is_kept(state: State) -> None:
    documents, spool = Documents(state, SOURCE), Spool(state, SOURCE)
    document = bring(documents)
    with state.transaction() as database:
        pages = database.execute("PRAGMA page_count").fetchone()[0]
    state.rows(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        put(state, spool, document, *(event(str(n), "x" * 4_000) for n in range(50)))
    assert spool.depth() == Depth(0, 0, None)
    state.rows("PRAGMA max_page_count = 100000")
    assert put(state, spool, document, event("1", "a")) == 1


def steps(state: State, asked: Callable[[], object]) -> int:
    """How many instructions SQLite takes, in tens."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    with state.transaction() as database:
        database.set_progress_handler(count, 10)
        asked()
        database.set_progress_handler(None, 0)
    return taken


def test_a_deep_spool_and_many_documents_make_no_step_slower(state: State) -> None:
    documents, spool = Documents(state, SOURCE), Spool(state, SOURCE)
    asked = (
        spool.depth,
        lambda: spool.front(10, 1 << 20),
        documents.answered,
        documents.to_read,
        lambda: documents.purge(1.0),
    )
    counted = []
    for already, more in ((0, 20), (20, 2_000)):
        for n in range(already, already + more):
            with state.transaction() as database:
                insert = "INSERT INTO documents (source, name, digest, phase, ended)"
                database.execute(f"{insert} VALUES (?, 'a', '', 'sending', NULL)", (SOURCE,))
                database.execute(f"{insert} VALUES (?, 'a', '', 'finished', 9.0)", (SOURCE,))
                spool.put(database, 1, [Fresh(PLACE, f"{n}", event(f"{n}", "x"))], 7.0)
        counted.append([steps(state, each) for each in asked])
    assert spool.depth() == Depth(2_020, 2_020, 7.0)
    assert all(many <= few + 5 for few, many in zip(*counted, strict=True)), counted


def test_a_step_that_cannot_be_written_at_its_end_leaves_the_state_usable(state: State) -> None:
    """The file may not grow any more: SQLite notices when the step is to be kept."""
    documents, spool = Documents(state, SOURCE), Spool(state, SOURCE)
    document = bring(documents)
    written = max(path.stat().st_size for path in state.directory.glob(f"{FILE_NAME}*"))
    _, hard = before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, hard))
    try:
        with pytest.raises(sqlite3.OperationalError):
            put(state, spool, document, *(event(str(n), "x" * 4_000) for n in range(50)))
        with pytest.raises(sqlite3.OperationalError):
            put(state, spool, document, *(event(str(n), "x" * 4_000) for n in range(50)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert spool.depth() == Depth(0, 0, None)
    assert put(state, spool, document, event("1", "a")) == 1


def test_a_state_that_is_none_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes("不是状态文件".encode() * 100)
    with pytest.raises(StateBroken, match="从备份恢复"), open_state(tmp_path):
        pass
    assert (tmp_path / FILE_NAME).read_bytes() == "不是状态文件".encode() * 100


def test_what_went_is_known_by_its_native_number_and_by_its_case(state: State) -> None:
    documents, spool = Documents(state, SOURCE), Spool(state, SOURCE)
    document, made = bring(documents), event("原1", "a")

    def went() -> list[bool]:
        with state.transaction() as database:
            return [spool.went(database, number) for number in ("原1", "案1", "2")]

    with state.transaction() as database:
        spool.put(database, document, [Fresh(PLACE, "案1", made)], 7.0)
    assert went() == [True, True, False]
    answer(state, spool, spool.front(9, 1 << 20))
    assert went() == [True, True, False]


def test_what_waited_and_what_was_sent_before_this_version_is_carried_over(tmp_path: Path) -> None:
    kind = "petition.case_transferred"
    sent, again, waits = event("1", "a"), event("2", "b"), event("1", "c")
    with sqlite3.connect(tmp_path / FILE_NAME) as former:
        former.executescript(FORMER)
        former.executemany(
            "INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?, NULL)",
            [
                (number, SOURCE, made.native, made.native, kind, event_id(made))
                for number, made in enumerate((sent, again), start=1)
            ],
        )
        former.executemany(
            "INSERT INTO spool VALUES (NULL, ?, 1, '', 3, ?, ?, ?, ?, ?, ?, 7.0)",
            [
                (SOURCE, m.native, m.native, kind, event_id(m), json.dumps(m.attributes), m.data)
                for m in (waits, again)
            ],
        )
    former.close()
    for _ in range(2):
        with open_state(tmp_path) as state:
            spool = Spool(state, SOURCE)
            assert spool.depth() == Depth(2, 2, 7.0)
            assert [
                (each.number, each.made, each.event, each.supersedes)
                for each in spool.front(9, 1 << 20)
            ] == [
                (1, waits, event_id(waits), event_id(sent)),
                (2, again, event_id(again), None),
            ]
            assert put(state, spool, 1, sent, again, waits) == 0
    with open_state(tmp_path) as state:
        spool = Spool(state, SOURCE)
        answer(state, spool, spool.front(9, 1 << 20))
        assert spool.depth() == Depth(0, 0, None)
        assert put(state, spool, 1, sent, again, waits) == 0


def test_what_waited_each_in_a_row_of_its_own_is_carried_over(tmp_path: Path) -> None:
    kind = "petition.case_transferred"
    sent, waits = event("1", "a"), event("1", "c")
    with sqlite3.connect(tmp_path / FILE_NAME) as former:
        former.executescript(ONE_IN_A_ROW)
        for number, made, waiting in ((1, sent, 0), (2, waits, 1)):
            former.execute(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (number, SOURCE, "案", "1", kind, event_id(made), waiting, 1 - waiting),
            )
        bare = (SOURCE, json.dumps(waits.attributes).encode(), waits.data)
        former.execute("INSERT INTO spool VALUES (4, 2, ?, 1, '十月', 3, ?, ?, 7.0)", bare)
        former.execute("INSERT INTO depth VALUES (?, 1, 1)", (SOURCE,))
    former.close()
    place = Place("", 3, "十月")
    kept = Waiting(4, 2, 1, place, "案", event_id(waits), waits, event_id(sent))
    for _ in range(2):
        with open_state(tmp_path) as state:
            spool = Spool(state, SOURCE)
            assert spool.depth() == Depth(1, 1, 7.0)
            assert spool.front(9, 1 << 20) == [kept]
            assert put(state, spool, 1, sent, waits) == 0
    with open_state(tmp_path) as state:
        spool = Spool(state, SOURCE)
        answer(state, spool, [kept])
        assert spool.depth() == Depth(0, 0, None)
        assert put(state, spool, 1, sent, waits) == 0
