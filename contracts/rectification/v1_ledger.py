"""The ledger of rectification (整改台账): items closed (销号), reopened, overdue; H24, V11."""

from typing import Annotated, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, Due, Handler, Money, OrgRef, Payload, Signatories, coded
from contracts.declare import event
from contracts.rectification.parts import (
    BASICALLY,
    NOT_COMPLETED,
    Completion,
    Evidence,
    falls_on,
)
from contracts.rules import in_order, needs, rule
from contracts.values import Count, Day, Identifier, Paragraph

# The office, whoever supervises day by day, and those whose items these may be.
LEDGER: Final = (
    "party-committee",
    "leading-group",
    "inspection-office",
    "inspection-team",
    "discipline",
    "organization",
    "audit",
    "functional-dept",
    "inspected-party",
)


@event(
    "rectification.item_closed",
    "整改事项销号",
    "Rectification item closed",
    key="/itemid",
    flows=("H24", "V11"),
    phase="post",
    publishers=("inspection-office", "discipline", "organization"),
    receivers=LEDGER,
    concerned=("/unit",),
)
class ItemClosed(Payload):
    """An item struck off the ledger: how it was checked, who checked and who approved.

    整改事项经核验、审批后销号；需长期坚持的，写明后续安排。
    """

    RULES = (
        rule(
            "closed_incomplete",
            "completion",
            "未完成的不得销号；基本完成的仅在需长期坚持时方可销号",
            "only what is completed is closed, or what goes on for good",
            lambda it: (
                it.completion.code == NOT_COMPLETED
                or (it.completion.code == BASICALLY and not it.long_term)
            ),
        ),
        needs(
            "follow_up",
            lambda it: it.long_term,
            "需长期坚持的须写明后续安排",
            "what goes on for good says how",
            "follow_up_missing",
        ),
        in_order(
            "checked_on",
            "closed_on",
            "销号日期不得早于核验日期",
            "an item is closed after it was checked",
            "closed_early",
        ),
    )

    itemid: Annotated[Identifier, F1("整改事项编号", "item")]
    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    unit: Annotated[OrgRef, F1("责任单位", "responsible unit")]
    completion: Annotated[Completion, F1("完成情况", "completion")]
    long_term: Annotated[bool, F1("长期坚持", "goes on for good")] = False
    follow_up: Annotated[Paragraph | None, F2("后续安排", "how it goes on")] = None
    checked_on: Annotated[Day, F1("核验日期", "checked on")]
    checked_by: Annotated[Signatories, F1("核验人", "checked by")]
    methods: Annotated[
        tuple[Annotated[Code, coded("rectification_check_method")], ...],
        Field(min_length=1, max_length=6),
        F1("核验方式", "how it was checked"),
    ]
    opinion: Annotated[Paragraph, F2("销号意见", "opinion")]
    closed_on: Annotated[Day, F1("销号日期", "closed on")]
    approved_by: Annotated[Handler, F1("审批人", "approved by")]
    evidence: Annotated[Evidence, F2("核验材料", "evidence")] = ()


@event(
    "rectification.item_reopened",
    "整改事项重启",
    "Rectification item reopened",
    key="/itemid",
    flows=("H24", "V11"),
    phase="post",
    publishers=("inspection-office", "discipline", "organization"),
    receivers=LEDGER,
    concerned=("/unit",),
    due="rectification.item",
)
class ItemReopened(Payload):
    """A closed item on the ledger again: why, and by when it is to be done now.

    已销号事项因反弹、虚假整改等重新列入台账，写明理由和新的完成期限。
    """

    RULES = (
        in_order(
            "closed_on",
            "reopened_on",
            "重启日期不得早于销号日期",
            "an item is reopened after it was closed",
            "reopened_early",
        ),
        in_order(
            "reopened_on",
            "due",
            "完成期限不得早于重启日期",
            "it is due after it is reopened",
            "due_early",
        ),
    )

    itemid: Annotated[Identifier, F1("整改事项编号", "item")]
    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    unit: Annotated[OrgRef, F1("责任单位", "responsible unit")]
    closed_on: Annotated[Day, F1("原销号日期", "closed on")]
    reopened_on: Annotated[Day, F1("重启日期", "reopened on")]
    reason: Annotated[
        Annotated[Code, coded("rectification_reopen_reason")], F1("重启理由", "reason")
    ]
    text: Annotated[Paragraph, F2("情况说明", "what was found")]
    amount: Annotated[Money | None, F2("涉及金额", "amount involved")] = None
    requirement: Annotated[Paragraph, F2("整改要求", "what is required")]
    due: Annotated[Day, F1("完成期限", "due")]
    approved_by: Annotated[Handler, F1("审批人", "approved by")]
    evidence: Annotated[Evidence, F2("佐证材料", "evidence")] = ()


@event(
    "rectification.overdue",
    "整改事项逾期",
    "Rectification item overdue",
    key="/itemid",
    flows=("H24", "V11", "P05"),
    phase="post",
    ways=("same", "down"),
    publishers=("inspection-office",),
    receivers=LEDGER,
    concerned=("/unit",),
)
class Overdue(Payload):
    """An item that its unit did not finish in time: since when, and what it is asked to do.

    整改事项逾期未完成的提醒：现行期限、逾期天数、督促方式和说明期限。
    """

    RULES = (
        rule(
            "days_miscounted",
            "days",
            "逾期天数应等于统计日期与现行期限（含延期）之差",
            "the days overdue are those from the day due, with extensions, to the day counted",
            lambda it: it.days != (it.as_of - falls_on(it.due)).days,
        ),
        in_order(
            "as_of",
            "explain_by",
            "说明期限不得早于统计日期",
            "an explanation is due after the day counted",
            "explain_by_early",
        ),
    )

    itemid: Annotated[Identifier, F1("整改事项编号", "item")]
    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    unit: Annotated[OrgRef, F1("责任单位", "responsible unit")]
    completion: Annotated[Completion, F1("完成情况", "completion")]
    due: Annotated[Due, F1("现行期限", "due, with the extensions given")]
    as_of: Annotated[Day, F1("统计日期", "counted on")]
    days: Annotated[Annotated[Count, Field(ge=1)], F1("逾期天数", "days overdue", "自然日")]
    way: Annotated[Annotated[Code, coded("urge_kind")], F1("督促方式", "way of urging")]
    explain_by: Annotated[Day | None, F1("说明期限", "explain by")] = None
