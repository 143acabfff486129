"""Statistics (统计): figures for an inspection, and false figures found; flow H16."""

from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, DocRef, Money, OrgRef, Part, Payload, PersonRef, coded
from contracts.dataset.parts import Table
from contracts.declare import event
from contracts.handling import OUTCOME_RULES
from contracts.rules import at_least_one, needs, rule, together, unique
from contracts.values import Amount, Count, Day, Identifier, Line, Paragraph, Summary

FLOWS: Final = ("H16",)
# A lower inspection office passes on what its statistics bureau gave it.
PUBLISHERS: Final = ("statistics", "inspection-office")
SUPERVISORS: Final = (
    "party-committee",
    "leading-group",
    "inspection-office",
    "inspection-team",
    "discipline",
    "audit",
    "statistics",
)


class Dimension(Part):
    """A dimension of the series' keys, in the order in which a key names them."""

    id: Annotated[Identifier, F1("维度标识", "dimension")]
    name: Annotated[Line | None, F1("维度名称", "name")] = None
    codelist: Annotated[Line | None, F1("维度代码表", "code list")] = None


class Observation(Part):
    """One figure: of which series, for which time."""

    RULES = (
        needs(
            "status",
            lambda it: it.value is None,
            "缺失的观测值须填状态",
            "a missing value says why it is missing",
            "status_missing",
        ),
    )

    key: Annotated[
        Line, F1("序列键", "series key", "各维度取值，按维度顺序以点号连接，如 510104.GDP.A")
    ]
    period: Annotated[
        Identifier, F1("时间", "time", "SDMX 时间写法，如 2025、2025-Q3、2025-09、2025-09-30")
    ]
    value: Annotated[Amount | None, F1("观测值", "value")] = None
    status: Annotated[
        Annotated[Code, coded("observation_status")] | None, F1("观测值状态", "status")
    ] = None


def _wrong_keys(it: Any) -> bool:
    return any(seen.key.count(".") != len(it.dimensions) - 1 for seen in it.observations)


@event(
    "statistics.dataset_published",
    "统计数据发布",
    "Statistical data set published",
    key="/datasetid",
    flows=FLOWS,
    publishers=PUBLISHERS,
)
class DatasetPublished(Payload):
    """Figures of one dataflow: its dimensions, unit and stage of release, with the observations
    themselves or a file of them.

    统计部门提供一个数据流的统计数据：维度、计量单位、发布阶段，随附观测值或数据文件。
    """

    RULES = (
        at_least_one(
            "observations",
            "table",
            message="须填观测值或数据文件",
            message_en="give the observations, or a file of them",
            code="data_missing",
        ),
        unique(
            "dimensions", "id", "维度不得重复", "a dimension stands twice", "dimension_repeated"
        ),
        rule(
            "key_dimensions",
            "observations",
            "序列键的取值个数须与维度个数一致",
            "a series key has another number of values than there are dimensions",
            _wrong_keys,
        ),
    )

    datasetid: Annotated[Identifier, F1("数据集编号", "data set")]
    flow: Annotated[Identifier, F1("数据流标识", "dataflow", "统计报表制度或 SDMX 数据流的标识")]
    title: Annotated[Line, F1("数据名称", "title")]
    structure: Annotated[Identifier | None, F1("数据结构标识", "structure")] = None
    dimensions: Annotated[
        tuple[Dimension, ...], Field(min_length=1, max_length=20), F1("维度", "dimensions")
    ]
    frequency: Annotated[Annotated[Code, coded("frequency")], F1("频率", "frequency")]
    unit: Annotated[Line, F1("计量单位", "unit")]
    multiplier: Annotated[
        int, Field(ge=-9, le=15), F1("计量倍数", "multiplier", "10 的幂次：4 表示万")
    ] = 0
    decimals: Annotated[int, Field(ge=0, le=9), F1("小数位数", "decimals")] = 0
    release: Annotated[
        Literal["preliminary", "verified", "final", "revised"],
        F1("发布阶段", "release", "preliminary 初步，verified 核实，final 最终，revised 修订"),
    ]
    released_on: Annotated[Day, F1("发布日期", "released on")]
    observations: Annotated[
        tuple[Observation, ...], Field(max_length=1_000), F1("观测值", "observations")
    ] = ()
    table: Annotated[Table | None, F1("数据表", "table")] = None
    method: Annotated[Paragraph | None, F1("统计口径", "method", "范围、口径变化和不可比之处")] = (
        None
    )


