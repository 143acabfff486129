"""Backups of a running hub, and the hub that is made of one."""

import fcntl
import hashlib
import json
import os
import resource
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contracts.catalogue import load_catalogue
from contracts.owncodes import load_codes
from contracts.region import load_regions
from hub.database.lock import locked
from hub.database.sqlite import open_sqlite
from hub.errors import (
    BackupFailed,
    BackupInvalid,
    DataDirectoryInUse,
    DataDirectoryNewer,
    DirectoryNotEmpty,
)
from hub.event import Marking, rfc3339
from hub.journal.register import Registrar
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from hub.upkeep.backup import make_backup
from hub.upkeep.restore import restore
from tests.e2e.commands import run, start
from tests.running import (
    PATIENCE,
    AgencyClient,
    RunningHub,
    restart_hub,
    results_of,
    running_hub,
    start_hub,
)
from tests.sample import CITY, COUNTY, PETITION, admitted, petition, policy

KEY = b"k" * 32
ACCUSED = [{"name": "某", "unit": {"name": "示范市东湖区委巡察办"}}]


@dataclass
class Scene:
    """A hub that was backed up while agencies published, and the hub made of the backup.

    `acknowledged` is what had been acknowledged before the backup began.
    """

    original: RunningHub
    restored: RunningHub
    backup: Path
    told: dict[str, Any]
    acknowledged: dict[str, Any]
    cursor: str
    admin: str


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Two publishers at full speed, and a backup in the middle of it."""
    folder = tmp_path_factory.mktemp("scene")
    with running_hub(folder / "data") as hub:
        hub.apply(policy())
        for agency in (CITY, COUNTY):
            hub.agency(agency).subscribe()
        accusing = petition("accusing", region="510104", data={"accused": ACCUSED})
        hub.agency(PETITION).accepted(accusing, petition("first", region="510104"))
        first = hub.agency(CITY).page(limit=1)
        hub.agency(CITY).commit(first.headers["guantong-cursor"])

        receipts: dict[str, Any] = {}
        enough, ended = threading.Event(), threading.Event()
        with ThreadPoolExecutor(2) as publishers:
            rounds = [
                publishers.submit(publish, hub, name, receipts, enough, ended) for name in "ab"
            ]
            assert enough.wait(PATIENCE)
            acknowledged = dict(receipts)
            status, out, err = run("backup", folder / "backup", "--data", hub.directory, "--json")
            ended.set()
            for each in rounds:
                each.result(timeout=PATIENCE)
        assert status == 0, err
        admin = (hub.directory / "admin.token").read_text().strip()
        status, _, err = run("restore", folder / "backup", "--data", folder / "restored")
        assert status == 0, err
        with running_hub(folder / "restored") as restored:
            restored._tokens.update(hub._tokens)
            yield Scene(
                original=hub,
                restored=restored,
                backup=folder / "backup",
                told=json.loads(out),
                acknowledged=acknowledged,
                cursor=first.headers["guantong-cursor"],
                admin=admin,
            )


def publish(
    hub: RunningHub,
    name: str,
    receipts: dict[str, Any],
    enough: threading.Event,
    ended: threading.Event,
) -> None:
    """Publish one batch after the other, and keep the receipts, until it has ended."""
    client = hub.agency(PETITION)
    batch = 0
    while not ended.is_set():
        batch += 1
        made = [petition(f"{name}-{batch}-{n}", id=f"{name}-{batch}-{n}") for n in range(20)]
        for receipt in client.accepted(*made):
            receipts[receipt["event_id"]] = receipt
        if batch == 5:
            enough.set()


def test_a_backup_holds_what_was_acknowledged_before_it_began_and_no_half_batch(
    scene: Scene,
) -> None:
    everything = scene.original.agency(CITY).drain()
    restored = scene.restored.agency(CITY).drain()

    assert restored == everything[: len(restored)]
    assert scene.acknowledged.keys() <= {event["id"] for event in restored}
    # The publishers went on meanwhile, so that the backup is not of a quiet hub.
    assert len(restored) < len(everything)
    batches = {event["id"].rpartition("-")[0] for event in restored} - {"", "XF"}
    assert len(restored) == 1 + 20 * len(batches)


def test_the_manifest_says_what_the_backup_holds(scene: Scene) -> None:
    files = {path.name: path.stat() for path in scene.backup.iterdir()}
    modes = {name: stat.S_IMODE(found.st_mode) for name, found in files.items()}
    assert modes == {"hub.db": 0o600, "manifest.json": 0o600}
    assert stat.S_IMODE(scene.backup.stat().st_mode) == 0o700

    raw = (scene.backup / "hub.db").read_bytes()
    with closing(sqlite3.connect(f"file:{scene.backup}/hub.db?immutable=1", uri=True)) as database:
        rows = database.execute("SELECT position, digest FROM journal ORDER BY 1").fetchall()
        (hubtime,) = database.execute("SELECT max(hubtime) FROM journal").fetchone()
    journal = hashlib.sha256(b"".join(p.to_bytes(8, "big") + d for p, d in rows)).hexdigest()
    manifest = json.loads((scene.backup / "manifest.json").read_text())
    assert manifest == {
        "format": 1,
        "version": "0.1.0",
        "made_at": manifest["made_at"],
        "contents": {
            "revision": manifest["contents"]["revision"],
            "shards": [{"shard": 0, "number": len(rows), "hubtime": rfc3339(hubtime)}],
            "events": len(rows),
            "journal": journal,
        },
        "database": {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()},
        "codes": {},
    }
    assert scene.told == {"directory": str(scene.backup), **manifest}
    last = json.loads((scene.original.directory / "last-backup.json").read_text())
    assert last == {"at": last["at"], "path": str(scene.backup), "events": len(rows)}
    assert hubtime <= last["at"] + 60_000_000


def test_a_restored_hub_knows_its_cursors_tokens_duplicates_and_parties(scene: Scene) -> None:
    city, county = scene.restored.agency(CITY), scene.restored.agency(COUNTY)
    # The committed cursor is kept, and a cursor of before the backup is still read.
    held = {event["id"]: event for event in city.drain()}
    assert "XF-accusing" not in held
    assert city.page(cursor=scene.cursor, limit=1).json() == city.page(limit=1).json()

    # Old events and new ones are kept from whom they accuse, by marks made with the hub's key.
    assert "XF-first" in {event["id"] for event in county.drain()}
    assert "XF-accusing" not in {event["id"] for event in county.drain()}
    later = petition("accusing-2", region="510104", data={"accused": ACCUSED})
    known = next(iter(scene.acknowledged.values()))
    again = petition(known["event_id"], id=known["event_id"])
    results = results_of(scene.restored.agency(PETITION).publish(again, later))
    assert [r["status"] for r in results] == ["duplicate", "accepted"]
    assert results[0]["receipt"] == known
    assert results[1]["receipt"]["position"] == f"0-{len(held) + 2}"
    assert "XF-accusing-2" in {event["id"] for event in city.drain()}
    assert "XF-accusing-2" not in {event["id"] for event in county.drain()}


def cursor_after(reader: AgencyClient, events: int) -> str:
    """The cursor behind so many events, from the committed one on."""
    query: dict[str, Any] = {}
    while events:
        page = reader.page(limit=min(events, 1000), **query)
        events -= len(page.json())
        query = {"cursor": page.headers["guantong-cursor"]}
    return str(query["cursor"])


def test_a_cursor_of_after_the_backup_is_refused_for_good_and_skips_nothing(scene: Scene) -> None:
    original, restored = scene.original.agency(CITY), scene.restored.agency(CITY)
    last = scene.told["contents"]["shards"][0]["number"]
    # The first event is committed.
    at_the_end, one_further = (cursor_after(original, last - 1 + n) for n in (0, 1))

    refused = [restored.page(cursor=one_further)]
    scene.restored.agency(PETITION).accepted(*(petition(f"new-{n}", id=f"new-{n}") for n in (1, 2)))
    refused += [restored.page(cursor=one_further), restored.commit(one_further)]
    assert [(a.status_code, a.json()["code"]) for a in refused] == [(400, "cursor_invalid")] * 3

    on = restored.page(cursor=at_the_end, limit=1)
    rest = restored.page(cursor=on.headers["guantong-cursor"])
    later = [*on.json(), *rest.json()]
    assert [e["hubposition"] for e in later] == [f"0-{last + 1 + n}" for n in range(len(later))]
    assert [e["id"] for e in later[-2:]] == ["new-1", "new-2"]


def test_a_restored_hub_has_an_administrators_token_of_its_own(scene: Scene) -> None:
    renewed = (scene.restored.directory / "admin.token").read_text().strip()
    assert renewed != scene.admin
    old, new = scene.restored.client(scene.admin), scene.restored.client(renewed)
    assert old.get("/v1/policy").json()["code"] == "unauthenticated"
    assert new.get("/v1/policy").json()["version"] == 1


def large_directory(directory: Path) -> None:
    """A stopped hub's directory with a database of about 30 MB."""
    policies = Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"key"),
        ceiling=Marking.internal,
    )
    registrar = Registrar(policies=policies, clock=lambda: 1)
    with closing(open_sqlite(directory, readers=1)) as database:
        for batch in range(20):
            events = [
                admitted(f"large-{batch}-{n}", data=b'"%s"' % (b"x" * 100_000)) for n in range(15)
            ]
            with database.writer.begin() as connection:
                registrar.register(connection, events, atomic=True)


