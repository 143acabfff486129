"""Finance (财政): data sets of the budget system, and anomalies found in them; flow H15."""

from typing import Annotated, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, DocRef, Money, OrgRef, Part, Payload, Period, coded
from contracts.dataset.parts import Table
from contracts.declare import event
from contracts.handling import NO_PROBLEM, OUTCOME_RULES
from contracts.rules import forbids, rule, unique
from contracts.values import (
    Count,
    Day,
    FiscalDivision,
    Identifier,
    Line,
    Paragraph,
    SpendingEconomy,
    SpendingFunction,
    Summary,
    Year,
)

FLOWS: Final = ("H15",)
# A lower inspection office passes on what its finance department gave it.
PUBLISHERS: Final = ("finance", "inspection-office")
# Who may look into a doubt; nobody else hears of one that is not verified.
SUPERVISORS: Final = (
    "party-committee",
    "leading-group",
    "inspection-office",
    "inspection-team",
    "discipline",
    "audit",
    "finance",
)


class Unit(Part):
    """A budget unit: its code in the budget system, and the organisation."""

    agency_code: Annotated[Identifier, F1("预算单位代码", "budget unit", "预算管理一体化系统代码")]
    org: Annotated[OrgRef, F1("预算单位", "organisation")]


class Total(Part):
    """A figure of the whole table, by which a reader sees that it came whole."""

    name: Annotated[Line, F1("合计项目", "figure")]
    money: Annotated[Money, F1("合计金额", "amount")]


@event(
    "finance.dataset_published",
    "财政数据发布",
    "Finance data set published",
    key="/datasetid",
    flows=FLOWS,
    publishers=PUBLISHERS,
)
class DatasetPublished(Payload):
    """Budget data of one fiscal division and year: which table, of which units, with totals to
    check it by.

    财政部门提供某财政区划、某年度的预算管理数据：数据种类、单位范围、合计和数据文件。
    """

    RULES = (
        unique(
            "units",
            "agency_code",
            "同一预算单位代码只能出现一次",
            "a budget unit stands twice",
            "unit_repeated",
        ),
        unique("totals", "name", "合计项目不得重复", "a total stands twice", "total_repeated"),
        rule(
            "period_outside_year",
            "period",
            "数据期间须在预算年度内",
            "the period lies outside the fiscal year",
            lambda it: (
                it.period is not None
                and {str(it.period.from_.year), str(it.period.to.year)} != {it.fiscal_year}
            ),
        ),
    )

    datasetid: Annotated[Identifier, F1("数据集编号", "data set")]
    kind: Annotated[Annotated[Code, coded("finance_dataset_kind")], F1("数据种类", "kind of data")]
    title: Annotated[Line, F1("数据集名称", "title")]
    mof_div_code: Annotated[FiscalDivision, F1("财政区划代码", "fiscal division")]
    fiscal_year: Annotated[Year, F1("预算年度", "fiscal year")]
    period: Annotated[Period | None, F1("数据期间", "period")] = None
    as_of: Annotated[Day, F1("数据截至日期", "as of")]
    units: Annotated[
        tuple[Unit, ...],
        Field(max_length=500),
        F1("预算单位", "budget units", "不填表示该财政区划的全部单位"),
    ] = ()
    table: Annotated[Table, F1("数据表", "table")]
    totals: Annotated[tuple[Total, ...], Field(max_length=20), F1("合计", "totals")] = ()


class Evidence(Part):
    """One row of the budget system that shows the anomaly."""

    voucher: Annotated[Line | None, F1("凭证号", "voucher")] = None
    date: Annotated[Day, F1("日期", "date")]
    payee: Annotated[Line | None, F2("收款人", "payee")] = None
    purpose: Annotated[Line | None, F2("用途", "purpose")] = None
    money: Annotated[Money, F1("金额", "amount")]


@event(
    "finance.anomaly_reported",
    "财政资金异常通报",
    "Financial anomaly reported",
    key="/anomalyid",
    flows=FLOWS,
    publishers=PUBLISHERS,
    receivers=SUPERVISORS,
    accused=("/unit/org",),
    denied=("inspected-party",),
    due="finance.anomaly",
)
class AnomalyReported(Payload):
    """Something in a unit's public funds that a rule of supervision found: which rule, how much, in
    which rows. It is a doubt until somebody has verified it.

    财政部门通报预算执行监督发现的资金异常疑点：规则、单位、项目、金额和所依据的记录。
    """

    RULES = (
        rule(
            "rows_exceed",
            "row_count",
            "涉及记录数不得少于所列记录",
            "fewer rows are counted than are listed",
            lambda it: it.row_count < len(it.rows),
        ),
    )

    anomalyid: Annotated[Identifier, F1("异常编号", "anomaly")]
    kind: Annotated[Annotated[Code, coded("finance_anomaly_kind")], F1("异常类型", "kind")]
    rule: Annotated[Line, F1("监督规则", "rule that found it", "财政部门监督规则的代码或名称")]
    mof_div_code: Annotated[FiscalDivision, F1("财政区划代码", "fiscal division")]
    fiscal_year: Annotated[Year, F1("预算年度", "fiscal year")]
    unit: Annotated[Unit, F1("预算单位", "budget unit")]
    pro_code: Annotated[Identifier | None, F1("预算项目代码", "budget project")] = None
    project: Annotated[Line | None, F1("预算项目名称", "name of the project")] = None
    exp_func: Annotated[SpendingFunction | None, F1("支出功能分类", "functional class")] = None
    econ: Annotated[SpendingEconomy | None, F1("支出经济分类", "economic class")] = None
    amount: Annotated[Money, F1("涉及金额", "amount involved")]
    found_on: Annotated[Day, F1("发现日期", "found on")]
    description: Annotated[Summary, F2("异常情况", "description")]
    row_count: Annotated[Count, F1("涉及记录数", "rows concerned")]
    rows: Annotated[tuple[Evidence, ...], Field(max_length=200), F1("有关记录", "rows")] = ()
    attached: Annotated[
        tuple[DocRef, ...], Field(max_length=50), F1("附件", "attached documents")
    ] = ()


@event(
    "finance.anomaly_handled",
    "财政资金异常办理反馈",
    "Financial anomaly handled",
    key="/anomalyid",
    flows=FLOWS,
    answers=("finance.anomaly_reported",),
)
class AnomalyHandled(Payload):
    """What came of the anomaly: verified or not, how much of it, what was recovered and done.

    接收方反馈资金异常疑点的核实和处理情况：结果、核实金额、追回金额、措施和去向。
    """

    RULES = (
        *OUTCOME_RULES,
        forbids(
            "recovered",
            lambda it: it.result.code in NO_PROBLEM,
            "不构成问题或不属实的不得填写追回金额",
            "nothing is recovered where there was no problem",
            "recovered_unexpected",
        ),
    )

    anomalyid: Annotated[Identifier, F1("异常编号", "anomaly")]
    result: Annotated[Annotated[Code, coded("handling_result")], F1("处理结果", "result")]
    verified: Annotated[Money | None, F1("核实金额", "amount verified")] = None
    recovered: Annotated[Money | None, F1("追回金额", "amount recovered")] = None
    measures: Annotated[
        tuple[Paragraph, ...], Field(max_length=50), F2("处理措施", "measures")
    ] = ()
    transferred_to: Annotated[OrgRef | None, F1("移交机关", "transferred to")] = None
    note: Annotated[Paragraph | None, F2("说明", "note")] = None
    handled_on: Annotated[Day, F1("办理日期", "handled on")]
