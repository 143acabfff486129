"""Roll-ups (汇总): figures computed from what earlier events tell, sent up level by level.

Flow V24. Small cells are suppressed, so that a count of one does not give a case away.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F0, F1
from contracts.common import (
    Code,
    DocRef,
    Handler,
    OrgRef,
    Part,
    Payload,
    Period,
    coded,
)
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import Rule, rule, together, unique
from contracts.values import Amount, Count, Day, Digest, Identifier, Line, Paragraph, RegionCode

FLOWS: Final = ("V24", "P01", "P03", "P07")
OPENINGS: Final = ("rollup.reported",)

Suppressed = Annotated[bool, F0("已隐去", "suppressed", "数值过小，为防推断而隐去")]
SHOWN_OR_SUPPRESSED: Final = rule(
    "figure_not_one",
    "value",
    "须填数值，或标明已隐去，二者取一",
    "a figure is either shown or suppressed",
    lambda it: (it.value is None) != it.suppressed,
)


class Cell(Part):
    """The part of a metric that falls to one member of one dimension (region, kind, category)."""

    RULES = (SHOWN_OR_SUPPRESSED,)

    dimension: Annotated[Identifier, F0("分组维度", "dimension")]
    member: Annotated[Identifier, F0("分组值", "member")]
    name: Annotated[Line | None, F0("分组名称", "name of the member")] = None
    value: Annotated[Amount | None, F0("数值", "value")] = None
    suppressed: Suppressed = False


def _dimensions(metric: Any) -> Iterable[list[Amount | None]]:
    """What each dimension of a metric shows, cell by cell."""
    found = defaultdict(list)
    for cell in metric.cells:
        found[cell.dimension].append(cell.value)
    return found.values()


def _sums_differ(it: Any) -> bool:
    """Whether the cells of a dimension that is shown in full do not make the whole."""
    whole = None if it.value is None else Decimal(it.value)
    for cells in _dimensions(it):
        shown = [Decimal(value) for value in cells if value is not None]
        if len(shown) == len(cells) and whole not in (None, sum(shown)):
            return True
    return False


def _can_be_inferred(it: Any) -> bool:
    """Whether a suppressed cell is what the whole leaves over."""
    return it.value is not None and any(cells.count(None) == 1 for cells in _dimensions(it))


class Metric(Part):
    """One figure of the period, and how it divides."""

    RULES = (
        SHOWN_OR_SUPPRESSED,
        rule(
            "total_wrong",
            "value",
            "合计须等于各分组之和",
            "the whole is the sum of its cells",
            _sums_differ,
        ),
        rule(
            "suppression_undone",
            "cells",
            "同一维度只隐去一格，可由合计倒推，请再隐去一格或隐去合计",
            "a single suppressed cell follows from the total: suppress another, or the total",
            _can_be_inferred,
        ),
    )

    code: Annotated[Identifier, F0("指标代码", "code")]
    name: Annotated[Line, F0("指标名称", "name")]
    unit: Annotated[Line, F0("计量单位", "unit")]
    value: Annotated[Amount | None, F0("合计", "total")] = None
    suppressed: Suppressed = False
    status: Annotated[
        Annotated[Code, coded("observation_status")] | None, F0("数据状态", "status of the figure")
    ] = None
    cells: Annotated[tuple[Cell, ...], Field(max_length=500), F0("分组数据", "cells")] = ()


class Origin(Part):
    """The events that the figures are computed from: a publisher's, from number to number."""

    RULES = (
        rule(
            "range_reversed",
            "last",
            "末号不得小于首号",
            "the last number is below the first",
            lambda it: it.last < it.first,
        ),
    )

    source: Annotated[Line, F1("来源", "source")]
    first: Annotated[Count, F1("首号", "first number")]
    last: Annotated[Count, F1("末号", "last number")]


class Missing(Part):
    """A body below that did not report, and why."""

    org: Annotated[OrgRef, F1("未报单位", "did not report")]
    reason: Annotated[Line, F1("未报原因", "reason")]


def _cells_twice(it: Any) -> Iterator[str]:
    for place, metric in enumerate(it.metrics):
        seen = set()
        for inner, cell in enumerate(metric.cells):
            if (cell.dimension, cell.member) in seen:
                yield f"metrics/{place}/cells/{inner}/member"
            seen.add((cell.dimension, cell.member))


