"""A hub that ran on SQLite, moved to PostgreSQL: the same hub, or an untouched target."""

import asyncio
import hashlib
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import pytest
from msgspec.msgpack import encode

from deploy.local.postgres import PostgresServer
from hub.database.copying import MADE, TABLES
from hub.database.lock import locked
from hub.database.postgres import open_postgres
from hub.errors import (
    DatabaseAddress,
    DataDirectoryDamaged,
    DataDirectoryInUse,
    DataDirectoryNewer,
    HubError,
    MoveFailed,
)
from hub.upkeep.moving import Moved, move
from tests.e2e.commands import run, start
from tests.postgres import connected, fresh_database
from tests.running import PATIENCE, RunningHub, results_of, running_hub
from tests.sample import CITY, COUNTY, DISCIPLINE, PETITION, clue, clue_received, petition, policy
from tests.spec.storage import make_older
from tests.spec.storage import rows as rows_of_sqlite
from tests.spec.test_dead_letters import stuck, waiting

SHORT = {"retention": '{"petition.*": 3}'}
CLUE = "clue.transferred"
PURGED = 4
EXPLAINED = ((PETITION, "XF-new-1"), (PETITION, "XF-refused"), (CITY, "CL-sealed"))
Rows = dict[str, int]


@dataclass
class Left:
    """The directory of a stopped hub in which everything has happened, and what it had said."""

    directory: Path
    tokens: dict[str, str]
    told: dict[str, Any]
    receipts: dict[str, Any]
    cursors: dict[tuple[str, str], str]
    pages: dict[tuple[str, str], Any]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Old events that were purged, new ones with everything; cursors lie behind and ahead."""
    data = tmp_path_factory.mktemp("left") / "data"
    with running_hub(data) as hub:
        hub.apply(policy())
        for agency in (CITY, DISCIPLINE):
            hub.agency(agency).subscribe()
        hub.agency(PETITION).accepted(*(petition(f"old-{n}") for n in range(PURGED)))
        hub.agency(CITY).page()
        tokens = dict(hub._tokens)
        assert hub.stop() == 0
    make_older(data, days=10)
    with running_hub(data, settings=SHORT) as hub:
        hub._tokens.update(tokens)
        await_purge(hub)
        receipts = live(hub)
        cursors, pages = read(hub)
        told = records(hub)
        tokens = dict(hub._tokens)
        assert hub.stop() == 0
    return Left(data, tokens, told, receipts, cursors, pages)


def await_purge(hub: RunningHub) -> None:
    """Return once the old events are gone; each look is a request."""
    end = monotonic() + PATIENCE
    with hub.admin as admin:
        while sum(each["events"] for each in admin.get("/v1/purges").json()["items"]) < PURGED:
            assert monotonic() < end


def live(hub: RunningHub) -> dict[str, Any]:
    """What agencies do in a while; the receipts that they got, by event id."""
    bureau, city, discipline = (hub.agency(each) for each in (PETITION, CITY, DISCIPLINE))
    for client, id_, version in ((city, "pinned", "1.0"), (discipline, "new", "2.0")):
        client.subscribe(id_, types=[CLUE], versions={CLUE: version})
    hub.agency(COUNTY).subscribe("ended")
    hub.agency(COUNTY).http.delete("/v1/subscriptions/ended")
    receipts = bureau.accepted(*(petition(f"new-{n}", region="510104") for n in range(5)))
    opening, sealed = city.accepted(clue("opening"), clue("sealed", caveats="sealed"))
    receipts += [opening, sealed, *city.accepted(stuck("stuck"))]
    receipts += discipline.accepted(clue_received("opening", opening=opening["id"]))
    again = bureau.publish(petition("new-1", region="510104"), petition("refused", region="999999"))
    assert [each["status"] for each in results_of(again)] == ["duplicate", "rejected"]
    changed = policy()
    changed["recusals"] = []
    hub.apply({**changed, "reason": "第二版"})
    return {receipt["event_id"]: receipt for receipt in receipts}


def read(hub: RunningHub) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], Any]]:
    """Each subscription read to its second event, which the city commits; and what follows."""
    cursors, pages = {}, {}
    for agency, id_ in ((CITY, "all"), (CITY, "pinned"), (DISCIPLINE, "all"), (DISCIPLINE, "new")):
        reader = hub.agency(agency)
        if (expired := reader.page(id_)).status_code == 410:
            way_on = {"since": expired.json()["available"]["from"]}
            reader.http.post(f"/v1/subscriptions/{id_}/cursor", json=way_on)
        cursors[agency, id_] = reader.page(id_, limit=1).headers["guantong-cursor"]
        if agency == CITY:
            assert reader.commit(cursors[agency, id_], id_).status_code == 200
        pages[agency, id_] = following(hub, agency, id_, cursors[agency, id_])
    return cursors, pages


def following(hub: RunningHub, agency: str, id_: str, cursor: str) -> tuple[Any, str]:
    """The page behind a cursor, and the cursor behind it."""
    page = hub.agency(agency).page(id_, cursor=cursor)
    assert page.status_code == 200, page.text
    return page.json(), page.headers["guantong-cursor"]


def records(hub: RunningHub) -> dict[str, Any]:
    """What a hub says of itself that a move may not change."""
    with hub.admin as admin:
        told = {
            path: admin.get(path).json()
            for path in ("/v1/policy", "/v1/acts", f"/v1/reads?agency={CITY}", "/v1/purges")
        }
        for publisher, id_ in EXPLAINED:
            ask = {"source": f"/{publisher}", "id": id_, "agency": CITY}
            told[f"explain {id_}"] = admin.get("/v1/explain", params=ask).json()
        tokens = admin.get("/v1/tokens").json()["items"]
    # When a token was last used is known to the minute, and asking uses one.
    told["tokens"] = [{**each, "last_used": None} for each in tokens]
    for agency in (CITY, DISCIPLINE):
        told[agency] = hub.agency(agency).http.get("/v1/subscriptions").json()
    told["dead letters"] = waiting(hub.agency(DISCIPLINE))
    return told


@dataclass
class Scene:
    """The hub as it goes on after its move."""

    hub: RunningHub
    directory: Path
    url: str
    moved: dict[str, Any]
    digests: dict[str, tuple[int, str]]


@pytest.fixture(scope="module")
def scene(
    left: Left, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    directory = tmp_path_factory.mktemp("moved") / "data"
    shutil.copytree(left.directory, directory)
    with fresh_database(postgres) as url:
        status, out, err = run(*moving(directory), "--json", environment=target(url))
        assert (status, err) == (0, "")
        digests = asyncio.run(digests_of(url))
        with running_hub(directory, settings={"database": url, **SHORT}) as hub:
            hub._tokens.update(left.tokens)
            yield Scene(hub, directory, url, json.loads(out), digests)


def moving(directory: Path) -> tuple[str | Path, ...]:
    return ("database", "move", "--data", directory)


def target(url: str) -> dict[str, str]:
    return {"GUANTONG_DATABASE": url}


async def digests_of(url: str) -> dict[str, tuple[int, str]]:
    """What PostgreSQL holds, by table: how many rows, the SHA-256 over them."""
    found = {}
    async with connected(url) as connection:
        for table in TABLES:
            names = ", ".join(column.name for column in table.columns)
            keys = ", ".join(column.name for column in table.primary_key)
            held = await connection.fetch(f"SELECT {names} FROM {table.name} ORDER BY {keys}")
            whole = b"".join(encode(tuple(row)) for row in held)
            found[table.name] = (len(held), hashlib.sha256(whole).hexdigest())
    return found


async def counted(url: str) -> Rows:
    """How many rows each table has, of those that have any."""
    return {name: count for name, (count, _) in (await digests_of(url)).items() if count}


# --- the same hub ---------------------------------------------------------------------------------


def test_every_table_is_told_with_its_rows_and_their_digest(left: Left, scene: Scene) -> None:
    told = {each["table"]: (each["rows"], each["digest"]) for each in scene.moved["tables"]}
    assert told == scene.digests
    counts = {
        table.name: rows_of_sqlite(left.directory, f"SELECT count(*) FROM {table.name}")[0][0]
        for table in TABLES
    }
    assert {name: count for name, (count, _) in told.items()} == counts
    # Nothing that the scene is meant to hold is missing.
    empty = {name for name, count in counts.items() if not count}
    # What lies between doors and the writer is of PostgreSQL alone.
    waiting = {"intake", "settled", "set_aside", "refused"}
    assert empty == waiting | {"offsets", "unread_records"}
    assert scene.moved["to"] == scene.url.rpartition("@")[2]


def test_records_are_what_they_were(left: Left, scene: Scene) -> None:
    assert records(scene.hub) == left.told


def test_old_cursors_lead_to_the_same_pages(left: Left, scene: Scene) -> None:
    pages = {place: following(scene.hub, *place, left.cursors[place]) for place in left.cursors}
    assert pages == left.pages
    committed = scene.hub.agency(CITY).page()
    assert (committed.json(), committed.headers["guantong-cursor"]) == left.pages[CITY, "all"]


def test_events_are_known_and_numbers_go_on(left: Left, scene: Scene) -> None:
    bureau = scene.hub.agency(PETITION)
    known, new = results_of(
        bureau.publish(petition("new-1", region="510104"), petition("after-the-move"))
    )
    assert (known["status"], known["receipt"]) == ("duplicate", left.receipts["XF-new-1"])
    assert new["receipt"]["position"] == f"0-{PURGED + len(left.receipts) + 1}"
    # The number of an ended subscription is not given again.
    scene.hub.agency(COUNTY).subscribe("next")
    with scene.hub.admin as admin:
        acts = admin.get("/v1/acts", params={"act": "subscription.made"}).json()["items"]
    numbers = {each["subject"]: each["detail"]["number"] for each in acts}
    assert numbers[f"{COUNTY}/next"] == numbers[f"{COUNTY}/ended"] + 1


# --- the old database -----------------------------------------------------------------------------


def test_the_old_database_is_kept_and_no_hub_or_backup_takes_it_for_the_new_one(
    left: Left, scene: Scene, tmp_path: Path
) -> None:
    assert (scene.directory / "hub.db").read_bytes() == (left.directory / "hub.db").read_bytes()
    mark = (scene.directory / "moved").read_text()
    assert mark.split()[1:] == [scene.moved["to"]]

    directory = tmp_path / "data"
    shutil.copytree(left.directory, directory)
    (directory / "moved").write_text(mark)
    refused = (
        "数据已移到 PostgreSQL：请设置 GUANTONG_DATABASE，确要用回旧库则删除文件 moved"
        " / the data has moved to PostgreSQL: set GUANTONG_DATABASE, or delete the file `moved`"
        f" {mark}"
    )
    for command in (
        ("up", "--data", directory, "--listen", "127.0.0.1:0"),
        ("backup", tmp_path / "backup", "--data", directory),
        (*moving(directory), "--to", scene.url),
    ):
        assert run(*command) == (1, "", refused)
    (directory / "moved").unlink()
    with running_hub(directory) as hub:
        assert hub.stop() == 0


# --- nothing, or everything -----------------------------------------------------------------------


@dataclass
class Empty:
    """A database whose tables have been made, and what they hold."""

    url: str
    before: dict[str, tuple[int, str]]


@pytest.fixture(scope="module")
def template(postgres: PostgresServer) -> Iterator[str]:
    """The name of a database with the tables that a move fills."""
    with fresh_database(postgres) as url:
        open_postgres(url).close()
        yield url.rpartition("/")[2]


@pytest.fixture
async def empty(postgres: PostgresServer, template: str) -> AsyncIterator[Empty]:
    """A copy of it of the test's own."""
    with fresh_database(postgres, template=template) as url:
        assert await counted(url) == MADE
        yield Empty(url, await digests_of(url))


