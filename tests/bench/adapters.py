"""From an agency's file to acknowledged events: against reading it alone and publishing alone.

Reading alone is what the library gives that the kit reads with, publishing alone what one client
publishes of events that are made already. Both, and the adapter between them, share two cores
with the hub. Memory is that of a process that reads a CSV of ten thousand rows, and of a million.
"""

import csv
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import perf_counter, time

from lxml import etree
from openpyxl import Workbook
from python_calamine import CalamineWorkbook

from adapters.kit.adapter import Adapter, load
from adapters.kit.client import HubClient
from adapters.kit.documents import Documents
from adapters.kit.port import Record
from adapters.kit.readers.opening import opened
from adapters.kit.reading import Reading, Watched
from adapters.kit.results import Result
from adapters.kit.runner import at_once, tune_interpreter
from adapters.kit.runner import run as run_file
from adapters.kit.sending import Sending
from adapters.kit.sources.sql import SqlSettings
from adapters.kit.spool import Spool
from adapters.kit.state import State, open_state
from tests.bench.material import bench_policy
from tests.bench.measure import report
from tests.resident import most_resident
from tests.running import running_hub
from tests.sample import PETITION

ROWS, ROUNDS, BATCH = 10_000, 3, 100
FEW, MANY = 10_000, 1_000_000
# fmt: off
COLUMNS = (
    "xfjbh", "xzqh", "djjgmc", "djsj", "xfrq", "xfxs", "xfrs", "gkxx", "cfxfbz", "wtsddm",
    "nrfldm", "xfmddm", "lmbz", "nmbz", "yybz", "sfssbz", "bfyrxm", "bfyrjb", "bfyrzw", "bfyrdw",
    "xm", "zjlx", "zjhm", "sjh", "zz", "blfs",
)
# fmt: on
OVERVIEW = "反映小区公共收益账目多年未公开，要求公布收支并由居民代表核对。" * 8


def row(series: str, number: int) -> tuple[str, ...]:
    """A petition of some 900 bytes."""
    day = f"2026/10/{number % 28 + 1:02d}"
    return (
        f"XFJ{series}{number:08d}", "510100", "示范市信访局", f"{day} 09:05:00", day, "1",
        str(number % 9 + 1), f"{OVERVIEW}（第{number}件）", "是", "510104", "990000", "2", "0",
        "0", "否", "0", "", "", "", "", f"样例{number % 97}", "414", f"S{number:08d}",
        f"128{number:08d}", f"示范市样板路{number % 501}号", "转送",
    )  # fmt: skip


def rows(series: str, count: int = ROWS) -> Iterator[tuple[str, ...]]:
    return (row(series, number) for number in range(count))


@dataclass(frozen=True)
class Form:
    """A form of file: how it is written, and read with its library alone (how many rows)."""

    suffix: str
    write: Callable[[Path, str], None]
    alone: Callable[[Path], int]


def write_csv(path: Path, series: str) -> None:
    with path.open("w", encoding="gbk", newline="") as out:
        csv.writer(out).writerows([COLUMNS, *rows(series)])


def csv_alone(path: Path) -> int:
    with path.open(encoding="gb18030", newline="") as file:
        return sum(1 for _ in csv.reader(file))


def write_xlsx(path: Path, series: str) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("信访件")
    for cells in (COLUMNS, *rows(series)):
        sheet.append(cells)
    book.save(path)


def xlsx_alone(path: Path) -> int:
    with CalamineWorkbook.from_path(path) as book:
        return sum(1 for _ in book.get_sheet_by_index(0).iter_rows())


def write_xml(path: Path, series: str) -> None:
    with (
        etree.xmlfile(str(path), encoding="utf-8") as out,
        out.element("interface"),
        out.element("data"),
    ):
        for cells in rows(series):
            record = etree.Element("list")
            for name, cell in zip(COLUMNS, cells, strict=True):
                etree.SubElement(record, name).text = cell
            out.write(record)


def xml_alone(path: Path) -> int:
    found = 0
    for _, element in etree.iterparse(str(path), tag="list"):
        found += len([child.text for child in element]) > 0
        element.clear()
    return found


def write_sql(path: Path, series: str) -> None:
    names = ", ".join(f"{name} TEXT" for name in COLUMNS)
    marks = ", ".join("?" * len(COLUMNS))
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE petitions ({names})")
        database.execute("CREATE INDEX changed ON petitions (djsj, xfjbh)")
        database.executemany(f"INSERT INTO petitions VALUES ({marks})", rows(series))
    database.close()


def sql_alone(path: Path) -> int:
    select = "SELECT * FROM petitions ORDER BY djsj, xfjbh"
    with sqlite3.connect(path) as database:
        found = sum(1 for _ in database.execute(select))
    database.close()
    return found


