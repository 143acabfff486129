"""Many adapters in one process: from drop folders to a hub's feed, and from there into a ledger."""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from time import time
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.kit.config import ConfigError, load_settings
from adapters.kit.documents import Counts, Documents
from adapters.kit.metrics import Figures
from adapters.kit.running import Around, run_adapters
from adapters.kit.sending import Answered
from adapters.kit.state import StateInUse, open_state
from contracts.owncodes import SHIPPED
from tests.adapters.door import HANG_UP, Door
from tests.adapters.readers.children import taking_apart, wait_for_one
from tests.adapters.readers.documents import busy_workbook
from tests.adapters.test_kills import COLUMNS
from tests.running import PATIENCE, RunningHub
from tests.sample import CITY, PETITION

FOLDER = """
state = "state"
{metrics}
[hub]
url = "{url}"

[[adapter]]
name = "petition-exports"
kind = "petition"
agency = "510100.petition"
token_file = "petition.token"
every = 0.01
source = {{ type = "folder", path = "drop", quiet = 0 }}
"""


@dataclass
class Log:
    """What the adapters say; `first` waits for a line."""

    lines: Queue[dict[str, Any]] = field(default_factory=Queue)
    metrics: str = ""

    def __call__(self, event: str, **about: object) -> None:
        self.lines.put({"event": event, **about})

    def first(self, event: str, **about: object) -> dict[str, Any]:
        while True:
            line = self.lines.get(timeout=PATIENCE)
            if line["event"] == event and about.items() <= line.items():
                return line


@contextmanager
def running(base: Path, text: str, now: Callable[[], float] = time) -> Iterator[Log]:
    """The adapters of a file, until the block ends."""
    (base / "adapters.toml").write_text(text, encoding="utf-8")
    settings = load_settings(base / "adapters.toml")
    log, stop = Log(), Event()
    around = Around(now=now, stop=stop, told=log, pause=0.01)
    thread = Thread(
        target=run_adapters, args=(settings, base), kwargs={"codes": SHIPPED, "around": around}
    )
    thread.start()
    try:
        log.metrics = log.first("adapters.running")["metrics"]
        yield log
    finally:
        stop.set()
        thread.join()


def export(path: Path, *cases: str, people: str = "1") -> None:
    """Rows as the bureau exports them, moved into the folder when they are whole."""
    rows = [
        f"{case},2026/10/08,2026/10/08,1,{people},反映小区公共收益未公开,510104,990000,2,"
        for case in cases
    ]
    whole = path.parent.parent / f"{path.name}.whole"
    whole.write_text("\n".join((COLUMNS, *rows)), encoding="gbk")
    path.parent.mkdir(exist_ok=True)
    whole.rename(path)


def taken(door: Door) -> list[str]:
    return [json.loads(event)["data"]["petitionid"] for event in door.events.values()]


def figures(address: str) -> dict[str, float]:
    text = httpx.get(f"http://{address}/metrics", trust_env=False, verify=False).text
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "petition.token").write_text("t\n", encoding="utf-8")
    return tmp_path


def test_what_is_dropped_is_sent_and_lies_in_done_or_rejected(door: Door, base: Path) -> None:
    text = FOLDER.format(url=door.url, metrics='metrics = "127.0.0.1:0"')
    with running(base, text) as log:
        export(base / "drop" / "一.csv", "1", "2")
        assert log.first("document.finished") == {
            "event": "document.finished",
            "adapter": "petition-exports",
            "document": 1,
            "complete": True,
            "read": 2,
            "accepted": 2,
            "duplicate": 0,
            "rejected": 0,
        }
        export(base / "drop" / "二.csv", "2", "3", people="若干")
        second = log.first("document.finished")
        assert (second["accepted"], second["rejected"]) == (0, 2)
        told = figures(log.metrics)
    assert taken(door) == ["1", "2"]
    assert [path.name for path in (base / "drop" / "done").iterdir()] == ["一.csv"]
    (rejected,) = (base / "drop" / "rejected").iterdir()
    assert {path.name for path in rejected.iterdir()} == {
        "二.csv",
        "二.csv.errors.csv",
        "二.csv.errors.xlsx",
    }
    assert told["guantong_adapter_read_total['petition-exports']"] == 4
    assert told["guantong_adapter_events_total['accepted', 'petition-exports']"] == 2
    assert told["guantong_adapter_refused_total['number', 'petition-exports']"] == 2
    assert told["guantong_adapter_spool_events['petition-exports']"] == 0
    assert told["guantong_adapter_rejected_total['petition-exports']"] == 2
    for part in ("reading", "sending"):
        succeeded = f"guantong_adapter_last_success_timestamp_seconds['petition-exports', '{part}']"
        assert time() - PATIENCE < told[succeeded] <= time()


def test_what_came_back_is_kept_for_its_days_and_then_gone(door: Door, base: Path) -> None:
    day, later = 86_400.0, [0.0]
    folder = base / "petition-exports-answers"
    text = FOLDER.format(url=door.url, metrics="") + "answers_days = 60"
    with running(base, text, now=lambda: time() + later[-1]) as log:
        export(base / "drop" / "一.csv", "1", people="若干")
        log.first("document.finished")
        (folder / "说明.txt").touch()
        later.append(59 * day)
        export(base / "drop" / "二.csv", "2", people="若干")
        log.first("document.finished")
        kept = {path.name for path in folder.iterdir()}
        later.append(61 * day)
        export(base / "drop" / "三.csv", "3")
        log.first("document.finished")
    answers = {f"{name}.csv.errors.{kind}" for name in "一二" for kind in ("csv", "xlsx")}
    assert kept == {"说明.txt", *answers}
    assert [path.name for path in folder.iterdir()] == ["说明.txt"]
    # What lies in the drop folder is people's.
    rejected = {path.name for path in (base / "drop" / "rejected").rglob("*.errors.*")}
    assert rejected == answers


