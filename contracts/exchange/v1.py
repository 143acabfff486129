"""Exchange of documents (公文往来) about any event: signed for, completed, recalled, countersigned.

What opens an exchange goes by address, between the publisher and the readers of the event that it
is about; answers go back. Urging and extensions stand in `v1_terms.py`.
"""

from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, DocRef, Due, Handler, OrgRef, Part, coded
from contracts.contract import Slip
from contracts.declare import event
from contracts.exchange.parts import About, Exchange
from contracts.rules import forbids, in_order, needs, rule, unique
from contracts.values import Count, Day, Instant, Line, Ordinal, Paragraph

DESTROYED: Final = "destroyed"
UNREAD: Final = "unread"

Signatories = Annotated[tuple[Handler, ...], Field(min_length=1, max_length=20)]
VersionOfDraft = Annotated[int, Field(ge=1, le=99)]


class Discrepancy(Part):
    """One way in which what arrived is not what was said to be sent."""

    kind: Annotated[Annotated[Code, coded("receipt_discrepancy")], F1("差错类型", "kind")]
    item: Annotated[Line | None, F1("涉及件", "item")] = None
    copyno: Annotated[Line | None, F1("份号", "copy number")] = None
    note: Annotated[Line | None, F1("说明", "note")] = None


@event(
    "exchange.signed",
    "公文签收",
    "Document signed for",
    key="/matter",
    about="/about",
    flows=("P01", "P05"),
    slip=Slip(
        title="公文签收单",
        numbers=("/matter", "/register_no"),
        listed="/discrepancies",
        signed_by=("送达人", "签收人"),
    ),
)
class Signed(Exchange):
    """Who signed for what an event stands for, and what they counted; the acknowledgement of its
    delivery says only that a system has it.

    收文单位清点件数、页数后签收公文，注明差错；它不同于系统的投递确认。
    """

    RULES = (
        forbids(
            "discrepancies",
            lambda it: it.complete,
            "清点无误时不填差错；有差错时 complete 应为 false",
            "what is complete has no discrepancies",
            "complete_with_discrepancies",
        ),
        needs(
            "discrepancies",
            lambda it: not it.complete,
            "清点有误时须逐条填写差错",
            "what is not complete names its discrepancies",
            "discrepancies_missing",
        ),
    )

    signed_at: Annotated[Instant, F1("签收时间", "signed at")]
    signed_by: Annotated[Signatories, F1("签收人", "signed by")]
    register_no: Annotated[Line | None, F1("收文登记号", "register number")] = None
    items: Annotated[Count, F1("清点件数", "items counted")]
    pages: Annotated[Count | None, F1("清点页数", "pages counted")] = None
    complete: Annotated[bool, F1("清点无误", "complete")]
    digest_agrees: Annotated[bool | None, F1("摘要相符", "digest agrees")] = None
    discrepancies: Annotated[
        tuple[Discrepancy, ...], Field(max_length=200), F1("差错", "discrepancies")
    ] = ()


class Wanted(Part):
    """One thing that is to be supplied or put right."""

    no: Annotated[Ordinal, F1("补正序号", "number")]
    what: Annotated[Line, F2("补正内容", "what is wanted")]
    reason: Annotated[Annotated[Code, coded("return_reason")], F1("补正原因", "reason")]
    place: Annotated[Line | None, F1("所在位置", "where in the document")] = None


@event(
    "exchange.supplement_requested",
    "补正通知",
    "Supplement requested",
    key="/matter",
    about="/about",
    flows=("P03", "P05"),
    due="exchange.supplement",
)
class SupplementRequested(Exchange):
    """What is missing or wrong in a document, item by item, and whether its clock stands still.

    收文单位逐项告知需补正的内容和补正期限；注明原办理期限是否暂停计算。
    """

    RULES = (
        unique("items", "no", "补正序号重复", "a number stands twice", "item_repeated"),
        rule(
            "pause_untold",
            "paused_from",
            "期限暂停与暂停起始日期须同时填写",
            "a clock that stands still says from when, and only such a clock",
            lambda it: it.pauses != (it.paused_from is not None),
        ),
    )

    items: Annotated[
        tuple[Wanted, ...], Field(min_length=1, max_length=100), F1("补正事项", "items")
    ]
    requested_on: Annotated[Day, F1("通知日期", "requested on")]
    due: Annotated[Due, F1("补正期限", "due")]
    pauses: Annotated[bool, F1("原期限暂停", "clock stands still")]
    paused_from: Annotated[Day | None, F1("暂停起始日期", "stands still from")] = None