class Comparison(Part):
    """A figure as it was reported and as it was verified."""

    RULES = (
        rule(
            "figures_agree",
            "verified",
            "核实值与上报值相同，不构成数据差错",
            "the verified figure is the reported one",
            lambda it: Decimal(it.reported) == Decimal(it.verified),
        ),
    )

    indicator: Annotated[Line, F1("指标名称", "indicator")]
    period: Annotated[Identifier, F1("报告期", "period", "如 2025、2025-Q3、2025-09")]
    reported: Annotated[Amount, F1("上报值", "reported")]
    verified: Annotated[Amount, F1("核实值", "verified")]
    unit: Annotated[Line, F1("计量单位", "unit")]


def _not_as_said(it: Any) -> bool:
    pairs = [(Decimal(pair.reported), Decimal(pair.verified)) for pair in it.figures]
    return (it.kind.code == "over_reported" and any(told < true for told, true in pairs)) or (
        it.kind.code == "under_reported" and any(told > true for told, true in pairs)
    )


@event(
    "statistics.fraud_reported",
    "统计造假弄虚作假通报",
    "Statistical fraud reported",
    key="/fraudid",
    flows=FLOWS,
    publishers=PUBLISHERS,
    receivers=SUPERVISORS,
    accused=("/subject", "/interfering/-/org"),
    accused_persons=("/interfering/-",),
    denied=("inspected-party",),
    due="statistics.fraud",
)
class FraudReported(Payload):
    """False statistics found at a body: of which kind, which figures, who interfered, and whether a
    case was filed.

    统计部门通报发现的统计造假、弄虚作假：类型、对象、上报值与核实值、干预人员和立案情况。
    """

    RULES = (
        needs(
            "figures",
            lambda it: it.kind.code in ("over_reported", "under_reported"),
            "虚报、瞒报须填上报值和核实值",
            "who over- or under-reports did so with figures",
            "figures_missing",
        ),
        rule(
            "figures_contradict",
            "figures",
            "虚报的上报值应大于核实值，瞒报的应小于核实值",
            "the figures do not show what the kind says",
            _not_as_said,
        ),
        together(
            "case_no",
            "filed_on",
            message="立案编号和立案日期须同时填写",
            message_en="a case has its number and its day",
            code="filing_incomplete",
        ),
    )

    fraudid: Annotated[Identifier, F1("造假案件编号", "case of fraud")]
    kind: Annotated[Annotated[Code, coded("statistics_fraud_kind")], F1("造假类型", "kind")]
    subject: Annotated[OrgRef, F1("统计调查对象", "body that reported")]
    survey: Annotated[Line, F1("统计调查项目", "survey", "报表制度和表号")]
    found_by: Annotated[
        Annotated[Code, coded("statistics_fraud_source")], F2("发现方式", "found by")
    ]
    found_on: Annotated[Day, F1("发现日期", "found on")]
    figures: Annotated[
        tuple[Comparison, ...], Field(max_length=200), F1("数据差错", "figures")
    ] = ()
    description: Annotated[Summary, F2("造假情况", "description")]
    interfering: Annotated[
        tuple[PersonRef, ...], Field(max_length=50), F2("干预统计的人员", "who interfered")
    ] = ()
    case_no: Annotated[Line | None, F1("立案编号", "case number")] = None
    filed_on: Annotated[Day | None, F1("立案日期", "filed on")] = None
    attached: Annotated[
        tuple[DocRef, ...], Field(max_length=50), F1("附件", "attached documents")
    ] = ()


@event(
    "statistics.fraud_handled",
    "统计造假办理反馈",
    "Statistical fraud handled",
    key="/fraudid",
    flows=FLOWS,
    answers=("statistics.fraud_reported",),
)
class FraudHandled(Payload):
    """What came of the case: its result, the figures put right, fines and people held to account.

    接收方反馈统计造假的处理情况：结果、数据更正、罚款、追责问责人数和去向。
    """

    RULES = (
        *OUTCOME_RULES,
        needs(
            "corrected_on",
            lambda it: it.figures_corrected,
            "已更正数据的须填更正日期",
            "figures that were corrected say when",
            "corrected_on_missing",
        ),
    )

    fraudid: Annotated[Identifier, F1("造假案件编号", "case of fraud")]
    result: Annotated[Annotated[Code, coded("handling_result")], F1("处理结果", "result")]
    figures_corrected: Annotated[bool, F1("数据已更正", "figures corrected")]
    corrected_on: Annotated[Day | None, F1("更正日期", "corrected on")] = None
    fine: Annotated[Money | None, F1("罚款", "fine")] = None
    people_sanctioned: Annotated[Count, F1("追责问责人数", "people held to account")] = 0
    transferred_to: Annotated[OrgRef | None, F1("移交机关", "transferred to")] = None
    note: Annotated[Paragraph | None, F2("说明", "note")] = None
    handled_on: Annotated[Day, F1("办理日期", "handled on")]
