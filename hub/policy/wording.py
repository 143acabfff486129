"""What the grounds of a decision say, in plain Chinese and English, for `explain`."""

from collections.abc import Mapping
from typing import Final

from contracts.agency import KINDS
from hub.policy.entitle import Ground
from hub.policy.policy import Policy

_RELATIONS: Final[Mapping[str, tuple[str, str]]] = {
    "same": ("同级", "the same level"),
    "up": ("发布机构的上级", "a level above the publisher"),
    "down": ("发布机构的下级", "a level below the publisher"),
    "apart": ("与发布机构不在同一上下级", "in another branch than the publisher"),
    "addressed": ("被点名收件", "addressed by name"),
}
_MEASURES: Final[Mapping[str, tuple[str, str]]] = {
    "full": ("完整", "whole"),
    "masked": ("摘要", "as a summary"),
}
_TRAITS: Final[Mapping[str, tuple[str, str]]] = {
    "id": ("机构编号", "id"),
    "name": ("名称", "name"),
    "uscc": ("统一社会信用代码", "unified code"),
    "orgcode": ("组织机构代码", "organisation code"),
    "person": ("负责人姓名", "the name of its head"),
    "personkey": ("负责人标识", "the key of its head"),
}
_PLAIN: Final[Mapping[str, tuple[str, str]]] = {
    "contract_unknown": ("没有这一版本的契约", "there is no such contract version"),
    "agency_not_in_force": ("该机构当时不在有效期内", "the agency was not in force"),
    "audience": (
        "这是对其所发（或抄送其）事件的答复",
        "it answers an event that the agency published or was copied on",
    ),
    "no_grant": (
        "没有当时有效、覆盖该事件的接收授权",
        "no grant in force to receive covered the event",
    ),
    "not_addressed": ("事件写明了收件机构，不含该机构", "the event was addressed to others"),
    "no_forward": (
        "事件注明不得转送，该机构不在收件和抄送之列",
        "not to be forwarded, and the agency is neither addressed nor copied",
    ),
    "source_protected": (
        "来源保护：不在主送之列，只可见公开和内部字段",
        "source-protected: not in `to`, so open and internal fields only",
    ),
    "addressed": ("该机构在收件或抄送之列", "the agency is addressed or copied"),
    "to_nobody_in_particular": ("事件未限定收件机构", "the event is not limited to addressees"),
    "above_clearance": (
        "密级高于该机构的知悉范围或本节点上限",
        "marked above the agency's clearance or the node's ceiling",
    ),
    "within_clearance": ("密级在知悉范围之内", "the marking is within clearance"),
    "not_excluded": (
        "不是被反映方，也没有回避",
        "neither on the accused side nor recused from the case",
    ),
    "filtered": ("不符合该订阅的筛选条件", "the subscription's filters do not ask for it"),
    "expired": ("读取时事件已过期（expirytime）", "the event had expired when it was read"),
}


def wording(ground: Ground, policy: Policy) -> tuple[str, str]:
    """A ground as a sentence in Chinese and one in English; `policy` is the one it was found in."""
    match ground.code, ground.facts:
        case "matrix", (kind, by, measure):
            return (
                f"按契约矩阵，{_name(kind)}（{_RELATIONS[by][0]}）可得{_MEASURES[measure][0]}内容",
                f"the contract's matrix gives {kind} ({_RELATIONS[by][1]}) the event"
                f" {_MEASURES[measure][1]}",
            )
        case "not_a_receiver", ("denied", *kinds):
            return (
                f"契约规定{_names(kinds)}一律不得接收",
                f"the contract never goes to {', '.join(kinds)}",
            )
        case "not_a_receiver", (by, *kinds):
            return (
                f"契约矩阵不含{_names(kinds)}（{_RELATIONS[by][0]}）",
                f"the contract's matrix does not name {', '.join(kinds)} ({_RELATIONS[by][1]})",
            )
        case "grants", ids:
            purposes = _purposes(policy)
            known = [f"{id_}（{purposes[id_]}）" for id_ in ids]
            return f"凭 {'、'.join(known)}", f"granted by {', '.join(ids)}"
        case "accused_party", (trait,):
            return (
                f"该机构一方是被反映方（按{_TRAITS[trait][0]}比对）",
                f"the agency's side is accused (found by {_TRAITS[trait][1]})",
            )
        case "inconvertible", (version,):
            return (
                f"无法转换为该订阅所定的版本 {version}，内容未交出；可改定版本后回放",
                f"cannot be converted to {version}, the version that the subscription has pinned;"
                " nothing was handed over: pin another version, then replay",
            )
        case "too_large", _:
            return (
                "超过该订阅的 Kafka 主题所能接受的大小，未写入；可在死信中取用",
                "larger than the subscription's topic of Kafka takes, and not written there:"
                " ask for it among the dead letters",
            )
        case "recused", (id_,):
            return f"该机构在此案中回避（{id_}）", f"the agency is recused from this case ({id_})"
        case code, _:
            return _PLAIN[code]


def _purposes(policy: Policy) -> dict[str, str]:
    return {grant.id: grant.purpose for grant in policy.document.grants}


def _name(kind: str) -> str:
    return KINDS[kind].name


def _names(kinds: list[str]) -> str:
    return "、".join(_name(kind) for kind in kinds)
