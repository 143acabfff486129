"""`guantong doctor` of hubs that run and hubs that do not, whole ones and damaged ones."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deploy.local.postgres import PostgresServer
from hub.database.lock import locked
from hub.settings import Settings
from hub.upkeep.backup import last_backup, make_backup
from hub.upkeep.backups import judge_backup
from hub.upkeep.examine import Patient, examine_stopped
from tests.commands import guantong
from tests.running import RunningHub, hubs_on, running_hub, start_hub
from tests.sample import CITY, PETITION, petition, policy
from tests.spec.storage import rows

# What a whole hub of the tests is told. Of the machine itself only that it was judged.
ADMINISTRATOR = "管理令牌兼有多个角色：适合试用，不适合正式运行（授权者不得自审）"
INSIDE = [
    ("tables", "ok", "表结构为最新"),
    ("journal", "ok", "日志一致：抽查 30 条事件的位置、摘要、回执、去重"),
    ("integrity", "ok", "数据库完整性无误（快速检查）"),
    ("policy", "ok", "策略版本 1：机构 7，授权 10"),
    ("tokens", "warning", ADMINISTRATOR),
]
MACHINE = ("sqlite", "limits", "memory", "file_system", "disk", "clock")


def thirty() -> Iterator[dict[str, Any]]:
    """Events of which one is sealed, so that the hub keeps no payload that its digest is of."""
    yield from (petition(n, id=f"d-{n}") for n in range(29))
    yield petition(29, id="d-29", to=CITY, caveats="sealed")


@pytest.fixture(scope="module")
def published(hub: RunningHub) -> RunningHub:
    """The module's hub, with thirty events."""
    hub.agency(PETITION).accepted(*thirty())
    return hub


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Makes data directories of a hub that was stopped in order, with thirty events each."""
    directory = tmp_path_factory.mktemp("stopped") / "data"
    made = start_hub(directory)
    made.apply(policy())
    made.agency(PETITION).accepted(*thirty())
    assert made.stop() == 0

    def copied(target: Path) -> Path:
        return Path(shutil.copytree(directory, target))

    return copied


def judged(findings: list[dict[str, Any]], *checks: str) -> list[tuple[str, str, str]]:
    """Check, level and the Chinese sentence of the named checks, in order."""
    return [
        (found["check"], found["level"], found["says"].partition("（0")[0])
        for found in findings
        if found["check"] in checks
    ]


def examined(
    directory: Path, *, full: bool = False, now: int | None = None
) -> list[dict[str, Any]]:
    """What is found of a stopped hub."""
    patient = Patient(directory, connections=10, queue=1024, kafka=False)
    moment = now if now is not None else last_hubtime(directory) + 1_000_000
    return [
        {"check": f.check, "level": f.level, "says": f.says, "advice": f.advice}
        for f in examine_stopped(patient, full=full, now=moment)
    ]


def last_hubtime(directory: Path) -> int:
    """The journal's last time."""
    ((moment,),) = rows(directory, "SELECT max(hubtime) FROM shards")
    return int(moment)


