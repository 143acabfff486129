"""The letter that asks for a briefing, and the answer of whoever has none to give; H01, H07, H09.

Two kinds of letter that stand around `briefing.provided`.
"""

from typing import Annotated

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, DocRef, Due, OrgRef, Part, Payload, Period, Refusal, coded
from contracts.declare import event
from contracts.rules import unique
from contracts.values import Day, Identifier, Line, Ordinal, Paragraph

FLOWS = ("H01", "H07", "H09")


class Topic(Part):
    """One thing that the office wants to know, of whom."""

    topic_no: Annotated[Ordinal, F1("内容序号", "topic number")]
    text: Annotated[Paragraph, F1("需通报内容", "what is wanted")]
    sections: Annotated[
        tuple[Annotated[Code, coded("briefing_section")], ...],
        Field(max_length=20),
        F1("请哪些机关通报", "asked of", "不填即所有收函机关 / none stated: all addressed"),
    ] = ()
    indicators: Annotated[
        tuple[Identifier, ...], Field(max_length=100), F1("指标代码", "indicators wanted")
    ] = ()


@event(
    "briefing.requested",
    "商请通报情况",
    "Briefing requested",
    key="/targetid",
    flows=FLOWS,
    phase="pre",
    publishers=("inspection-office",),
    # Who is to be inspected is not for the party itself to read before it is announced.
    accused=("/target",),
    denied=("inspected-party",),
    due="briefing.provision",
)
class Requested(Payload):
    """What the office wants to know of a party before it is inspected.

    巡视巡察机构进驻前商请有关机关通报被巡视巡察党组织的情况，列明通报内容和期间。
    """

    RULES = (
        unique(
            "topics",
            "topic_no",
            "同一内容序号只能出现一次",
            "a topic number stands twice",
            "topic_repeated",
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    kind: Annotated[
        Annotated[Code, coded("inspection_kind")] | None, F1("巡视巡察类型", "kind")
    ] = None
    period: Annotated[Period, F1("通报期间", "period asked about")]
    topics: Annotated[
        tuple[Topic, ...], Field(min_length=1, max_length=50), F1("通报内容", "topics")
    ]
    entry_on: Annotated[Day | None, F1("拟进驻日期", "planned entry")] = None
    subordinates: Annotated[
        tuple[OrgRef, ...], Field(max_length=200), F1("一并了解的下属单位", "units below it")
    ] = ()
    outline: Annotated[DocRef | None, F1("通报提纲", "outline")] = None
    contact: Annotated[Line, F2("联系人", "contact")]
    due: Annotated[Due | None, F1("通报期限", "briefing due")] = None


@event(
    "briefing.declined",
    "不予通报",
    "Briefing declined",
    key="/targetid",
    flows=FLOWS,
    phase="pre",
    answers=("briefing.requested",),
)
class Declined(Payload):
    """Why the agency gives no briefing; an agency that knows nothing says so with
    `briefing.provided`.

    有关机关不能通报的理由；掌握情况但无可报内容的，应以情况通报作零报告。
    """

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    section: Annotated[Annotated[Code, coded("briefing_section")], F1("机关类别", "section")]
    topic_nos: Annotated[
        tuple[Ordinal, ...],
        Field(max_length=50),
        F1("不予通报的内容", "topics declined", "不填即全部内容 / none stated: all of them"),
    ] = ()
    refusal: Annotated[Refusal, F1("不予通报情况", "refusal")]
