"""What `policy lint` says: a stable code, two sentences and what to do, in Chinese and English."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd in the record `id`; `pointer` says where, `""` for the document as a whole."""

    code: str
    pointer: str
    id: str
    message: str
    message_en: str
    advice: str
    advice_en: str


def finding(code: str, pointer: str, id_: str, *facts: str) -> Finding:
    """The finding of that code; `facts` are the further ids or types that its sentences name."""
    zh, en, advice, advice_en = _SENTENCES[code]
    return Finding(
        code,
        pointer,
        id_,
        zh.format("、".join(facts)),
        en.format(", ".join(facts)),
        advice,
        advice_en,
    )


_END_IT: Final = ("如已不需要，请删除", "remove it when it is no longer needed")

_SENTENCES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "agency_without_grant": (
        "该机构没有任何有效授权，既不能发布也不能接收",
        "no grant names this agency or its kind: it can neither publish nor receive",
        "请为其授权，或写明 valid_until",
        "grant it something, or say until when it takes part",
    ),
    "agency_superior_gone": (
        "所隶属的上级机构已停用",
        "the agency it reports to is no longer in force",
        "请改填在用的上级机构",
        "name a superior that is in force",
    ),
    "agency_successor_gone": (
        "承继机构均已停用，发给该机构的事件无人接收",
        "none of its successors is in force: what is addressed to it reaches nobody",
        "请改填在用的承继机构",
        "name a successor that is in force",
    ),
    "grant_over": ("该授权已过有效期", "the time of this grant is over", *_END_IT),
    "grant_round_over": (
        "该授权所属轮次已结束",
        "the round of this grant is over",
        *_END_IT,
    ),
    "grant_never_in_force": (
        "该授权的有效期与所属轮次没有重叠，永不生效",
        "the time of this grant and that of its round never meet",
        "请核对 from、until 与轮次的起止日期",
        "compare its from and until with those of the round",
    ),
    "grant_without_subject": (
        "没有在用的登记机构属于该授权的对象",
        "no registered agency in force is the subject of this grant",
        "请登记该机构，或删除此授权",
        "register the agency, or remove the grant",
    ),
    "grant_outside_matrix": (
        "按契约，该授权的对象不能发布或接收其中任何类型",
        "the contracts give the subject of this grant no part in any of its types",
        "请核对 may、types 与契约的发布方、接收方",
        "compare may and types with the publishers and receivers of the contracts",
    ),
    "grant_of_other_system": (
        "该授权的范围属于另一垂直管理系统，其对象无法据此发布",
        "the scope is that of another vertically managed system than its subject's",
        "请按机构的 system 改写 region（如 system:tax@510000）",
        "write region as the system of the agency asks, such as system:tax@510000",
    ),
    "grant_without_supply": (
        "没有机构能在该范围内发布其中任何类型，该授权收不到事件",
        "nobody may publish any of its types within this scope: it lets nothing through",
        "请核对 region，或先为发布方授权",
        "check region, or first grant somebody to publish",
    ),
    "grant_without_end": (
        "该授权可见个人信息（F2 及以上），但没有截止日期",
        "this grant shows personal data (F2 or above) and never ends",
        "请写明 until，或归入有截止日期的轮次（round）",
        "say until when, or name a round that ends",
    ),
    "grant_beyond_custodians": (
        "信源保护字段（F4）授予了保管方以外的对象：{}",
        "source-protected fields (F4) are granted to others than their custodians: {}",
        "请从 classes 中去掉 F4，或只授予契约所列保管方（custodians）",
        "take F4 out of classes, or grant it to the custodians that the contract lists",
    ),
    "grant_contained": (
        "该授权完全包含于授权 {}，不起作用",
        "all that this grant gives, the grant {} gives too",
        "请删除其一",
        "remove one of them",
    ),
    "recusal_over": ("该回避已过有效期", "the time of this recusal is over", *_END_IT),
    "recusal_agency_gone": (
        "须回避的机构已停用",
        "the agency that withdrew is no longer in force",
        *_END_IT,
    ),
    "recusal_without_effect": (
        "须回避的机构没有该类案件的任何授权，回避不起作用",
        "the agency that withdrew has no grant for cases of this family: it changes nothing",
        "请核对 case 与 agency",
        "check case and agency",
    ),
    "more_findings": (
        "其余问题未列出，请先处理以上各项",
        "there is more: see to these first",
        "处理后再检查一次",
        "then look again",
    ),
}
