"""Material (调阅): files and data that an inspection looks at, borrows or copies.

H03 and the inspection itself. The number of the request runs through what is handed over.
"""

from typing import Annotated, Literal

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import (
    Code,
    DocRef,
    Due,
    OrgRef,
    Part,
    Payload,
    Period,
    Refusal,
    Signatories,
    TwoSignatories,
    coded,
)
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import needs, rule, unique
from contracts.values import Count, Day, Identifier, Instant, Line, Ordinal, Paragraph

FLOWS = ("lifecycle", "H03")

Way = Literal["read", "borrow", "copy", "export"]
WAYS = "read 现场查阅，borrow 借出，copy 复制，export 导出数据 / read, borrow, copy, export data"


class Wanted(Part):
    """One kind of material that is wanted."""

    item_no: Annotated[Ordinal, F1("序号", "item number")]
    kind: Annotated[Annotated[Code, coded("material_kind")], F1("材料种类", "kind")]
    title: Annotated[Line, F2("材料名称", "title")]
    period: Annotated[Period | None, F1("材料所属期间", "period covered")] = None
    way: Annotated[Way, F1("调阅方式", "way", WAYS)] = "read"


class Given(Part):
    """What was handed over or shown for one item; what is missing says why."""

    RULES = (
        needs(
            "missing_because",
            lambda it: it.pieces == 0,
            "未提供的材料须说明原因",
            "what was not provided says why",
            "missing_unexplained",
        ),
        needs(
            "return_by",
            lambda it: it.way == "borrow" and it.pieces > 0,
            "借出的材料须填归还日期",
            "what was borrowed says when it goes back",
            "return_missing",
        ),
    )

    item_no: Annotated[Ordinal, F1("序号", "item number")]
    pieces: Annotated[Count, F1("件数", "pieces", "件（册） / pieces or volumes")]
    pages: Annotated[Count | None, F1("页数", "pages")] = None
    way: Annotated[Way, F1("提供方式", "way", WAYS)]
    documents: Annotated[
        tuple[DocRef, ...], Field(max_length=500), F2("材料清单", "documents")
    ] = ()
    return_by: Annotated[Day | None, F1("归还日期", "return by")] = None
    missing_because: Annotated[Paragraph | None, F2("未提供原因", "why missing")] = None


@event(
    "material.requested",
    "调阅材料",
    "Material requested",
    key="/requestid",
    flows=FLOWS,
    phase="on",
    publishers=("inspection-office", "inspection-team", "discipline", "organization"),
    concerned=("/target",),
    due="material.provision",
    slip=Slip(
        title="调阅材料通知单",
        numbers=("/requestid", "/roundid"),
        listed="/items",
        signed_by=("调阅人", "调阅人", "材料提供单位经办人"),
    ),
)
class Requested(Payload):
    """Files or data that an inspection wants to see, on whose approval and by when.

    巡视巡察组等调阅材料的通知，列明材料清单、调阅方式、批准人和提供期限。
    """

    RULES = (
        unique(
            "items",
            "item_no",
            "同一序号只能出现一次",
            "an item number stands twice",
            "item_repeated",
        ),
    )

    requestid: Annotated[Identifier, F1("调阅编号", "request number")]
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    target: Annotated[OrgRef | None, F1("被巡视巡察党组织", "inspected party")] = None
    holder: Annotated[OrgRef, F1("材料保管单位", "who holds it")]
    purpose: Annotated[Line, F1("调阅用途", "purpose")]
    items: Annotated[
        tuple[Wanted, ...], Field(min_length=1, max_length=200), F2("调阅清单", "items")
    ]
    place: Annotated[Line | None, F1("提供地点", "where")] = None
    approved_by: Annotated[Signatories, F1("批准人", "approved by")]
    handlers: Annotated[TwoSignatories, F1("调阅人", "handlers")]
    due: Annotated[Due | None, F1("提供期限", "due")] = None


@event(
    "material.provided",
    "材料提供",
    "Material provided",
    key="/requestid",
    flows=FLOWS,
    phase="on",
    answers=("material.requested",),
    slip=Slip(
        title="调阅材料交接清单",
        numbers=("/requestid",),
        listed="/items",
        signed_by=("提供人", "接收人", "接收人", "归还接收人"),
    ),
)
class Provided(Payload):
    """What was shown or handed over, item by item, and when borrowed material goes back.

    保管单位按调阅清单逐项提供材料，借出的注明归还日期，缺少的说明原因。
    """

    RULES = (
        unique(
            "items",
            "item_no",
            "同一序号只能出现一次",
            "an item number stands twice",
            "item_repeated",
        ),
        rule(
            "complete_contradicted",
            "complete",
            "有未提供的材料时，不得填已全部提供",
            "what lacks an item is not complete",
            lambda it: it.complete and any(item.pieces == 0 for item in it.items),
        ),
    )

    requestid: Annotated[Identifier, F1("调阅编号", "request number")]
    items: Annotated[
        tuple[Given, ...], Field(min_length=1, max_length=200), F2("提供清单", "items")
    ]
    complete: Annotated[bool, F1("已全部提供", "complete")]
    provided_at: Annotated[Instant, F1("提供时间", "provided at")]
    vouched_by: Annotated[Line, F2("真实完整性负责人", "who vouches for it")]
    handlers: Annotated[Signatories, F1("提供人", "handlers")]


@event(
    "material.refused",
    "材料不予提供",
    "Material refused",
    key="/requestid",
    flows=FLOWS,
    phase="on",
    answers=("material.requested",),
)
class Refused(Payload):
    """Why material is not provided, in whole or for some items.

    保管单位不能提供材料的理由；部分材料不能提供的，列出序号。
    """

    requestid: Annotated[Identifier, F1("调阅编号", "request number")]
    item_nos: Annotated[
        tuple[Ordinal, ...],
        Field(max_length=200),
        F1("不能提供的序号", "items refused", "不填即全部材料 / none stated: all of them"),
    ] = ()
    refusal: Annotated[Refusal, F1("不予提供情况", "refusal")]
