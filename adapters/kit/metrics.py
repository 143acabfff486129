"""What an adapter process counts, by the adapter's name; each metric is explained here once."""

from collections import Counter as CounterOf
from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from adapters.kit.documents import Counts
from adapters.kit.port import FaultKind
from adapters.kit.sending import Answered
from adapters.kit.spool import Depth

_READ: Final = "读到的行（空行除外） / Rows read that had something in them"
_SENT: Final = "贯通答复过的事件，按结果 / Events that the hub answered for, by result"
_REFUSED: Final = "退回的行或事件，按原因 / Rows and events refused, by reason"
_TAKEN: Final = "从订阅取下并落入去处的事件 / Events taken from the subscription into the sinks"
_RESTARTS: Final = "因故障重新开始的次数，按环节 / Restarts after a failure, by part"
_WAITING: Final = "待发的事件 / Events that wait to be sent"
_BYTES: Final = "待发事件的字节 / Bytes of the events that wait to be sent"
_AGE: Final = "最早一件待发事件已等待的秒数 / Seconds that the oldest waiting event has waited"
_REJECTED: Final = (
    "没有全部收下的行，和贯通拒收的事件"
    " / Rows that were not taken over whole, and events that the hub refused"
)
_SUCCESS: Final = (
    "各环节最近一次做成的时间，没有新内容也算（纪元秒）"
    " / When each part last succeeded, also with nothing to do, seconds since the epoch"
)
# What a hub names its refusals is its own; more kinds than these are one.
_MOST_REASONS: Final = 60
_OTHER: Final = "other"


class Figures:
    """The figures of one adapter; `depth` is asked when somebody looks."""

    def __init__(self, depth: Callable[[], Depth] | None) -> None:
        self.depth = depth
        self.read_rows = 0
        self.sent: CounterOf[str] = CounterOf()
        self.refused: CounterOf[str] = CounterOf()
        self.restarts: CounterOf[str] = CounterOf()
        self.taken = 0
        self.rejected = 0
        self.success: dict[str, float] = {}

    def kept(self, counts: Counts, faults: CounterOf[FaultKind]) -> None:
        self.read_rows += counts.read
        self.sent["known"] += counts.duplicate
        self.rejected += counts.rejected
        self._refuse({str(kind.name).lower(): n for kind, n in faults.items()})

    def answered(self, answer: Answered) -> None:
        for outcome in ("accepted", "duplicate", "rejected"):
            self.sent[outcome] += getattr(answer.counts, outcome)
        self.rejected += answer.counts.rejected
        self._refuse(answer.refused)

    def _refuse(self, reasons: Mapping[str, int]) -> None:
        for reason, times in reasons.items():
            room = len(self.refused) < _MOST_REASONS
            self.refused[reason if room or reason in self.refused else _OTHER] += times


class Exposed(Collector):
    """All adapters of the process, for Prometheus."""

    def __init__(self, figures: dict[str, Figures], now: Callable[[], float]) -> None:
        self._figures = figures
        self._now = now
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def collect(self) -> list[Metric]:
        named = ["adapter"]
        read = CounterMetricFamily("guantong_adapter_read", _READ, labels=named)
        sent = CounterMetricFamily("guantong_adapter_events", _SENT, labels=[*named, "outcome"])
        refused = CounterMetricFamily(
            "guantong_adapter_refused", _REFUSED, labels=[*named, "reason"]
        )
        taken = CounterMetricFamily("guantong_adapter_taken", _TAKEN, labels=named)
        restarts = CounterMetricFamily(
            "guantong_adapter_restarts", _RESTARTS, labels=[*named, "part"]
        )
        waiting = GaugeMetricFamily("guantong_adapter_spool_events", _WAITING, labels=named)
        size = GaugeMetricFamily("guantong_adapter_spool_bytes", _BYTES, labels=named)
        age = GaugeMetricFamily("guantong_adapter_oldest_unsent_seconds", _AGE, labels=named)
        success = GaugeMetricFamily(
            "guantong_adapter_last_success_timestamp_seconds", _SUCCESS, labels=[*named, "part"]
        )
        rejected = CounterMetricFamily("guantong_adapter_rejected", _REJECTED, labels=named)
        for name, figures in self._figures.items():
            read.add_metric([name], figures.read_rows)
            taken.add_metric([name], figures.taken)
            rejected.add_metric([name], figures.rejected)
            for part, when in figures.success.items():
                success.add_metric([name, part], when)
            for family, counted in (
                (sent, figures.sent),
                (refused, figures.refused),
                (restarts, figures.restarts),
            ):
                for label, number in sorted(counted.items()):
                    family.add_metric([name, label], number)
            if figures.depth is not None:
                depth = figures.depth()
                waiting.add_metric([name], depth.events)
                size.add_metric([name], depth.bytes)
                waited = 0.0 if depth.oldest is None else max(0.0, self._now() - depth.oldest)
                age.add_metric([name], waited)
        return [read, sent, rejected, refused, taken, restarts, waiting, size, age, success]
