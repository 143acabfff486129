"""Clues (问题线索) in hand: reported on, extended, merged, split.

Subjects keep the number that the sender of the clue gave them.
"""

from typing import Annotated, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.clue.v1 import FLOWS, OPENINGS, Signatories
from contracts.common import Code, Due, Extension, Handler, OrgRef, Part, Payload, coded
from contracts.declare import event
from contracts.rules import another, forbids, in_order, rule, unique
from contracts.values import Authority, Count, Day, Identifier, Line, Ordinal, Paragraph

TALK_INQUIRY: Final = "talk_inquiry"

Times = Annotated[int, Field(ge=1, le=99)]


class StageOfSubject(Part):
    """How far the handling of one subject has come."""

    RULES = (
        forbids(
            "inquiry_round",
            lambda it: it.stage.code != TALK_INQUIRY,
            "只有谈话函询阶段填写第几次谈话函询",
            "only a talk or written inquiry is counted",
            "inquiry_round_unexpected",
        ),
    )

    subject_no: Annotated[Ordinal, F1("被反映对象序号", "subject number")]
    stage: Annotated[Annotated[Code, coded("clue_stage")], F2("办理状态", "stage")]
    since: Annotated[Day | None, F1("进入该状态日期", "since")] = None
    inquiry_round: Annotated[Times | None, F2("第几次谈话函询", "which inquiry")] = None


@event(
    "clue.progress_reported",
    "问题线索办理进展",
    "Progress of a clue reported",
    key="/clueid",
    flows=FLOWS,
    phase="post",
    answers=OPENINGS,
)
class ProgressReported(Payload):
    """How far the clue has come, subject by subject, and when it will be concluded.

    承办机关按被反映对象逐一报告问题线索的办理状态、已开展工作和预计办结日期。
    """

    RULES = (
        unique(
            "stages",
            "subject_no",
            "同一被反映对象编号只能出现一次",
            "a subject number stands twice",
            "subject_repeated",
        ),
        in_order(
            "as_of",
            "expected_on",
            "预计办结日期不得早于报告截至日期",
            "expected before the day of the report",
        ),
    )

    clueid: Annotated[Identifier, F1("线索编号", "clue number")]
    as_of: Annotated[Day, F1("进展截至日期", "as of")]
    stages: Annotated[
        tuple[StageOfSubject, ...],
        Field(min_length=1, max_length=100),
        F1("各对象办理状态", "stages"),
    ]
    mode: Annotated[
        Annotated[Code, coded("clue_handling_mode")] | None, F1("办理方式", "handling mode")
    ] = None
    room: Annotated[Line | None, F1("承办部门", "office in charge")] = None
    talks: Annotated[Count | None, F1("谈话人次", "talks")] = None
    documents_checked: Annotated[Count | None, F1("调取材料份数", "documents checked")] = None
    done: Annotated[Paragraph, F2("已开展工作", "done so far")]
    next_steps: Annotated[Paragraph | None, F2("下步安排", "next steps")] = None
    expected_on: Annotated[Day | None, F1("预计办结日期", "expected on")] = None
    handlers: Annotated[Signatories, F1("承办人", "handlers")]


@event(
    "clue.extended",
    "问题线索办理延期",
    "Term of a clue extended",
    key="/clueid",
    flows=FLOWS,
    phase="post",
    answers=OPENINGS,
)
class Extended(Payload):
    """A term of the clue was extended: which, until when, why, and who approved it.

    承办机关经批准延长问题线索的办理期限，写明延长的期限、理由和批准人。
    """

    RULES = (
        rule(
            "extension_not_later",
            "extension/until",
            "延长至的日期须晚于原定期限",
            "an extension ends later than what it extends",
            lambda it: it.extension.until <= it.due_before,
        ),
    )

    clueid: Annotated[Identifier, F1("线索编号", "clue number")]
    deadline: Annotated[Identifier | None, F1("期限规则", "deadline rule")] = None
    stage: Annotated[Annotated[Code, coded("clue_stage")] | None, F2("所处状态", "stage")] = None
    subject_nos: Annotated[
        tuple[Ordinal, ...],
        Field(max_length=100),
        F1("涉及对象序号", "subject numbers", "不填为全部对象（none: all of them）"),
    ] = ()
    due_before: Annotated[Day, F1("原定期限", "was due on")]
    extension: Annotated[Extension, F1("延期", "extension")]
    reason: Annotated[Annotated[Code, coded("extension_reason")], F1("延期理由", "reason")]
    times: Annotated[Times, F1("第几次延期", "how many times by now")] = 1
    handlers: Annotated[Signatories, F1("承办人", "handlers")]