def test_how_far_a_document_is_read_is_told_of_long_ones_alone(door: Door, base: Path) -> None:
    waited = [0.0]
    text = FOLDER.format(url=door.url, metrics="")
    with running(base, text, now=lambda: time() + waited[0]) as log:
        export(base / "drop" / "一.csv", "1")
        log.first("document.finished")
        waited[0] = 60.0
        export(base / "drop" / "二.csv", "2")
        assert log.lines.get(timeout=PATIENCE)["event"] == "document.finished"


def test_reasons_that_a_hub_invents_are_one_after_sixty() -> None:
    figures = Figures(None)
    for number in range(70):
        reasons = Counter({f"code_{number}": 1, "code_1": 1})
        figures.answered(Answered(Counts(rejected=2), reasons, ()))
    assert len(figures.refused) == 61
    assert figures.refused["other"] == 10
    assert (figures.refused["code_1"], figures.rejected) == (70, 140)


def test_a_corrected_file_sends_only_what_changed(door: Door, base: Path) -> None:
    with running(base, FOLDER.format(url=door.url, metrics="")) as log:
        export(base / "drop" / "a.csv", "1", "2", "3")
        log.first("document.finished")
        export(base / "drop" / "a.csv", "1", "2", "3", "4")
        again = log.first("document.finished")
    assert (again["read"], again["accepted"], again["duplicate"]) == (4, 1, 3)
    assert taken(door) == ["1", "2", "3", "4"]
    assert len([event for asked in door.asked for event in json.loads(asked.body)]) == 4


def test_reading_goes_on_while_the_hub_is_away_and_all_is_sent_in_order(
    door: Door, base: Path
) -> None:
    door.script = deque([lambda asked: HANG_UP] * 3)
    with running(base, FOLDER.format(url=door.url, metrics="")) as log:
        for n in range(3):
            export(base / "drop" / f"{n}.csv", f"{n}1", f"{n}2")
        assert log.first("adapter.failed")["kind"] == "HubAway"
        ended = [log.first("document.finished")["document"] for _ in range(3)]
    assert ended == [1, 2, 3]
    assert sorted(taken(door)) == ["01", "02", "11", "12", "21", "22"]
    assert len(list((base / "drop" / "done").iterdir())) == 3


def test_a_stop_ends_what_takes_a_file_apart_and_says_nothing_of_the_file(
    door: Door, base: Path
) -> None:
    (base / "drop").mkdir()
    (base / "drop" / "一.ods").write_bytes(busy_workbook())
    with running(base, FOLDER.format(url=door.url, metrics="")):
        wait_for_one()
    assert list(taking_apart()) == []
    with open_state(base / "state" / "petition-exports") as state:
        documents = Documents(state, "/510100.petition/xfj")
        document = documents.to_read()
        assert document is not None
        assert (document.name, list(documents.faults(document))) == ("一.ods", [])


def test_one_that_cannot_read_holds_up_no_other(door: Door, base: Path) -> None:
    second = """
[[adapter]]
name = "broken"
kind = "petition"
agency = "510104.petition"
token_file = "nowhere.token"
every = 0.01
source = { type = "folder", path = "other", quiet = 0 }
"""
    with running(base, FOLDER.format(url=door.url, metrics="") + second) as log:
        failed = log.first("adapter.failed", adapter="broken")
        assert (failed["part"], failed["kind"], failed["reason"]) == (
            "sending",
            "FileNotFoundError",
            "No such file or directory",
        )
        export(base / "drop" / "a.csv", "1")
        log.first("document.finished", adapter="petition-exports")
    assert taken(door) == ["1"]


def test_a_state_that_another_process_holds_is_told_before_anything_runs(
    door: Door, base: Path
) -> None:
    (base / "adapters.toml").write_text(FOLDER.format(url=door.url, metrics=""), encoding="utf-8")
    settings = load_settings(base / "adapters.toml")
    around = Around(now=time, stop=Event(), told=Log())
    with open_state(base / "state" / "petition-exports"), pytest.raises(StateInUse):
        run_adapters(settings, base, codes=SHIPPED, around=around)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"source": 'source = { type = "ftp" }'}, "does not match any of the expected tags"),
        ({"every": "every = 0"}, "adapter.0.every: Input should be greater"),
        ({"source": ""}, "an adapter has a source, a subscription, or both"),
        ({"source": "sinks = []\nquit = 1"}, "quit: Extra inputs are not permitted"),
    ],
)
def test_a_file_that_says_something_impossible_is_told_where(
    base: Path, change: Mapping[str, str], told: str
) -> None:
    lines = FOLDER.format(url="http://127.0.0.1:1", metrics="").splitlines()
    ((start, line),) = change.items()
    changed = [line if each.startswith(start) else each for each in lines]
    (base / "adapters.toml").write_text("\n".join(changed), encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_settings(base / "adapters.toml")
    assert told in str(raised.value)


def test_a_hubs_feed_gets_what_was_dropped(hub: RunningHub, base: Path) -> None:
    (base / "petition.token").write_text(hub.token(PETITION), encoding="utf-8")
    office = hub.agency(CITY)
    office.subscribe("dropped", types=["petition.*"])
    with running(base, FOLDER.format(url=hub.url, metrics="")) as log:
        export(base / "drop" / "a.csv", "D1", "D2")
        log.first("document.finished")
    events = office.drain("dropped")
    assert {event["data"]["petitionid"] for event in events} == {"D1", "D2"}