def test_a_backup_that_is_killed_is_no_backup_and_does_not_hinder_the_next(tmp_path: Path) -> None:
    large_directory(tmp_path / "data")
    target, draft = tmp_path / "backup", tmp_path / "backup.partial"
    killed = 0
    for _ in range(10):
        process = start("backup", target, "--data", tmp_path / "data")
        while process.poll() is None:
            if (draft / "hub.db").exists():
                process.kill()
        process.communicate()
        if target.exists():  # It was quicker than the kill.
            shutil.rmtree(target)
            continue
        killed += 1
        with pytest.raises(BackupInvalid):
            restore(draft, tmp_path / "new", key=KEY)
        break
    assert killed == 1

    status, out, err = run("backup", target, "--data", tmp_path / "data", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["contents"]["events"] == 300
    assert not draft.exists()
    assert restore(target, tmp_path / "new", key=KEY).contents.events == 300


def test_a_backup_that_finds_no_room_leaves_nothing(tmp_path: Path) -> None:
    with closing(open_sqlite(tmp_path / "data", readers=1)):
        pass
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (65_536, 65_536))
    before = {path.name for path in (tmp_path / "data").iterdir()}
    status, out, err = run("backup", tmp_path / "b", "--data", tmp_path / "data", before=limit)

    assert (status, out) == (1, "")
    assert err.startswith(
        "备份未完成，没有留下备份 / the backup could not be made, and none was left"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert {p.name for p in (tmp_path / "data").iterdir()} - before <= {"hub.db-shm", "hub.db-wal"}


def backed_up(data: Path, target: Path) -> None:
    """Make a backup in this process."""
    make_backup(data, target, version="0", now=1)


def test_a_backup_never_replaces_anything(tmp_path: Path) -> None:
    with closing(open_sqlite(tmp_path / "data", readers=1)):
        pass
    (tmp_path / "there").mkdir()
    (tmp_path / "mine.partial").mkdir()
    (tmp_path / "mine.partial" / "thesis.txt").write_text("years of work")

    status, out, err = run("backup", tmp_path / "there", "--data", tmp_path / "data")
    not_empty = (
        "目标目录已有内容，请换一个新目录 / the target directory holds something: name a new one"
    )
    assert (status, out, err) == (1, "", f"{not_empty} {tmp_path}/there\n")
    with pytest.raises(DirectoryNotEmpty, match=r"mine\.partial"):
        backed_up(tmp_path / "data", tmp_path / "mine")
    assert (tmp_path / "mine.partial" / "thesis.txt").read_text() == "years of work"


def test_a_backup_makes_no_directory_above_its_own(tmp_path: Path) -> None:
    with closing(open_sqlite(tmp_path / "data", readers=1)):
        pass
    with pytest.raises(FileNotFoundError):
        backed_up(tmp_path / "data", tmp_path / "not-mounted" / "backup")
    with pytest.raises(BackupFailed, match=r"没有 hub\.db / no hub\.db"):
        backed_up(tmp_path / "elsewhere", tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_two_backups_of_one_name_do_not_mix(tmp_path: Path) -> None:
    with closing(open_sqlite(tmp_path / "data", readers=1)):
        pass
    draft = tmp_path / "backup.partial"
    draft.mkdir()
    (draft / "hub.db").write_bytes(b"half of another")
    held = os.open(draft, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(BackupFailed, match="另一备份正在进行"):
        backed_up(tmp_path / "data", tmp_path / "backup")
    assert (draft / "hub.db").read_bytes() == b"half of another"
    os.close(held)

    backed_up(tmp_path / "data", tmp_path / "backup")
    assert restore(tmp_path / "backup", tmp_path / "new", key=KEY).contents.events == 0
    assert not draft.exists()


@pytest.fixture(scope="module")
def kept(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Makes copies of a whole backup, to be damaged."""

    def copied(target: Path) -> Path:
        shutil.copytree(scene.backup, target)
        return target

    return copied


def flip(file: Path, at: int) -> None:
    """Turn one byte over."""
    with file.open("r+b") as opened:
        opened.seek(at)
        (byte,) = opened.read(1)
        opened.seek(at)
        opened.write(bytes([byte ^ 0xFF]))


def change_manifest(backup: Path, **contents: Any) -> None:
    """Have a manifest say something else of the contents, and the truth of the file."""
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["contents"].update(contents)
    raw = (backup / "hub.db").read_bytes()
    manifest["database"] = {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    (backup / "manifest.json").write_text(json.dumps(manifest))


def change_database(backup: Path, *statements: str) -> None:
    """Change a backup's database in order, and its manifest with the file."""
    with closing(sqlite3.connect(backup / "hub.db")) as database:
        database.execute("PRAGMA journal_mode=DELETE")
        for statement in statements:
            database.execute(statement)
        database.commit()
    change_manifest(backup)


def a_flipped_byte(backup: Path) -> None:
    """Somewhere in the middle of the database."""
    flip(backup / "hub.db", (backup / "hub.db").stat().st_size // 2)


DAMAGES: list[tuple[str, Callable[[Path], object], str]] = [
    ("no manifest", lambda b: (b / "manifest.json").unlink(), "没有 manifest.json"),
    ("no database", lambda b: (b / "hub.db").unlink(), "不存在 / not there"),
    (
        "a list outside the backup",
        lambda b: (b / "manifest.json").write_text(
            (b / "manifest.json")
            .read_text()
            .replace(
                '"codes": {}', '"codes": {"../x.csv": {"bytes": 1, "sha256": "%s"}}' % ("0" * 64)
            )
        ),
        "无法识别",
    ),
    ("torn manifest", lambda b: (b / "manifest.json").write_text('{"format":1,'), "无法识别"),
    ("a flipped byte", a_flipped_byte, "与清单的 SHA-256 不符"),
    ("one event more", partial(change_manifest, events=10**6), "日志与清单不符"),
    (
        "other contents",
        lambda b: change_database(b, "UPDATE journal SET data = x'31' WHERE position = 2"),
        "日志自查不符",
    ),
    (
        "a row less",
        lambda b: change_database(b, "DELETE FROM journal WHERE position = 3"),
        "日志与清单不符",
    ),
    (
        "a dedup row less",
        lambda b: change_database(b, "DELETE FROM dedup WHERE position = 3"),
        "日志自查不符",
    ),
]


@pytest.mark.parametrize(("damage", "told"), [d[1:] for d in DAMAGES], ids=[d[0] for d in DAMAGES])
def test_a_damaged_backup_is_not_restored(
    kept: Callable[[Path], Path], tmp_path: Path, damage: Callable[[Path], object], told: str
) -> None:
    backup = kept(tmp_path / "backup")
    damage(backup)
    with pytest.raises(BackupInvalid) as refused:
        restore(backup, tmp_path / "new", key=KEY)
    assert told in refused.value.detail
    new = tmp_path / "new"
    assert not new.exists() or {path.name for path in new.iterdir()} <= {"hub.lock"}


def test_a_backup_by_a_newer_version_is_not_restored(
    kept: Callable[[Path], Path], tmp_path: Path
) -> None:
    backup = kept(tmp_path / "backup")
    change_manifest(backup, revision="9999")
    with pytest.raises(DataDirectoryNewer):
        restore(backup, tmp_path / "new", key=KEY)
    assert not (tmp_path / "new").exists()


FORMS = "code,label,label_en,parent,valid_from,valid_until,source\n0001,网上大厅,hall,4,,,local\n"


def with_codes(data: Path) -> Path:
    """A stopped hub's directory with a list of its own, and what is none beside it."""
    with closing(open_sqlite(data, readers=1)):
        pass
    (data / "codes").mkdir(mode=0o700)
    (data / "codes" / "petition_form.csv").write_text(FORMS, encoding="utf-8")
    (data / "codes" / "notes.txt").write_text("not a list")
    return data


def test_a_restored_hub_has_the_codes_that_the_first_had_imported(tmp_path: Path) -> None:
    data, backup, new = with_codes(tmp_path / "data"), tmp_path / "backup", tmp_path / "new"
    # As a backup leaves it that was killed.
    (tmp_path / "backup.partial" / "codes").mkdir(parents=True)
    (tmp_path / "backup.partial" / "codes" / "medium.csv").write_bytes(b"half")
    backed_up(data, backup)
    manifest = json.loads((backup / "manifest.json").read_text())
    told = {"bytes": len(FORMS.encode()), "sha256": hashlib.sha256(FORMS.encode()).hexdigest()}
    assert manifest["codes"] == {"petition_form.csv": told}

    # As a restore leaves it that was killed.
    (new / "hub.db.partial-codes").mkdir(parents=True)
    (new / "hub.db.partial-codes" / "medium.csv").write_bytes(b"half")
    restore(backup, new, key=KEY)
    assert sorted(path.relative_to(new).as_posix() for path in new.rglob("*")) == [
        "codes",
        "codes/petition_form.csv",
        "hub.db",
        "hub.lock",
    ]
    members = load_codes(new / "codes").list_of("petition_form").members
    assert members == load_codes(data / "codes").list_of("petition_form").members
    assert members["0001"].label == "网上大厅"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda codes: shutil.rmtree(codes), id="gone"),
        pytest.param(lambda codes: flip(codes / "petition_form.csv", 70), id="changed"),
        pytest.param(lambda codes: (codes / "medium.csv").write_text(FORMS), id="one more"),
    ],
)
def test_a_backup_with_other_codes_than_its_manifest_says_is_not_restored(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    backup, new = tmp_path / "backup", tmp_path / "new"
    backed_up(with_codes(tmp_path / "data"), backup)
    damage(backup / "codes")
    with pytest.raises(BackupInvalid, match="代码表与清单不符"):
        restore(backup, new, key=KEY)
    assert [path.name for path in new.iterdir()] == ["hub.lock"]


def test_a_backup_of_before_codes_were_kept_is_restored(tmp_path: Path) -> None:
    with closing(open_sqlite(tmp_path / "data", readers=1)):
        pass
    backed_up(tmp_path / "data", tmp_path / "backup")
    manifest = json.loads((tmp_path / "backup" / "manifest.json").read_text())
    del manifest["codes"]
    (tmp_path / "backup" / "manifest.json").write_text(json.dumps(manifest))
    assert restore(tmp_path / "backup", tmp_path / "new", key=KEY).contents.events == 0
    assert not (tmp_path / "new" / "codes").exists()


def test_a_restore_takes_an_empty_directory_only(
    kept: Callable[[Path], Path], tmp_path: Path
) -> None:
    backup = kept(tmp_path / "backup")
    used, busy, empty = tmp_path / "used", tmp_path / "busy", tmp_path / "empty"
    for directory in (used, empty):
        directory.mkdir(mode=0o700)
    (used / "hub.db").write_bytes(b"mine")
    # As a restore leaves it that was killed.
    (empty / "hub.db.partial").write_bytes(b"half")
    with pytest.raises(DirectoryNotEmpty):
        restore(backup, used, key=KEY)
    with locked(busy), pytest.raises(DataDirectoryInUse):
        restore(backup, busy, key=KEY)

    assert (used / "hub.db").read_bytes() == b"mine"
    assert restore(backup, empty, key=KEY).contents.events > 200
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in empty.iterdir()}
    assert modes == {"hub.db": 0o600, "hub.lock": 0o600}


def test_a_killed_hub_is_backed_up_with_what_its_log_holds(tmp_path: Path) -> None:
    hub = start_hub(tmp_path / "data")
    try:
        hub.apply(policy())
        hub.agency(PETITION).accepted(*(petition(f"k-{n}", id=f"k-{n}") for n in range(5)))
        hub.kill()
        status, out, err = run("backup", tmp_path / "b", "--data", hub.directory, "--json")
        assert (status, err) == (0, "")
        assert json.loads(out)["contents"]["events"] == 5
        hub = restart_hub(hub)
        again = hub.agency(PETITION).publish(*(petition(f"k-{n}", id=f"k-{n}") for n in range(6)))
        assert [r["status"] for r in results_of(again)] == ["duplicate"] * 5 + ["accepted"]
    finally:
        hub.kill()