class NewNumber(Part):
    """Under which number a subject goes on in the clue that takes it over."""

    subject_no: Annotated[Ordinal, F1("被反映对象序号", "subject number")]
    becomes: Annotated[Ordinal, F1("并入后序号", "number after the merger")]


@event(
    "clue.merged",
    "问题线索并案",
    "Clue merged",
    key="/clueid",
    flows=FLOWS,
    phase="post",
    answers=OPENINGS,
)
class Merged(Payload):
    """The clue goes on in another one, under whose number it is answered from now on.

    承办机关将问题线索并入另一条线索办理；此后的进展和办结反馈以并入线索的编号为准，反馈义务随之转移。
    """

    RULES = (
        another(
            "into",
            "clueid",
            "此处应填另一条线索的编号",
            "this names another clue, not the clue itself",
            "clue_refers_to_itself",
        ),
        unique(
            "numbers",
            "subject_no",
            "同一被反映对象编号只能出现一次",
            "a subject number stands twice",
            "subject_repeated",
        ),
        unique(
            "numbers",
            "becomes",
            "并入后的序号不得重复",
            "two subjects cannot become one",
            "subject_repeated",
        ),
    )

    clueid: Annotated[Identifier, F1("线索编号", "clue number")]
    into: Annotated[Identifier, F1("并入线索", "merged into")]
    reason: Annotated[Annotated[Code, coded("clue_merge_reason")], F1("并案理由", "reason")]
    numbers: Annotated[
        tuple[NewNumber, ...],
        Field(min_length=1, max_length=100),
        F1("对象序号对照", "numbers of the subjects"),
    ]
    organ: Annotated[OrgRef | None, F1("并案后承办单位", "organ in charge")] = None
    due: Annotated[Due | None, F1("办理期限", "due")] = None
    decided_on: Annotated[Day, F1("决定日期", "decided on")]
    approved_by: Annotated[Handler, F1("批准人", "approved by")]
    handlers: Annotated[Signatories, F1("承办人", "handlers")]


class SplitOff(Part):
    """A clue of its own: some of the subjects under one authority, and who answers for it."""

    RULES = (
        rule(
            "subject_repeated",
            "subject_nos",
            "同一被反映对象编号只能出现一次",
            "a subject number stands twice",
            lambda it: len(set(it.subject_nos)) < len(it.subject_nos),
        ),
    )

    clueid: Annotated[Identifier, F1("分案后线索编号", "number of the part")]
    subject_nos: Annotated[
        tuple[Ordinal, ...],
        Field(min_length=1, max_length=100),
        F1("对象序号", "subject numbers"),
    ]
    authority: Annotated[Authority | None, F2("干部管理权限", "level that manages the cadre")] = (
        None
    )
    organ: Annotated[OrgRef, F1("承办单位", "organ in charge")]
    due: Annotated[Due | None, F1("办理期限", "due")] = None


def _in_two_parts(it: "Split") -> bool:
    numbers = [number for part in it.parts for number in set(part.subject_nos)]
    return len(set(numbers)) < len(numbers)


@event(
    "clue.split",
    "问题线索分案",
    "Clue split",
    key="/clueid",
    flows=FLOWS,
    phase="post",
    answers=OPENINGS,
)
class Split(Payload):
    """The clue goes on in several, each with its subjects, its number and the organ that answers;
    one of them may keep the number. Without a split the highest authority takes the whole.

    承办机关将问题线索分为两条以上办理，每条写明被反映对象、新编号和承办单位，其中一条可沿用原编号。
    """

    RULES = (
        unique("parts", "clueid", "分案编号重复", "a number stands twice", "part_repeated"),
        rule(
            "subject_in_two_parts",
            "parts",
            "一个被反映对象只能分入一条线索",
            "a subject goes on in one part only",
            _in_two_parts,
        ),
    )

    clueid: Annotated[Identifier, F1("线索编号", "clue number")]
    parts: Annotated[
        tuple[SplitOff, ...], Field(min_length=2, max_length=100), F1("分案情况", "parts")
    ]
    reason: Annotated[Annotated[Code, coded("clue_split_reason")], F1("分案理由", "reason")]
    decided_on: Annotated[Day, F1("决定日期", "decided on")]
    approved_by: Annotated[Handler, F1("批准人", "approved by")]
    handlers: Annotated[Signatories, F1("承办人", "handlers")]
