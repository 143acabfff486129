"""Daily supervision of rectification, and what the people say of it; H05, H08, H24."""

from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.classes import F0, F1, F2
from contracts.common import Code, DocRef, OrgRef, Part, Payload, Period, Signatories, coded
from contracts.declare import event
from contracts.rectification.parts import Evidence, Leader, late, named_in
from contracts.rules import adds_up, at_most_of, forbids, in_order, needs, unique
from contracts.values import Count, Day, Identifier, Ordinal, Paragraph

# Sector departments speak of rectification in their own sector alone.
SUPERVISORS: Final = (
    "inspection-office",
    "discipline",
    "organization",
    "audit",
    "petition",
    "publicity",
    "political-legal",
    "finance",
    "statistics",
    "functional-dept",
)


class Finding(Part):
    """One thing that supervision found wanting, and what is to be done."""

    no: Annotated[Ordinal, F1("序号", "number")]
    itemid: Annotated[Identifier | None, F1("整改事项编号", "item", "不填指整改整体")] = None
    text: Annotated[Paragraph, F2("发现情况", "what was found")]
    required: Annotated[Paragraph, F2("纠正要求", "what is to be corrected")]


@event(
    "rectification.supervision_recorded",
    "整改日常监督记录",
    "Supervision of rectification recorded",
    key="/supervisionid",
    flows=("H05", "H08", "H12", "H24"),
    phase="post",
    publishers=SUPERVISORS,
    receivers=(
        "party-committee",
        "leading-group",
        "inspection-office",
        "discipline",
        "organization",
        "inspected-party",
    ),
    concerned=("/target",),
    due="rectification.correction",
)
class SupervisionRecorded(Payload):
    """One act of daily supervision: which items were looked at and how, what was found, and what
    the party has to correct by when.

    对整改的一次日常监督：监督领域、方式、涉及事项、发现情况和纠正要求；未发现问题的也须记录。
    """

    RULES = (
        needs(
            "correction_due",
            lambda it: it.findings,
            "发现问题的须写明纠正期限",
            "what was found is to be corrected by a day",
            "correction_due_missing",
        ),
        forbids(
            "correction_due",
            lambda it: not it.findings,
            "未发现问题的不填纠正期限",
            "nothing was found, so nothing is to be corrected",
            "correction_due_unexpected",
        ),
        in_order(
            "supervised_on",
            "correction_due",
            "纠正期限不得早于监督日期",
            "a correction is due after the supervision",
            "correction_due_early",
        ),
        unique("findings", "no", "序号不得重复", "a number stands twice", "finding_repeated"),
        named_in(
            "findings",
            lambda it: set(it.itemids),
            "发现情况涉及的事项须在监督事项中",
            "what was found concerns an item that was looked at",
        ),
    )

    supervisionid: Annotated[Identifier, F1("监督记录编号", "number of the record")]
    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被监督党组织", "supervised party")]
    sector: Annotated[Annotated[Code, coded("briefing_section")], F1("监督领域", "sector")]
    supervised_on: Annotated[Day, F1("监督日期", "supervised on")]
    methods: Annotated[
        tuple[Annotated[Code, coded("rectification_check_method")], ...],
        Field(min_length=1, max_length=6),
        F1("监督方式", "how"),
    ]
    itemids: Annotated[
        tuple[Identifier, ...], Field(max_length=500), F1("监督事项编号", "items looked at")
    ] = ()
    findings: Annotated[tuple[Finding, ...], Field(max_length=100), F1("发现情况", "findings")] = ()
    correction_due: Annotated[Day | None, F1("纠正期限", "to be corrected by")] = None
    handlers: Annotated[Signatories, F1("监督人", "supervisors")]
    documents: Annotated[tuple[DocRef, ...], Field(max_length=20), F1("文件", "documents")] = ()


