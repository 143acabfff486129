"""Disclosure (公开): what is made public within the Party and to society, and what is withheld.

Flows H17 and H21. The two scopes are two disclosures: what society may not read the Party may.
"""

from typing import Annotated

from pydantic import Field

from contracts.classes import F0, F1, F2
from contracts.common import Code, DocRef, Handler, OrgRef, Part, Payload, coded
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import at_least_one, exactly_one, in_order, needs, rule, unique
from contracts.values import (
    Count,
    Day,
    Identifier,
    Instant,
    Line,
    Link,
    Ordinal,
    Paragraph,
    Summary,
)

Scope = Annotated[Code, coded("disclosure_scope")]
Kind = Annotated[Code, coded("disclosure_kind")]
Channel = Annotated[Code, coded("disclosure_channel")]


class Withheld(Part):
    """A matter that is not to be made public (拟不公开事项), and why."""

    no: Annotated[Ordinal, F1("事项序号", "number of the matter")]
    itemid: Annotated[Identifier | None, F1("整改事项编号", "rectification item")] = None
    matter: Annotated[Line, F2("拟不公开事项", "matter")]
    reason: Annotated[Annotated[Code, coded("withholding_reason")], F1("不公开理由", "reason")]
    note: Annotated[Paragraph | None, F2("理由说明", "note")] = None


@event(
    "disclosure.requested",
    "公开申请",
    "Disclosure requested",
    key="/disclosureid",
    flows=("H17",),
    phase="post",
    publishers=("inspected-party", "inspection-office"),
    receivers=(
        "party-committee",
        "leading-group",
        "inspection-office",
        "publicity",
        "discipline",
        "organization",
    ),
    ways=("same", "up"),
    concerned=("/unit",),
    due="disclosure.publication",
    slip=Slip(
        title="公开事项审核交接单",
        numbers=("/disclosureid", "/targetid"),
        listed="/documents",
        signed_by=("报送人", "审核人", "接收人"),
    ),
)
class Requested(Payload):
    """The inspected party, or the office, asks that something be made public: what, to whom, where,
    for how long, and what is withheld for which reason.

    被巡视巡察党组织或者巡视巡察机构提请公开反馈意见、整改情况等：范围、渠道、期间和拟不公开事项。
    """

    RULES = (
        at_least_one(
            "text",
            "documents",
            message="须填公开内容或者公开文件",
            message_en="give the text to publish, or a document",
            code="content_missing",
        ),
        in_order(
            "publish_from",
            "publish_until",
            "公开截止日期不得早于起始日期",
            "the publication ends after it begins",
        ),
        rule(
            "embargo_broken",
            "publish_from",
            "公开日期不得早于保密截止日期",
            "nothing is published before its embargo ends",
            lambda it: it.embargo_until is not None and it.publish_from < it.embargo_until,
        ),
        unique("withheld", "no", "事项序号不得重复", "a number stands twice", "no_repeated"),
        unique(
            "withheld",
            "itemid",
            "同一整改事项只能出现一次",
            "a rectification item stands twice",
            "item_repeated",
        ),
    )

    disclosureid: Annotated[Identifier, F1("公开事项编号", "disclosure")]
    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    unit: Annotated[OrgRef, F1("公开单位", "unit that publishes")]
    kind: Annotated[Kind, F1("公开内容种类", "what is published")]
    scope: Annotated[Scope, F1("公开范围", "scope")]
    channels: Annotated[
        tuple[Channel, ...], Field(min_length=1, max_length=10), F1("公开渠道", "channels")
    ]
    title: Annotated[Line, F1("公开标题", "title")]
    text: Annotated[Summary | None, F1("公开内容", "text")] = None
    documents: Annotated[tuple[DocRef, ...], Field(max_length=20), F1("公开文件", "documents")] = ()
    withheld: Annotated[
        tuple[Withheld, ...], Field(max_length=200), F2("拟不公开事项", "withheld")
    ] = ()
    publish_from: Annotated[Day, F1("公开起始日期", "publish from")]
    publish_until: Annotated[Day, F1("公开截止日期", "publish until")]
    embargo_until: Annotated[Day | None, F1("保密至", "closed until")] = None
    approved_by: Annotated[Handler, F1("审核批准人", "approved by")]


class Placement(Part):
    """Where it was made public."""

    RULES = (
        exactly_one(
            "link",
            "place",
            message="须填网址或者公开地点之一，且只填其一",
            message_en="give the address on the web or the place: exactly one",
            code="placement_not_one",
        ),
    )

    channel: Annotated[Channel, F0("公开渠道", "channel")]
    link: Annotated[Link | None, F0("网址", "address on the web")] = None
    place: Annotated[Line | None, F0("公开地点", "place", "版面、公示栏位置、会议名称等")] = None
    at: Annotated[Instant, F0("公开时间", "published at")]


@event(
    "disclosure.published",
    "公开情况",
    "Disclosure published",
    key="/disclosureid",
    flows=("H17", "H21"),
    phase="post",
    answers=("disclosure.requested",),
    unasked=True,
    concerned=("/unit",),
)
class Published(Payload):
    """Something was made public: where, when, to whom; for how many matters it was withheld; what
    came in about it afterwards.

    已公开的内容、范围、渠道和时间，不公开事项的数量，以及公开后收到的意见数。
    """

    RULES = (
        needs(
            "until",
            lambda it: it.scope.code == "society",
            "向社会公开的须填公开截止日期",
            "what is published to society says until when",
            "until_missing",
        ),
        in_order(
            "published_on",
            "until",
            "公开截止日期不得早于公开日期",
            "the publication ends after it begins",
        ),
    )

    disclosureid: Annotated[Identifier, F0("公开事项编号", "disclosure")]
    targetid: Annotated[Identifier, F0("被巡视巡察党组织编号", "number of the inspected party")]
    unit: Annotated[OrgRef, F1("公开单位", "unit that publishes")]
    kind: Annotated[Kind, F0("公开内容种类", "what is published")]
    scope: Annotated[Scope, F0("公开范围", "scope")]
    title: Annotated[Line, F0("公开标题", "title")]
    published_on: Annotated[Day, F0("公开日期", "published on")]
    until: Annotated[Day | None, F0("公开截止日期", "until")] = None
    placements: Annotated[
        tuple[Placement, ...], Field(min_length=1, max_length=20), F0("公开情况", "where")
    ]
    withheld: Annotated[Count, F1("不公开事项数", "matters withheld")] = 0
    opinions: Annotated[Count | None, F1("收到意见数", "opinions received")] = None
