"""The doctor's judgements, each at the edge where it changes."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.database.connection import Connection
from hub.database.sqlite import open_sqlite
from hub.event import Marking
from hub.journal.register import Registrar
from hub.policy.document import PolicyDocument
from hub.policy.issuing import Ending
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from hub.upkeep.access import judge_policy, judge_tokens
from hub.upkeep.directory import (
    DAY,
    GIBIBYTE,
    MEBIBYTE,
    file_system_of,
    judge_file_system,
    judge_space,
)
from hub.upkeep.finding import Finding, failure, ok, warning, worst
from hub.upkeep.machine import (
    BASE_MEMORY,
    OTHER_FILES,
    judge_clock,
    judge_limits,
    judge_memory,
    judge_sqlite,
)
from hub.upkeep.records import judge_integrity, judge_journal, judge_revision
from hub.upkeep.selfcheck import SAMPLE, check_journal
from tests.sample import CITY, COUNTY, PETITION, admitted, agency, grant

ALL_ROLES = "auditor operator security system"


def told(finding: Finding) -> tuple[str, str]:
    """How bad it is, and the Chinese sentence."""
    return finding.level, finding.says


def test_the_worst_finding_is_the_level_of_the_whole() -> None:
    fine, bad = ok("a", "好", "fine"), failure("b", "坏", "bad", "修", "mend")
    so_so = warning("c", "注意", "so so", "看", "look")
    assert [worst([]), worst([fine]), worst([fine, so_so, fine]), worst([so_so, bad, fine])] == [
        "ok",
        "ok",
        "warning",
        "failure",
    ]


@pytest.mark.parametrize(
    ("version", "level"),
    [("3.40.1", "warning"), ("3.51.2", "warning"), ("3.51.3", "ok"), ("3.100.0", "ok")],
)
def test_sqlite_is_safe_from_the_version_that_mended_the_log(version: str, level: str) -> None:
    assert judge_sqlite(version).level == level


def test_a_clock_may_not_be_behind_the_journal() -> None:
    hubtime = 1_800_000_000_000_000
    behind = judge_clock(now=hubtime - 61_000_000, hubtime=hubtime, synchronised=True)
    assert told(behind) == ("failure", "时钟比日志的最后时间慢 61 秒，新事件的时间将停在原处")
    levels = {
        seen: judge_clock(now=hubtime - 1_000_000, hubtime=hubtime, synchronised=seen).level
        for seen in (True, False, None)
    }
    assert levels == {True: "ok", False: "warning", None: "ok"}


def test_every_connection_needs_a_file() -> None:
    few, enough = (judge_limits(files=1000 + n, connections=1000) for n in (0, OTHER_FILES))
    assert told(few) == ("failure", "只能打开 1,000 个文件，不足以承受 1,000 个连接")
    assert told(enough) == ("ok", "可打开 1,064 个文件，连接上限 1,000")


def test_memory_must_hold_the_queue_twice() -> None:
    queue = 64 * MEBIBYTE
    needed = BASE_MEMORY + 2 * queue
    found = [judge_memory(memory=m, queue=queue) for m in (needed - 1, needed, None)]
    assert [told(f) for f in found] == [
        ("warning", "可用内存上限 639 MiB，少于需要的 640 MiB"),
        ("ok", "可用内存上限 640 MiB，需要 640 MiB"),
        ("ok", "可用内存上限 不可见，需要 640 MiB"),
    ]


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("ext4", "ok"),
        ("xfs", "ok"),
        ("nfs4", "failure"),
        ("cifs", "failure"),
        ("fuse.sshfs", "failure"),
        ("tmpfs", "warning"),
        ("overlay", "warning"),
        ("fuse.unheard-of", "warning"),
        (None, "warning"),
    ],
)
def test_a_database_wants_a_local_lasting_disk(kind: str | None, level: str) -> None:
    assert judge_file_system(kind).level == level


def test_the_file_system_is_that_of_the_deepest_mount(tmp_path: Path) -> None:
    shared = tmp_path / "共享 盘"
    (shared / "data").mkdir(parents=True)
    written = str(shared).replace(" ", r"\040")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        f"40 27 0:40 / {written} rw - tmpfs none rw\n"
        f"41 27 0:41 / {written} rw shared:7 - nfs4 server:/export rw\n"
        f"42 27 0:42 / {written}/data-of-others rw - xfs /dev/vdb rw\n",
        encoding="utf-8",
    )
    found = [file_system_of(p, mounts=mounts) for p in (shared / "data", shared, tmp_path)]
    assert found == ["nfs4", "nfs4", "ext4"]
    assert file_system_of(tmp_path, mounts=tmp_path / "none") is None


def test_room_is_judged_by_bytes_and_by_days() -> None:
    a_gibibyte_a_day = {"used": 10 * GIBIBYTE, "age": 10 * DAY}
    slow = {"used": MEBIBYTE, "age": 10 * DAY}
    found = [
        judge_space(free=31 * GIBIBYTE, **a_gibibyte_a_day),
        judge_space(free=29 * GIBIBYTE, **a_gibibyte_a_day),
        judge_space(free=6 * GIBIBYTE, **a_gibibyte_a_day),
        judge_space(free=4 * GIBIBYTE, **slow),
        judge_space(free=GIBIBYTE - 1, **slow),
        # Within the first day, what is there counts as a day's.
        judge_space(free=6 * GIBIBYTE, used=GIBIBYTE, age=0),
    ]
    assert [f.level for f in found] == ["ok", "warning", "failure", "warning", "failure", "failure"]
    assert told(found[1]) == (
        "warning",
        "可用 29.0 GiB，数据库 10,240.0 MiB，按平均增长可用 29 天",
    )
    assert found[3].says == "可用 4.0 GiB，数据库 1.0 MiB，增长很慢"


def test_a_policy_must_let_somebody_do_something() -> None:
    somebody = {"agencies": [agency(PETITION, "示范市信访局")]}
    something = {"grants": [grant(PETITION, "publish", "petition.*")]}
    documents = [{}, somebody, {**somebody, **something}]
    found = [
        judge_policy(n, PolicyDocument.model_validate_json(json.dumps(document)))
        for n, document in enumerate(documents)
    ]
    assert [told(f) for f in found] == [
        ("warning", "策略版本 0 没有机构，谁也不能发布或接收"),
        ("warning", "策略版本 1 没有授权，谁也不能发布或接收"),
        ("ok", "策略版本 2：机构 1，授权 1"),
    ]


def test_tokens_are_judged_by_holder_and_by_their_last_day() -> None:
    now = 1_800_000_000_000_000
    registered = frozenset({PETITION, CITY, COUNTY})

    def judged(
        *holders: tuple[str | None, str, int], soon: Sequence[Ending] = ()
    ) -> list[tuple[str, str]]:
        return [told(f) for f in judge_tokens(holders, soon, registered=registered, now=now)]

    assert judged((None, "auditor", now + 1), (CITY, "", now + 1)) == [
        ("ok", "2 个持有者的令牌有效")
    ]
    assert judged((None, ALL_ROLES, now + 1)) == [
        ("warning", "管理令牌兼有多个角色：适合试用，不适合正式运行（授权者不得自审）")
    ]
    # An expired token of all roles opens nothing; who is not registered any more does not count.
    soon = [*([Ending(COUNTY, now + 1_000_000)] * 2), Ending("auditor", now + 2_000_000)]
    assert judged((CITY, "", now), ("510100.audit", "", now - 1), soon=soon) == [
        ("warning", f"令牌已过期且没有新的：{CITY}"),
        (
            "warning",
            "3 个令牌将在 14 天内到期而未更换（最早 2027-01-15T08:00:01.000000Z）"
            f"：{COUNTY}、auditor",
        ),
    ]


def test_only_the_first_names_are_listed() -> None:
    names = [f"51010{n}.petition" for n in range(8)]
    (found,) = judge_tokens([(n, "", 1) for n in names], [], registered=frozenset(names), now=2)
    assert found.says == f"令牌已过期且没有新的：{'、'.join(names[:5])} +3"


def test_tables_are_judged_by_the_migrations_that_are_known() -> None:
    found = [judge_revision(r, ("0002", "0001")) for r in ("0002", "0001", "0003", None)]
    assert [f.level for f in found] == ["ok", "warning", "failure", "failure"]


EVENTS = 3 * SAMPLE


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A transaction on a journal of 1,500 events; the seventh is not what its digest says."""
    policies = Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"key"),
        ceiling=Marking.internal,
    )
    events = [admitted(f"e-{n}") for n in range(EVENTS)]
    with (
        closing(open_sqlite(tmp_path_factory.mktemp("upkeep"), readers=1)) as database,
        database.writer.connect() as made,
    ):
        Registrar(policies=policies, clock=lambda: 1).register(made, events, atomic=True)
        made.exec_driver_sql("UPDATE journal SET data = x'31' WHERE position = 7")
        yield made