class Correction(Part):
    """What became of one finding."""

    RULES = (
        needs(
            "done_on",
            lambda it: it.state == "corrected",
            "已纠正的须填纠正日期",
            "what is corrected has the day it was",
            "done_on_missing",
        ),
        needs(
            "due",
            lambda it: it.state == "under_way",
            "正在纠正的须填完成期限",
            "what is under way says by when it will be done",
            "due_missing",
        ),
    )

    no: Annotated[Ordinal, F1("序号", "number of the finding")]
    state: Annotated[
        Literal["corrected", "under_way", "contested"],
        F1("纠正情况", "state", "corrected 已纠正，under_way 正在纠正，contested 有异议"),
    ]
    text: Annotated[Paragraph, F2("情况说明", "what was done")]
    done_on: Annotated[Day | None, F1("纠正日期", "corrected on")] = None
    due: Annotated[Day | None, F1("完成期限", "due")] = None
    evidence: Annotated[Evidence, F2("佐证材料", "evidence")] = ()


@event(
    "rectification.correction_reported",
    "监督纠正情况报告",
    "Correction after supervision reported",
    key="/supervisionid",
    flows=("H05", "H08"),
    phase="post",
    answers=("rectification.supervision_recorded",),
    receivers=("inspection-office",),
)
class CorrectionReported(Payload):
    """What the supervised party did about each finding.

    被监督党组织对监督发现情况的纠正结果，逐项填写；有异议的写明理由。
    """

    RULES = (
        unique("corrections", "no", "序号不得重复", "a number stands twice", "finding_repeated"),
        late(
            "corrections",
            "done_on",
            lambda it: it.reported_on,
            "纠正日期不得晚于报告日期",
            "what is reported corrected was corrected by then",
        ),
    )

    supervisionid: Annotated[Identifier, F1("监督记录编号", "number of the record")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    reported_on: Annotated[Day, F1("报告日期", "reported on")]
    led_by: Annotated[Leader, F2("责任领导", "leader who answers for it")]
    corrections: Annotated[
        tuple[Correction, ...], Field(min_length=1, max_length=100), F1("纠正情况", "corrections")
    ]


class Answers(Part):
    """How many chose one answer."""

    answer: Annotated[Annotated[Code, coded("satisfaction")], F0("满意度", "answer")]
    people: Annotated[Count, F0("人数", "people")]


@event(
    "rectification.public_rated",
    "整改满意度测评",
    "Rectification rated by the public",
    key="/targetid",
    flows=("H21", "H24"),
    phase="post",
    publishers=("inspection-office", "inspected-party"),
    receivers=(
        "party-committee",
        "leading-group",
        "inspection-office",
        "inspection-team",
        "discipline",
        "organization",
        "congress",
        "cppcc",
    ),
    concerned=("/target",),
    ceiling="public",
)
class PublicRated(Payload):
    """What the people asked think of the rectification: how many were asked, how, and what they
    answered; shares are computed from it.

    群众对整改的满意度测评：方式、发放和收回份数、各选项人数；满意率由平台计算，不另填报。
    """

    RULES = (
        unique(
            "answers",
            "answer",
            "同一选项只能出现一次",
            "an answer stands twice",
            "answers_repeated",
        ),
        at_most_of(
            "answered",
            "asked",
            "收回份数不得多于发放份数",
            "no more people answered than were asked",
            "answered_above_asked",
        ),
        adds_up(
            "answered",
            "answers",
            "people",
            "收回份数应等于各选项人数之和",
            "those who answered are the people of all answers",
            "answers_miscounted",
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    itemid: Annotated[Identifier | None, F1("整改事项编号", "item", "不填指整改整体")] = None
    period: Annotated[Period, F1("测评期间", "when")]
    organiser: Annotated[OrgRef, F1("测评组织单位", "organised by")]
    methods: Annotated[
        tuple[Annotated[Code, coded("survey_method")], ...],
        Field(min_length=1, max_length=6),
        F1("测评方式", "how"),
    ]
    asked: Annotated[Count, F0("发放份数", "people asked")]
    answered: Annotated[Count, F0("收回份数", "people who answered")]
    answers: Annotated[
        tuple[Answers, ...], Field(min_length=1, max_length=10), F0("各选项人数", "answers")
    ]
    opinions: Annotated[
        tuple[Paragraph, ...],
        Field(max_length=50),
        F2("主要意见", "what people said", "不得写明意见人"),
    ] = ()
