"""What PostgreSQL says of itself, each judgement at the edge where it changes."""

from dataclasses import replace
from typing import Any

import pytest

from hub.database.intake import Standing
from hub.upkeep.records import judge_handover
from hub.upkeep.server import FEW_CONNECTIONS, MANY_TRANSACTIONS, judge_partitions, judge_server
from hub.upkeep.sql import Partitioning, ServerState

WELL = ServerState(
    version="18.4",
    durable={"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"},
    checksums=True,
    connections=5,
    most_connections=100,
    archives=True,
    archive_failed=False,
    replicas=0,
    oldest_transaction=1_000,
    vacuums=True,
)
CHECKS = ("server", "durability", "connections", "archive", "vacuum")


def test_a_server_that_is_well_needs_nothing() -> None:
    assert [(f.check, f.level, f.says) for f in judge_server(WELL)] == [
        ("server", "ok", "PostgreSQL 18.4"),
        ("durability", "ok", "提交落盘后才确认，数据页有校验和"),
        ("connections", "ok", "连接 5 / 100"),
        ("archive", "ok", "WAL 归档已开启，备机 0 台"),
        ("vacuum", "ok", "最早未冻结事务的年龄为上限的 0%"),
    ]


@pytest.mark.parametrize(
    ("changed", "check", "level", "says"),
    [
        ({"durable": {**WELL.durable, "synchronous_commit": "remote_apply"}}, None, "ok", ""),
        ({"durable": {**WELL.durable, "synchronous_commit": "local"}}, None, "ok", ""),
        (
            {"durable": {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "on"}},
            "durability",
            "failure",
            "fsync、synchronous_commit 未开启：断电会丢失已确认的事件",
        ),
        ({"connections": 100 - FEW_CONNECTIONS}, None, "ok", ""),
        ({"connections": 101 - FEW_CONNECTIONS}, "connections", "warning", "连接 90 / 100"),
        ({"archives": False, "replicas": 1}, None, "ok", ""),
        (
            {"archives": False},
            "archive",
            "warning",
            "未见 WAL 归档，也没有备机：只能恢复到上一次 pg_basebackup",
        ),
        ({"archive_failed": True}, "archive", "failure", "最近一次 WAL 归档失败"),
        ({"oldest_transaction": MANY_TRANSACTIONS - 1}, None, "ok", ""),
        (
            {"oldest_transaction": MANY_TRANSACTIONS},
            "vacuum",
            "warning",
            "最早未冻结事务的年龄为上限的 50%",
        ),
        ({"vacuums": False}, "vacuum", "warning", "autovacuum 未开启"),
    ],
)
def test_only_what_is_wrong_is_told_with_what_to_do(
    changed: dict[str, Any], check: str | None, level: str, says: str
) -> None:
    findings = judge_server(replace(WELL, **changed))
    assert tuple(finding.check for finding in findings) == CHECKS
    wrong = [(f.check, f.level, f.says) for f in findings if f.level != "ok"]
    assert wrong == ([] if check is None else [(check, level, says)])
    for finding in findings:
        assert (finding.advice != "", finding.advice_en != "") == (finding.level != "ok",) * 2


@pytest.mark.parametrize(
    ("standing", "level", "says"),
    [
        (Standing(None, 0, 0, 0, 0.5), "ok", "受理的事件随到随登"),
        (Standing(5_000_000, 1, 0, 0, 15.0), "ok", "受理的事件随到随登"),
        (
            Standing(4_000_000, 3, 0, 0, 0.0),
            "failure",
            "登记进程 0 秒没有动静，待登记 3 批，最早的已等候 16 秒",
        ),
        (
            Standing(None, 0, 0, 0, 15.6),
            "failure",
            "登记进程 16 秒没有动静，待登记 0 批，最早的已等候 0 秒",
        ),
        (
            Standing(None, 0, 2, 1, 0.0),
            "failure",
            "有 2 批、1 条 Kafka 记录读不懂，另行留存在表 set_aside、unread_records",
        ),
    ],
)
def test_what_is_taken_in_is_to_be_registered_soon(
    standing: Standing, level: str, says: str
) -> None:
    finding = judge_handover(standing, now=20_000_000)
    assert (finding.check, finding.level, finding.says) == ("intake", level, says)
    assert (finding.advice != "", finding.advice_en != "") == (level != "ok",) * 2


JOURNAL = Partitioning(count=22, left=7_000, hidden=12_345, past=1, may_make=True)


@pytest.mark.parametrize(
    ("changed", "level", "says"),
    [
        ({}, "ok", "日志分区 22 个，最新分区余 7,000 条，已清除、待随分区移除的至多 12,345 条"),
        ({"past": 2}, "warning", "日志有 2 个已过保存期的分区未能移除"),
        (
            {"past": 2, "may_make": False},
            "failure",
            "贯通的账户不能为日志建分区：再登记 7,000 条后将无法登记",
        ),
    ],
)
def test_partitions_have_to_come_and_to_go(changed: dict[str, Any], level: str, says: str) -> None:
    found = judge_partitions(replace(JOURNAL, **changed))
    assert (found.check, found.level, found.says) == ("partitions", level, says)
