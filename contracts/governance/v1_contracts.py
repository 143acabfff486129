"""Governance: versions of contracts that come into use and go out of it; P01, P05 and P06."""

from typing import Annotated, Any, Literal

from pydantic import Field

from contracts.classes import F1
from contracts.common import Part, Payload
from contracts.declare import event
from contracts.governance.parts import HUB
from contracts.rules import another, forbids, in_order, needs, rule
from contracts.values import Day, Digest, Identifier, Line, Paragraph


class Change(Part):
    """One difference from the version before."""

    pointer: Annotated[Line, F1("位置", "where")]
    note: Annotated[Paragraph, F1("变化说明", "what changed")]


def _changes_otherwise(it: Any) -> bool:
    if it.replaces is None:
        return False
    same_major = it.replaces.partition(".")[0] == it.version.partition(".")[0]
    return bool((it.change == "minor") != same_major)


@event(
    "contract.published",
    "契约发布",
    "Contract published",
    key="/event_type",
    flows=("P01", "P05", "P06"),
    publishers=HUB,
)
class ContractPublished(Payload):
    """A version of a contract may be used from a day on: what changed, who can read whom, and what
    a place may set for itself.

    平台发布契约新版本：启用日期、变化、新旧版本兼容情况，以及各地可自行设定的期限和代码表。
    """

    RULES = (
        needs(
            "replaces",
            lambda it: it.change != "first",
            "非首次发布的须填被替代版本",
            "a later version names the one before",
            "replaces_missing",
        ),
        rule(
            "change_contradicted",
            "change",
            "小版本的主版本号不变，大版本的主版本号改变",
            "the numbers of the versions do not show that change",
            _changes_otherwise,
        ),
        forbids(
            "replaces",
            lambda it: it.change == "first",
            "首次发布的不得填写被替代版本",
            "the first version replaces none",
            "replaces_unexpected",
        ),
    )

    event_type: Annotated[Identifier, F1("事件类型", "event type")]
    version: Annotated[Identifier, F1("版本", "version")]
    title: Annotated[Line, F1("名称", "title")]
    digest: Annotated[Digest, F1("契约摘要", "digest", "JSON Schema 字节的 SHA-256")]
    effective_on: Annotated[Day, F1("启用日期", "effective on")]
    change: Annotated[
        Literal["first", "minor", "major"],
        F1("变化程度", "change", "first 首次发布，minor 小版本，major 大版本"),
    ]
    replaces: Annotated[Identifier | None, F1("被替代版本", "replaces")] = None
    new_reads_old: Annotated[bool, F1("新版本能读旧事件", "new reads old")] = True
    old_reads_new: Annotated[bool, F1("旧版本能读新事件", "old reads new")] = True
    changes: Annotated[tuple[Change, ...], Field(max_length=200), F1("变化", "changes")] = ()
    local_deadline: Annotated[
        Identifier | None, F1("可自行设定的期限规则", "deadline a place may set")
    ] = None
    local_lists: Annotated[
        tuple[Identifier, ...],
        Field(max_length=100),
        F1("可自行补充的代码表", "lists a place may add to"),
    ] = ()


@event(
    "contract.retired",
    "契约停用",
    "Contract retired",
    key="/event_type",
    flows=("P01", "P05"),
    publishers=HUB,
)
class ContractRetired(Payload):
    """A version of a contract goes out of use: from when it is advised against, from when it is
    refused, and what to use instead.

    平台停用契约版本：不再推荐的日期、停止受理的日期和替代版本。
    """

    RULES = (
        in_order(
            "deprecated_on",
            "sunset_on",
            "停止受理日期不得早于不再推荐日期",
            "refused before it is advised against",
        ),
        another(
            "successor",
            "version",
            "替代版本不得为本版本",
            "the successor is another version",
            "contract_replaces_itself",
        ),
    )

    event_type: Annotated[Identifier, F1("事件类型", "event type")]
    version: Annotated[Identifier, F1("版本", "version")]
    deprecated_on: Annotated[Day, F1("不再推荐日期", "deprecated on")]
    sunset_on: Annotated[Day, F1("停止受理日期", "sunset on")]
    successor: Annotated[
        Identifier | None, F1("替代版本", "successor", "同一事件类型的版本，或“类型:版本”")
    ] = None
    reason: Annotated[Paragraph, F1("停用原因", "reason")]