def never() -> bool:
    """It is never enough."""
    return False


def test_a_sample_holds_the_newest_events_and_another_half_of_the_rest_each_time(
    connection: Connection,
) -> None:
    samples = [check_journal(connection, full=False, start=n, enough=never) for n in range(4)]
    assert [s.events for s in samples] == [2 * SAMPLE] * 4
    assert [dict(s.first) for s in samples] == [{"digest": 7}, {}, {"digest": 7}, {}]
    whole = check_journal(connection, full=True, start=0, enough=never)
    assert (whole.events, dict(whole.faults), whole.surplus) == (EVENTS, {"digest": 1}, 0)


def test_the_newest_events_are_in_every_sample(connection: Connection) -> None:
    with connection.begin_nested() as savepoint:
        newest = range(EVENTS - SAMPLE + 1, EVENTS + 1)
        connection.exec_driver_sql(
            "DELETE FROM journal WHERE position IN (?, ?)", (newest[0], newest[-1])
        )
        checked = check_journal(connection, full=False, start=1, enough=never)
        savepoint.rollback()
    assert dict(checked.faults) == {"missing": 2}
    assert checked.first == {"missing": newest[0]}


def purge(connection: Connection, first: int, last: int, events: int) -> None:
    """Put on record that so many events were purged in a stretch."""
    connection.exec_driver_sql(
        "INSERT INTO purges (type, version, first, last, from_hubtime, to_hubtime, events,"
        " digest, at) VALUES ('t.t', '1.0', ?, ?, 1, 1, ?, x'00', 1)",
        (first, last, events),
    )


