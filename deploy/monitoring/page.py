"""The list of metrics, from their declarations."""

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


def page() -> str:
    """The page."""
    return _HEAD + "".join(map(_row, Metrics(version="", sqlite="").declared))


def _row(metric: Declared) -> str:
    zh, _, en = metric.meaning.partition(" / ")
    labels = ", ".join(metric.labels) or "–"
    return f"| `{metric.name}` | {metric.kind} | {labels} | {zh} | {en} |\n"
