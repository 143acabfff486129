"""What the gauges show of the database: one reading of it at a time, taken beside the requests."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Backlog:
    """An agency's unread entries; `since`: when the oldest was registered, microseconds UTC."""

    entries: int
    since: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What the gauges show of the database at a moment: bytes, counts, times in microseconds UTC.

    `position` is the number of the newest event, `oldest_position` that of the oldest still held.
    The log and the disk are None where the database is on another's; `intake_since` where nothing
    waits, `writer_silence`, in seconds, where one process has the database for itself.
    """

    now: int
    position: int
    oldest_position: int
    hubtime: int
    known: int
    refusals: int
    backlogs: Mapping[str, Backlog]
    intake_since: int | None
    intake_batches: int
    intake_aside: int
    records_aside: int
    writer_silence: float | None
    policy_version: int
    policy_changed: int
    tokens_expiring: int
    database_bytes: int
    log_bytes: int | None
    disk_bytes: int | None
    disk_free_bytes: int | None


READ: Final[tuple[tuple[str, str, Callable[[Measured], float | None]], ...]] = (
    (
        "journal_position",
        "最新事件的位置，即登记过的总数 / the newest event's position: all ever registered",
        lambda m: m.position,
    ),
    (
        "journal_oldest_position",
        "最早在库事件的位置 / position of the oldest event held",
        lambda m: m.oldest_position,
    ),
    (
        "journal_newest_timestamp_seconds",
        "最近一次登记的时刻 / when an event was last registered, since 1970",
        lambda m: m.hubtime / _SECOND,
    ),
    (
        "dedup_entries",
        "去重记录数，等于在库事件数 / known (source, id) pairs: as many as events held",
        lambda m: m.known,
    ),
    ("refusals_recorded", "在库的退回记录 / refusal records held", lambda m: m.refusals),
    (
        "intake_oldest_seconds",
        "最早受理而尚待登记的批次已等候多久，没有则为 0"
        " / for how long the oldest batch has waited to be registered, 0 where none does",
        lambda m: 0 if m.intake_since is None else max(0, m.now - m.intake_since) / _SECOND,
    ),
    (
        "intake_waiting_batches",
        "受理而尚待登记的批次；主干为 Kafka 时即发件箱"
        " / batches that wait to be registered; where Kafka is the backbone, its outbox",
        lambda m: m.intake_batches,
    ),
    (
        "intake_set_aside",
        "读不懂而另行留存的批次 / batches that could not be read and were set aside",
        lambda m: m.intake_aside,
    ),
    (
        "backbone_unread_records",
        "来自 Kafka 而读不懂、另行留存的记录"
        " / records from the brokers that could not be read and were set aside",
        lambda m: m.records_aside,
    ),
    (
        "writer_silence_seconds",
        "负责登记的进程多久没有动静；单进程的库没有此项"
        " / for how long no writer has shown itself; not where one process has the database",
        lambda m: m.writer_silence,
    ),
    ("policy_version", "现行策略的版本 / the policy version in force", lambda m: m.policy_version),
    (
        "policy_changed_timestamp_seconds",
        "现行策略生效的时刻 / when it was put in force, since 1970",
        lambda m: m.policy_changed / _SECOND,
    ),
    (
        "tokens_expiring",
        "十四天内到期而未更换的令牌 / tokens that end within 14 days and have not been replaced",
        lambda m: m.tokens_expiring,
    ),
    ("database_bytes", "数据库文件的大小 / size of the database file", lambda m: m.database_bytes),
    (
        "database_log_bytes",
        "数据库预写日志的大小 / size of its write-ahead log",
        lambda m: m.log_bytes,
    ),
    (
        "disk_bytes",
        "数据目录所在磁盘的大小 / size of the data directory's disk",
        lambda m: m.disk_bytes,
    ),
    ("disk_free_bytes", "其上可用的空间 / what is free on it", lambda m: m.disk_free_bytes),
)
READ_OF_AGENCIES: Final[tuple[tuple[str, str, Callable[[Measured, Backlog], float]], ...]] = (
    (
        "unread_entries",
        "已提交游标之后的订阅条目；每个订阅至多计 1000 次登记"
        " / feed entries after the committed cursors; of each feed the first 1,000 rows",
        lambda _, backlog: backlog.entries,
    ),
    (
        "unread_age_seconds",
        "其中最早一条登记至今 / how long ago the oldest of them was registered",
        lambda m, backlog: max(0, m.now - backlog.since) / _SECOND,
    ),
)


class Readings(Collector):
    """Gauges of the newest reading; an agency without unread entries has no series of them.

    It is replaced as a whole, so that a scrape on its thread never sees half of one.
    """

    newest: Measured | None = None

    def collect(self) -> Iterator[Metric]:
        newest = self.newest
        for name, meaning, value in READ:
            shown = None if newest is None else value(newest)
            yield GaugeMetricFamily(f"guantong_{name}", meaning, value=shown)
        for name, meaning, value_of in READ_OF_AGENCIES:
            family = GaugeMetricFamily(f"guantong_{name}", meaning, labels=("agency",))
            if newest is not None:
                for agency, backlog in newest.backlogs.items():
                    family.add_metric((agency,), value_of(newest, backlog))
            yield family
