"""Data sets (数据共享): published for others, or asked for and answered; flows V13, H23 and P03."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from contracts.classes import F0, F1, F2, F3
from contracts.common import (
    Code,
    DocRef,
    Due,
    Handler,
    OrgRef,
    Part,
    Payload,
    Period,
    PersonRef,
    coded,
)
from contracts.dataset.parts import Table
from contracts.declare import event
from contracts.rules import at_least_one, exactly_one, forbids, in_order, needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Ordinal, Paragraph

FLOWS: Final = ("V13", "H23", "P03")
QUERY: Final = ("dataset.query_requested",)


def _personal(it: Any) -> bool:
    return any(column.sensitivity in ("F2", "F3") for column in it.table.columns)


@event(
    "dataset.published",
    "数据集发布",
    "Data set published",
    key="/datasetid",
    flows=FLOWS,
)
class Published(Payload):
    """A data set that an agency holds ready for others: what it covers, as of when, in which
    columns, and for which uses it is given.

    机关发布可供共享的数据集：范围、截至日期、栏目、文件摘要和使用要求。
    """

    RULES = (
        needs(
            "allowed_uses",
            _personal,
            "含个人信息的数据集须写明允许的用途",
            "a data set about persons says for which uses it is given",
            "allowed_uses_missing",
        ),
        in_order(
            "as_of",
            "use_until",
            "使用期限不得早于数据截至日期",
            "the use ends before the data begin",
            "use_ends_too_early",
        ),
    )

    datasetid: Annotated[Identifier, F1("数据集编号", "data set")]
    title: Annotated[Line, F1("数据集名称", "title")]
    catalogue_no: Annotated[Line | None, F1("政务数据目录编号", "number in the data catalogue")] = (
        None
    )
    covers: Annotated[Paragraph, F1("数据范围", "what it covers")]
    period: Annotated[Period | None, F1("数据期间", "period")] = None
    as_of: Annotated[Day, F1("数据截至日期", "as of")]
    frequency: Annotated[
        Annotated[Code, coded("frequency")] | None, F1("更新频率", "updated how often")
    ] = None
    table: Annotated[Table, F1("数据表", "table")]
    linked_by: Annotated[
        tuple[Line, ...],
        Field(max_length=20),
        F1("关联字段", "linked by", "可与其他机关数据关联的栏目名，如统一社会信用代码"),
    ] = ()
    allowed_uses: Annotated[
        tuple[Annotated[Code, coded("data_purpose")], ...],
        Field(max_length=20),
        F1("允许用途", "allowed uses"),
    ] = ()
    use_until: Annotated[Day | None, F1("使用期限", "use until")] = None
    contact: Annotated[Line | None, F2("联系人", "contact")] = None


class Subject(Part):
    """Of whom or of what body the data are asked, by a number that the answer repeats."""

    RULES = (
        exactly_one(
            "person",
            "org",
            message="每个查询对象须填 person（人）或 org（单位）之一，且只填其一",
            message_en="a subject is either a person or an organisation: give exactly one",
            code="subject_not_one",
        ),
    )

    subject_no: Annotated[Ordinal, F1("查询对象序号", "subject number")]
    person: Annotated[PersonRef | None, F2("人员", "person")] = None
    org: Annotated[OrgRef | None, F2("单位", "organisation")] = None


@event(
    "dataset.query_requested",
    "数据查询申请",
    "Data query requested",
    key="/queryid",
    flows=FLOWS,
    receivers=(
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
        "congress",
        "cppcc",
    ),
    concerned=("/subjects/-/org", "/subjects/-/person/org"),
    due="dataset.answer",
)
class QueryRequested(Payload):
    """Data asked of the agency that holds them: about whom, which items, for what purpose, on whose
    approval.

    向掌握数据的机关申请查询：查询对象、查询项、用途、依据和批准人。
    """

    RULES = (
        unique(
            "subjects",
            "subject_no",
            "同一查询对象序号只能出现一次",
            "a subject number stands twice",
            "subject_repeated",
        ),
        needs(
            "approved_by",
            lambda it: any(subject.person is not None for subject in it.subjects),
            "查询个人信息须经批准并填批准人",
            "a query about persons names who approved it",
            "approval_missing",
        ),
        at_least_one(
            "subjects",
            "condition",
            message="须填查询对象或查询条件",
            message_en="say about whom, or under which condition",
            code="query_empty",
        ),
    )

    queryid: Annotated[Identifier, F1("查询编号", "query")]
    datasetid: Annotated[Identifier | None, F1("数据集编号", "data set")] = None
    dataset: Annotated[Line, F1("数据名称", "data asked for")]
    items: Annotated[
        tuple[Line, ...], Field(min_length=1, max_length=100), F1("查询项", "items asked for")
    ]
    subjects: Annotated[tuple[Subject, ...], Field(max_length=500), F2("查询对象", "subjects")] = ()
    condition: Annotated[Paragraph | None, F2("查询条件", "condition")] = None
    period: Annotated[Period | None, F1("查询期间", "period")] = None
    purpose: Annotated[Annotated[Code, coded("data_purpose")], F1("用途", "purpose")]
    basis: Annotated[DocRef | None, F1("查询依据", "on what basis")] = None
    approved_by: Annotated[Handler | None, F1("批准人", "approved by")] = None
    due: Annotated[Due | None, F1("答复期限", "answer due")] = None


class Value(Part):
    """One item of what was found; a person's data are sensitive whatever they say."""

    item: Annotated[Line, F1("查询项", "item")]
    value: Annotated[Paragraph, F3("查询值", "value")]


