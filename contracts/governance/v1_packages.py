"""Governance: packages that carry events where there is no network; P02 and P04.

The case is the link: its packages are numbered and chained, so that what is missing shows.
"""

from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F1
from contracts.common import Code, Handler, Part, Payload, coded
from contracts.contract import Slip
from contracts.declare import event
from contracts.governance.parts import HUB
from contracts.rules import in_order, needs, rule
from contracts.values import Count, Digest, Identifier, Instant, Line

FLOWS: Final = ("P02", "P04")
Sequence = Annotated[int, Field(ge=1, le=1_000_000_000)]


class Run(Part):
    """Events of one shard without a hole, both ends included."""

    RULES = (in_order("first", "last", "末位不得小于首位", "the run ends before it begins"),)

    shard: Annotated[Count, F1("分片", "shard")]
    first: Annotated[Count, F1("首位", "first position")]
    last: Annotated[Count, F1("末位", "last position")]


def _fewer_places(it: Any) -> bool:
    places = sum(run.last - run.first + 1 for run in it.runs)
    return bool(places < it.events)


@event(
    "package.sealed",
    "离线数据包封装",
    "Package sealed",
    key="/linkid",
    flows=FLOWS,
    publishers=HUB,
    slip=Slip(
        title="离线数据包交接单",
        numbers=("/packageid", "/linkid", "/digest"),
        listed="/runs",
        signed_by=("封装人", "携带人", "接收人"),
    ),
)
class Sealed(Payload):
    """A package was written and signed: its number, the digest of the one before, what it holds.

    平台封装离线数据包：包号、前一包摘要、所含事件区段、件数、摘要和介质，供携带移交。
    """

    RULES = (
        needs(
            "previous",
            lambda it: it.sequence > 1,
            "非首包须填前一包的摘要",
            "all but the first package have the digest of the one before",
            "previous_missing",
        ),
        rule(
            "events_exceed_runs",
            "events",
            "事件数不得大于所列区段的位置数",
            "there are more events than places in the runs",
            _fewer_places,
        ),
    )

    linkid: Annotated[Identifier, F1("链路编号", "link")]
    packageid: Annotated[Identifier, F1("数据包编号", "package")]
    sequence: Annotated[Sequence, F1("包序号", "sequence")]
    previous: Annotated[Digest | None, F1("前一包摘要", "digest of the one before")] = None
    from_: Annotated[Line, Field(alias="from"), F1("发出节点", "from")]
    to: Annotated[Line, F1("接收节点", "to")]
    runs: Annotated[
        tuple[Run, ...], Field(min_length=1, max_length=1_000), F1("事件区段", "runs of events")
    ]
    events: Annotated[Count, F1("事件数", "events")]
    digest: Annotated[Digest, F1("数据包摘要", "digest", "全部分卷依次连接后的 SM3")]
    size: Annotated[Count, F1("字节数", "size")]
    parts: Annotated[int, Field(ge=1, le=10_000), F1("分卷数", "parts")] = 1
    medium: Annotated[Annotated[Code, coded("package_medium")], F1("介质", "medium")]
    medium_no: Annotated[Line | None, F1("介质编号", "number of the medium")] = None
    sealed_at: Annotated[Instant, F1("封装时间", "sealed at")]
    sealed_by: Annotated[Handler | None, F1("封装人", "sealed by")] = None


class Refusal(Part):
    """How many events of the package were refused for one reason."""

    code: Annotated[Identifier, F1("原因代码", "reason")]
    events: Annotated[Count, F1("件数", "events")]


@event(
    "package.imported",
    "离线数据包导入",
    "Package imported",
    key="/linkid",
    flows=FLOWS,
    publishers=HUB,
)
class Imported(Payload):
    """A package was read in: how many of its events are new, known or refused. On a one-way path it
    travels back as a statement on paper or with the next package.

    平台导入离线数据包：新受理、已有和被拒的件数；单向通道无自动回执，随下一包或纸质对账单返回。
    """

    RULES = (
        rule(
            "counts_differ",
            "events",
            "事件数须等于新受理、已有和被拒之和",
            "the events are not those accepted, known and refused",
            lambda it: it.accepted + it.known + it.refused != it.events,
        ),
        rule(
            "refusals_differ",
            "refused",
            "被拒件数须等于各原因之和",
            "the refused are not those of the reasons",
            lambda it: sum(refusal.events for refusal in it.refusals) != it.refused,
        ),
    )

    linkid: Annotated[Identifier, F1("链路编号", "link")]
    packageid: Annotated[Identifier, F1("数据包编号", "package")]
    sequence: Annotated[Sequence, F1("包序号", "sequence")]
    digest: Annotated[Digest, F1("数据包摘要", "digest", "导入方重新计算的 SM3")]
    events: Annotated[Count, F1("事件数", "events")]
    accepted: Annotated[Count, F1("新受理件数", "accepted")]
    known: Annotated[Count, F1("已有件数", "known already")] = 0
    refused: Annotated[Count, F1("被拒件数", "refused")] = 0
    refusals: Annotated[
        tuple[Refusal, ...], Field(max_length=100), F1("被拒原因", "reasons of refusal")
    ] = ()
    imported_at: Annotated[Instant, F1("导入时间", "imported at")]
    imported_by: Annotated[Handler | None, F1("导入人", "imported by")] = None


class Missing(Part):
    """Packages that did not come, both ends included."""

    RULES = (in_order("first", "last", "末号不得小于首号", "the gap ends before it begins"),)

    first: Annotated[Sequence, F1("首号", "first")]
    last: Annotated[Sequence, F1("末号", "last")]


@event(
    "package.gap_detected",
    "离线数据包缺号",
    "Package gap detected",
    key="/linkid",
    flows=FLOWS,
    publishers=HUB,
)
class GapDetected(Payload):
    """Packages of a link are missing: which numbers, and after which one they should have come.

    平台发现离线数据包缺号：缺失的包序号、缺号前最后一包和已收到的后续包，供发出方补送。
    """

    RULES = (
        rule(
            "gap_outside",
            "missing",
            "缺失的包序号须在最后连续包与已收到的后续包之间",
            "what is missing lies between the last whole one and the one that came",
            lambda it: any(gap.first <= it.last_whole or gap.last >= it.came for gap in it.missing),
        ),
    )

    linkid: Annotated[Identifier, F1("链路编号", "link")]
    last_whole: Annotated[
        Count, F1("最后连续包序号", "last without a gap", "此前各包均已导入；0 表示尚无")
    ]
    came: Annotated[Sequence, F1("已收到的后续包序号", "came after the gap")]
    missing: Annotated[
        tuple[Missing, ...], Field(min_length=1, max_length=100), F1("缺失包序号", "missing")
    ]
    detected_at: Annotated[Instant, F1("发现时间", "detected at")]
