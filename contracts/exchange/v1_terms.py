"""Exchange about terms (催办、延期): a duty is urged and answered for, its day is moved or not."""

from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, DocRef, Extension, Handler, OrgRef, Part, coded
from contracts.declare import event
from contracts.exchange.parts import Exchange
from contracts.rules import forbids, in_order, needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph

DONE: Final = "done"
# The documents that follow when urging has not helped; each is a decision of the leaders.
DECIDED_BY_LEADERS: Final = frozenset({"supervise", "admonish", "account"})

Times = Annotated[int, Field(ge=1, le=99)]


def _extended(it: Any) -> bool:
    return bool(it.extension.until <= it.due_before)


class Requirement(Part):
    """One thing that the urged unit is to do."""

    no: Annotated[Times, F1("要求序号", "number")]
    text: Annotated[Paragraph, F2("办理要求", "requirement")]
    by: Annotated[Day | None, F1("完成期限", "by")] = None


@event(
    "exchange.urged",
    "催办督办",
    "Duty urged",
    key="/matter",
    about="/about",
    flows=("V09", "V18", "P05"),
    concerned=("/unit",),
    due="exchange.answer",
)
class Urged(Exchange):
    """A duty that is due or overdue is urged, from a mere reminder up to holding to account.

    对临期、逾期或者落实不力的事项发出催办、督办、督查指导、提醒、告诫、问责文书，逐项提出要求。
    """

    RULES = (
        needs(
            "approved_by",
            lambda it: it.kind.code in DECIDED_BY_LEADERS,
            "督办、告诫、问责文书须填批准人",
            "supervision, admonition and holding to account are approved by somebody",
            "approval_missing",
        ),
        needs(
            "earlier",
            lambda it: it.times > 1,
            "非首次催办须填前次催办的事项编号",
            "a repeated urge names the earlier ones",
            "earlier_urge_missing",
        ),
        rule(
            "refers_to_itself",
            "earlier",
            "前次催办应填其他事项编号",
            "an earlier urge has another number",
            lambda it: it.matter in it.earlier,
        ),
        in_order("urged_on", "answer_by", "答复期限不得早于催办日期", "due before it was urged"),
        unique("requirements", "no", "要求序号重复", "a number stands twice", "item_repeated"),
    )

    kind: Annotated[Annotated[Code, coded("urge_kind")], F1("文书类型", "kind of document")]
    times: Annotated[Times, F1("第几次催办", "how many times by now")] = 1
    earlier: Annotated[
        tuple[Identifier, ...], Field(max_length=20), F1("前次催办", "earlier urges")
    ] = ()
    unit: Annotated[OrgRef, F1("被催办单位", "urged unit")]
    duty: Annotated[Line, F1("催办事项", "duty")]
    due_before: Annotated[Day | None, F1("原定期限", "was due on")] = None
    overdue_days: Annotated[
        Count | None, F1("逾期天数", "days overdue", "自然日（calendar days）")
    ] = None
    requirements: Annotated[
        tuple[Requirement, ...], Field(max_length=50), F1("办理要求", "requirements")
    ] = ()
    urged_on: Annotated[Day, F1("催办日期", "urged on")]
    answer_by: Annotated[Day, F1("答复期限", "answer by")]
    approved_by: Annotated[Handler | None, F1("批准人", "approved by")] = None


class Answered(Part):
    """What was done about one requirement."""

    no: Annotated[Times, F1("要求序号", "number")]
    text: Annotated[Paragraph, F2("落实情况", "what was done")]


