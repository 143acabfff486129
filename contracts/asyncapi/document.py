"""The hub's channels with all their messages, as an AsyncAPI 3.0 document; self-contained."""

from typing import Any, Final

from contracts.asyncapi.channels import SECURITY, SERVERS, channels, operations
from contracts.asyncapi.messages import MESSAGE_BINDINGS, STRUCTURED_TYPE, messages
from contracts.asyncapi.schemas import schemas
from contracts.catalogue import Catalogue

Json = dict[str, Any]

_ABOUT: Final = (
    "巡视巡察机构与各监督机构之间的事件：通道、类型和载荷。各处相同：地址、分区数、副本数由部署决定，"
    "此处不写，请问该部署的管理员。"
    " / The events between inspection offices and the supervising agencies. The same everywhere:"
    " addresses, partitions and replicas are each deployment's to decide and are not told here; ask"
    " its administrator."
)


def document(catalogue: Catalogue) -> Json:
    """All channels, operations, messages and schemas."""
    contracts = sorted(catalogue, key=lambda contract: contract.name)
    found = channels(contracts)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "贯通 · Guantong", "version": "1", "description": _ABOUT},
        "defaultContentType": STRUCTURED_TYPE,
        "servers": SERVERS,
        "channels": found,
        "operations": operations(found),
        "components": {
            "messages": messages(contracts),
            "schemas": schemas(contracts),
            "messageBindings": MESSAGE_BINDINGS,
            "securitySchemes": SECURITY,
        },
    }
