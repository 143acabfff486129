"""Governance: deliveries, protected fields that were read, purges, rejected rows; P01, P04 to P07.

The hub alone publishes what is of this folder, to whom it concerns; but `schema.rejected` comes
from the agency whose adapter read the rows.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, DocRef, Due, Handler, Part, Payload, coded
from contracts.declare import event
from contracts.governance.parts import HUB, Channel, EventRef
from contracts.rules import forbids, in_order, needs, rule, unique
from contracts.values import Count, Day, Digest, Identifier, Instant, Line

# Whose events have protected fields. That somebody read a clue is as secret as the clue.
PROTECTING: Final = (
    "inspection-office",
    "inspection-team",
    "guidance-team",
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
)
Times = Annotated[int, Field(ge=1, le=1_000_000)]


@event(
    "delivery.receipt",
    "送达回执",
    "Delivery receipt",
    key="/receiptid",
    flows=("P01", "P04"),
    publishers=HUB,
)
class DeliveryReceipt(Payload):
    """The recipient's system fetched an event, or confirmed it. That people signed for it is
    another matter: `exchange.signed`.

    平台告知发布方：事件已被接收方系统取走或确认；不等于公文签收。
    """

    RULES = (
        needs(
            "acknowledged_at",
            lambda it: it.state == "acknowledged",
            "已确认的须填确认时间",
            "what is acknowledged says when",
            "acknowledged_at_missing",
        ),
        forbids(
            "acknowledged_at",
            lambda it: it.state == "delivered",
            "仅送达的不得填写确认时间",
            "what is only delivered was not acknowledged",
            "acknowledged_at_unexpected",
        ),
        in_order(
            "delivered_at",
            "acknowledged_at",
            "确认时间不得早于送达时间",
            "acknowledged before it was delivered",
        ),
    )

    receiptid: Annotated[Identifier, F1("受理回执编号", "receipt of the event")]
    event: Annotated[EventRef, F1("事件", "event")]
    recipient: Annotated[Line, F1("接收机构", "recipient")]
    channel: Annotated[Channel, F1("送达方式", "channel")]
    state: Annotated[
        Literal["delivered", "acknowledged"],
        F1("状态", "state", "delivered 已送达，acknowledged 已确认"),
    ]
    delivered_at: Annotated[Instant, F1("送达时间", "delivered at")]
    acknowledged_at: Annotated[Instant | None, F1("确认时间", "acknowledged at")] = None


@event(
    "delivery.failed",
    "送达失败",
    "Delivery failed",
    key="/receiptid",
    flows=("P01", "P04"),
    publishers=HUB,
)
class DeliveryFailed(Payload):
    """An event could not be delivered: how often it was tried, why not, and whether it is tried
    again or set aside until somebody acts.

    平台告知事件未能送达：尝试次数、原因代码，以及将再次尝试还是已搁置待处理。
    """

    RULES = (
        needs(
            "next_at",
            lambda it: not it.parked,
            "未搁置的须填下次尝试时间",
            "what is tried again says when",
            "next_at_missing",
        ),
        forbids(
            "next_at",
            lambda it: it.parked,
            "已搁置的不再自动尝试，不得填写下次时间",
            "what is set aside is not tried again",
            "next_at_unexpected",
        ),
        in_order(
            "first_at",
            "last_at",
            "最近一次不得早于首次",
            "the last attempt is before the first",
        ),
    )

    receiptid: Annotated[Identifier, F1("受理回执编号", "receipt of the event")]
    event: Annotated[EventRef, F1("事件", "event")]
    recipient: Annotated[Line, F1("接收机构", "recipient")]
    channel: Annotated[Channel, F1("送达方式", "channel")]
    code: Annotated[Identifier, F1("原因代码", "reason", "平台的错误代码")]
    message: Annotated[Line, F1("原因说明", "reason in words")]
    attempts: Annotated[Times, F1("尝试次数", "attempts")]
    first_at: Annotated[Instant, F1("首次尝试时间", "first attempt")]
    last_at: Annotated[Instant, F1("最近尝试时间", "last attempt")]
    parked: Annotated[bool, F1("已搁置", "set aside")]
    next_at: Annotated[Instant | None, F1("下次尝试时间", "next attempt")] = None


@event(
    "delivery.overdue",
    "办理超期提醒",
    "Reply overdue",
    key="/receiptid",
    flows=("P05", "P06", "P07"),
    publishers=HUB,
)
class DeliveryOverdue(Payload):
    """A reply that is owed did not come in time. The hub computes it from the events, so nobody is
    asked to report it; the deadline is the one in force at that place.

    平台提醒：应答复的事项已超过期限；由平台根据事件计算，不另行要求填报，期限按当地规则。
    """

    RULES = (
        rule(
            "days_differ",
            "days_late",
            "超期天数须等于核对日期与截止日期之差",
            "the days late are not those from the due date to the day of the check",
            lambda it: (it.checked_on - it.due.date).days != it.days_late,
        ),
    )

    receiptid: Annotated[Identifier, F1("受理回执编号", "receipt of the opening")]
    event: Annotated[EventRef, F1("待答复事件", "event to answer")]
    owed_by: Annotated[Line, F1("应答复机构", "who owes the reply")]
    expected: Annotated[
        tuple[Identifier, ...], Field(min_length=1, max_length=20), F1("应答复类型", "replies owed")
    ]
    due: Annotated[Due, F1("期限", "due")]
    checked_on: Annotated[Day, F1("核对日期", "checked on")]
    days_late: Annotated[Times, F1("超期天数", "days late", "自然日")]
    urge: Annotated[Annotated[Code, coded("urge_kind")] | None, F1("督促方式", "urged by")] = None


@event(
    "access.revealed",
    "敏感字段查阅记录",
    "Protected fields revealed",
    key="/receiptid",
    flows=("P04",),
    publishers=HUB,
    receivers=PROTECTING,
    denied=("inspected-party",),
)
class AccessRevealed(Payload):
    """Sensitive or source-protected fields of an event were given to a reader: which fields, under
    which grant, for what purpose. Their values never stand here.

    平台记录敏感（F3）或来源保护（F4）字段被查阅：字段位置、授权、用途和时间，不含字段内容。
    """

    RULES = (
        rule(
            "pointer_malformed",
            "pointers",
            "字段位置应为以 / 开头的 JSON 指针",
            "a field is named by a JSON Pointer, which begins with /",
            lambda it: not all(pointer.startswith("/") for pointer in it.pointers),
        ),
    )

    receiptid: Annotated[Identifier, F1("受理回执编号", "receipt of the event")]
    event: Annotated[EventRef, F1("事件", "event")]
    reader: Annotated[Line, F1("查阅机构", "reader")]
    token_no: Annotated[Identifier | None, F1("凭据序号", "number of the token")] = None
    pointers: Annotated[
        tuple[Line, ...], Field(min_length=1, max_length=200), F1("字段位置", "fields")
    ]
    highest: Annotated[
        Literal["F3", "F4"], F1("最高敏感级别", "highest class", "F3 敏感个人信息，F4 来源保护")
    ]
    grantid: Annotated[Identifier, F1("授权编号", "grant")]
    purpose: Annotated[Line | None, F1("授权用途", "purpose of the grant")] = None
    policy_version: Annotated[Count, F1("策略版本", "policy version")]
    revealed_at: Annotated[Instant, F1("查阅时间", "revealed at")]


class Purged(Part):
    """What was purged of one type."""

    RULES = (
        in_order("oldest", "newest", "最新日期不得早于最早日期", "the newest is before the oldest"),
    )

    type: Annotated[Identifier, F1("事件类型", "event type")]
    events: Annotated[Count, F1("清除件数", "events purged")]
    oldest: Annotated[Day, F1("最早登记日期", "oldest")]
    newest: Annotated[Day, F1("最新登记日期", "newest")]


@event(
    "retention.purged",
    "到期清除证明",
    "Retention purge",
    key="/purgeid",
    flows=("P04",),
    publishers=HUB,
)
class RetentionPurged(Payload):
    """The certificate that events whose term ended were purged: how many of which types, on whose
    approval; what proves that they once were registered stays.

    平台出具到期清除证明：各类型清除件数、批准人和时间；登记凭证保留，可证明曾受理。
    """

    RULES = (
        unique(
            "purged", "type", "同一事件类型只能出现一次", "a type stands twice", "type_repeated"
        ),
        rule(
            "total_differs",
            "total",
            "清除总数须等于各类型之和",
            "the total is not the sum of the types",
            lambda it: sum(line.events for line in it.purged) != it.total,
        ),
        rule(
            "purged_too_early",
            "purged",
            "清除的事件须在截止日期之前登记",
            "an event is newer than what was to be purged",
            lambda it: any(line.newest >= it.registered_before for line in it.purged),
        ),
    )

    purgeid: Annotated[Identifier, F1("清除批次编号", "purge")]
    registered_before: Annotated[Day, F1("登记截止日期", "registered before")]
    purged: Annotated[
        tuple[Purged, ...], Field(min_length=1, max_length=500), F1("清除情况", "what was purged")
    ]
    total: Annotated[Count, F1("清除总数", "events in all")]
    kept_back: Annotated[Count, F1("暂缓清除件数", "kept back", "尚有未结事项而暂不清除")] = 0
    ledger_root: Annotated[
        Digest | None, F1("账本根摘要", "root of the ledger", "清除后账本仍可验证的 Merkle 根")
    ] = None
    approved_by: Annotated[Handler | None, F2("批准人", "approved by")] = None
    purged_at: Annotated[Instant, F1("清除时间", "purged at")]


class RowFault(Part):
    """What is wrong at one place of the file; the sentence never repeats what stands there."""

    row: Annotated[Times | None, F1("行号", "row", "按原文件行号，标题行计入")] = None
    at: Annotated[Line, F1("位置", "where", "栏目名、XPath 或 JSON 指针")]
    code: Annotated[Identifier, F1("错误代码", "code")]
    message: Annotated[Line, F1("错误说明", "message")]


@event(
    "schema.rejected",
    "报送数据退回",
    "Rows rejected",
    key="/batchid",
    flows=("P05",),
)
class SchemaRejected(Payload):
    """Rows of a file that fit no contract: where, what is wrong, what to do, so that whoever keeps
    the file can correct it by hand.

    适配器退回不符合契约的报送数据：文件、行号、栏目和中文原因，供填报人修改后重报。
    """

    RULES = (
        rule(
            "rejected_exceed",
            "rows_rejected",
            "退回行数不得大于总行数",
            "more rows are rejected than there are",
            lambda it: it.rows_rejected > it.rows,
        ),
        rule(
            "faults_exceed",
            "fault_count",
            "错误总数不得少于所列错误",
            "fewer faults are counted than are listed",
            lambda it: it.fault_count < len(it.faults),
        ),
    )

    batchid: Annotated[Identifier, F1("报送批次编号", "batch")]
    adapter: Annotated[Line, F1("适配器", "adapter")]
    file: Annotated[DocRef, F1("报送文件", "file")]
    sheet: Annotated[Line | None, F1("工作表", "sheet")] = None
    event_type: Annotated[Identifier, F1("事件类型", "event type")]
    version: Annotated[Identifier, F1("契约版本", "version")]
    rows: Annotated[Count, F1("总行数", "rows")]
    rows_rejected: Annotated[Times, F1("退回行数", "rows rejected")]
    fault_count: Annotated[Times, F1("错误总数", "faults in all")]
    faults: Annotated[
        tuple[RowFault, ...], Field(min_length=1, max_length=500), F1("错误清单", "faults")
    ]
