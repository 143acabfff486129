"""The list of codes: of problems, and of the faults that problems and results tell."""

import re
from collections.abc import Iterable, Iterator

from deploy.reference.faults import LEFT_OPEN, Told, found_faults
from hub.errors import HubError

_HEAD = """\
# 错误代码 · Error codes

由 `make docs` 从代码生成，请勿手改。Generated from the code: do not edit.

## 请求 · Requests

`application/problem+json` 的 `code`；可重试的，同一请求稍后可能成功。
The `code` of a problem; where a retry helps, the same request may succeed later.

| 代码 / code | 状态 / status | 可重试 / retry | 含义 | meaning |
|---|---|---|---|---|
"""
_OF_FAULTS = """
## 事件、策略、订阅 · Events, policies, subscriptions

`errors` 中每一项的 `code`，附 `pointer`（JSON Pointer）；“…”处填入具体的上限或名称。
The `code` of each of the `errors`, with a JSON Pointer; `…` stands for a limit or a name.

| 代码 / code | 怎么办 | what to do |
|---|---|---|
"""


def page() -> str:
    """The page."""
    told = [fault for fault in found_faults() if isinstance(fault, Told)]
    return "".join([_HEAD, *_problems(), _OF_FAULTS, *_faults(told)])


def errors() -> Iterator[type[HubError]]:
    """The family as `hub/errors.py` has it, in the order of statuses and codes."""
    family = [HubError]
    for error in family:
        family.extend(e for e in error.__subclasses__() if e.__module__ == HubError.__module__)
    yield from sorted(family, key=lambda error: (error.status, error.code))


def _problems() -> Iterator[str]:
    for error in errors():
        zh, en = error.titles()
        retry = "是 / yes" if error.retryable else "否 / no"
        yield f"| `{error.code}` | {error.status} | {retry} | {zh} | {en} |\n"


def _faults(told: Iterable[Told]) -> Iterator[str]:
    by_code: dict[str, list[Told]] = {}
    for fault in told:
        by_code.setdefault(fault.code, []).append(fault)
    for code, faults in sorted(by_code.items()):
        zh = _joined((fault.zh for fault in faults), "；")
        en = _joined((fault.en for fault in faults), "; ")
        yield f"| `{code}` | {zh} | {en} |\n"


def _joined(sentences: Iterable[str], separator: str) -> str:
    """Each sentence once; those of which nothing is known only where there is no other."""
    every = dict.fromkeys(sentences)
    known = [sentence for sentence in every if sentence.strip(LEFT_OPEN)]
    return re.sub(r"([|<*])", r"\\\1", separator.join(known or every))