class Supplied(Part):
    """What came of one wanted thing."""

    RULES = (
        needs(
            "reason",
            lambda it: not it.supplied,
            "未能补正的须说明理由",
            "what is not supplied has a reason",
            "reason_missing",
        ),
        forbids(
            "documents",
            lambda it: not it.supplied,
            "未能补正的不附文件",
            "what is not supplied has no documents",
            "documents_unexpected",
        ),
    )

    no: Annotated[Ordinal, F1("补正序号", "number")]
    supplied: Annotated[bool, F1("已补正", "supplied")]
    documents: Annotated[tuple[DocRef, ...], Field(max_length=50), F2("补正文件", "documents")] = ()
    correction: Annotated[Paragraph | None, F2("更正内容", "correction")] = None
    reason: Annotated[Line | None, F2("未补正理由", "reason")] = None


@event(
    "exchange.supplemented",
    "补正",
    "Supplement provided",
    key="/matter",
    flows=("P03", "P05"),
    answers=("exchange.supplement_requested",),
)
class Supplemented(Exchange):
    """What was supplied, item by item as it was asked; from then on the clock runs again.

    按补正通知的序号逐项补正，不能补正的说明理由；原期限自补正之日起继续计算。
    """

    RULES = (unique("items", "no", "补正序号重复", "a number stands twice", "item_repeated"),)

    items: Annotated[
        tuple[Supplied, ...], Field(min_length=1, max_length=100), F1("补正情况", "items")
    ]
    supplied_on: Annotated[Day, F1("补正日期", "supplied on")]
    handlers: Annotated[Signatories, F1("承办人", "handlers")]


@event(
    "exchange.recalled",
    "公文撤回",
    "Document recalled",
    key="/matter",
    about="/about",
    flows=("P01", "P04"),
    due="exchange.recall",
)
class Recalled(Exchange):
    """A document taken back, why, and what is to become of the copies.

    发文单位经批准撤回已发出的公文，写明理由和对已收到份数的处理要求。
    """

    RULES = (
        needs(
            "replaced_by",
            lambda it: it.reason.code == "superseded",
            "因已有更正件而撤回的，须填更正件",
            "what a correction supersedes names the correction",
            "correction_missing",
        ),
    )

    reason: Annotated[Annotated[Code, coded("recall_reason")], F1("撤回理由", "reason")]
    explanation: Annotated[Paragraph | None, F2("撤回说明", "explanation")] = None
    demand: Annotated[
        Annotated[Code, coded("recall_demand")], F1("对已收份数的要求", "what to do with copies")
    ]
    copies: Annotated[Count | None, F1("涉及份数", "copies")] = None
    replaced_by: Annotated[About | None, F1("更正件", "correction")] = None
    recalled_at: Annotated[Instant, F1("撤回时间", "recalled at")]
    approved_by: Annotated[Handler, F1("批准人", "approved by")]


@event(
    "exchange.recall_confirmed",
    "撤回确认",
    "Recall confirmed",
    key="/matter",
    flows=("P01", "P04"),
    answers=("exchange.recalled",),
    slip=Slip(
        title="撤回件处理单",
        numbers=("/matter",),
        listed="/passed_to",
        signed_by=("经办人", "监销人"),
    ),
)
class RecallConfirmed(Exchange):
    """How far a recalled document had come: unread, read or destroyed, and who else had it.

    收文单位反馈撤回件的状态：未阅、已阅或已销毁；转给过何人、销毁由何人监销。
    """

    RULES = (
        rule(
            "destruction_unwitnessed",
            "destroyed_by",
            "已销毁的须由两人签字（经办人、监销人）",
            "two people sign for what was destroyed",
            lambda it: it.state.code == DESTROYED and len(it.destroyed_by) < 2,
        ),
        needs(
            "destroyed_at",
            lambda it: it.state.code == DESTROYED,
            "已销毁的须填销毁时间",
            "what was destroyed says when",
            "destruction_time_missing",
        ),
        forbids(
            "passed_to",
            lambda it: it.state.code == UNREAD,
            "未阅的件不应已转给他人",
            "what nobody read was passed to nobody",
            "unread_but_passed",
        ),
        in_order(
            "informed_at",
            "confirmed_at",
            "确认时间不得早于收到撤回通知的时间",
            "confirmed before the recall had arrived",
        ),
    )

    state: Annotated[Annotated[Code, coded("recall_state")], F1("撤回件状态", "state")]
    copies: Annotated[Count, F1("已收份数", "copies")]
    passed_to: Annotated[
        tuple[OrgRef, ...], Field(max_length=100), F1("曾转给单位", "passed to")
    ] = ()
    destroyed_at: Annotated[Instant | None, F1("销毁时间", "destroyed at")] = None
    destroyed_by: Annotated[
        tuple[Handler, ...], Field(max_length=20), F1("销毁和监销人", "destroyed by")
    ] = ()
    informed_at: Annotated[Instant, F1("收到撤回通知时间", "recall received at")]
    confirmed_at: Annotated[Instant, F1("确认时间", "confirmed at")]


