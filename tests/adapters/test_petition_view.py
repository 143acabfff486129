"""The petition view as a source reads it: a real table, its changes, its deleted rows."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from adapters.kit.adapter import available, load
from adapters.kit.making import FromRecord, make
from adapters.kit.readers.opening import opened
from adapters.kit.sources.sql import SqlSettings

NOW = datetime(2026, 10, 20, tzinfo=UTC).timestamp()
ROWS = [
    json.loads(line)
    for line in (available()["petition"] / "samples" / "interface-view" / "in.ndjson")
    .read_text(encoding="utf-8")
    .splitlines()
]
COLUMNS = tuple(name for name in ROWS[0] if name != "TSNR")


@contextmanager
def agency_database(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "agency.db", isolation_level=None)) as database:
        yield database


def brought(folder: Path, position: str) -> tuple[list[FromRecord], str]:
    """What the next document gives, and the position behind it."""
    settings = SqlSettings(
        url=SecretStr("sqlite:///agency.db"),
        table="INTERFACE_XFJ",
        columns=COLUMNS,
        changed="GXSJ",
        key="XFJID",
    )
    adapter = load("petition")
    with settings.opened(folder, clock=lambda: NOW) as source:
        raw = folder / "raw"
        raw.unlink(missing_ok=True)
        document = source.bring(position, raw)
        assert document is not None
        with opened(raw, document.name, adapter.mapping.wanted) as reader:
            return [make(adapter, record) for record in reader.read()], document.position


def test_rows_of_the_view_come_once_and_again_when_they_change(tmp_path: Path) -> None:
    first = {row["XFJID"]: row for row in reversed(ROWS)}
    with agency_database(tmp_path) as database:
        database.execute(f"CREATE TABLE INTERFACE_XFJ ({', '.join(ROWS[0])})")
        for row in first.values():
            marks = ", ".join("?" * len(row))
            database.execute(f"INSERT INTO INTERFACE_XFJ VALUES ({marks})", [*row.values()])
        given, position = brought(tmp_path, "")
        assert sorted(made.case for each in given for made in each.events) == [
            "XFJ0001",
            "XFJ0003",
            "XFJ0004",
            "XFJ0006",
        ]
        assert [each.deleted for each in given if each.deleted] == ["XFJ0002"]
        assert [fault.column for each in given for fault in each.faults] == ["gkxx"]

        database.execute(
            "UPDATE INTERFACE_XFJ SET SCBZ = '1', GXSJ = '2026-10-15 08:00:00'"
            " WHERE XFJBH = 'XFJ0003'"
        )
        database.execute(
            "UPDATE INTERFACE_XFJ SET GKXX = '反映公共收益未公开', GXSJ = '2026-10-15 09:00:00'"
            " WHERE XFJBH = 'XFJ0005'"
        )
        given, _ = brought(tmp_path, position)
    assert [each.deleted for each in given if each.deleted] == ["XFJ0003"]
    assert [made.case for each in given for made in each.events] == ["XFJ0005"]