@event(
    "exchange.urge_answered",
    "催办答复",
    "Urge answered",
    key="/matter",
    flows=("V09", "V18", "P05"),
    answers=("exchange.urged",),
)
class UrgeAnswered(Exchange):
    """Where the urged duty stands: done and when, or why not yet and by when.

    被催办单位答复办理情况：已办结的填办结日期，未办结的说明原因和预计完成日期。
    """

    RULES = (
        needs(
            "done_on",
            lambda it: it.state.code == DONE,
            "已办结的须填办结日期",
            "what is done says when",
            "done_date_missing",
        ),
        needs(
            "reason",
            lambda it: it.state.code != DONE,
            "未办结的须填原因",
            "what is not done has a reason",
            "reason_missing",
        ),
        needs(
            "expected_on",
            lambda it: it.state.code in {"doing", "not_begun"},
            "未办结的须填预计完成日期",
            "what is not done says by when it will be",
            "expected_date_missing",
        ),
        forbids(
            "expected_on",
            lambda it: it.state.code == DONE,
            "已办结的不填预计完成日期",
            "what is done is not expected any more",
            "expected_date_unexpected",
        ),
        in_order(
            "answered_on",
            "expected_on",
            "预计完成日期不得早于答复日期",
            "what is still to be done cannot lie before the answer",
        ),
        unique("answers", "no", "要求序号重复", "a number stands twice", "item_repeated"),
    )

    state: Annotated[Annotated[Code, coded("duty_state")], F1("办理状态", "state")]
    done_on: Annotated[Day | None, F1("办结日期", "done on")] = None
    reason: Annotated[
        Annotated[Code, coded("extension_reason")] | None, F1("未办结原因", "reason")
    ] = None
    expected_on: Annotated[Day | None, F1("预计完成日期", "expected on")] = None
    progress: Annotated[Paragraph, F2("办理情况", "progress")]
    answers: Annotated[
        tuple[Answered, ...], Field(max_length=50), F1("各项要求落实情况", "answers")
    ] = ()
    evidence: Annotated[tuple[DocRef, ...], Field(max_length=50), F2("佐证材料", "evidence")] = ()
    answered_on: Annotated[Day, F1("答复日期", "answered on")]
    responsible: Annotated[Handler, F1("负责人", "responsible")]


@event(
    "exchange.extension_requested",
    "延期申请",
    "Extension requested",
    key="/matter",
    about="/about",
    flows=("P05", "P06"),
    due="exchange.extension",
)
class ExtensionRequested(Exchange):
    """The one who owes something asks for a later day: which, why, and what is done so far.

    承办单位申请延长办理期限，写明原定期限、申请延至日期、理由和已办情况，经本单位负责人同意。
    """

    RULES = (
        rule(
            "extension_not_later",
            "until",
            "申请延至的日期须晚于原定期限",
            "an extension ends later than what it extends",
            lambda it: it.until <= it.due_before,
        ),
    )

    deadline: Annotated[Identifier | None, F1("期限规则", "deadline rule")] = None
    due_before: Annotated[Day, F1("原定期限", "due on")]
    until: Annotated[Day, F1("申请延至", "extension until")]
    times: Annotated[Times, F1("第几次申请", "how many times by now")] = 1
    reason: Annotated[Annotated[Code, coded("extension_reason")], F1("延期理由", "reason")]
    explanation: Annotated[Paragraph, F2("理由说明", "explanation")]
    done_so_far: Annotated[Paragraph | None, F2("已办情况", "done so far")] = None
    requested_on: Annotated[Day, F1("申请日期", "requested on")]
    agreed_by: Annotated[Handler, F1("本单位负责人", "own leader who agreed")]


@event(
    "exchange.extension_granted",
    "同意延期",
    "Extension granted",
    key="/matter",
    flows=("P05", "P06"),
    answers=("exchange.extension_requested",),
)
class ExtensionGranted(Exchange):
    """The day is moved, by whom and under which conditions; it may be earlier than was asked.

    同意延期，写明延长至的日期、批准人和附加要求；批准的日期可以早于申请的日期。
    """

    RULES = (
        rule(
            "extension_not_later",
            "extension/until",
            "延长至的日期须晚于原定期限",
            "an extension ends later than what it extends",
            _extended,
        ),
    )

    due_before: Annotated[Day, F1("原定期限", "was due on")]
    extension: Annotated[Extension, F1("延期", "extension")]
    conditions: Annotated[
        tuple[Paragraph, ...], Field(max_length=20), F2("附加要求", "conditions")
    ] = ()
    last: Annotated[bool, F1("不再延期", "the last one")] = False
    granted_on: Annotated[Day, F1("批准日期", "granted on")]


@event(
    "exchange.extension_refused",
    "不同意延期",
    "Extension refused",
    key="/matter",
    flows=("P05", "P06"),
    answers=("exchange.extension_requested",),
)
class ExtensionRefused(Exchange):
    """The day stays, and why.

    不同意延期，写明理由；原定期限不变。
    """

    due_stays: Annotated[Day, F1("维持的期限", "still due on")]
    reason: Annotated[
        Annotated[Code, coded("extension_refusal_reason")], F1("不同意理由", "reason")
    ]
    explanation: Annotated[Paragraph | None, F2("理由说明", "explanation")] = None
    refused_on: Annotated[Day, F1("决定日期", "refused on")]
    decided_by: Annotated[Handler, F1("决定人", "decided by")]
