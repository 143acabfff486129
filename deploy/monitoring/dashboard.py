"""The Grafana dashboard as code: rows of panels, each asking for metrics of `hub/metrics.py`."""

import json
from dataclasses import dataclass
from typing import Any, Final

COLUMNS: Final = 3
WIDTH: Final = 24 // COLUMNS
HEIGHT: Final = 8
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
# What the variables of the dashboard choose.
HUB: Final = 'instance=~"$instance"'
AGENCY: Final = f'{HUB},agency=~"$agency"'
# A picture of more lines than this shows nothing.
MOST_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture: a title, its unit (Grafana's name) and its lines, (legend, expression) each."""

    title: str
    unit: str
    lines: tuple[tuple[str, str], ...]
    note: str = ""


def dashboard() -> str:
    """The dashboard as Grafana imports it."""
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS.items():
        panels.append(_row(title, top=top, number=len(panels) + 1))
        for n, panel in enumerate(row):
            place = {"x": n % COLUMNS * WIDTH, "y": top + 1 + n // COLUMNS * HEIGHT}
            panels.append(_panel(panel, place, number=len(panels) + 1))
        top += 1 + -(-len(row) // COLUMNS) * HEIGHT
    document = {
        "uid": "guantong",
        "title": "贯通 · Guantong",
        "tags": ["guantong"],
        "timezone": "Asia/Shanghai",
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": panels,
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _rate(metric: str, *by: str, where: str = HUB) -> str:
    """Events a second, summed up by labels."""
    return f"sum by ({', '.join(by)}) (rate({metric}{{{where}}}[$__rate_interval]))"


def _most(expression: str) -> str:
    return f"topk({MOST_LINES}, {expression})"


def _quantiles(histogram: str) -> tuple[tuple[str, str], ...]:
    buckets = _rate(f"{histogram}_bucket", "le", "instance")
    return tuple(
        (f"{{{{instance}}}} p{quantile * 100:.0f}", f"histogram_quantile({quantile}, {buckets})")
        for quantile in (0.5, 0.99)
    )


def _each(metric: str, legend: str = "{{instance}}", where: str = HUB) -> tuple[str, str]:
    return legend, f"{metric}{{{where}}}"


_REFUSED: Final = _rate("guantong_events_refused_total", "agency", where=AGENCY)
_ACCEPTED: Final = _rate("guantong_events_accepted_total", "agency", where=AGENCY)

_INTAKE: Final = (
    Panel("受理 / accepted", "eps", (("{{agency}}", _most(_ACCEPTED)),)),
    Panel(
        "按契约族 / by family",
        "eps",
        (("{{family}}", _rate("guantong_events_accepted_total", "family", where=AGENCY)),),
    ),
    Panel(
        "重复 / duplicates",
        "eps",
        (
            (
                "{{agency}}",
                _most(_rate("guantong_events_duplicate_total", "agency", where=AGENCY)),
            ),
        ),
    ),
    Panel(
        "退回，按错误 / refused, by code",
        "eps",
        (("{{code}}", _most(_rate("guantong_events_refused_total", "code", where=AGENCY))),),
    ),
    Panel(
        "退回比例 / share refused",
        "percentunit",
        (
            (
                "{{agency}}",
                _most(f"{_REFUSED} / ({_REFUSED} + ({_ACCEPTED} or {_REFUSED} * 0))"),
            ),
        ),
        "退回 ÷（受理＋退回） / refused of what was accepted or refused",
    ),
    Panel("答复时间 / time to answer", "s", _quantiles("guantong_admission_seconds")),
    Panel("一次请求的事件数 / events a request", "short", _quantiles("guantong_batch_events")),
    Panel(
        "反常沉默 / silent",
        "short",
        (
            ("{{agency}}", f"guantong_silence_silent{{{AGENCY}}} == 1"),
            _each("guantong_silence_away_provinces", "{{instance}} 同歇的省 / provinces away"),
        ),
    ),
    Panel(
        "沉默以来通常的件数 / usual since it last spoke",
        "short",
        (("{{agency}}", _most(f"guantong_silence_expected_events{{{AGENCY}}}")),),
    ),
)

_KAFKA: Final = (
    Panel(
        "连不上 / away",
        "short",
        (
            _each("guantong_kafka_away", "{{instance}} {{reason}}"),
            _each("guantong_kafka_doors_away", "{{instance}} 门户无会话 / doors without a session"),
        ),
    ),
    Panel(
        "会话 / sessions",
        "short",
        (
            _each("guantong_backbone_sessions_total", "{{instance}} {{kind}}"),
            _each("guantong_kafka_doors_sessions_total", "{{instance}} 门户 / doors"),
        ),
        "增加即断开过 / one more: it was lost",
    ),
    Panel(
        "机构主题的分区改派 / rebalances of the doors",
        "short",
        (("{{instance}}", _rate("guantong_kafka_doors_rebalances_total", "instance")),),
    ),
    Panel(
        "已写入与已登记 / produced, registered",
        "eps",
        (
            ("{{family}} 写入 / produced", _rate("guantong_backbone_produced_total", "family")),
            ("{{family}} 登记 / registered", _rate("guantong_backbone_registered_total", "family")),
        ),
    ),
    Panel(
        "尚未登记 / not yet registered",
        "short",
        (_each("guantong_backbone_lag_records"),),
        "由持有分片的进程测量 / measured where the shard is",
    ),
    Panel(
        "最早一条的等候 / wait of the oldest",
        "s",
        (_each("guantong_backbone_lag_seconds"),),
    ),
    Panel(
        "改入发件箱 / to the outbox, by why",
        "reqps",
        (("{{reason}}", _rate("guantong_backbone_outbox_requests_total", "reason")),),
        "whole 整批登记 waits 先来者在内 away 连不上 unacknowledged 未及时确认",
    ),
    Panel(
        "换过的生产者，落后的登记 / producers replaced, registrars behind",
        "short",
        (
            (
                "{{instance}} 生产者 / producers",
                _rate("guantong_backbone_producers_replaced_total", "instance"),
            ),
            ("{{instance}} 落后 / behind", _rate("guantong_backbone_behind_total", "instance")),
        ),
    ),
    Panel(
        "另行留存的记录 / records set aside",
        "short",
        (_each("guantong_backbone_unread_records"),),
    ),
    Panel(
        "机构主题中待受理 / unread in agencies' topics",
        "short",
        (_each("guantong_kafka_doors_unread_records"),),
    ),
    Panel(
        "其中最早的等候 / longest wait there",
        "s",
        (_each("guantong_kafka_doors_oldest_seconds"),),
    ),
    Panel(
        "等候的分区，按所等之事 / partitions that wait, by what for",
        "short",
        (_each("guantong_kafka_doors_waiting", "{{instance}} {{reason}}"),),
    ),
)

_JOURNAL: Final = (
    Panel(
        "登记总数与在库 / registered, held",
        "short",
        (
            _each("guantong_journal_position", "{{instance}} 登记 / registered"),
            _each("guantong_dedup_entries", "{{instance}} 在库 / held"),
            _each("guantong_journal_oldest_position", "{{instance}} 最早 / oldest"),
        ),
    ),
    Panel(
        "距上次登记 / since the last event",
        "s",
        (("{{instance}}", f"time() - guantong_journal_newest_timestamp_seconds{{{HUB}}}"),),
    ),
    Panel(
        "数据库 / database",
        "bytes",
        (
            _each("guantong_database_bytes", "{{instance}} 文件 / file"),
            _each("guantong_database_log_bytes", "{{instance}} 预写日志 / log"),
        ),
    ),
    Panel("一次事务 / one commit", "s", _quantiles("guantong_commit_seconds")),
    Panel("一次事务的写入 / works a commit", "short", _quantiles("guantong_commit_works")),
    Panel(
        "等待写入 / waiting for the writer",
        "percentunit",
        (
            (
                "{{instance}}",
                f"guantong_writer_queue_bytes{{{HUB}}}"
                f" / guantong_writer_queue_capacity_bytes{{{HUB}}}",
            ),
        ),
        "占上限的比例，满则答复 503 / share of what may wait; at 1 the answer is 503",
    ),
    Panel("等待的工作 / works waiting", "short", (_each("guantong_writer_queue_works"),)),
    Panel(
        "写入失败 / writes failed",
        "short",
        (("{{instance}}", _rate("guantong_writes_failed_total", "instance")),),
    ),
    Panel(
        "谁在登记 / who registers",
        "bool_yes_no",
        (_each("guantong_registers"),),
        "同一数据库上应恰有一个 / on one database exactly one should",
    ),
    Panel(
        "待登记 / waiting to be registered",
        "bytes",
        (_each("guantong_intake_waiting_bytes"),),
        "满 256 MiB 则门户答复 503 / at 256 MiB doors answer 503",
    ),
    Panel(
        "最早的等候登记 / longest wait to be registered",
        "s",
        (
            _each("guantong_intake_oldest_seconds"),
            _each(
                "guantong_writer_silence_seconds", "{{instance}} 登记进程无动静 / no writer seen"
            ),
        ),
    ),
    Panel(
        "待登记的批次 / batches that wait",
        "short",
        (_each("guantong_intake_waiting_batches"),),
        "主干为 Kafka 时即发件箱 / where Kafka is the backbone: the outbox",
    ),
    Panel("另行留存的批次 / set aside", "short", (_each("guantong_intake_set_aside"),)),
    Panel("退回记录 / refusal records", "short", (_each("guantong_refusals_recorded"),)),
)

_DELIVERY: Final = (
    Panel(
        "送达 / handed over",
        "eps",
        (
            (
                "{{agency}} {{channel}}",
                _most(_rate("guantong_events_delivered_total", "agency", "channel", where=AGENCY)),
            ),
        ),
    ),
    Panel(
        "其中隐去字段 / with fields withheld",
        "eps",
        (
            (
                "{{agency}} {{channel}}",
                _most(_rate("guantong_views_delivered_total", "agency", "channel", where=AGENCY)),
            ),
        ),
    ),
    Panel(
        "未送达，按步骤 / not handed over, by step",
        "eps",
        (
            (
                "{{step}} {{channel}}",
                _rate("guantong_events_denied_total", "step", "channel", where=AGENCY),
            ),
        ),
        "0 已过期，1 契约，2 授权，3 收件，4 回避，5 密级，6 版本"
        " / 0 expired, 1 contract, 2 grant, 3 address, 4 exclusion, 5 marking, 6 version",
    ),
    Panel(
        "等候的 Kafka 订阅 / feeds by Kafka that wait",
        "short",
        (
            _each("guantong_kafka_feeds_waiting", "{{instance}} 等候 / waiting"),
            _each("guantong_kafka_feeds_away", "{{instance}} 连不上 / away"),
        ),
    ),
    Panel(
        "即将停用的契约版本 / contract versions to be retired",
        "eps",
        (
            (
                "{{agency}} {{type}} {{version}} {{use}}",
                _most(
                    _rate(
                        "guantong_retiring_contract_uses_total",
                        "agency",
                        "type",
                        "version",
                        "use",
                        where=AGENCY,
                    )
                ),
            ),
        ),
    ),
    Panel(
        "未读条目 / unread entries",
        "short",
        (("{{agency}}", _most(f"guantong_unread_entries{{{AGENCY}}}")),),
    ),
    Panel(
        "最早未读已等候 / age of the oldest unread",
        "s",
        (("{{agency}}", _most(f"guantong_unread_age_seconds{{{AGENCY}}}")),),
    ),
    Panel("读取一页 / one page", "s", _quantiles("guantong_pull_seconds")),
    Panel(
        "过保存期 / past retention",
        "eps",
        (
            ("{{family}}", _rate("guantong_events_purged_total", "family")),
            (
                "{{agency}} 未读 / unread",
                _most(_rate("guantong_events_expired_unread_total", "agency", where=AGENCY)),
            ),
        ),
    ),
)

_POLICY: Final = (
    Panel("策略版本 / policy version", "short", (_each("guantong_policy_version"),)),
    Panel(
        "距上次修改 / since it was changed",
        "s",
        (("{{instance}}", f"time() - guantong_policy_changed_timestamp_seconds{{{HUB}}}"),),
    ),
    Panel(
        "无有效令牌的请求 / requests without a valid token",
        "reqps",
        (("{{instance}}", _rate("guantong_requests_unauthenticated_total", "instance")),),
    ),
    Panel(
        "被整体拒绝的请求 / requests refused as a whole",
        "reqps",
        (("{{code}}", _most(_rate("guantong_requests_refused_total", "code"))),),
    ),
    Panel(
        "份额用尽的机构 / agencies whose share is in use",
        "reqps",
        (
            (
                "{{agency}}",
                _most(_rate("guantong_requests_over_share_total", "agency", where=AGENCY)),
            ),
        ),
    ),
    Panel("即将到期的令牌 / tokens near their end", "short", (_each("guantong_tokens_expiring"),)),
    Panel(
        "未登记的当事方 / parties unknown",
        "eps",
        (("{{family}}", _rate("guantong_parties_unmatched_total", "family")),),
        "不属于任何已登记机构，无法据此回避 / nobody can be excluded by them",
    ),
    Panel(
        "未送达最多的机构 / agencies denied most",
        "eps",
        (("{{agency}}", _most(_rate("guantong_events_denied_total", "agency", where=AGENCY))),),
    ),
)

_OPERATIONS: Final = (
    Panel("就绪 / ready", "bool_yes_no", (_each("guantong_ready"),)),
    Panel(
        "版本 / build",
        "short",
        (_each("guantong_build_info", "{{instance}} {{version}}, SQLite {{sqlite}}"),),
    ),
    Panel(
        "已运行 / uptime",
        "s",
        (("{{instance}}", f"time() - guantong_process_start_time_seconds{{{HUB}}}"),),
    ),
    Panel(
        "故障 / errors", "reqps", (("{{instance}}", _rate("guantong_errors_total", "instance")),)
    ),
    Panel(
        "后台任务失败 / background failures",
        "short",
        (("{{instance}} {{task}}", _rate("guantong_background_failed_total", "instance", "task")),),
    ),
    Panel("连接 / connections", "short", (_each("guantong_connections"),)),
    Panel(
        "磁盘 / disk",
        "bytes",
        (
            _each("guantong_disk_free_bytes", "{{instance}} 可用 / free"),
            _each("guantong_disk_bytes", "{{instance}} 总共 / size"),
        ),
    ),
    Panel(
        "内存 / memory",
        "bytes",
        (
            _each("guantong_process_resident_memory_bytes", "{{instance}} 占用 / resident"),
            _each("guantong_process_virtual_memory_bytes", "{{instance}} 虚拟 / virtual"),
        ),
    ),
    Panel(
        "处理器 / processor",
        "percentunit",
        (("{{instance}}", _rate("guantong_process_cpu_seconds_total", "instance")),),
        "1 = 一个核 / one core",
    ),
    Panel(
        "打开的文件 / open files",
        "short",
        (
            _each("guantong_process_open_fds"),
            _each("guantong_process_max_fds", "{{instance}} 上限 / limit"),
        ),
    ),
)

ROWS: Final = {
    "进口 / Intake": _INTAKE,
    "Kafka": _KAFKA,
    "日志 / Journal": _JOURNAL,
    "送达 / Delivery": _DELIVERY,
    "策略与安全 / Policy and security": _POLICY,
    "运行 / Operations": _OPERATIONS,
}


def _variables() -> list[dict[str, Any]]:
    return [
        {"name": "datasource", "label": "数据源", "type": "datasource", "query": "prometheus"},
        _variable("instance", "节点", "label_values(guantong_build_info, instance)"),
        _variable("agency", "机构", 'label_values({__name__=~"guantong_.+"}, agency)'),
    ]


def _variable(name: str, label: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "query": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        # Also series without the label, and any number of agencies, fit in one short expression.
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _row(title: str, *, top: int, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": "row",
        "title": title,
        "collapsed": False,
        "gridPos": {"x": 0, "y": top, "w": 24, "h": 1},
        "panels": [],
    }


def _panel(panel: Panel, place: dict[str, int], *, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.note,
        "datasource": DATASOURCE,
        "gridPos": {**place, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + n),
                "datasource": DATASOURCE,
                "expr": expression,
                "legendFormat": legend,
            }
            for n, (legend, expression) in enumerate(panel.lines)
        ],
    }