class Found(Part):
    """What is held about one subject of the query."""

    RULES = (
        forbids(
            "values",
            lambda it: not it.found,
            "未查到的对象不得填写查询值",
            "of whom nothing is held there are no values",
            "values_unexpected",
        ),
    )

    subject_no: Annotated[Ordinal, F1("查询对象序号", "subject number")]
    found: Annotated[bool, F2("查到记录", "found")]
    values: Annotated[tuple[Value, ...], Field(max_length=100), F3("查询值", "values")] = ()


@event(
    "dataset.query_answered",
    "数据查询答复",
    "Data query answered",
    key="/queryid",
    flows=FLOWS,
    answers=QUERY,
)
class QueryAnswered(Payload):
    """What is held of what was asked, subject by subject or as a table in a file.

    数据持有机关答复查询结果：逐对象填写，或以数据文件提供；注明数据截至日期和使用期限。
    """

    RULES = (
        unique(
            "results",
            "subject_no",
            "同一查询对象序号只能出现一次",
            "a subject number stands twice",
            "subject_repeated",
        ),
        at_least_one(
            "results",
            "table",
            message="须逐对象填写结果，或提供数据文件",
            message_en="give the results, or a table in a file",
            code="answer_empty",
        ),
        rule(
            "matched_differs",
            "matched",
            "查到记录的对象数须与逐对象结果一致",
            "the number of subjects found is not that of the results",
            lambda it: it.results and sum(found.found for found in it.results) != it.matched,
        ),
    )

    queryid: Annotated[Identifier, F1("查询编号", "query")]
    as_of: Annotated[Day, F1("数据截至日期", "as of")]
    matched: Annotated[Count, F2("查到对象数", "subjects found")]
    results: Annotated[tuple[Found, ...], Field(max_length=500), F2("查询结果", "results")] = ()
    table: Annotated[Table | None, F1("数据表", "table")] = None
    limits: Annotated[
        Paragraph | None, F1("数据说明", "limits", "口径、缺失、更新时间等使用时须知的事项")
    ] = None
    use_until: Annotated[Day | None, F1("使用期限", "use until")] = None
    destroyed_after: Annotated[bool, F0("用后销毁", "destroyed after use")] = False


@event(
    "dataset.query_refused",
    "数据查询不予提供",
    "Data query refused",
    key="/queryid",
    flows=FLOWS,
    answers=QUERY,
)
class QueryRefused(Payload):
    """The data are not given: why, and what would help.

    数据持有机关不予提供：写明理由，可补正的写明补正要求，可另行办理的写明途径。
    """

    RULES = (
        needs(
            "instead",
            lambda it: it.outcome == "redirected",
            "转告其他途径的须写明途径",
            "whoever points to another way says which",
            "instead_missing",
        ),
        needs(
            "missing",
            lambda it: it.outcome == "correctable",
            "可补正的须写明补正要求",
            "whoever asks for a correction says what is missing",
            "missing_not_stated",
        ),
    )

    queryid: Annotated[Identifier, F1("查询编号", "query")]
    reason: Annotated[Annotated[Code, coded("refusal_reason")], F1("不予提供理由", "reason")]
    outcome: Annotated[
        Literal["final", "correctable", "redirected"],
        F1("处理方式", "outcome", "final 不予提供，correctable 补正后再申请，redirected 另有途径"),
    ]
    note: Annotated[Paragraph | None, F2("说明", "note")] = None
    missing: Annotated[Paragraph | None, F1("补正要求", "what is missing")] = None
    instead: Annotated[Line | None, F1("其他途径", "another way")] = None
    decided_on: Annotated[Day, F1("决定日期", "decided on")]
    decided_by: Annotated[Handler | None, F1("决定人", "decided by")] = None
