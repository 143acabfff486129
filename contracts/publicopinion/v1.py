"""Public opinion (舆情): an alert, and what was done about it; flows H17 and H22.

What the media reported (`media.report_captured`) is handled here too: a handling that answers no
alert names the reports that it is about.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.classes import F0, F1, F2
from contracts.common import Code, DocRef, OrgRef, Part, Payload, coded
from contracts.declare import event
from contracts.handling import OUTCOME_RULES
from contracts.rules import in_order, needs, rule, together, unique
from contracts.values import Count, Day, Identifier, Instant, Line, Link, Paragraph, RegionCode

FLOWS: Final = ("H17", "H22")


class Heat(Part):
    """How far a post has spread, as counted at one moment."""

    counted_at: Annotated[Instant, F0("统计时间", "counted at")]
    reads: Annotated[Count | None, F0("阅读量", "reads")] = None
    comments: Annotated[Count | None, F0("评论量", "comments")] = None
    reposts: Annotated[Count | None, F0("转发量", "reposts")] = None
    index: Annotated[
        Count | None, F0("热度指数", "heat index", "监测系统自定的指数，不同系统之间不可比")
    ] = None


class Post(Part):
    """Where it stands in public; who wrote it stays out, unless it is an outlet (媒体)."""

    url: Annotated[Link, F0("网址", "address")]
    medium: Annotated[Annotated[Code, coded("medium")], F0("媒体类型", "medium")]
    outlet: Annotated[Line | None, F0("平台或媒体名称", "platform or outlet")] = None
    published_at: Annotated[Instant, F0("发布时间", "published at")]
    screenshot: Annotated[DocRef | None, F1("截图", "screenshot")] = None


@event(
    "publicopinion.alert_raised",
    "舆情预警",
    "Public opinion alert raised",
    key="/alertid",
    flows=FLOWS,
    concerned=("/subjects/-",),
    due="publicopinion.handling",
)
class AlertRaised(Payload):
    """Something that spreads in public and concerns a body, a round or a rectification: where it
    stands, what it says, how fast it spreads.

    宣传（网信）部门通报涉及有关单位、巡视巡察或整改工作的舆情：出处、摘要、热度、倾向和等级。
    """

    RULES = (
        unique("posts", "url", "同一网址只能出现一次", "an address stands twice", "post_repeated"),
        rule(
            "found_too_early",
            "found_at",
            "发现时间不得早于最早发布时间",
            "found before it was published",
            lambda it: it.found_at < min(post.published_at for post in it.posts),
        ),
        needs(
            "trend",
            lambda it: it.heat is not None,
            "填写热度的须填走势",
            "with the heat goes the trend",
            "trend_missing",
        ),
    )

    alertid: Annotated[Identifier, F1("舆情编号", "alert")]
    title: Annotated[Line, F1("舆情标题", "title")]
    digest: Annotated[Paragraph, F2("舆情摘要", "digest")]
    level: Annotated[Annotated[Code, coded("opinion_level")], F1("舆情等级", "level")]
    sentiment: Annotated[Annotated[Code, coded("sentiment")], F1("情感倾向", "sentiment")]
    region: Annotated[RegionCode, F0("涉事地区", "region")]
    subjects: Annotated[
        tuple[OrgRef, ...], Field(max_length=20), F1("涉事单位", "bodies concerned")
    ] = ()
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    itemid: Annotated[Identifier | None, F1("有关整改事项", "rectification item")] = None
    posts: Annotated[tuple[Post, ...], Field(min_length=1, max_length=100), F1("舆情出处", "posts")]
    found_at: Annotated[Instant, F1("发现时间", "found at")]
    heat: Annotated[Heat | None, F1("热度", "heat")] = None
    trend: Annotated[
        Literal["rising", "steady", "falling"] | None,
        F1("走势", "trend", "rising 上升，steady 平稳，falling 回落"),
    ] = None
    advice: Annotated[Paragraph | None, F1("处置建议", "advice")] = None


class Measure(Part):
    """One thing that was done, and when."""

    kind: Annotated[
        Annotated[Code, coded("publicopinion_measure")], F1("处置方式", "kind of measure")
    ]
    text: Annotated[Paragraph, F2("处置内容", "what was done")]
    at: Annotated[Instant, F1("处置时间", "done at")]


# Also an opening, for what media.report_captured brought (H22): no case is one with the report's,
# since one handling may be of several reports. They stand in `reportids`.
@event(
    "publicopinion.handled",
    "舆情处置反馈",
    "Public opinion handled",
    key="/alertid",
    flows=FLOWS,
    answers=("publicopinion.alert_raised",),
    unasked=True,
)
class Handled(Payload):
    """What was verified and done about an alert or a media report, and what was answered in public.

    反馈舆情或媒体报道的核实、处置和公开回应情况。
    """

    RULES = (
        *OUTCOME_RULES,
        together(
            "responded_on",
            "response",
            message="公开回应的日期和网址须同时填写",
            message_en="a public response has its day and its address",
            code="response_incomplete",
        ),
        in_order(
            "handled_on",
            "watched_until",
            "跟踪截止日期不得早于反馈日期",
            "watched until before it was handled",
            "watch_ends_too_early",
        ),
    )

    alertid: Annotated[Identifier, F1("舆情编号", "alert")]
    reportids: Annotated[
        tuple[Identifier, ...], Field(max_length=50), F1("所涉媒体报道编号", "media reports")
    ] = ()
    result: Annotated[Annotated[Code, coded("handling_result")], F1("处理结果", "result")]
    measures: Annotated[tuple[Measure, ...], Field(max_length=50), F1("处置措施", "measures")] = ()
    note: Annotated[Paragraph | None, F2("核实情况", "what was verified")] = None
    transferred_to: Annotated[OrgRef | None, F1("移交机关", "transferred to")] = None
    responded_on: Annotated[Day | None, F0("公开回应日期", "responded on")] = None
    response: Annotated[Link | None, F0("公开回应网址", "response")] = None
    handled_on: Annotated[Day, F1("反馈日期", "handled on")]
    watched_until: Annotated[Day | None, F1("持续跟踪至", "watched until")] = None
