"""Ledger (对账): two agencies compare from time to time what lies between them; P02, P03, P05.

A one-way path has no acknowledgement, so a statement of numbers and counts takes its place.
"""

from typing import Annotated, Literal

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, Due, OrgRef, Part, Payload, Period, Signatories, coded
from contracts.declare import event
from contracts.rules import in_order, needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph

FLOWS = ("P02", "P03", "P05")


class Entry(Part):
    """One case in the period, by its number and where it stands."""

    RULES = (
        in_order(
            "sent_on",
            "closed_on",
            "办结日期不得早于移送日期",
            "a case is not closed before it was sent",
            "closed_before_sent",
        ),
    )

    case: Annotated[Identifier, F1("事项编号", "number of the case")]
    state: Annotated[Line, F1("办理状态", "state")]
    sent_on: Annotated[Day | None, F1("移送日期", "sent on")] = None
    closed_on: Annotated[Day | None, F1("办结日期", "closed on")] = None


class Difference(Part):
    """One case that the two ledgers do not show alike."""

    RULES = (
        needs(
            "own_state",
            lambda it: it.kind != "missing_here",
            "本方有记录的，须填本方办理状态",
            "whoever has the case says where it stands",
            "own_state_missing",
        ),
    )

    case: Annotated[Identifier, F1("事项编号", "number of the case")]
    kind: Annotated[
        Literal["missing_here", "missing_there", "state_differs"],
        F1(
            "差异类型",
            "kind",
            "missing_here 本方无，missing_there 对方无，state_differs 状态不一致"
            " / not in our ledger, not in theirs, another state",
        ),
    ]
    own_state: Annotated[Line | None, F1("本方办理状态", "our state")] = None
    note: Annotated[Paragraph, F2("差异说明", "explanation")]
    remedy: Annotated[Line | None, F1("处理办法", "what is done about it")] = None


@event(
    "ledger.stated",
    "台账对账单",
    "Ledger stated",
    key="/ledgerid",
    flows=FLOWS,
    due="ledger.reconciliation",
)
class Stated(Payload):
    """What one agency's ledger says of a period: how many were open, came, were closed, and which.

    一方就某一期间的台账向另一方出具对账单，列明期初、新增、办结、期末件数和各事项编号。
    """

    RULES = (
        rule(
            "balance_wrong",
            "closing",
            "期末件数须等于期初件数加本期新增减本期办结",
            "what is open at the end is what was open, and came, less what was closed",
            lambda it: it.closing != it.opening + it.added - it.closed,
        ),
        rule(
            "entries_incomplete",
            "entries",
            "明细须列全期初未结和本期新增的事项",
            "the entries are all that were open or came in the period",
            lambda it: len(it.entries) != it.opening + it.added,
        ),
        rule(
            "closed_differs",
            "closed",
            "本期办结件数须与填有办结日期的明细一致",
            "what was closed are the entries with a closing date",
            lambda it: it.closed != sum(entry.closed_on is not None for entry in it.entries),
        ),
        unique("entries", "case", "同一事项只能出现一次", "a case stands twice", "entry_repeated"),
    )

    ledgerid: Annotated[Identifier, F1("对账单编号", "statement number")]
    kind: Annotated[Annotated[Code, coded("ledger_kind")], F1("台账种类", "kind of ledger")]
    counterpart: Annotated[OrgRef, F1("对账单位", "counterpart")]
    period: Annotated[Period, F1("对账期间", "period")]
    opening: Annotated[Count, F1("期初未结件数", "open at the beginning", "件 / cases")]
    added: Annotated[Count, F1("本期新增件数", "came in the period", "件 / cases")]
    closed: Annotated[Count, F1("本期办结件数", "closed in the period", "件 / cases")]
    closing: Annotated[Count, F1("期末未结件数", "open at the end", "件 / cases")]
    entries: Annotated[
        tuple[Entry, ...],
        Field(max_length=999),
        F1("对账明细", "entries", "期初未结和本期新增 / all that were open or came"),
    ] = ()
    handlers: Annotated[Signatories, F1("对账人", "handlers")]
    due: Annotated[Due | None, F1("复核期限", "answer due")] = None


@event(
    "ledger.reconciled",
    "台账对账结果",
    "Ledger reconciled",
    key="/ledgerid",
    flows=FLOWS,
    answers=("ledger.stated",),
)
class Reconciled(Payload):
    """Whether the other agency's ledger agrees, and every case in which it does not.

    另一方核对后的结果，不一致的逐项列明差异和处理办法。
    """

    RULES = (
        rule(
            "agreement_contradicted",
            "agreed",
            "一致的不应列差异，不一致的须逐项列出差异",
            "ledgers that agree list no differences, others list them",
            lambda it: it.agreed == bool(it.differences),
        ),
        unique(
            "differences", "case", "同一事项只能出现一次", "a case stands twice", "entry_repeated"
        ),
    )

    ledgerid: Annotated[Identifier, F1("对账单编号", "statement number")]
    agreed: Annotated[bool, F1("核对一致", "agreed")]
    checked: Annotated[Count, F1("核对件数", "cases checked", "件 / cases")]
    differences: Annotated[
        tuple[Difference, ...], Field(max_length=999), F2("差异明细", "differences")
    ] = ()
    reconciled_on: Annotated[Day, F1("核对日期", "reconciled on")]
    handlers: Annotated[Signatories, F1("核对人", "handlers")]
