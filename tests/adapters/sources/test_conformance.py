"""Every source but Kafka's, which needs brokers: what it promises."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.kit.port import Away
from deploy.local.loopback import reserved_port
from tests.adapters.sources.conformance import *  # noqa: F403
from tests.adapters.sources.conformance import bring_all, marks
from tests.adapters.sources.interface import Interface, open_interface
from tests.adapters.sources.stands import (
    CLEAN,
    FolderStand,
    HttpStand,
    LeavingStand,
    PostgresStand,
    SqlStand,
    Stand,
    WebhookStand,
)


def on_postgres(base: Path, request: pytest.FixtureRequest) -> Stand:
    url = request.getfixturevalue("postgres_database")
    return PostgresStand(base, url.replace("+asyncpg", "+psycopg"))


STANDS: dict[str, Callable[[Path, pytest.FixtureRequest], Stand]] = {
    "folder": lambda base, _: FolderStand(base),
    "sqlite": lambda base, _: SqlStand(base),
    "postgresql": on_postgres,
    "webhook": lambda base, request: WebhookStand(base, request.getfixturevalue("port")),
    "http": lambda base, request: HttpStand(base, request.getfixturevalue("interface")),
}


@pytest.fixture
def interface() -> Iterator[Interface]:
    with open_interface() as interface:
        yield interface


@pytest.fixture
def port() -> Iterator[int]:
    with reserved_port() as reserved:
        yield reserved.getsockname()[1]


@pytest.fixture(params=STANDS)
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Stand:
    base = tmp_path / "base"
    base.mkdir()
    return STANDS[request.param](base, request)


@pytest.fixture(params=[name for name in STANDS if name != "webhook"])
def leaving(request: pytest.FixtureRequest, tmp_path: Path) -> LeavingStand:
    base = tmp_path / "base"
    base.mkdir()
    stand = STANDS[request.param](base, request)
    assert isinstance(stand, LeavingStand)
    return stand


def test_what_is_away_is_told_and_nothing_of_it_is_lost(leaving: LeavingStand, raw: Path) -> None:
    leaving.put("mark-a")
    leaving.put("mark-b")
    with leaving.opened() as source:
        first = source.bring("", raw)
        assert (first is not None, marks(raw)) == (True, ["mark-a"])
        assert first is not None
        leaving.leave()
        with pytest.raises(Away):
            source.bring(first.position, raw)
        assert list(raw.parent.iterdir()) == []
        leaving.come_back()
    with leaving.opened() as source:
        source.finished(first.name, CLEAN)
        assert [said for _, said in bring_all(source, raw, first.position)] == [["mark-b"]]
