"""What PostgreSQL says of itself: version, durability, connections, archive, what it has to do."""

from typing import Final

from hub.upkeep.finding import Finding, failure, ok, warning
from hub.upkeep.sql import Partitioning, ServerState

# Transactions after which PostgreSQL would stop to take writes, and when somebody should look.
LAST_TRANSACTION: Final = 2_000_000_000
MANY_TRANSACTIONS: Final = 1_000_000_000
FEW_CONNECTIONS: Final = 11
# One goes in a quarter, within the hour in which it may.
MANY_PAST: Final = 2


def judge_server(state: ServerState) -> list[Finding]:
    """Every finding about the server."""
    return [
        ok("server", f"PostgreSQL {state.version}", f"PostgreSQL {state.version}"),
        _durability(state),
        _connections(state),
        _archive(state),
        _transactions(state),
    ]


def judge_partitions(journal: Partitioning) -> Finding:
    """Whether the journal's partitions come and go."""
    if not journal.may_make:
        return failure(
            "partitions",
            f"贯通的账户不能为日志建分区：再登记 {journal.left:,} 条后将无法登记",
            "the hub's account may make no partition of the journal:"
            f" after {journal.left:,} more events nothing can be registered",
            "请让该账户成为 journal 表的所有者，并有其 schema 的 CREATE 权限",
            "make the account the owner of the table journal, with CREATE on its schema",
        )
    if journal.past >= MANY_PAST:
        return warning(
            "partitions",
            f"日志有 {journal.past} 个已过保存期的分区未能移除",
            f"{journal.past} partitions of the journal are past and could not be dropped",
            "请在 pg_stat_activity 中查找长时间未结束的事务",
            "look for transactions in pg_stat_activity that do not end",
        )
    return ok(
        "partitions",
        f"日志分区 {journal.count} 个，最新分区余 {journal.left:,} 条，"
        f"已清除、待随分区移除的至多 {journal.hidden:,} 条",
        f"the journal has {journal.count} partitions, the newest room for {journal.left:,} events;"
        f" at most {journal.hidden:,} that were purged wait to go with theirs",
    )


def _durability(state: ServerState) -> Finding:
    """What is accepted survives a loss of power only with these."""
    off = [name for name, value in state.durable.items() if value == "off"]
    if not off:
        return ok(
            "durability",
            "提交落盘后才确认" + ("，数据页有校验和" if state.checksums else ""),
            "a commit is on the disk before it is acknowledged"
            + (", pages have checksums" if state.checksums else ""),
        )
    return failure(
        "durability",
        f"{'、'.join(off)} 未开启：断电会丢失已确认的事件",
        f"{', '.join(off)} off: a loss of power would lose acknowledged events",
        f"请在 postgresql.conf 中设 {'、'.join(f'{name} = on' for name in off)} 并重新加载",
        f"set {', '.join(f'{name} = on' for name in off)} in postgresql.conf and reload",
    )


def _connections(state: ServerState) -> Finding:
    free = state.most_connections - state.connections
    says = f"连接 {state.connections} / {state.most_connections}"
    says_en = f"{state.connections} of {state.most_connections} connections are taken"
    if free >= FEW_CONNECTIONS:
        return ok("connections", says, says_en)
    return warning(
        "connections",
        says,
        says_en,
        "请提高 max_connections，或减少 guantong serve 的数量与 GUANTONG_READERS",
        "raise max_connections, or run fewer doors or a smaller GUANTONG_READERS",
    )


def _archive(state: ServerState) -> Finding:
    if state.archive_failed:
        return failure(
            "archive",
            "最近一次 WAL 归档失败",
            "the last archiving of the write-ahead log failed",
            "请查看服务器日志与 archive_command；日志会占满磁盘",
            "look at the server's log and archive_command: the log will fill the disk",
        )
    if state.archives or state.replicas:
        return ok(
            "archive",
            f"WAL 归档{'已开启' if state.archives else '未开启'}，备机 {state.replicas} 台",
            f"WAL archiving is {'on' if state.archives else 'off'}, {state.replicas} replicas",
        )
    return warning(
        "archive",
        "未见 WAL 归档，也没有备机：只能恢复到上一次 pg_basebackup",
        "no WAL archiving and no replica is seen: only the last pg_basebackup can be restored",
        "请由数据库管理员配置 archive_mode 与 archive_command，或增设备机",
        "have the administrator set archive_mode and archive_command, or add a replica",
    )


def _transactions(state: ServerState) -> Finding:
    share = f"{state.oldest_transaction / LAST_TRANSACTION:.0%}"
    says = f"最早未冻结事务的年龄为上限的 {share}"
    says_en = f"the oldest transaction not yet frozen is at {share} of the limit"
    if state.oldest_transaction < MANY_TRANSACTIONS and state.vacuums:
        return ok("vacuum", says, says_en)
    return warning(
        "vacuum",
        says if state.vacuums else "autovacuum 未开启",
        says_en if state.vacuums else "autovacuum is off",
        "请开启 autovacuum，并查看阻碍它的长事务与复制槽",
        "turn autovacuum on, and look for long transactions and slots that hold it back",
    )
