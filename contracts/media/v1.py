"""Media (舆论监督): what an outlet reported, as a custodian captured it; flow H22."""

from datetime import timedelta, timezone
from typing import Annotated, Final

from pydantic import Field

from contracts.classes import F0, F1, F2
from contracts.common import Code, DocRef, OrgRef, Payload, coded
from contracts.declare import event
from contracts.rules import another, at_least_one, needs, rule
from contracts.values import Day, Identifier, Instant, Line, Link, Paragraph, RegionCode

EXPOSURE: Final = "exposure"
# An outlet dates what it publishes by the one time of the country.
CHINA: Final = timezone(timedelta(hours=8))


@event(
    "media.report_captured",
    "媒体报道采集",
    "Media report captured",
    key="/reportid",
    flows=("H22",),
    concerned=("/subjects/-",),
)
class ReportCaptured(Payload):
    """A report of an outlet that matters to supervision: where and when it appeared, what it
    exposes and whether it did so before.

    采集舆论监督报道：媒体、版面或网址、反映的问题、涉及单位，是否此前曝光未整改。
    """

    RULES = (
        at_least_one(
            "url",
            "clipping",
            message="须填网址或剪报、录像等原件",
            message_en="give its address, or a clipping or recording",
            code="origin_missing",
        ),
        needs(
            "problems",
            lambda it: it.kind.code == EXPOSURE,
            "曝光报道须填反映的问题",
            "an exposure says what it exposes",
            "problems_missing",
        ),
        rule(
            "captured_too_early",
            "captured_at",
            "采集时间不得早于刊发日期",
            "captured before it was published",
            lambda it: it.captured_at.astimezone(CHINA).date() < it.published_on,
        ),
        another(
            "repeat_of",
            "reportid",
            "此处应填另一篇报道的编号",
            "this names another report, not the report itself",
            "report_refers_to_itself",
        ),
    )

    reportid: Annotated[Identifier, F1("报道编号", "report")]
    kind: Annotated[Annotated[Code, coded("media_report_kind")], F0("报道类型", "kind of report")]
    outlet: Annotated[Line, F0("媒体名称", "outlet")]
    outlet_level: Annotated[
        Annotated[Code, coded("outlet_level")], F0("媒体层级", "level of the outlet")
    ]
    medium: Annotated[Annotated[Code, coded("medium")], F0("媒体类型", "medium")]
    title: Annotated[Line, F0("报道标题", "title")]
    page: Annotated[Line | None, F0("版面或栏目", "page or programme")] = None
    url: Annotated[Link | None, F0("网址", "address")] = None
    clipping: Annotated[DocRef | None, F1("原件", "clipping or recording")] = None
    published_on: Annotated[Day, F0("刊发日期", "published on")]
    captured_at: Annotated[Instant, F1("采集时间", "captured at")]
    digest: Annotated[Paragraph, F2("报道摘要", "digest")]
    region: Annotated[RegionCode | None, F0("涉事地区", "region")] = None
    subjects: Annotated[
        tuple[OrgRef, ...], Field(max_length=20), F1("涉及单位", "bodies concerned")
    ] = ()
    problems: Annotated[
        tuple[Paragraph, ...], Field(max_length=50), F2("反映的问题", "what it exposes")
    ] = ()
    repeat_of: Annotated[
        Identifier | None, F1("此前曝光的报道", "exposed before in", "同一问题曾被曝光而未整改")
    ] = None