async def moved(directory: Path, url: str) -> Moved:
    """Move in this process, on a thread without an event loop."""
    work = partial(move, directory, url, now=1, progress=lambda *_: None)
    return await asyncio.to_thread(work)


@pytest.fixture
def directory(left: Left, tmp_path: Path) -> Path:
    """A copy of the stopped hub's directory."""
    return Path(shutil.copytree(left.directory, tmp_path / "data"))


async def on_insert(into: str, url: str, does: str) -> None:
    """Have PostgreSQL do something with each row that comes into a table."""
    async with connected(url) as connection:
        await connection.execute(
            "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {does}; RETURN NEW; END $$;"
            f" CREATE TRIGGER meddle BEFORE INSERT ON {into} FOR EACH ROW"
            " EXECUTE FUNCTION meddle()"
        )


async def stop_meddling(url: str) -> None:
    """Returns when whoever was in the midst of it has ended."""
    async with connected(url) as connection:
        await connection.execute("DROP FUNCTION meddle CASCADE")


async def waited_for(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Return once somebody waits for a lock that we hold; each look is a query."""
    end = monotonic() + PATIENCE
    waiting = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
    while not await connection.fetchval(waiting):
        assert monotonic() < end


async def test_a_move_that_is_killed_leaves_the_target_as_it_was(
    directory: Path, empty: Empty
) -> None:
    await on_insert("tokens", empty.url, "PERFORM pg_advisory_xact_lock(7)")
    async with connected(empty.url) as held:
        await held.execute("SELECT pg_advisory_lock(7)")
        process = start(*moving(directory), environment=target(empty.url))
        await waited_for(held)
        process.kill()
        process.communicate()
    await stop_meddling(empty.url)
    assert await digests_of(empty.url) == empty.before
    assert not (directory / "moved").exists()

    again = await moved(directory, empty.url)
    # The mark of a move that was cut off after its commit is made by the next.
    (directory / "moved").unlink()
    assert await moved(directory, empty.url) == again
    told = {each.table: (each.rows, each.digest) for each in again.tables}
    assert told == await digests_of(empty.url)
    assert (directory / "moved").read_text() == f"1970-01-01T00:00:00.000001Z {again.to}\n"


async def test_a_row_that_changes_on_the_way_is_found_and_all_is_undone(
    directory: Path, empty: Empty
) -> None:
    change = "IF NEW.number = 2 THEN NEW.subject := 'another'; END IF"
    await on_insert("acts", empty.url, change)
    status, out, err = run(*moving(directory), environment=target(empty.url))
    await stop_meddling(empty.url)
    assert (status, out) == (1, "")
    assert err == (
        "移库未完成，可再次执行 / the database was not moved; this can be done again"
        " acts: 两边的行数或摘要不同，已撤回 / rows or digests differ; it was undone\n"
    )
    assert await digests_of(empty.url) == empty.before
    assert not (directory / "moved").exists()


DAMAGES: list[tuple[str, str, type[HubError], str]] = [
    ("a payload", "UPDATE journal SET data = x'31' WHERE caveats = 0", MoveFailed, "日志不一致"),
    ("a number", "UPDATE tokens SET created_at = 'never'", MoveFailed, "tokens: 'str' object"),
    ("a NUL", "UPDATE acts SET subject = 'a' || char(0)", MoveFailed, "acts: Character"),
    ("no text", "UPDATE acts SET subject = CAST(x'ff' AS TEXT)", DataDirectoryDamaged, "UTF-8"),
    ("older", "UPDATE alembic_version SET version_num = '0005'", MoveFailed, "表结构为 0005"),
    ("newer", "UPDATE alembic_version SET version_num = '9999'", DataDirectoryNewer, "9999"),
]


@pytest.mark.parametrize(
    ("statement", "error", "told"), [d[1:] for d in DAMAGES], ids=[d[0] for d in DAMAGES]
)
async def test_what_cannot_be_moved_whole_is_not_moved(
    directory: Path, empty: Empty, statement: str, error: type[HubError], told: str
) -> None:
    with closing(sqlite3.connect(directory / "hub.db")) as database, database:
        assert database.execute(statement).rowcount > 0
    with pytest.raises(error) as refused:
        await moved(directory, empty.url)
    assert told in refused.value.detail
    assert await digests_of(empty.url) == empty.before
    assert not (directory / "moved").exists()


async def test_a_database_that_holds_anything_is_not_moved_into(
    directory: Path, empty: Empty
) -> None:
    async with connected(empty.url) as connection:
        await connection.execute("INSERT INTO dedup VALUES (1, 1)")
    with pytest.raises(MoveFailed, match="a new, empty database; it has rows: dedup 1, policies 1"):
        await moved(directory, empty.url)
    assert await counted(empty.url) == {**MADE, "dedup": 1}


async def test_only_a_stopped_hub_is_moved_and_only_to_an_address(
    directory: Path, tmp_path: Path
) -> None:
    with locked(directory), pytest.raises(DataDirectoryInUse):
        await moved(directory, "postgresql+asyncpg://127.0.0.1/x")
    with pytest.raises(MoveFailed, match=r"没有 hub\.db / no hub\.db"):
        await moved(tmp_path, "postgresql+asyncpg://127.0.0.1/x")
    assert not (tmp_path / "hub.lock").exists()
    with pytest.raises(DatabaseAddress):
        await moved(directory, "sqlite:///elsewhere.db")
    status, out, err = run(*moving(directory))
    assert (status, out) == (1, "")
    assert err.startswith("数据库地址应为 postgresql+asyncpg://")