def failures(findings: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The failures of all that does not depend on the machine."""
    return [(f["check"], f["says"]) for f in findings if f["level"] == "failure"]


def change(directory: Path, *statements: str) -> None:
    """Change the database of a stopped hub behind its back."""
    with closing(sqlite3.connect(directory / "hub.db")) as database:
        for statement in statements:
            assert database.execute(statement).rowcount == 1, statement
        database.commit()


def test_a_running_hub_judges_itself(published: RunningHub) -> None:
    status, out, err = guantong("doctor", "--data", published.directory, "--json")
    told = json.loads(out)
    assert (status, err) == (0, "")
    assert [found["check"] for found in told["findings"]] == [
        *("hub", "sqlite", "limits", "memory", "file_system", "permissions", "backups"),
        *("tables", "journal", "integrity", "disk", "clock", "policy", "tokens"),
    ]
    assert told["level"] == "warning"
    assert judged(told["findings"], "hub") == [("hub", "ok", "贯通 0.1.0 在运行，可写入")]
    assert judged(told["findings"], *(check for check, _, _ in INSIDE)) == INSIDE
    assert judged(told["findings"], "backups") == [("backups", "warning", "没有备份")]
    for found in told["findings"]:
        # Whoever is not told that all is well is told what to do, in both languages.
        advised = (found["advice"] != "", found["advice_en"] != "")
        assert advised == (found["level"] != "ok",) * 2
        assert found.keys() == {"check", "level", "says", "says_en", "advice", "advice_en"}

    with published.admin as admin:
        answer = admin.get("/v1/doctor", params={"full": "true"})
    assert answer.headers["cache-control"] == "no-store"
    full = answer.json()["findings"]
    assert judged(full, "journal", "integrity") == [
        ("journal", "ok", "日志一致：全部 30 条事件的位置、摘要、回执、去重"),
        ("integrity", "ok", "数据库完整性无误（完整检查）"),
    ]


@pytest.mark.backend("postgresql")
def test_a_hub_on_postgresql_is_judged_with_its_server(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    with hubs_on(postgres), running_hub(tmp_path / "data") as hub:
        hub.apply(policy())
        hub.agency(PETITION).accepted(petition("1"))
        with hub.admin as admin:
            found = admin.get("/v1/doctor", params={"full": "true"}).json()["findings"]
        _, out, _ = guantong("doctor", "--data", hub.directory, "--json")
        assert hub.stop() == 0
    told = json.loads(out)["findings"]
    assert [finding["check"] for finding in told] == [finding["check"] for finding in found]
    assert [finding["check"] for finding in found] == [
        *("hub", "limits", "memory", "permissions"),
        *("server", "durability", "connections", "archive", "vacuum", "partitions"),
        *("tables", "journal", "intake", "clock", "policy", "tokens"),
    ]
    # The server that tests share does without fsync.
    assert judged(found, "hub", "durability", "journal", "intake") == [
        ("hub", "ok", "贯通 0.1.0 在运行，可写入"),
        ("durability", "failure", "fsync 未开启：断电会丢失已确认的事件"),
        ("journal", "ok", "日志一致：全部 1 条事件的位置、摘要、回执、去重"),
        ("intake", "ok", "受理的事件随到随登"),
    ]


def test_people_are_told_in_chinese_with_english_beside_it(published: RunningHub) -> None:
    status, out, _ = guantong("doctor", "--data", published.directory)
    lines = out.splitlines()
    place = lines.index("注意  没有备份")
    assert status == 0
    assert lines[:2] == [
        "正常  贯通 0.1.0 在运行，可写入",
        "      hub: hub 0.1.0 runs and takes writes",
    ]
    assert lines[place + 1 : place + 4] == [
        "      backups: there is no backup",
        "  →   请每天执行 guantong backup，存到另一块磁盘或另一台机器，并定期试恢复",
        "      run guantong backup every day, keep it on another disk or machine, and try a restore"
        " at times",
    ]
    assert lines[-1].endswith("，故障 0")


def test_a_question_that_is_not_understood_is_refused(published: RunningHub) -> None:
    with published.admin as admin:
        answer = admin.get("/v1/doctor", params={"full": "perhaps"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_hub_elsewhere_is_asked_with_its_address(published: RunningHub) -> None:
    token = (published.directory / "admin.token").read_text().strip()
    environment = {"GUANTONG_URL": published.url, "GUANTONG_TOKEN": token}
    status, out, _ = guantong("doctor", "--json", environment=environment)
    assert status == 0
    assert judged(json.loads(out)["findings"], "hub", "policy") == [
        ("hub", "ok", "贯通 0.1.0 在运行，可写入"),
        INSIDE[3],
    ]


def test_a_stopped_hub_is_judged_by_its_directory_and_not_changed(
    stopped: Callable[[Path], Path], tmp_path: Path
) -> None:
    data = stopped(tmp_path / "data")
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    status, out, err = guantong("doctor", "--data", data, "--json")
    told = json.loads(out)["findings"]
    assert (status, err) == (0, "")
    assert judged(told, "hub") == [("hub", "warning", "贯通未运行，以下由数据目录得出")]
    assert judged(told, *(check for check, _, _ in INSIDE)) == INSIDE
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before


def test_a_directory_without_a_hub_is_a_failure_and_stays_as_it_is(tmp_path: Path) -> None:
    status, out, _ = guantong("doctor", "--data", tmp_path / "none", "--json")
    assert status == 1
    assert failures(json.loads(out)["findings"]) == [("directory", f"{tmp_path}/none 中没有数据库")]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.backend("postgresql")
@pytest.mark.parametrize("command", ["serve", "work", "up"])
def test_a_stopped_process_on_postgresql_has_no_database_in_its_directory(
    postgres: PostgresServer, tmp_path: Path, command: str
) -> None:
    data = tmp_path / "data"
    with hubs_on(postgres):
        assert start_hub(data, command=command).stop() == 0
    before = sorted(data.iterdir())
    status, out, err = guantong("doctor", "--data", data, "--json")
    told = json.loads(out)["findings"]
    says = f"{data} 中没有数据库；用 PostgreSQL 的进程（serve、work、up --database）本无此库"
    assert (status, err) == (0, "")
    assert judged(told, "hub", "directory") == [
        ("hub", "warning", "贯通未运行，以下由数据目录得出"),
        ("directory", "warning", says),
    ]
    assert "guantong restore" in told[1]["advice"] and "guantong restore" in told[1]["advice_en"]
    assert sorted(data.iterdir()) == before


def test_a_hub_that_has_lost_the_file_that_it_has_a_backup_of_is_a_failure(
    stopped: Callable[[Path], Path], tmp_path: Path
) -> None:
    data = stopped(tmp_path / "data")
    make_backup(data, tmp_path / "backup", version="1", now=1)
    (data / "hub.db").unlink()
    assert failures(examined(data, now=1)) == [("directory", f"{data} 中没有数据库")]


def test_a_hub_that_holds_its_directory_but_does_not_answer_is_a_failure(
    stopped: Callable[[Path], Path], tmp_path: Path
) -> None:
    data = stopped(tmp_path / "data")
    (data / "hub.url").write_text("http://127.0.0.1:9\n")
    with locked(data):
        status, out, _ = guantong("doctor", "--data", data, "--json")
    assert status == 1
    assert failures(json.loads(out)["findings"]) == [
        ("hub", "贯通没有答复：无法连接贯通（ConnectError）")
    ]


# The change, what a sample says of it, and what else all events say: a claim without an event.
SURPLUS = "去重记录多出 1，"
DAMAGES = {
    "contents": (
        ["UPDATE journal SET data = x'31' WHERE position = 7"],
        ("摘要与内容不符 1，", "", "首个 0-7"),
    ),
    "contents of another type": (
        ["UPDATE journal SET data = 'text', digest = 5 WHERE position = 6"],
        ("摘要与内容不符 1，", "", "首个 0-6"),
    ),
    "an id": (
        ["UPDATE journal SET event_id = 'other' WHERE position = 8"],
        ("回执编号不符 1，", "", "首个 0-8"),
    ),
    "a row": (
        ["DELETE FROM journal WHERE position = 9"],
        ("位置缺失 1，", SURPLUS, "首个 0-9"),
    ),
    "a dedup row": (
        ["DELETE FROM dedup WHERE position = 10"],
        ("去重记录不符 1，", "", "首个 0-10"),
    ),
    "the head": (
        ["UPDATE shards SET next_number = 30"],
        ("位置超出末尾 1，", SURPLUS, "首个 0-30"),
    ),
    "two things": (
        [
            "UPDATE journal SET data = x'31' WHERE position = 7",
            "DELETE FROM journal WHERE position = 9",
        ],
        ("摘要与内容不符 1，位置缺失 1，", SURPLUS, "首个 0-7"),
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_journal_that_does_not_agree_with_itself_is_a_failure(
    stopped: Callable[[Path], Path], tmp_path: Path, name: str
) -> None:
    statements, (faults, surplus, first) = DAMAGES[name]
    data = stopped(tmp_path / "data")
    change(data, *statements)
    told = [failures(examined(data, full=full)) for full in (False, True)]
    assert [[(check, says.rpartition("：")[2]) for check, says in found] for found in told] == [
        [("journal", faults + first)],
        [("journal", faults + surplus + first)],
    ]


def test_a_dedup_row_too_many_is_found_by_a_full_examination(
    stopped: Callable[[Path], Path], tmp_path: Path
) -> None:
    data = stopped(tmp_path / "data")
    change(data, "INSERT INTO dedup (slot, position) VALUES (5, 99)")
    assert failures(examined(data)) == []
    ((check, says),) = failures(examined(data, full=True))
    assert (check, says.rpartition("：")[2]) == ("journal", "去重记录多出 1")


def test_feeds_by_kafka_of_a_hub_that_lost_its_brokers_are_told(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    made = start_hub(data)
    made.apply(policy())
    office = made.agency(CITY)
    for n in range(7):
        office.subscribe(f"s{n}")
    assert made.stop() == 0
    assert failures(examined(data)) == []
    for n in range(1, 7):
        fed = """replace(body, '"channel":"pull"', '"channel":"kafka"')"""
        change(data, f"UPDATE subscriptions SET body = {fed} WHERE id = 's{n}'")
    named = "、".join(f"{CITY} s{n}" for n in range(1, 6))
    assert failures(examined(data)) == [
        ("kafka", f"没有设置 GUANTONG_KAFKA，由 Kafka 投送的订阅收不到事件：{named} +1")
    ]


def test_a_running_hub_tells_of_its_damage(stopped: Callable[[Path], Path], tmp_path: Path) -> None:
    data = stopped(tmp_path / "data")
    change(data, "UPDATE journal SET data = x'31' WHERE position = 7")
    hub = start_hub(data)
    try:
        with hub.admin as admin:
            told = admin.get("/v1/doctor").json()
        assert told["level"] == "failure"
        ((check, says),) = failures(told["findings"])
        assert (check, says.endswith("摘要与内容不符 1，首个 0-7")) == ("journal", True)
    finally:
        hub.kill()


@pytest.fixture
def pages(stopped: Callable[[Path], Path], tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A directory, and where in its database the tree of the journal begins."""
    data = stopped(tmp_path / "data")
    ((root,),) = rows(data, "SELECT rootpage FROM sqlite_master WHERE name = 'journal'")
    ((size,),) = rows(data, "PRAGMA page_size")
    yield data, (root - 1) * size


def test_a_damaged_page_is_a_failure(pages: tuple[Path, int]) -> None:
    data, at = pages
    with (data / "hub.db").open("r+b") as file:
        file.seek(at)
        file.write(b"\xff" * 64)
    found = failures(examined(data))
    assert found[0][1].startswith(("数据库无法读取：", "数据库已损坏："))
    assert {check for check, _ in found} == {"integrity"}


def test_a_file_that_is_no_database_is_a_failure(
    stopped: Callable[[Path], Path], tmp_path: Path
) -> None:
    data = stopped(tmp_path / "data")
    (data / "hub.db").write_bytes(b"not a database at all, and long enough to be looked at" * 99)
    assert failures(examined(data, now=1)) == [
        ("integrity", "数据库无法读取：file is not a database")
    ]


def test_tables_of_another_version_are_not_looked_into(
    stopped: Callable[[Path], Path], tmp_path: Path
) -> None:
    data = stopped(tmp_path / "data")
    change(data, "UPDATE alembic_version SET version_num = '9999'")
    found = examined(data)
    assert failures(found) == [("tables", "表结构 9999 不是本程序的")]
    assert [f["check"] for f in found][-2:] == ["tables", "integrity"]


def test_what_others_may_read_is_a_failure_until_it_is_put_right(
    stopped: Callable[[Path], Path], tmp_path: Path
) -> None:
    data = stopped(tmp_path / "data")
    data.chmod(0o750)
    (data / "admin.token").chmod(0o644)
    found = examined(data)
    assert failures(found) == [("permissions", "他人可以进入或读取：data/、admin.token")]
    (advice,) = (f["advice"] for f in found if f["check"] == "permissions")
    assert advice.startswith(f"请执行 chmod -R go= {data}")

    data.chmod(0o700)
    (data / "admin.token").chmod(0o600)
    assert judged(examined(data), "permissions") == [
        ("permissions", "ok", "目录与 3 个文件仅属主可读")
    ]


def test_a_clock_behind_the_journal_is_a_failure(
    stopped: Callable[[Path], Path], tmp_path: Path
) -> None:
    data = stopped(tmp_path / "data")
    behind = examined(data, now=last_hubtime(data) - 90_000_000)
    assert failures(behind) == [("clock", "时钟比日志的最后时间慢 90 秒，新事件的时间将停在原处")]


def test_the_settings_judge_the_limits_of_the_process(published: RunningHub) -> None:
    with published.admin as admin:
        found = admin.get("/v1/doctor").json()["findings"]
    (limits,) = (f["says"] for f in found if f["check"] == "limits")
    assert limits.endswith(f"连接上限 {Settings().max_connections:,}")


def test_a_backup_is_remembered_and_grows_old(
    stopped: Callable[[Path], Path], tmp_path: Path
) -> None:
    data = stopped(tmp_path / "data")
    made = last_hubtime(data) + 1
    make_backup(data, tmp_path / "backup", version="0", now=made)
    hour = 3600 * 1_000_000
    (fresh,) = judged(examined(data, now=made + hour), "backups")
    # Nothing else is on the disk of `/proc`.
    elsewhere = judge_backup(last_backup(data), Path("/proc"), now=made + 26 * hour)
    shutil.rmtree(tmp_path / "backup")  # Or taken elsewhere, which is not known here.
    (away,) = judged(examined(data, now=made + 26 * hour), "backups")
    (old,) = judged(examined(data, now=made + 27 * hour), "backups")
    (data / "last-backup.json").write_text("{")
    (lost,) = judged(examined(data, now=made), "backups")

    assert (fresh[1], fresh[2].startswith("最近的备份在 1 小时前")) == ("warning", True)
    assert fresh[2].endswith(f"但与数据在同一磁盘（{tmp_path}/backup）")
    assert (elsewhere.level, elsewhere.says.startswith("最近的备份在 26 小时前")) == ("ok", True)
    assert (away[1], away[2].startswith("最近的备份在 26 小时前")) == ("warning", True)
    assert away[2].endswith(f"但已不在 {tmp_path}/backup，从这里看不到")
    assert (old[1], old[2].startswith("最近的备份在 27 小时前")) == ("warning", True)
    assert lost[1:] == ("warning", "没有备份")