@event(
    "exchange.cosign_requested",
    "会签征求",
    "Countersigning requested",
    key="/matter",
    about="/about",
    flows=("V08", "P05"),
    due="exchange.cosign",
)
class CosignRequested(Exchange):
    """A draft sent to the organs that are to sign it too, with the points that concern them.

    主办单位将文稿送有关单位会签，列明会签单位、需确认的要点和会签期限。
    """

    RULES = (
        unique("organs", "name", "会签单位重复", "an organ stands twice", "organ_repeated"),
        in_order("requested_on", "answer_by", "会签期限不得早于送签日期", "due before it was sent"),
    )

    draft: Annotated[DocRef, F1("会签文稿", "draft")]
    version: Annotated[VersionOfDraft, F1("稿次", "version of the draft")]
    organs: Annotated[
        tuple[OrgRef, ...], Field(min_length=1, max_length=50), F1("会签单位", "organs")
    ]
    in_turn: Annotated[bool, F1("依次会签", "one after another")] = False
    points: Annotated[
        tuple[Paragraph, ...], Field(max_length=50), F2("需确认要点", "points to agree on")
    ] = ()
    requested_on: Annotated[Day, F1("送签日期", "requested on")]
    answer_by: Annotated[Day, F1("会签期限", "answer by")]


class Change(Part):
    """One change that a signing organ wants in the draft."""

    place: Annotated[Line, F1("修改位置", "place")]
    wording: Annotated[Paragraph, F2("修改为", "wording")]
    ground: Annotated[Paragraph | None, F2("修改理由", "ground")] = None


def _with_changes(it: Any) -> bool:
    return bool(it.opinion.code == "agreed_with_changes")


@event(
    "exchange.cosigned",
    "会签",
    "Countersigned",
    key="/matter",
    flows=("V08", "P05"),
    answers=("exchange.cosign_requested",),
)
class Cosigned(Exchange):
    """An organ signs the draft, as it is or with the changes that it names.

    会签单位同意文稿，或者附修改意见后同意，由负责人签字。
    """

    RULES = (
        needs(
            "changes",
            _with_changes,
            "修改后同意的须填修改意见",
            "who agrees with changes names them",
            "changes_missing",
        ),
        forbids(
            "changes",
            lambda it: not _with_changes(it),
            "同意的不填修改意见；有修改意见请选“修改后同意”",
            "who agrees as it is has no changes",
            "changes_unexpected",
        ),
    )

    organ: Annotated[OrgRef, F1("会签单位", "organ")]
    version: Annotated[VersionOfDraft, F1("稿次", "version of the draft")]
    opinion: Annotated[Annotated[Code, coded("cosign_opinion")], F1("会签意见", "opinion")]
    changes: Annotated[tuple[Change, ...], Field(max_length=100), F1("修改意见", "changes")] = ()
    signed_by: Annotated[Handler, F1("签发人", "signed by")]
    signed_on: Annotated[Day, F1("签字日期", "signed on")]


@event(
    "exchange.cosign_refused",
    "不予会签",
    "Countersigning refused",
    key="/matter",
    flows=("V08", "P05"),
    answers=("exchange.cosign_requested",),
)
class CosignRefused(Exchange):
    """An organ does not sign the draft: why, and what it asks for instead.

    会签单位不予会签，写明理由、不同意见和建议，由负责人签字。
    """

    RULES = (
        needs(
            "objections",
            lambda it: it.reason.code == "disagreement",
            "因内容有不同意见而不予会签的，须填不同意的内容",
            "who disagrees says with what",
            "objections_missing",
        ),
        needs(
            "proper_organ",
            lambda it: it.reason.code == "out_of_remit",
            "不属于本单位职责的，须填建议会签单位",
            "who is not concerned names the organ that is",
            "proper_organ_missing",
        ),
    )

    organ: Annotated[OrgRef, F1("会签单位", "organ")]
    version: Annotated[VersionOfDraft, F1("稿次", "version of the draft")]
    reason: Annotated[Annotated[Code, coded("cosign_refusal_reason")], F1("不予会签理由", "reason")]
    objections: Annotated[
        tuple[Change, ...], Field(max_length=100), F1("不同意的内容", "objections")
    ] = ()
    explanation: Annotated[Paragraph, F2("理由说明", "explanation")]
    proper_organ: Annotated[OrgRef | None, F1("建议会签单位", "organ to ask instead")] = None
    signed_by: Annotated[Handler, F1("签发人", "signed by")]
    signed_on: Annotated[Day, F1("签字日期", "signed on")]
