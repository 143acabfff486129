"""While the hub is away, reading goes on as far as the spool has room, and then waits."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.adapters.door import HANG_UP, Answer, Asked, Door
from tests.adapters.test_running import FOLDER, Log, export, figures, running, taken
from tests.cluster import until

BOUND = 1_000
# Records are settled so many together, and then ask for room.
TOGETHER = 200


@dataclass
class Gauge:
    """How many events waited whenever the hub was asked."""

    log: Log | None = None
    depths: list[float] = field(default_factory=list)

    def look(self) -> float:
        log = until(lambda: self.log)
        waiting = figures(log.metrics)["guantong_adapter_spool_events['petition-exports']"]
        self.depths.append(waiting)
        return waiting

    def hang_up(self, asked: Asked) -> Answer:
        """Away, and asked again when reading has come to the bound."""
        until(lambda: self.look() >= BOUND)
        return HANG_UP

    def watching(self, door: Door) -> Callable[[Asked], None]:
        def watch(asked: Asked) -> None:
            door.script.append(watch)
            self.look()

        return watch


@pytest.fixture
def text(door: Door, tmp_path: Path) -> str:
    (tmp_path / "petition.token").write_text("t\n", encoding="utf-8")
    text = FOLDER.format(url=door.url, metrics='metrics = "127.0.0.1:0"')
    return f"{text}spool_events = {BOUND}\n"


def cases(rows: int, first: int = 0) -> list[str]:
    return [f"{number:05}" for number in range(first, first + rows)]


def test_reading_waits_at_the_bound_and_goes_on_when_there_is_room(
    door: Door, tmp_path: Path, text: str
) -> None:
    gauge = Gauge()
    door.script = deque([gauge.hang_up] * 8 + [gauge.watching(door)])
    export(tmp_path / "drop" / "long.csv", *cases(4_000))
    with running(tmp_path, text) as log:
        gauge.log = log
        ended = log.first("document.finished")
        assert gauge.look() == 0
    assert (ended["read"], ended["accepted"], ended["duplicate"]) == (4_000, 4_000, 0)
    assert BOUND <= max(gauge.depths) < BOUND + TOGETHER
    assert taken(door) == cases(4_000)


def test_the_bound_holds_for_many_short_documents_too(
    door: Door, tmp_path: Path, text: str
) -> None:
    gauge = Gauge()
    door.script = deque([gauge.hang_up] * 5 + [gauge.watching(door)])
    for number in range(8):
        export(tmp_path / "drop" / f"{number:02}.csv", *cases(400, first=400 * number))
    with running(tmp_path, text) as log:
        gauge.log = log
        assert [log.first("document.finished")["document"] for _ in range(8)] == [*range(1, 9)]
    assert BOUND <= max(gauge.depths) < BOUND + TOGETHER
    assert taken(door) == cases(8 * 400)
