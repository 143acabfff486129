"""Adapters of all kinds of sources in one process: one that fails holds up no other, and comes
back by itself when it is mended.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.loopback import reserved_port
from tests.adapters.door import Answer, Asked, Door
from tests.adapters.sources import interface
from tests.adapters.sources.interface import Interface, open_interface
from tests.adapters.sources.stands import written
from tests.adapters.test_running import Log, export, figures, running
from tests.cluster import until

KINDS = ("folder", "sql", "http", "webhook")
ROW = {
    "xfjbh": "",
    "djsj": "2026/10/08",
    "xfrq": "2026/10/08",
    "xfxs": "1",
    "xfrs": "1",
    "gkxx": "反映小区公共收益未公开",
    "wtsddm": "510104",
    "nrfldm": "990000",
    "xfmddm": "2",
    "bfyrzw": "",
    "bfyrdw": "",
}
AGENCIES = {kind: f"5101{number:02}.petition" for number, kind in enumerate(KINDS, 4)}
SOURCES = {
    "folder": '{{ type = "folder", path = "drop", quiet = 0 }}',
    "sql": '{{ type = "sql", url = "sqlite:///view.db", table = "xfj", overlap = 0,'
    ' columns = {columns}, changed = "changed", key = "xfjbh" }}',
    "http": '{{ type = "http", url = "{interface}", token_file = "http.token" }}',
    "webhook": '{{ type = "webhook", listen = "127.0.0.1:{port}", inbox = "inbox",'
    ' token_file = "push.token" }}',
}


@dataclass
class Stand:
    """The four sources, and who may read from them."""

    base: Path
    door: Door
    asked: Interface
    port: int
    token: str = "right"
    refused: set[str] = field(default_factory=set)
    rows: list[dict[str, str]] = field(default_factory=list)

    def settings(self) -> str:
        places = {"interface": self.asked.url, "port": self.port}
        columns = json.dumps([*ROW, "changed"])
        head = f'state = "state"\nmetrics = "127.0.0.1:0"\n[hub]\nurl = "{self.door.url}"\n'
        sources = {kind: text.format(columns=columns, **places) for kind, text in SOURCES.items()}
        return head + "".join(
            f'[[adapter]]\nname = "{kind}"\nkind = "petition"\nagency = "{AGENCIES[kind]}"\n'
            f'token_file = "hub.token"\nevery = 0.01\nsource = {sources[kind]}\n'
            for kind in KINDS
        )

    def feed(self, kind: str, case: str) -> None:
        """One more case for a source."""
        row = {**ROW, "xfjbh": case}
        if kind == "folder":
            export(self.base / "drop" / f"{case}.csv", case)
        elif kind == "sql":
            with closing(sqlite3.connect(self.base / "view.db")) as database, database:
                count = database.execute("SELECT count(*) FROM xfj").fetchone()[0]
                marks = ", ".join("?" * (len(row) + 1))
                database.execute(f"INSERT INTO xfj VALUES ({marks})", [*row.values(), count])
        elif kind == "http":
            self.rows = [*self.rows, row]
        else:
            body = json.dumps({"data": {"list": [row]}}).encode()
            until(lambda: self.push(body) == 202)

    def push(self, body: bytes) -> int:
        headers = {"Authorization": "Bearer pushed", "Content-Type": "application/json"}
        try:
            return httpx.post(
                f"http://127.0.0.1:{self.port}/",
                content=body,
                headers=headers,
                trust_env=False,
                verify=False,
            ).status_code
        except httpx.ConnectError:
            return 0

    def answer(self, asked: interface.Asked) -> interface.Answer:
        if asked.headers.get("Authorization") != f"Bearer {self.token}":
            return interface.Answer(401)
        body = json.dumps({"data": {"list": self.rows}}).encode()
        return interface.Answer(200, body, {"Content-Type": "application/json"})

    def judge(self, asked: Asked) -> Answer | None:
        self.door.script.append(self.judge)
        agency = json.loads(asked.body)[0]["source"].split("/")[1]
        return Answer(401, {"code": "unauthenticated"}) if agency in self.refused else None

    def taken(self) -> set[str]:
        return {json.loads(event)["data"]["petitionid"] for event in self.door.events.values()}


@pytest.fixture
def stand(door: Door, tmp_path: Path) -> Iterator[Stand]:
    written(tmp_path / "http.token", "right")
    written(tmp_path / "push.token", "pushed")
    (tmp_path / "hub.token").write_text("t", encoding="utf-8")
    with closing(sqlite3.connect(tmp_path / "view.db")) as database:
        database.execute(f"CREATE TABLE xfj ({', '.join(ROW)}, changed INTEGER)")
    with open_interface() as asked, reserved_port() as port:
        stand = Stand(tmp_path, door, asked, port.getsockname()[1])
        asked.answer = stand.answer
        door.script.append(stand.judge)
        yield stand


@dataclass(frozen=True, slots=True)
class Failure:
    """How a part of an adapter begins to fail, and how it is mended."""

    part: str
    kind: str
    hurt: Callable[[Stand], Any]
    mend: Callable[[Stand], Any]


def moved(stand: Stand, old: str, new: str) -> bool:
    try:
        (stand.base / old).rename(stand.base / new)
    except OSError:
        return False
    return True


FAILURES = {
    "folder": Failure(
        "reading",
        "Away",
        lambda stand: moved(stand, "drop", "away"),
        lambda stand: until(lambda: moved(stand, "away", "drop")),
    ),
    "sql": Failure(
        "reading",
        "Away",
        lambda stand: moved(stand, "view.db", "away.db"),
        lambda stand: moved(stand, "away.db", "view.db"),
    ),
    "http": Failure(
        "reading",
        "CannotRun",
        lambda stand: setattr(stand, "token", "another"),
        lambda stand: written(stand.base / "http.token", "another"),
    ),
    "webhook": Failure(
        "sending",
        "HubProblem",
        lambda stand: stand.refused.add(AGENCIES["webhook"]),
        lambda stand: stand.refused.clear(),
    ),
}


@contextmanager
def fed(stand: Stand) -> Iterator[Log]:
    """All four at work, each with a first case that was sent."""
    with running(stand.base, stand.settings()) as log:
        for kind in KINDS:
            stand.feed(kind, f"{kind}-1")
            log.first("document.finished", adapter=kind)
        yield log


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_fails_holds_up_no_other_and_comes_back(stand: Stand, kind: str) -> None:
    failure = FAILURES[kind]
    others = [other for other in KINDS if other != kind]
    with fed(stand) as log:
        failure.hurt(stand)
        if failure.part == "sending":
            stand.feed(kind, f"{kind}-2")
        for _ in range(3):
            failed = log.first("adapter.failed")
            assert (failed["adapter"], failed["part"], failed["kind"]) == (
                kind,
                failure.part,
                failure.kind,
            )
        for other in others:
            stand.feed(other, f"{other}-2")
            until(lambda other=other: f"{other}-2" in stand.taken())  # type: ignore[misc]
        assert stand.taken() == {*(f"{each}-1" for each in KINDS), *(f"{o}-2" for o in others)}
        failure.mend(stand)
        if failure.part == "reading":
            stand.feed(kind, f"{kind}-2")
        until(lambda: f"{kind}-2" in stand.taken())
        told = figures(log.metrics)
    restarts = {key: n for key, n in told.items() if key.startswith("guantong_adapter_restarts_t")}
    assert [key for key in restarts if kind in key] == list(restarts)
    assert all(times >= 3 for times in restarts.values())


def test_one_that_cannot_begin_begins_when_it_can(stand: Stand) -> None:
    (stand.base / "push.token").chmod(0o644)
    with running(stand.base, stand.settings()) as log:
        failed = log.first("adapter.failed")
        assert (failed["adapter"], failed["kind"]) == ("webhook", "CannotRun")
        for kind in ("folder", "sql", "http"):
            stand.feed(kind, f"{kind}-1")
            log.first("document.finished", adapter=kind)
        (stand.base / "push.token").chmod(0o600)
        stand.feed("webhook", "webhook-1")
        log.first("document.finished", adapter="webhook")
    assert stand.taken() == {f"{kind}-1" for kind in KINDS}
