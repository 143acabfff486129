"""Hand-over (移交批次): a batch of files with its slip, and who signed for each.

What is handed over has contracts of its own; a batch says what lay in one bag. H04, H14, P02, P05.
"""

from typing import Annotated

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, Due, OrgRef, Part, Payload, TwoSignatories, coded
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import needs, rule, unique
from contracts.values import Count, Digest, Identifier, Instant, Line, Medium, Ordinal, Paragraph

FLOWS = ("H04", "H14", "P02", "P05")


class Item(Part):
    """One file of the batch, by its number and the digest of its bytes."""

    RULES = (
        needs(
            "digest",
            lambda it: it.medium == "electronic",
            "电子件须填摘要，以便接收方核对",
            "an electronic item has a digest to compare",
            "digest_missing",
        ),
    )

    item_no: Annotated[Ordinal, F1("序号", "item number")]
    id: Annotated[Identifier, F1("移交件编号", "number of the item")]
    kind: Annotated[Line, F1("材料种类", "kind")]
    medium: Annotated[Medium, F1("载体", "medium")]
    copies: Annotated[Count, F1("份数", "copies")] = 1
    pages: Annotated[Count | None, F1("页数", "pages")] = None
    digest: Annotated[
        Digest | None,
        F1("SM3 或 SHA-256 摘要", "digest", "电子件必填 / for what is electronic"),
    ] = None
    seal: Annotated[Line | None, F1("封装号", "seal")] = None


class Checked(Part):
    """What the receiver found of one item."""

    RULES = (
        needs(
            "note",
            lambda it: it.state.code != "ok",
            "缺失或退回的，须说明情况",
            "what is missing or goes back says why",
            "note_missing",
        ),
    )

    item_no: Annotated[Ordinal, F1("序号", "item number")]
    id: Annotated[Identifier, F1("移交件编号", "number of the item")]
    state: Annotated[Annotated[Code, coded("handover_item_state")], F1("核对结果", "state")]
    discrepancies: Annotated[
        tuple[Annotated[Code, coded("receipt_discrepancy")], ...],
        Field(max_length=10),
        F1("差错", "discrepancies"),
    ] = ()
    note: Annotated[Paragraph | None, F2("情况说明", "explanation")] = None


@event(
    "handover.sent",
    "移交批次",
    "Hand-over sent",
    key="/no",
    flows=FLOWS,
    due="handover.signature",
    slip=Slip(
        title="移交清单",
        numbers=("/no", "/roundid"),
        listed="/items",
        signed_by=("移交人", "移交人", "接收人", "接收人", "监交人"),
    ),
)
class Sent(Payload):
    """A batch handed over, every item by number, with the two who hand it over.

    移交方填写的移交批次清单，逐件列明编号、载体和摘要，由两名移交人签字。
    """

    RULES = (
        unique(
            "items",
            "item_no",
            "同一序号只能出现一次",
            "an item number stands twice",
            "item_repeated",
        ),
        unique("items", "id", "同一移交件只能出现一次", "an item stands twice", "item_repeated"),
        rule(
            "count_differs",
            "count",
            "件数须与清单所列一致",
            "the count is that of the list",
            lambda it: it.count != len(it.items),
        ),
    )

    no: Annotated[Identifier, F1("移交批次号", "batch number")]
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    reason: Annotated[Line, F1("移交事由", "reason")]
    from_org: Annotated[OrgRef, F1("移交单位", "handed over by")]
    to_org: Annotated[OrgRef, F1("接收单位", "handed over to")]
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=999), F1("移交清单", "items")]
    count: Annotated[Count, F1("件数", "number of items", "件 / items")]
    way: Annotated[Line, F1("移交方式", "how it is handed over")]
    sent_at: Annotated[Instant, F1("移交时间", "handed over at")]
    witness: Annotated[Line | None, F2("监交人", "witness")] = None
    handlers: Annotated[TwoSignatories, F1("移交人", "handlers")]
    due: Annotated[Due | None, F1("签收期限", "signature due")] = None


@event(
    "handover.signed",
    "移交签收",
    "Hand-over signed for",
    key="/no",
    flows=FLOWS,
    answers=("handover.sent",),
    slip=Slip(
        title="移交签收单",
        numbers=("/no", "/register_no"),
        listed="/items",
        signed_by=("接收人", "接收人", "监交人"),
    ),
)
class Signed(Payload):
    """What arrived, item by item: in order, missing or going back.

    接收方逐件核对后签收，注明相符、缺失或退回。
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
            "count_differs",
            "accepted",
            "签收件数须与核对相符的件数一致",
            "the number accepted is that of the items in order",
            lambda it: it.accepted != sum(item.state.code == "ok" for item in it.items),
        ),
    )

    no: Annotated[Identifier, F1("移交批次号", "batch number")]
    items: Annotated[
        tuple[Checked, ...], Field(min_length=1, max_length=999), F1("核对情况", "items")
    ]
    accepted: Annotated[Count, F1("签收件数", "items accepted", "件 / items")]
    seal_intact: Annotated[bool | None, F1("封装完好", "seals intact")] = None
    register_no: Annotated[Line | None, F1("收文登记号", "register number")] = None
    signed_at: Annotated[Instant, F1("签收时间", "signed at")]
    witness: Annotated[Line | None, F2("监交人", "witness")] = None
    handlers: Annotated[TwoSignatories, F1("接收人", "handlers")]
