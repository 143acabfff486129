"""What admission says of an event that is well formed and yet not welcome."""

from typing import Final

from contracts.faults import Fault

CONTRACT_UNKNOWN: Final = Fault(
    "contract_unknown",
    "/dataschema",
    "没有这样的契约版本，可在 /v1/contracts 查看",
    "no such contract version; see /v1/contracts",
)
TYPE_MISMATCH: Final = Fault(
    "type_mismatch",
    "/type",
    "type 与 dataschema 不一致",
    "type and dataschema name different contracts",
)
SOURCE_FOREIGN: Final = Fault(
    "source_foreign",
    "/source",
    "source 须是令牌所属机构自己的",
    "the source must be the token's own agency",
)
REGION_UNKNOWN: Final = Fault(
    "region_unknown",
    "/region",
    "行政区划代码不在 GB/T 2260 或本地补充表中",
    "not a region code of GB/T 2260 or the local overlay",
)
PUBLISHER_NOT_ADMITTED: Final = Fault(
    "publisher_not_admitted",
    "/type",
    "契约规定此类机构不发布该类型事件",
    "the contract does not name this kind of agency as a publisher",
)
NOT_GRANTED: Final = Fault(
    "not_granted",
    "/type",
    "本机构在该区划没有发布该类型事件的授权，请联系安全管理员",
    "no grant in force to publish this type for this region: ask the security officer",
)
ABOVE_CEILING: Final = Fault(
    "above_ceiling",
    "/dataclassification",
    "密级超过本节点上限，涉密内容不得进入；请仅发送引用",
    "above this node's ceiling: send a reference only",
)
CAVEAT_NEEDS_TO: Final = Fault(
    "caveat_needs_to",
    "/to",
    "带处理要求（caveats）的事件须写明收件机构 to",
    "an event with caveats must say in `to` whom it is for",
)
PARTITION_KEY: Final = Fault(
    "partition_key",
    "/partitionkey",
    "partitionkey 须等于 <族>:<案件编号>",
    "partitionkey must equal <family>:<case>",
)


def caveat_circle(name: str) -> Fault:
    """An event that protects its source, or is sealed, addressed to a whole level."""
    return Fault(
        "caveat_circle",
        f"/{name}",
        "来源保护或密封的事件须逐一写明收件机构，不能用 /* 或 /**",
        "source-protected and sealed events name each recipient: no /* and no /**",
    )


def address_unknown(name: str) -> Fault:
    """An address in `to` or `cc` that names no registered agency."""
    return Fault(
        "address_unknown",
        f"/{name}",
        "收件地址中有未登记的机构",
        "an address names no registered agency",
    )


def way_closed(name: str) -> Fault:
    """An address that the contract does not let its event be sent to: up or down the levels."""
    return Fault(
        "way_closed",
        f"/{name}",
        "契约规定该类型事件不向这一方向（上级或下级）发送，见契约的 ways",
        "the contract does not send this type that way, up or down the levels: see its `ways`",
    )


def contract_retired(successor: str) -> Fault:
    """A version whose sunset has come; `successor` is what takes its place."""
    return Fault(
        "contract_retired",
        "/dataschema",
        f"该契约版本已停用，请改用 {successor}",
        f"this contract version has been retired: use {successor}",
    )