def lose(connection: Connection, *positions: int) -> None:
    """Take events away."""
    for table in ("journal", "dedup"):
        for position in positions:
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE position = ?", (position,))


def missed(connection: Connection) -> list[dict[str, int]]:
    """What a sample, with uneven positions of the first thousand, and what all say is not there."""
    checks = (check_journal(connection, full=f, start=0, enough=never) for f in (False, True))
    return [{k: n for k, n in c.faults.items() if k in ("missing", "gone")} for c in checks]


def test_what_was_purged_is_not_missing(connection: Connection) -> None:
    found = []
    for purged in (1, 2, 3):
        with connection.begin_nested() as savepoint:
            lose(connection, 3, 1200)
            purge(connection, 3, 1200, purged)
            found.append(missed(connection))
            savepoint.rollback()
    # A sample cannot tell that more are there than should be.
    assert found == [[{"gone": 2}, {"gone": 2}], [{}, {}], [{}, {"gone": 2}]]


def test_what_was_purged_elsewhere_forgives_no_loss(connection: Connection) -> None:
    """Even if far more was purged than is looked for in a sample."""
    with connection.begin_nested() as savepoint:
        # Two contracts, purged together: their stretches overlap and are next to each other.
        lose(connection, *range(1, 61))
        for first, last, events in ((1, 39, 20), (2, 40, 20), (41, 60, 20)):
            purge(connection, first, last, events)
        whole = missed(connection)
        lose(connection, 61, 1200, EVENTS)
        checks = [check_journal(connection, full=f, start=0, enough=never) for f in (False, True)]
        savepoint.rollback()
    assert whole == [{}, {}]
    assert [(c.faults, c.first) for c in checks] == [({"missing": 3}, {"missing": 61})] * 2


def test_an_event_in_the_slot_behind_its_own_is_no_fault(connection: Connection) -> None:
    with connection.begin_nested() as savepoint:
        row = connection.exec_driver_sql("SELECT slot FROM dedup WHERE position = 9").one()
        connection.exec_driver_sql("UPDATE dedup SET slot = slot + 1 WHERE position = 9")
        alone = check_journal(connection, full=True, start=0, enough=never)
        # The slot between is taken, as it was when the event came.
        connection.exec_driver_sql("UPDATE dedup SET slot = ? WHERE position = 1200", (row.slot,))
        behind = check_journal(connection, full=True, start=0, enough=never)
        savepoint.rollback()
    assert (alone.first["dedup"], alone.faults["dedup"]) == (9, 1)
    assert (behind.first["dedup"], behind.faults["dedup"]) == (1200, 1)


def test_a_journal_check_that_is_broken_off_says_how_far_it_came(connection: Connection) -> None:
    looks = iter([False, True])
    damaged = judge_journal(connection, full=True, now=0, enough=lambda: next(looks))
    assert told(damaged) == (
        "failure",
        "日志不一致（抽查 500 条事件的位置、摘要、回执、去重）：摘要与内容不符 1，首个 0-7",
    )
    nothing = judge_journal(connection, full=True, now=0, enough=lambda: True)
    assert told(nothing) == (
        "warning",
        "日志自查未做完：抽查 0 条事件的位置、摘要、回执、去重，无误",
    )


def test_an_integrity_check_is_broken_off_and_leaves_the_connection_fit(
    connection: Connection,
) -> None:
    with connection.begin_nested() as savepoint:
        connection.exec_driver_sql(
            "INSERT INTO dedup (slot, position) WITH RECURSIVE n(i) AS"
            " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i, i FROM n"
        )
        broken_off = judge_integrity(connection, full=True, enough=lambda: True)
        whole = judge_integrity(connection, full=True, enough=never)
        savepoint.rollback()
    assert told(broken_off) == ("warning", "数据库完整性检查未做完，已检查部分无误")
    assert told(whole) == ("ok", "数据库完整性无误（完整检查）")
