"""Every metric, named and explained once, Chinese before ` / `, English after.

Labels are agency (registered ones only), family, code, step, task, channel and the like, all from
closed sets (`type` and `version` only of contracts to be retired); nothing per subscription or
event, so that the number of series stays bounded. `make docs` writes the list of them,
`deploy/monitoring/metrics.md`.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Info,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from hub.declaring import Declaring
from hub.event import Accepted, Duplicate, Outcome, Rejected
from hub.gauges import READ, READ_OF_AGENCIES, Measured, Readings
from hub.kafkametrics import KafkaMetrics

# Why a request has no caller; `limited` was not even looked at.
NoCaller = Literal["missing", "malformed", "unknown", "expired", "revoked", "limited"]
# What is done beside the requests.
Task = Literal["watch", "purge", "fill", "register", "settle", "look", "drain", "measure"]
Use = Literal["publish", "pull", "kafka"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
# What prometheus_client tells of a process, where /proc is there.
_PROCESS: Final = {
    "cpu_seconds_total": "进程用去的处理器时间 / processor time spent",
    "max_fds": "进程最多可打开的文件数 / most files that may be open",
    "open_fds": "进程打开的文件数 / open files",
    "resident_memory_bytes": "进程占用的内存 / resident memory",
    "start_time_seconds": "进程启动的时刻 / when the process started, since 1970",
    "virtual_memory_bytes": "进程的虚拟内存 / virtual memory",
}


class Metrics(Declaring):
    """The hub's metrics in a registry of their own; `declared` lists them."""

    def __init__(self, *, version: str, sqlite: str) -> None:
        # When each series began would be told by a series more for each.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        super().__init__(CollectorRegistry(), [])
        self._declare_intake()
        self.kafka = KafkaMetrics(self.registry, self.declared)
        self._declare_backbone()
        self._declare_readings()
        self._declare_delivery()
        self._declare_operations(version=version, sqlite=sqlite)

    def _declare_intake(self) -> None:
        self._accepted = self._counter(
            "events_accepted", "受理的事件 / events accepted", "agency", "family"
        )
        self._duplicate = self._counter(
            "events_duplicate", "再次送来的已知事件 / known events sent again", "agency", "family"
        )
        self._refused = self._counter(
            "events_refused",
            "退回的事件，按第一个错误；读不懂的请求算一件"
            " / refused events, by first error; an unreadable request counts as one",
            "agency",
            "code",
        )
        self._batch = self._histogram(
            "batch_events", "一次请求中的事件数 / events in one request", _SIZES
        )
        self._admission = self._histogram(
            "admission_seconds", "从请求到答复 / from request to answer", _SECONDS
        )

    def _declare_backbone(self) -> None:
        self._commit = self._histogram(
            "commit_seconds", "写入线程的一次事务 / one transaction of the writer", _SECONDS
        )
        self._group = self._histogram(
            "commit_works", "一次事务包含的写入 / works that one transaction took", _SIZES
        )
        self._failed = self._counter(
            "writes_failed", "因存储故障失败的写入 / works that failed on storage"
        )
        self._registers = self._gauge(
            "registers",
            "本进程是否负责登记（1 是，0 否或待命）"
            " / whether this process registers; 0: it does not, or stands by",
        )
        self._intake_bytes = self._gauge(
            "intake_waiting_bytes",
            "各门户已受理、尚待登记的字节 / bytes that doors took in and nobody has registered yet",
        )
        self._strangers = self._counter(
            "parties_unmatched",
            "所登记事件中不属于任何已登记机构的当事方"
            " / parties of registered events whom no registered agency is",
            "family",
        )
        self._queue_works = self._gauge(
            "writer_queue_works", "等待写入的工作 / works that wait for the writer"
        )
        self._queue_bytes = self._gauge(
            "writer_queue_bytes", "等待写入的字节 / bytes that wait for the writer"
        )
        self._queue_capacity = self._gauge(
            "writer_queue_capacity_bytes",
            "可等待写入的上限，超过即答复 503 / what may wait; beyond it the answer is 503",
        )

    def _declare_readings(self) -> None:
        for name, meaning, _ in READ:
            self._declare(name, "gauge", (), meaning)
        for name, meaning, _ in READ_OF_AGENCIES:
            self._declare(name, "gauge", ("agency",), meaning)
        self._readings = Readings()
        self.registry.register(self._readings)

    def _declare_delivery(self) -> None:
        self._delivered = self._counter(
            "events_delivered", "送达的事件 / events handed over", "agency", "channel"
        )
        self._views = self._counter(
            "views_delivered",
            "隐去部分字段后送达的事件 / events handed over with fields withheld",
            "agency",
            "channel",
        )
        self._denied = self._counter(
            "events_denied",
            "未送达的订阅条目，按作出决定的步骤（0：已过期；6：无法转换为所定版本，或超过主题所限）"
            " / feed entries not handed over, by the step that said so"
            " (0: expired, 6: no form in the pinned version, or too large for its topic)",
            "agency",
            "channel",
            "step",
        )
        self._retiring = self._counter(
            "retiring_contract_uses",
            "仍在使用即将停用的契约版本：发布的事件，或有内容的读取"
            " / uses of versions that are to be retired: events published, pages read",
            "agency",
            "type",
            "version",
            "use",
        )
        self._expired_unread = self._counter(
            "events_expired_unread",
            "未读就已过期清除的订阅条目 / feed entries purged before they were read",
            "agency",
        )
        self._purged = self._counter(
            "events_purged", "按保存期清除的事件 / events purged", "family"
        )
        self._pull = self._histogram(
            "pull_seconds", "读取一页，不含等待 / reading one page, without waiting", _SECONDS
        )

    def _declare_operations(self, *, version: str, sqlite: str) -> None:
        self._ready = self._gauge("ready", "1：可以写入，正常服务 / 1: writes commit, it serves")
        self._unauthenticated = self._counter(
            "requests_unauthenticated",
            "没有有效令牌的请求，按原因 / requests without a valid token, by what was wrong",
            "reason",
        )
        self._turned_away = self._counter(
            "requests_refused", "整体被拒绝的请求 / requests refused as a whole", "code"
        )
        self._errors = self._counter(
            "errors", "因本系统故障失败的请求 / requests that failed by a fault of the hub"
        )
        self._background = self._counter(
            "background_failed",
            "后台任务失败的次数，稍后自动再来"
            " / turns of background tasks that failed; each is followed by another",
            "task",
        )
        # Shown from the start, so that the first failure is an increase.
        for task in get_args(Task):
            self._background.labels(task)
        self._over_share = self._counter(
            "requests_over_share",
            "份额用尽而暂拒的发布请求 / publishing turned away, the agency's share in use",
            "agency",
        )
        self._rhythmic: frozenset[str] = frozenset()
        self._silent = self._gauge(
            "silence_silent",
            "1：平时常报的机构沉默了 / 1: an agency with a usual rhythm has fallen silent",
            "agency",
        )
        self._expected = self._gauge(
            "silence_expected_events",
            "自上次发布以来按惯例应有的事件数 / events usual since the agency last spoke",
            "agency",
        )
        self._away = self._gauge(
            "silence_away_provinces",
            "多数机构同时停报的省份数 / provinces most of whose agencies are away together",
        )
        self._connections = self._gauge("connections", "打开的连接 / open connections")
        for name, meaning in _PROCESS.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            self._declare(f"process_{name}", kind, (), meaning)
        # The collectors of garbage and platform name their metrics without the hub's prefix.
        ProcessCollector(namespace="guantong", registry=self.registry)
        meaning = "运行的版本 / what runs"
        self._declare("build_info", "gauge", ("version", "sqlite"), meaning)
        self._build = Info("guantong_build", meaning, registry=self.registry)
        self._build.info({"version": version, "sqlite": sqlite})

    def watch_queue(
        self, *, works: Callable[[], int], size: Callable[[], int], capacity: int
    ) -> None:
        """Show what waits for the writer: works, and bytes of the `capacity`."""
        self._queue_works.set_function(works)
        self._queue_bytes.set_function(size)
        self._queue_capacity.set(capacity)

    def watch_registering(self, registers: Callable[[], bool]) -> None:
        """Show whether this process registers."""
        self._registers.set_function(registers)

    def intake_weighed(self, waiting: int) -> None:
        """So many bytes wait to be registered, of all doors."""
        self._intake_bytes.set(waiting)

    def watch_connections(self, count: Callable[[], int]) -> None:
        """Show how many connections are open."""
        self._connections.set_function(count)

    def admitted(self, outcomes: Iterable[Outcome], *, agency: str, seconds: float) -> None:
        """A request was answered, with these outcomes."""
        counts: dict[tuple[Counter, str], int] = {}
        for outcome in outcomes:
            match outcome:
                case Accepted(receipt=receipt):
                    counted = self._accepted, receipt.type.partition(".")[0]
                case Duplicate(receipt=receipt):
                    counted = self._duplicate, receipt.type.partition(".")[0]
                case Rejected(faults=faults):
                    counted = self._refused, faults[0].code
            counts[counted] = counts.get(counted, 0) + 1
        for (counter, label), count in counts.items():
            counter.labels(agency, label).inc(count)
        self._batch.observe(sum(counts.values()))
        self._admission.observe(seconds)

    def registered(self, *, strangers: Mapping[str, int]) -> None:
        """Events were registered; parties of theirs, by family, are no registered agency."""
        for family, count in strangers.items():
            self._strangers.labels(family).inc(count)

    def unreadable(self, *, agency: str, code: str) -> None:
        """A request of an agency could not be read."""
        self._refused.labels(agency, code).inc()

    def committed(self, *, works: int, seconds: float) -> None:
        """The writer committed a transaction."""
        self._commit.observe(seconds)
        self._group.observe(works)

    def write_failed(self, *, works: int) -> None:
        """The writer could not carry out works."""
        self._failed.inc(works)

    def handed_over(
        self,
        *,
        agency: str,
        channel: str,
        delivered: int,
        views: int,
        denied: Tally[int],
        seconds: float,
    ) -> None:
        """A page was handed over."""
        self._delivered.labels(agency, channel).inc(delivered)
        self._views.labels(agency, channel).inc(views)
        for step, count in denied.items():
            self._denied.labels(agency, channel, str(step)).inc(count)
        self._pull.observe(seconds)

    def kept_back(self, *, agency: str, channel: str, step: int) -> None:
        """An entry was not handed over after all."""
        self._denied.labels(agency, channel, str(step)).inc()

    def used_retiring(
        self, *, agency: str, type_: str, version: str, use: Use, times: int = 1
    ) -> None:
        """A version that is to be retired was used."""
        self._retiring.labels(agency, type_, version, use).inc(times)

    def silence(self, agencies: Mapping[str, tuple[bool, float]], *, provinces: int) -> None:
        """Of the agencies that have a rhythm: whether each is silent, and how much is expected.

        A scrape on its thread misses none of those that stay: an alert would begin anew.
        """
        for agency, (silent, expected) in agencies.items():
            self._silent.labels(agency).set(silent)
            self._expected.labels(agency).set(expected)
        for agency in self._rhythmic.difference(agencies):
            self._silent.remove(agency)
            self._expected.remove(agency)
        self._rhythmic = frozenset(agencies)
        self._away.set(provinces)

    def duplicates(self) -> Tally[str]:
        """Known events sent again since the start, by agency."""
        tally: Tally[str] = Tally()
        for family in self._duplicate.collect():
            for sample in family.samples:
                if sample.name.endswith("_total"):
                    tally[sample.labels["agency"]] += int(sample.value)
        return tally

    def purged(self, *, events: Tally[str], unread: Tally[str]) -> None:
        """Events, by type, were purged; so many feed entries had not been read, by agency."""
        for type_, count in events.items():
            self._purged.labels(type_.partition(".")[0]).inc(count)
        for agency, count in unread.items():
            self._expired_unread.labels(agency).inc(count)

    def unauthenticated(self, reason: NoCaller) -> None:
        """A request came without a valid token."""
        self._unauthenticated.labels(reason).inc()

    def turned_away(self, code: str, *, times: int = 1) -> None:
        """A request was refused as a whole, or as many records of topics."""
        self._turned_away.labels(code).inc(times)

    def share_exceeded(self, agency: str) -> None:
        """A request was turned away since its agency's share is used."""
        self._over_share.labels(agency).inc()

    def erred(self) -> None:
        """A request failed by a fault of the hub."""
        self._errors.inc()

    def background_failed(self, task: Task) -> None:
        """A turn of a background task failed."""
        self._background.labels(task).inc()

    def found_ready(self, ready: bool) -> None:
        """Whether the hub serves was found out."""
        self._ready.set(ready)

    def measured(self, measured: Measured) -> None:
        """The database was measured."""
        self._readings.newest = measured

    def exposition(self) -> tuple[bytes, str]:
        """The text that Prometheus reads, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
