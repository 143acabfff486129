"""The list of metrics, from their declarations."""

from collections.abc import Iterator

from prometheus_client.core import Metric

from adapters.kit.metrics import Exposed
from hub.declaring import Declared
from hub.metrics import Metrics

_HEAD = """\
# 指标 · Metrics

由 `make docs` 从 `hub/metrics.py` 生成，请勿手改。Generated from the code: do not edit.

标签取值只来自封闭集合：已登记的机构、契约的族、固定的代码、通道与步骤；不按订阅、不按事件。
Labels take values from closed sets alone, nothing per subscription or event.

| 指标 / metric | 类型 / kind | 标签 / labels | 含义 | meaning |
|---|---|---|---|---|
"""


_ADAPTERS = """
## 适配器 · Adapters

适配器进程在 `adapters.toml` 的 `metrics` 所写的地址公布，由 `adapters/kit/metrics.py` 生成。
What a process of adapters shows, at the address that its file says.

| 指标 / metric | 类型 / kind | 标签 / labels | 含义 | meaning |
|---|---|---|---|---|
"""


def page() -> str:
    """The page."""
    hub = "".join(map(_row, Metrics(version="", sqlite="").declared))
    return _HEAD + hub + _ADAPTERS + "".join(map(_row, adapters_metrics()))


def adapters_metrics() -> Iterator[Declared]:
    """The metrics of a process of adapters, as they are shown."""
    for family in Exposed({}, lambda: 0.0).collect():
        labels: tuple[str, ...] = family._labelnames  # type: ignore[attr-defined]
        yield Declared(_shown(family), family.type, labels, family.documentation)


def _shown(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def _row(metric: Declared) -> str:
    zh, _, en = metric.meaning.partition(" / ")
    labels = ", ".join(metric.labels) or "–"
    return f"| `{metric.name}` | {metric.kind} | {labels} | {zh} | {en} |\n"
