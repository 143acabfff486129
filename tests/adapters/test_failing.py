"""An adapter of which something fails for long goes on asking, and keeps nothing too long."""

from pathlib import Path
from threading import Event
from time import time

import pytest

from adapters.kit.config import load_settings
from adapters.kit.running import Around, run_adapters
from contracts.owncodes import SHIPPED
from tests.adapters.door import Answer, Asked, Door
from tests.adapters.test_running import FOLDER, Log, export

DAY = 86_400.0
TAKING = """
state = "state"
[hub]
url = "{url}"
[[adapter]]
name = "ledger"
kind = "petition"
agency = "510100.petition"
token_file = "nowhere.token"
subscription = {{ types = ["petition.*"] }}
"""
PULLING = """
state = "state"
[hub]
url = "{url}"
[[adapter]]
name = "pulled"
kind = "petition"
agency = "510100.petition"
token_file = "petition.token"
source = {{ type = "http", url = "{url}/letters" }}
"""


class Hurried(Event):
    """A sign to stop that nobody waits for in truth, given after so many pauses."""

    def __init__(self, pauses: int) -> None:
        super().__init__()
        self.pauses = pauses
        self.waited: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None:
            return super().wait()
        self.waited.append(timeout)
        if len(self.waited) == self.pauses:
            self.set()
        return self.is_set()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "petition.token").write_text("t\n", encoding="utf-8")
    return tmp_path


def run_until(base: Path, text: str, around: Around) -> None:
    (base / "adapters.toml").write_text(text, encoding="utf-8")
    run_adapters(load_settings(base / "adapters.toml"), base, codes=SHIPPED, around=around)


def test_it_is_begun_again_however_often_it_failed(base: Path) -> None:
    stop = Hurried(1_100)
    run_until(
        base, TAKING.format(url="http://127.0.0.1:1"), Around(now=time, stop=stop, told=Log())
    )
    assert stop.waited[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert stop.waited[7:] == [60] * 1_093


@pytest.mark.parametrize(("asked", "paused"), [("7", 7), ("99999999", DAY)])
def test_who_asks_to_be_left_alone_is(door: Door, base: Path, asked: str, paused: float) -> None:
    def letters(request: Asked) -> Answer | None:
        door.script.append(letters)
        wanted = request.path.startswith("/letters")
        return Answer(429, {}, headers={"Retry-After": asked}) if wanted else None

    door.script.append(letters)
    stop = Hurried(1)
    run_until(base, PULLING.format(url=door.url), Around(now=time, stop=stop, told=Log()))
    assert stop.waited == [pytest.approx(paused, abs=1)]


def test_raw_copies_go_after_their_time_when_nothing_more_comes(door: Door, base: Path) -> None:
    ended, day = Event(), [0.0]

    class Idle(Event):
        """A month passes after the document; the one look after that is the last."""

        def wait(self, timeout: float | None = None) -> bool:
            if timeout is None:
                return super().wait()
            if ended.is_set() and day[0]:
                self.set()
            elif ended.is_set():
                day[0] = 31 * DAY
            return self.is_set()

    def told(event: str, **about: object) -> None:
        if event == "document.finished":
            ended.set()

    export(base / "drop" / "a.csv", "1")
    around = Around(now=lambda: day[0], stop=Idle(), told=told)
    run_until(base, FOLDER.format(url=door.url, metrics=""), around)
    assert list((base / "state" / "petition-exports" / "raw").iterdir()) == []