FORMS = {
    "CSV": Form("csv", write_csv, csv_alone),
    "xlsx": Form("xlsx", write_xlsx, xlsx_alone),
    "XML": Form("xml", write_xml, xml_alone),
    "SQL": Form("db", write_sql, sql_alone),
}


class Kept:
    """A publisher that keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[bytes] = []

    def publish(self, events: Sequence[bytes]) -> list[Result]:
        self.events.extend(events)
        return [Result(None, None, "accepted", None, ()) for _ in events]


def from_file(adapter: Adapter, path: Path, hub: HubClient | Kept, state: State) -> int:
    summary = run_file(adapter, path, agency=PETITION, hub=hub, state=state, now=time, batch=BATCH)
    assert (summary.rejected, summary.accepted) == (0, ROWS)
    return summary.accepted


def from_table(adapter: Adapter, path: Path, hub: HubClient, state: State) -> int:
    """As a running adapter does: page after page is brought and read, while others are sent."""
    source = f"/{PETITION}/{adapter.mapping.system}"
    documents, spool, more = Documents(state, source), Spool(state, source), Event()
    watched = Watched(kept=lambda counts, faults: more.set())
    reading = Reading(adapter, state, documents, spool, now=time, watched=watched)
    table = SqlSettings(
        url=f"sqlite:///{path}",
        table="petitions",
        columns=tuple(COLUMNS),
        changed="djsj",
        key="xfjbh",
        overlap=0,
    )

    def read() -> None:
        with table.opened(path.parent) as bringing:
            while brought := bringing.bring(documents.position, raw := documents.next_raw()):
                reading.read(documents.add(brought, raw))

    sending = Sending(adapter, state, spool, hub, batch=BATCH)
    at_once(read, sending.send, more, Event())
    ((sent,),) = state.rows("SELECT count(*) FROM events WHERE sent")
    assert sent == ROWS
    return int(sent)


def rate(work: Callable[[], int]) -> float:
    started = perf_counter()
    items = work()
    return items / (perf_counter() - started)


def against(name: str, form: Form, hub: HubClient, folder: Path) -> bool:
    """Rounds of: reading alone, publishing alone, and all of it."""
    adapter = load("petition")
    ours, slower = [], []
    for number in range(ROUNDS):
        path = folder / f"{number}.{form.suffix}"
        form.write(path, f"{name[0]}{number}")
        alone = rate(lambda: form.alone(path))  # noqa: B023 (called at once)
        kept = Kept()
        made = folder / f"made-{number}.csv"
        write_csv(made, f"{name[1]}{number}")
        with open_state(folder / f"made-{number}") as state:
            from_file(adapter, made, kept, state)
        published = rate(lambda: len(hub.publish(kept.events, batch=BATCH)))  # noqa: B023
        with open_state(folder / f"state-{number}") as state:
            whole = from_table if form.suffix == "db" else from_file
            ours.append(rate(lambda: whole(adapter, path, hub, state)))  # noqa: B023
        slower.append(min(alone, published))
    return report(
        f"{name} to acknowledged events / the slower of reading and publishing alone",
        ours=ours,
        reference=slower,
        goal=0.8,
        unit="rows/s",
    )


def reading_memory(count: int) -> None:
    """In a process of its own: read so many rows of a CSV, and print the most memory, KiB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in.csv"
        with path.open("w", encoding="gbk", newline="") as out:
            csv.writer(out).writerows([COLUMNS])
            csv.writer(out).writerows(rows("M", count))
        wanted = load("petition").mapping.wanted
        with opened(path, path.name, wanted) as reader:
            found = sum(isinstance(each, Record) for each in reader.read())
    assert found == count
    sys.stdout.write(f"{most_resident()}\n")


def memory() -> bool:
    few, many = (
        float(
            subprocess.run(
                [sys.executable, "-m", "tests.bench.adapters", str(count)],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            ).stdout
        )
        for count in (FEW, MANY if os.environ.get("FULL") == "1" else MANY // 10)
    )
    return report(
        "memory of reading 10,000 rows / many (a million with FULL=1)",
        ours=[few],
        reference=[many],
        goal=0.9,
        unit="KiB",
    )


def run() -> bool:
    held = [memory()]
    tune_interpreter()
    for name, form in FORMS.items():
        with tempfile.TemporaryDirectory() as folder, running_hub(Path(folder) / "hub") as hub:
            hub.apply(bench_policy())
            with HubClient(hub.url, hub.token(PETITION)) as client:
                held.append(against(name, form, client, Path(folder)))
    return all(held)


if __name__ == "__main__":
    reading_memory(int(sys.argv[1]))