@event(
    "rollup.reported",
    "汇总报送",
    "Roll-up reported",
    key="/rollupid",
    flows=FLOWS,
    ways=("same", "up"),
    publishers=("inspection-office",),
    due="rollup.check",
    slip=Slip(
        title="汇总报表报送单",
        numbers=("/rollupid", "/form"),
        listed="/metrics",
        signed_by=("填报人", "审核人", "单位负责人"),
    ),
)
class Reported(Payload):
    """The figures of one level for one period, with what they are computed from and who is missing.

    下级按期向上级报送汇总数据，注明计算依据、应报和未报单位；小数值按规定隐去。
    """

    RULES = (
        unique(
            "metrics", "code", "同一指标只能出现一次", "a metric stands twice", "metric_repeated"
        ),
        Rule(
            "cell_repeated",
            "同一指标的同一分组只能出现一次",
            "a cell stands twice in a metric",
            _cells_twice,
        ),
        rule(
            "missing_miscounted",
            "missing",
            "未报单位须与应报、实报单位数之差一致",
            "those missing are those expected less those who reported",
            lambda it: it.expected - it.received != len(it.missing),
        ),
    )

    rollupid: Annotated[Identifier, F0("汇总编号", "roll-up")]
    form: Annotated[Line, F0("报表名称", "name of the form")]
    period: Annotated[Period, F0("统计期间", "period")]
    region: Annotated[RegionCode, F0("行政区划", "region")]
    reporter: Annotated[OrgRef, F1("报送单位", "reported by")]
    expected: Annotated[Count, F0("应报单位数", "expected to report", "单位：个")]
    received: Annotated[Count, F0("实报单位数", "reported", "单位：个")]
    missing: Annotated[
        tuple[Missing, ...], Field(max_length=300), F1("未报单位", "did not report")
    ] = ()
    metrics: Annotated[
        tuple[Metric, ...], Field(min_length=1, max_length=500), F0("指标", "metrics")
    ]
    computed_from: Annotated[
        tuple[Origin, ...], Field(max_length=300), F1("计算依据", "computed from")
    ] = ()
    sm3: Annotated[Digest | None, F1("底表 SM3 摘要", "SM3 digest of the table")] = None
    table: Annotated[DocRef | None, F1("报表文件", "table")] = None
    prepared_by: Annotated[Handler, F1("填报人", "prepared by")]
    approved_by: Annotated[Handler, F1("审核人", "approved by")]


@event(
    "rollup.accepted",
    "汇总接收",
    "Roll-up accepted",
    key="/rollupid",
    flows=FLOWS,
    answers=OPENINGS,
)
class Accepted(Payload):
    """The level above has checked the figures and takes them; remarks do not hold them up.

    上级审核通过并接收汇总数据，可附不影响接收的提示。
    """

    rollupid: Annotated[Identifier, F0("汇总编号", "roll-up")]
    accepted_on: Annotated[Day, F1("接收日期", "accepted on")]
    checks: Annotated[Count, F1("审核规则数", "checks passed", "单位：条")]
    remarks: Annotated[tuple[Paragraph, ...], Field(max_length=50), F1("审核提示", "remarks")] = ()
    checked_by: Annotated[Handler, F1("审核人", "checked by")]


class Failure(Part):
    """One check that failed: why, at which figure, what stands there and what was expected."""

    RULES = (
        together(
            "stated",
            "expected",
            message="所报数值与应有数值须同时填写",
            message_en="what is stated and what is expected go together",
            code="comparison_incomplete",
        ),
        rule(
            "comparison_agrees",
            "expected",
            "所报数值与应有数值相同，不构成差错",
            "what is stated is what is expected",
            lambda it: (
                it.stated is not None
                and it.expected is not None
                and Decimal(it.stated) == Decimal(it.expected)
            ),
        ),
    )

    reason: Annotated[Annotated[Code, coded("rollup_rejection_reason")], F1("退回理由", "reason")]
    metric: Annotated[Identifier | None, F0("指标代码", "metric")] = None
    dimension: Annotated[Identifier | None, F0("分组维度", "dimension")] = None
    member: Annotated[Identifier | None, F0("分组值", "member")] = None
    stated: Annotated[Amount | None, F1("所报数值", "stated")] = None
    expected: Annotated[Amount | None, F1("应有数值", "expected")] = None
    note: Annotated[Paragraph, F1("差错说明", "note")]


@event(
    "rollup.rejected",
    "汇总退回",
    "Roll-up rejected",
    key="/rollupid",
    flows=FLOWS,
    answers=OPENINGS,
)
class Rejected(Payload):
    """The figures fail checks and go back: each failure with its place, and by when they are due
    again.

    审核不通过，退回汇总数据，逐条指明差错位置和重报期限。
    """

    RULES = (
        rule(
            "resubmission_before_return",
            "resubmit_by",
            "重报期限不得早于退回日期",
            "figures cannot be due again before they were returned",
            lambda it: it.resubmit_by < it.rejected_on,
        ),
    )

    rollupid: Annotated[Identifier, F0("汇总编号", "roll-up")]
    rejected_on: Annotated[Day, F1("退回日期", "rejected on")]
    failures: Annotated[
        tuple[Failure, ...], Field(min_length=1, max_length=500), F1("审核差错", "failed checks")
    ]
    resubmit_by: Annotated[Day, F1("重报期限", "due again")]
    checked_by: Annotated[Handler, F1("审核人", "checked by")]
