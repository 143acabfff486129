"""What holds of every sink."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.sinks.dying import acts, without_room
from tests.adapters.sinks.events import course, event
from tests.adapters.sinks.making import KINDS, Made, table_on_postgresql
from tests.postgres import fresh_database

# How many of the places where it may be killed are tried.
KILLS = 4


@pytest.fixture(scope="module", params=[*KINDS, "table on PostgreSQL"])
def made(request: pytest.FixtureRequest) -> Iterator[Made]:
    if request.param in KINDS:
        with KINDS[request.param]() as made:
            yield made
    else:
        with (
            fresh_database(request.getfixturevalue("postgres")) as url,
            table_on_postgresql(url) as made,
        ):
            yield made


@pytest.fixture(scope="module")
def wanted(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one clean run leaves."""
    base = tmp_path_factory.mktemp("clean")
    made.run(base, course())
    return made.state(base)


def test_events_that_come_again_change_nothing(made: Made, wanted: Any, tmp_path: Path) -> None:
    made.run(tmp_path / "again", course())
    made.run(tmp_path / "again", course(), page=1)
    with made.opened(tmp_path / "again") as sink:
        sink.take(course())
        sink.take(course()[3:5])
        sink.take([])
    assert made.state(tmp_path / "again") == wanted


def test_events_may_come_in_pages_of_any_length(made: Made, wanted: Any, tmp_path: Path) -> None:
    made.run(tmp_path / "whole", course(), page=100)
    assert made.state(tmp_path / "whole") == wanted


def test_killed_anywhere_it_ends_as_one_clean_run(made: Made, wanted: Any, tmp_path: Path) -> None:
    most = acts(lambda: made.run(tmp_path / "counted", course()))
    for n in range(KILLS):
        base = tmp_path / f"killed-{n}"
        acts(lambda base=base: made.run(base, course()), killed_before=1 + most * n // KILLS)  # type: ignore[misc]
        made.run(base, course())
        assert made.state(base) == wanted


@pytest.mark.parametrize("room", [0, 20_000])
def test_where_the_disk_is_full_it_goes_on_when_there_is_room(
    made: Made, wanted: Any, tmp_path: Path, room: int
) -> None:
    base = tmp_path / f"full-{room}"
    without_room(lambda: made.run(base, course()), room)
    made.run(base, course())
    assert made.state(base) == wanted


def test_types_that_it_has_no_use_for_are_passed_over(
    made: Made, wanted: Any, tmp_path: Path
) -> None:
    strange = [event(100 + n, f"nobody.knows_{chr(97 + n)}", {"a": 1}) for n in range(3)]
    made.run(tmp_path / "strange", [*strange, *course(), *strange])
    assert made.state(tmp_path / "strange") == wanted


def test_nobody_else_can_read_what_it_writes(made: Made, tmp_path: Path) -> None:
    base = tmp_path / "private"
    made.run(base, course())
    written = [path for path in base.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in written} <= {0o600}
    folders = [path for path in base.rglob("*") if path.is_dir()]
    assert {path.stat().st_mode & 0o777 for path in folders} <= {0o700}
