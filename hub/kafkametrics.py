"""What is counted of Kafka: the brokers, the backbone over them, the doors and feeds that
are topics.
"""

from collections.abc import Mapping
from math import nan
from typing import Literal, get_args

from prometheus_client import CollectorRegistry

from hub.declaring import Declared, Declaring

# What keeps a process from the brokers.
Lack = Literal["kafka_away", "kafka_login_refused", "kafka_tls"]
# Which client of theirs the backbone has.
Client = Literal["producer", "registrar"]
# Why a request went to the outbox instead of the brokers: it is to be registered as a whole,
# earlier ones wait there, the brokers are away, or they did not answer it in time.
Detour = Literal["whole", "waits", "away", "unacknowledged"]


class KafkaMetrics(Declaring):
    """The metrics of a process's dealings with Kafka; without Kafka they stay as they begin."""

    def __init__(self, registry: CollectorRegistry, declared: list[Declared]) -> None:
        super().__init__(registry, declared)
        self._declare_brokers()
        self._declare_backbone()
        self._declare_doors()
        self._declare_feeds()

    def _declare_brokers(self) -> None:
        self._lacks = self._gauge(
            "kafka_away",
            "1：设置了 Kafka 而连不上，按原因"
            " / 1: Kafka is set and cannot be reached, by what keeps it from this process",
            "reason",
        )
        self._sessions = self._counter(
            "backbone_sessions",
            "主干与 Kafka 建立的会话，多于一个即断开过"
            " / sessions of the backbone with Kafka; more than one: it was lost",
            "kind",
        )

    def _declare_backbone(self) -> None:
        self._produced = self._counter(
            "backbone_produced", "Kafka 已确认写入的记录 / records that the brokers have", "family"
        )
        self._registered = self._counter(
            "backbone_registered",
            "从 Kafka 读到并已处理的记录：登记、退回或另行留存"
            " / records from the brokers that were registered, refused or set aside",
            "family",
        )
        self._behind = self._counter(
            "backbone_behind",
            "登记进程发现别的进程已先行登记、改从所记之处再读的次数"
            " / times others had registered what this process was about to",
        )
        self._replaced = self._counter(
            "backbone_producers_replaced",
            "生产者失效而换新的次数 / producers that failed and were replaced",
        )
        self._detours = self._counter(
            "backbone_outbox_requests",
            "改入发件箱的请求，按原因 / requests that went to the outbox, by why",
            "reason",
        )
        self._lag = self._gauge(
            "backbone_lag_records",
            "Kafka 已有而尚未登记的记录；由持有分片的进程测量，别处为 NaN"
            " / records that the brokers have and nobody registered; NaN where the shard is not",
        )
        self._lag_age = self._gauge(
            "backbone_lag_seconds",
            "其中最早的一条至少已等候多久 / for how long at least the oldest of them has waited",
        )
        self.lagging(nan, nan)

    def _declare_doors(self) -> None:
        self._doors_away = self._gauge(
            "kafka_doors_away",
            "1：设置了 Kafka 而没有会话，主题中的事件暂不读取"
            " / 1: Kafka is set and there is no session, so that what is in topics is not read",
        )
        self._doors_sessions = self._counter(
            "kafka_doors_sessions", "与 Kafka 建立的会话，多于一个即断开过 / sessions with Kafka"
        )
        self._doors_rebalances = self._counter(
            "kafka_doors_rebalances",
            "本进程分得各机构主题的分区的次数"
            " / times this process was given partitions of the agencies' topics",
        )
        self._doors_unread = self._gauge(
            "kafka_doors_unread_records",
            "本进程所读各机构主题中尚未受理的记录"
            " / records not yet admitted, in the agencies' topics that this process reads",
        )
        self._doors_oldest = self._gauge(
            "kafka_doors_oldest_seconds",
            "已读到而尚未受理的最早一条，按其时间已有多久"
            " / age of the oldest record that was read and is not admitted, by its own time",
        )
        self._doors_wait = self._gauge(
            "kafka_doors_waiting",
            "因故暂不能受理的分区，按所等之事"
            " / partitions whose records cannot be admitted yet, by what they wait for",
            "reason",
        )

    def _declare_feeds(self) -> None:
        self._feeds_away = self._gauge(
            "kafka_feeds_away",
            "1：本进程须向 Kafka 写入订阅而没有会话"
            " / 1: this process is to write feeds to Kafka, and has no session",
        )
        self._feeds_wait = self._gauge(
            "kafka_feeds_waiting",
            "因主题不存在、无权写入等而等候的 Kafka 订阅，不含停用机构的"
            " / feeds by Kafka that wait: no topic, no right to write to it, and the like; not"
            " those of suspended agencies",
        )

    def reached(self, lack: str | None) -> None:
        """Whether the brokers can be reached was found out."""
        for each in get_args(Lack):
            self._lacks.labels(each).set(each == lack)

    def doors_rebalanced(self) -> None:
        """This process was given partitions of the doors."""
        self._doors_rebalances.inc()

    def session(self, client: Client) -> None:
        """A client of the backbone's has begun."""
        self._sessions.labels(client).inc()

    def produced(self, family: str, records: int) -> None:
        """The brokers have acknowledged records."""
        self._produced.labels(family).inc(records)

    def registered(self, family: str, records: int) -> None:
        """It is settled what became of records."""
        self._registered.labels(family).inc(records)

    def behind(self) -> None:
        """What was about to be registered had been, by others."""
        self._behind.inc()

    def replaced(self) -> None:
        """A producer failed."""
        self._replaced.inc()

    def went_round(self, detour: Detour) -> None:
        """A request went to the outbox."""
        self._detours.labels(detour).inc()

    def lagging(self, records: float, seconds: float) -> None:
        """So many records are not registered, the oldest for so long; NaN where nobody asks."""
        self._lag.set(records)
        self._lag_age.set(seconds)

    def doors_found(self, *, away: bool) -> None:
        """A session of the doors began, or there is none."""
        self._doors_away.set(away)
        if away:
            self._doors_wait.clear()
        else:
            self._doors_sessions.inc()

    def doors_unread(self, records: int, *, age: float, waiting: Mapping[str, int]) -> None:
        """So many records of doors are not admitted; so many seconds old is the oldest; so many
        partitions wait, by what for.
        """
        self._doors_unread.set(records)
        self._doors_oldest.set(age)
        self._doors_wait.clear()
        for reason, partitions in waiting.items():
            self._doors_wait.labels(reason).set(partitions)

    def feeds_found(self, *, away: bool) -> None:
        """A session of the feeds began or, where there is to be one, there is none."""
        self._feeds_away.set(away)

    def feeds_wait(self, feeds: int) -> None:
        """So many feeds cannot be written at the moment."""
        self._feeds_wait.set(feeds)
