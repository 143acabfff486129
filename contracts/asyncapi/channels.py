"""The channels of the AsyncAPI document: doors, feeds, and Kafka's topics; the same everywhere.

What each deployment decides for itself (addresses, partitions, replicas) is a variable, or left
out.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from contracts.asyncapi.messages import BINARY, KAFKA_BINDINGS, REFUSAL, VIEWED
from contracts.asyncapi.schemas import named
from contracts.contract import Contract

Json = dict[str, Any]

_HTTP: Final = "http"
_KAFKA: Final = "kafka"
_TOKEN: Final = "token"  # noqa: S105 (a scheme's name)
_LOGIN: Final = "login"
# Where the hub listens; on all other channels it speaks.
_HEARD: Final = frozenset({"events", "intake"})

_DOOR: Final = (
    "仅在设置了 GUANTONG_KAFKA 的部署中提供，否则用 HTTP。"
    " / Only where GUANTONG_KAFKA is set; elsewhere use HTTP."
)
_AGENCY: Final = {
    "description": "机构编号，也是其 Kafka 用户名 / an agency id, which is its user at Kafka too",
    "examples": ["510100.petition"],
}
_SUBSCRIPTION: Final = {"description": "订阅编号 / the id of a subscription"}
# An agency's consumer groups begin with its id and a colon, which stands in no agency id.
_GROUP: Final = {
    "type": "string",
    "pattern": r"^[0-9]{6}\.[a-z-]+(\.[a-z0-9-]{1,40})?:.",
    "description": "读取者的消费组，以机构编号加冒号开头 / of who reads: its id, a colon",
    "examples": ["510100.petition:refusals"],
}
_BINDINGS: Final[Mapping[str, Json]] = {
    "events": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
    "pull": {"http": {"method": "GET", "bindingVersion": "0.3.0"}},
    "intake": {
        "kafka": {
            "groupId": {"type": "string", "const": "guantong.doors"},
            "clientId": {"type": "string", "const": "guantong"},
            "bindingVersion": KAFKA_BINDINGS,
        }
    },
    "rejected": {"kafka": {"groupId": _GROUP, "bindingVersion": KAFKA_BINDINGS}},
    "feed": {"kafka": {"groupId": _GROUP, "bindingVersion": KAFKA_BINDINGS}},
}

SERVERS: Final[Mapping[str, Json]] = {
    _HTTP: {
        "host": "{host}",
        "protocol": "https",
        "description": "HTTP 接口，地址由部署决定 / the HTTP API, where the deployment has it",
        "variables": {
            "host": {"description": "主机:端口 / host:port", "examples": ["guantong.example:8443"]}
        },
        "security": [{"$ref": f"#/components/securitySchemes/{_TOKEN}"}],
    },
    _KAFKA: {
        "host": "{broker}",
        "protocol": "kafka-secure",
        "description": (
            "Kafka（TLS 与 SASL），地址由部署决定，可有多个"
            " / Kafka by TLS and SASL, one or more brokers, where the deployment has them"
        ),
        "variables": {
            "broker": {"description": "主机:端口 / host:port", "examples": ["kafka1.example:9093"]}
        },
        "security": [{"$ref": f"#/components/securitySchemes/{_LOGIN}"}],
    },
}
SECURITY: Final[Mapping[str, Json]] = {
    _TOKEN: {
        "type": "http",
        "scheme": "bearer",
        "description": "机构的令牌 / an agency's token",
    },
    _LOGIN: {
        "type": "scramSha512",
        "description": (
            "用户名即机构编号，口令由 guantong kafka apply 生成"
            " / the user is the agency's id, guantong kafka apply has made the password"
        ),
    },
}


def channels(contracts: Iterable[Contract]) -> dict[str, Json]:
    """The doors and the feeds, with all versions, and of each family the topic."""
    by_family: dict[str, list[str]] = {}
    for contract in contracts:
        by_family.setdefault(contract.family, []).append(named(contract))
    every = [name for names in by_family.values() for name in names]
    binary = [f"{name}{BINARY}" for name in every]
    found = {
        "events": _channel(
            "/v1/events", "报送事件（HTTP POST） / publishing by HTTP", _HTTP, every
        ),
        "pull": _channel(
            "/v1/subscriptions/{subscription}/events",
            "按订阅拉取（HTTP GET 长轮询） / pulling by HTTP",
            _HTTP,
            [f"{name}{VIEWED}" for name in every],
            subscription=_SUBSCRIPTION,
        ),
        "intake": _topic(
            "intake.{agency}",
            "机构的报送主题，仅该机构可写；头 content-type 必填，一条记录一个事件。"
            " / An agency's door, which it alone writes; the header content-type is a must, a"
            f" record is one event. {_DOOR}",
            [*every, *binary],
            agency=_AGENCY,
        ),
        "rejected": _topic(
            "rejected.{agency}",
            "对该机构的退回答复，仅该机构可读。 / What it is told of refused records, for it alone."
            f" {_DOOR}",
            [REFUSAL],
            partitions=1,
            agency=_AGENCY,
        ),
        "feed": _topic(
            "feed.{agency}.{subscription}",
            "一个订阅收到的视图，至少一次，按案件有序；以 hubposition 去重。 / The views of a"
            " subscription, at least once, in order within a case; by hubposition a repeat is"
            f" known. {_DOOR}",
            [f"{name}{VIEWED}{BINARY}" for name in every],
            agency=_AGENCY,
            subscription=_SUBSCRIPTION,
        ),
    }
    for family, names in by_family.items():
        found[f"share.{family}"] = _topic(
            f"share.{family}",
            "平台内部的主题，机构不可读写；仅在以 Kafka 为主干的部署中有。"
            " / The hub's own, which no agency reads or writes; only where Kafka is the backbone.",
            [f"{name}{BINARY}" for name in names],
        )
    return found


def operations(channels: Iterable[str]) -> dict[str, Json]:
    """What the hub does on each channel."""
    return dict(map(_operation, channels))


def _operation(channel: str) -> tuple[str, Json]:
    action = "receive" if channel in _HEARD else "send"
    does: Json = {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}
    bindings = _BINDINGS.get(channel)
    return f"{channel}.{action}", {**does, "bindings": bindings} if bindings else does


def _channel(
    address: str, told: str, server: str, messages: Iterable[str], **parameters: Json
) -> Json:
    channel: Json = {
        "address": address,
        "description": told,
        "servers": [{"$ref": f"#/servers/{server}"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }
    return {**channel, "parameters": parameters} if parameters else channel


def _topic(
    address: str,
    told: str,
    messages: Iterable[str],
    *,
    partitions: int | None = None,
    **parameters: Json,
) -> Json:
    """`partitions`: where they are the same in every deployment."""
    binding: Json = {
        "topic": address,
        "topicConfiguration": {"cleanup.policy": ["delete"]},
        "bindingVersion": KAFKA_BINDINGS,
    }
    if partitions is not None:
        binding["partitions"] = partitions
    channel = _channel(address, told, _KAFKA, messages, **parameters)
    return {**channel, "bindings": {"kafka": binding}}
