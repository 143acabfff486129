"""Rectification item by item (整改台账): assigned, taken on or disputed, reported on; V11, H24."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, DocRef, Due, Handler, OrgRef, Part, Payload, coded
from contracts.contract import Slip
from contracts.declare import event
from contracts.rectification.parts import (
    COMPLETED,
    MEASURES_ONCE,
    MEASURES_RULES,
    Completion,
    Effect,
    Evidence,
    Leader,
    Measure,
    Problem,
    falls_on,
    late,
)
from contracts.rules import Rule, forbids, in_order, needs, rule
from contracts.values import Day, Identifier, Line, Paragraph

CROSS_LEVEL: Final = "cross-level"
OUT_OF_REMIT: Final = "out_of_remit"
OPENINGS: Final = ("rectification.item_assigned",)


@event(
    "rectification.item_assigned",
    "整改事项交办",
    "Rectification item assigned",
    key="/itemid",
    flows=("V11", "H24"),
    phase="post",
    ways=("same", "down"),
    publishers=("inspection-office",),
    receivers=(
        "inspection-office",
        "discipline",
        "organization",
        "audit",
        "functional-dept",
        "inspected-party",
    ),
    concerned=("/unit", "/cooperating/-"),
    due="rectification.item",
    slip=Slip(
        title="整改通知书签收单",
        numbers=("/itemid", "/roundid"),
        listed="/basis",
        signed_by=("交办人", "签收人"),
    ),
)
class ItemAssigned(Payload):
    """An item given to the unit that has to rectify it, at this level or at the level whose cause
    or duty it is.

    将整改事项交办给责任单位；成因或者责任在下级的，跨层级交办并写明理由。
    """

    RULES = (
        in_order(
            "assigned_on",
            "due",
            "完成期限不得早于交办日期",
            "it is due after it is assigned",
            "due_early",
        ),
        needs(
            "level_reason",
            lambda it: it.scope == CROSS_LEVEL,
            "跨层级交办的须写明理由",
            "what is assigned across levels says why",
            "level_reason_missing",
        ),
        forbids(
            "level_reason",
            lambda it: it.scope != CROSS_LEVEL,
            "同级交办的不填跨层级理由",
            "what stays at its level has no reason to leave it",
            "level_reason_unexpected",
        ),
    )

    itemid: Annotated[Identifier, F1("整改事项编号", "item")]
    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[
        Identifier | None, F1("被巡视巡察党组织编号", "number of the inspected party")
    ] = None
    scope: Annotated[
        Literal["same-level", "cross-level"],
        F1("交办范围", "scope", "same-level 同级，cross-level 跨层级"),
    ]
    level_reason: Annotated[Paragraph | None, F2("跨层级交办理由", "why another level")] = None
    problem: Annotated[Problem, F1("问题", "problem")]
    unit: Annotated[OrgRef, F1("责任单位", "responsible unit")]
    cooperating: Annotated[
        tuple[OrgRef, ...], Field(max_length=20), F1("配合单位", "cooperating units")
    ] = ()
    requirement: Annotated[Paragraph, F2("整改要求", "what is required")]
    target_state: Annotated[Paragraph | None, F2("整改目标", "how it is to be in the end")] = None
    assigned_on: Annotated[Day, F1("交办日期", "assigned on")]
    due: Annotated[Day, F1("完成期限", "due")]
    reports: Annotated[
        Literal["weekly", "monthly", "quarterly", "once"] | None,
        F1(
            "进展报送频次",
            "how often to report",
            "weekly 每周，monthly 每月，quarterly 每季，once 一次",
        ),
    ] = None
    basis: Annotated[tuple[DocRef, ...], Field(max_length=20), F1("依据文件", "documents")] = ()


@event(
    "rectification.item_accepted",
    "整改事项认领",
    "Rectification item accepted",
    key="/itemid",
    flows=("V11", "H24"),
    phase="post",
    answers=OPENINGS,
)
class ItemAccepted(Payload):
    """The unit takes the item on: who answers for it, and with which measures.

    责任单位认领整改事项，明确责任领导、整改措施和完成时间。
    """

    RULES = (*MEASURES_RULES,)

    itemid: Annotated[Identifier, F1("整改事项编号", "item")]
    unit: Annotated[OrgRef, F1("责任单位", "responsible unit")]
    accepted_on: Annotated[Day, F1("认领日期", "accepted on")]
    register_no: Annotated[Identifier | None, F1("收文登记号", "register number")] = None
    owner: Annotated[Leader, F2("责任领导", "leader who answers for the item")]
    measures: Annotated[tuple[Measure, ...], Field(max_length=100), F1("整改措施", "measures")] = ()
    due: Annotated[Day, F1("承诺完成时间", "will be done by")]
    contact: Annotated[Line | None, F2("联系人", "contact")] = None


@event(
    "rectification.item_disputed",
    "整改事项异议",
    "Rectification item disputed",
    key="/itemid",
    flows=("V11", "H24"),
    phase="post",
    answers=OPENINGS,
)
class ItemDisputed(Payload):
    """The unit does not take the item on as it stands, says why, and who approved saying so.

    责任单位对整改事项提出异议，写明理由、佐证材料和批准人；不属本单位职责的，建议责任单位。
    """

    RULES = (
        needs(
            "proposed_unit",
            lambda it: it.reason.code == OUT_OF_REMIT,
            "不属本单位职责的，须建议责任单位",
            "whoever it is not for says for whom it is",
            "proposed_unit_missing",
        ),
    )

    itemid: Annotated[Identifier, F1("整改事项编号", "item")]
    unit: Annotated[OrgRef, F1("责任单位", "responsible unit")]
    disputed_on: Annotated[Day, F1("提出日期", "disputed on")]
    reason: Annotated[
        Annotated[Code, coded("rectification_dispute_reason")], F1("异议理由", "reason")
    ]
    text: Annotated[Paragraph, F2("异议说明", "explanation")]
    proposed_unit: Annotated[OrgRef | None, F1("建议责任单位", "proposed unit")] = None
    evidence: Annotated[Evidence, F2("佐证材料", "evidence")] = ()
    approved_by: Annotated[Handler, F1("批准人", "approved by")]


class MeasureProgress(Part):
    """How far one measure has come, with what shows it."""

    RULES = (
        needs(
            "done_on",
            lambda it: it.done,
            "已完成的措施须填完成日期",
            "a measure that is done has the day it was done",
            "done_on_missing",
        ),
        forbids(
            "done_on",
            lambda it: not it.done,
            "未完成的措施不得填写完成日期",
            "a measure that is not done has no day it was done",
            "done_on_unexpected",
        ),
    )

    measureid: Annotated[Identifier, F1("措施编号", "measure")]
    done: Annotated[bool, F1("是否完成", "done")]
    done_on: Annotated[Day | None, F1("完成日期", "done on")] = None
    text: Annotated[Paragraph | None, F2("落实情况", "what was done")] = None
    evidence: Annotated[Evidence, F2("佐证材料", "evidence")] = ()


class ExtensionRequest(Part):
    """More time, asked for with a reason (延期申请)."""

    until: Annotated[Day, F1("申请延长至", "asked until")]
    reason: Annotated[Annotated[Code, coded("extension_reason")], F1("延期理由", "reason")]
    text: Annotated[Paragraph, F2("延期说明", "explanation")]


def _open_measures(it: Any) -> Iterator[str]:
    if it.completion.code == COMPLETED:
        for place, measure in enumerate(it.measures):
            if not measure.done:
                yield f"measures/{place}/done"


@event(
    "rectification.progress_reported",
    "整改进展报告",
    "Rectification progress reported",
    key="/itemid",
    flows=("V11", "H24"),
    phase="post",
    answers=(*OPENINGS, "rectification.item_reopened", "rectification.overdue"),
    unasked=True,
    ways=("same", "up"),
    publishers=("inspected-party", "functional-dept", "inspection-office"),
    receivers=("inspection-office", "inspection-team", "discipline", "organization"),
    concerned=("/unit",),
)
class ProgressReported(Payload):
    """How far an item has come, measure by measure, what came of it so far, and what stands in the
    way.

    整改事项的进展：完成情况、逐项措施落实和佐证、已取得的成效；有困难的写明困难，需延期的一并申请。
    """

    RULES = (
        MEASURES_ONCE,
        late(
            "measures",
            "done_on",
            lambda it: it.reported_on,
            "措施的完成日期不得晚于报告日期",
            "what is reported done was done by then",
        ),
        Rule(
            "measure_open",
            "已完成的事项不得有未完成的措施",
            "an item that is completed has no measure left",
            _open_measures,
        ),
        forbids(
            "extension_request",
            lambda it: it.completion.code == COMPLETED,
            "已完成的事项不得申请延期",
            "what is completed needs no more time",
            "extension_unneeded",
        ),
        rule(
            "extension_early",
            "extension_request/until",
            "申请延长的日期须晚于现期限",
            "more time ends after the time there is",
            lambda it: (
                it.due is not None
                and it.extension_request is not None
                and it.extension_request.until <= falls_on(it.due)
            ),
        ),
    )

    itemid: Annotated[Identifier, F1("整改事项编号", "item")]
    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[
        Identifier | None, F1("被巡视巡察党组织编号", "number of the inspected party")
    ] = None
    unit: Annotated[OrgRef, F1("责任单位", "responsible unit")]
    reported_on: Annotated[Day, F1("报告日期", "reported on")]
    stage: Annotated[
        Annotated[Code, coded("rectification_stage")] | None, F1("整改环节", "stage")
    ] = None
    completion: Annotated[Completion, F1("完成情况", "completion")]
    long_term: Annotated[bool, F1("长期坚持", "goes on for good")] = False
    measures: Annotated[
        tuple[MeasureProgress, ...], Field(max_length=100), F1("措施落实情况", "measures")
    ] = ()
    effect: Annotated[Effect | None, F1("整改成效数据", "figures of the effect")] = None
    obstacle: Annotated[Paragraph | None, F2("困难和问题", "obstacle")] = None
    due: Annotated[Due | None, F1("现行期限", "due, with the extensions given")] = None
    extension_request: Annotated[
        ExtensionRequest | None, F1("延期申请", "request for more time")
    ] = None
