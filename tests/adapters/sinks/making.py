"""The sinks that the conformance suite tries, and what each has made of its events."""

import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from openpyxl import load_workbook
from pydantic import SecretStr

from adapters.kit.port import Sink
from adapters.kit.sinks.call import CallSettings
from adapters.kit.sinks.files import FilesSettings
from adapters.kit.sinks.ledger import LedgerSettings
from adapters.kit.sinks.slip import SlipSettings
from adapters.kit.sinks.table import TableSettings
from tests.adapters.door import Answer, Asked, open_door

HERE = Path(__file__).parent
# How many events the hub gives at once.
PAGE = 6
CLUES = ("clue.*",)


@dataclass(frozen=True, slots=True)
class Made:
    """A kind of sink: opened in a folder, and all that it left there, for comparing."""

    opened: Callable[[Path], AbstractContextManager[Sink]]
    state: Callable[[Path], Any]

    def run(self, base: Path, events: list[dict[str, Any]], page: int = PAGE) -> None:
        base.mkdir(exist_ok=True, mode=0o700)
        with self.opened(base) as sink:
            for start in range(0, len(events), page):
                sink.take(events[start : start + page])


@contextmanager
def ledger() -> Iterator[Made]:
    settings = LedgerSettings(type="ledger", path=Path("台账/线索台账.xlsx"))
    yield Made(lambda base: settings.opened(base, HERE), lambda base: cells(base / settings.path))


def cells(file: Path) -> dict[str, Any]:
    """What every sheet of a workbook says, with the types of its cells."""
    return {
        sheet.title: [[(cell.value, cell.data_type) for cell in row] for row in sheet.iter_rows()]
        for sheet in load_workbook(file).worksheets
    }


@contextmanager
def table_on_sqlite() -> Iterator[Made]:
    settings = TableSettings(type="table", url=SecretStr("sqlite:///clues.db"), create=True)
    yield Made(
        lambda base: settings.opened(base, HERE), lambda base: rows(f"sqlite:///{base}/clues.db")
    )


@contextmanager
def table_on_postgresql(database: str) -> Iterator[Made]:
    """A schema for each folder of the database at this URL, whose address stands in a file."""
    whole = sa.make_url(database.replace("+asyncpg", "+psycopg"))

    def schema_of(base: Path) -> sa.URL:
        name = base.name.replace("-", "_")
        engine = sa.create_engine(whole)
        with engine.begin() as connection:
            connection.execute(sa.schema.CreateSchema(name, if_not_exists=True))
        engine.dispose()
        return whole.update_query_dict({"options": f"-csearch_path={name}"})

    def opened(base: Path) -> AbstractContextManager[Sink]:
        url = base / "url"
        url.touch(mode=0o600)
        url.write_text(schema_of(base).render_as_string(hide_password=False))
        settings = TableSettings(type="table", url_file=Path("url"), create=True)
        return settings.opened(base, HERE)

    yield Made(opened, lambda base: rows(schema_of(base).render_as_string(hide_password=False)))


def rows(url: str, table: str = "线索接收表") -> list[tuple[Any, ...]]:
    """The rows of a table, by their first column."""
    engine = sa.create_engine(url)
    try:
        read = sa.Table(table, sa.MetaData(), autoload_with=engine)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.select(read).order_by(read.c[0]))]
    finally:
        engine.dispose()


@contextmanager
def files() -> Iterator[Made]:
    settings = FilesSettings(type="files", path=Path("收到"), types=CLUES, by_day=True)
    yield Made(lambda base: settings.opened(base, HERE), lambda base: contents(base / "收到"))


@contextmanager
def slip() -> Iterator[Made]:
    settings = SlipSettings(type="slip", path=Path("交接单"))
    yield Made(lambda base: settings.opened(base, HERE), lambda base: contents(base / "交接单"))


def contents(folder: Path) -> dict[str, bytes]:
    """What every file says that is for people, hidden ones aside."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("[!.]*"))
        if path.is_file()
    }


@contextmanager
def call() -> Iterator[Made]:
    """An interface that keeps what it is sent by key, and refuses every third event."""
    with open_door() as door:
        kept: dict[str, dict[str, bytes]] = {}

        def answer(asked: Asked) -> Answer:
            key = asked.headers["Idempotency-Key"]
            place = kept.setdefault(asked.path, {})
            if json.loads(asked.body)["hubposition"] != key or int(key.split("-")[1]) % 3 == 0:
                return Answer(422, {"error": "示例"})
            if key in place:
                return Answer(409 if place[key] == asked.body else 500)
            place[key] = asked.body
            return Answer(204)

        door.script = deque(repeat(answer, 10_000))

        def opened(base: Path) -> AbstractContextManager[Sink]:
            settings = CallSettings(
                type="call", url=f"{door.url}/{base.name}", path=Path("退回"), types=CLUES
            )
            return settings.opened(base, HERE)

        yield Made(
            opened, lambda base: (list(kept[f"/{base.name}"].items()), contents(base / "退回"))
        )


KINDS = {
    "ledger": ledger,
    "table on SQLite": table_on_sqlite,
    "files": files,
    "call": call,
    "slip": slip,
}
