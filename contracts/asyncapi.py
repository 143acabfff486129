"""The hub's channels with all their messages, as an AsyncAPI 3.0 document; self-contained."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from contracts.catalogue import Catalogue
from contracts.contract import Contract
from contracts.envelope import KNOWN, REQUIRED
from contracts.outline import own_models, shared_objects
from contracts.publishing import released

Json = dict[str, Any]

_DEFS: Final = "#/$defs/"
_SCHEMAS: Final = "#/components/schemas/"
_MESSAGES: Final = "#/components/messages/"
_EVENT: Final = "CloudEvent"
_VIEW: Final = ".view"
_MEDIA: Final = "application/cloudevents+json"
_KAFKA: Final = (
    "仅在以 Kafka 为骨干的部署中提供。 / Only where the backbone is Kafka; elsewhere use HTTP."
)
_ABOUT: Final = (
    "巡视巡察机构与各监督机构之间的事件：通道、类型和载荷。"
    " / The events between inspection offices and the supervising agencies."
)
_AGENCY: Final = {"description": "机构编号，如 510100.petition / an agency id"}
_SUBSCRIPTION: Final = {"description": "订阅编号 / the id of a subscription"}


def document(catalogue: Catalogue) -> Json:
    """All channels, operations, messages and schemas."""
    contracts = sorted(catalogue, key=lambda contract: contract.name)
    schemas = _schemas(contracts)
    messages = {_name(c): _message(c) for c in contracts}
    messages |= {f"{_name(c)}{_VIEW}": _view(c) for c in contracts}
    channels = _channels(contracts)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "贯通 · Guantong", "version": "1", "description": _ABOUT},
        "defaultContentType": _MEDIA,
        "channels": channels,
        "operations": {
            f"{name}.{action}": {"action": action, "channel": {"$ref": f"#/channels/{name}"}}
            for name in channels
            for action in ("receive" if name in _HEARD else "send",)
        },
        "components": {"messages": messages, "schemas": schemas},
    }


# Where the hub listens; on all other channels it speaks.
_HEARD: Final = frozenset({"events", "intake"})


def _channels(contracts: list[Contract]) -> dict[str, Json]:
    published = _referred(map(_name, contracts))
    viewed = _referred(f"{_name(contract)}{_VIEW}" for contract in contracts)
    by_family: dict[str, list[str]] = {}
    for contract in contracts:
        by_family.setdefault(contract.family, []).append(_name(contract))
    channels: dict[str, Json] = {
        "events": {
            "address": "/v1/events",
            "description": "报送事件（HTTP POST） / publishing by HTTP",
            "messages": published,
        },
        "pull": {
            "address": "/v1/subscriptions/{subscription}/events",
            "description": "按订阅拉取（HTTP GET 长轮询） / pulling by HTTP",
            "parameters": {"subscription": _SUBSCRIPTION},
            "messages": viewed,
        },
        "intake": {
            "address": "intake.{agency}",
            "description": f"机构的报送主题，仅该机构可写。{_KAFKA}",
            "parameters": {"agency": _AGENCY},
            "messages": published,
        },
        "feed": {
            "address": "feed.{agency}.{subscription}",
            "description": f"一个订阅收到的视图。{_KAFKA}",
            "parameters": {"agency": _AGENCY, "subscription": _SUBSCRIPTION},
            "messages": viewed,
        },
    }
    for family, names in by_family.items():
        channels[f"share.{family}"] = {
            "address": f"share.{family}",
            "description": f"平台内部的共享主题，机构不可读。 / The hub's own. {_KAFKA}",
            "messages": _referred(names),
        }
    return channels


def _referred(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"{_MESSAGES}{name}"} for name in names}


def _name(contract: Contract) -> str:
    return f"{contract.type}-{contract.version}"


def _message(contract: Contract) -> Json:
    data = {"$ref": f"{_SCHEMAS}{_name(contract)}"}
    return _told(contract, _name(contract), data, contract.description_en)


def _view(contract: Contract) -> Json:
    where = f"/v1/contracts/{contract.type}/{contract.version}/view"
    data = {"type": "object", "description": f"符合 {where} 的视图 / a view, see {where}"}
    return _told(contract, f"{_name(contract)}{_VIEW}", data, "What one recipient may see of it.")


def _told(contract: Contract, name: str, data: Json, description: str) -> Json:
    narrowed = {
        "properties": {
            "type": {"const": contract.type},
            "dataschema": {"const": contract.urn},
            "data": data,
        },
        "required": ["data"],
    }
    return {
        "name": name,
        "title": f"{contract.title} / {contract.title_en}",
        "description": description,
        "contentType": _MEDIA,
        "payload": {"allOf": [{"$ref": f"{_SCHEMAS}{_EVENT}"}, narrowed]},
    }


def _envelope() -> Json:
    members: dict[str, Json] = {name: {"type": "string"} for name in sorted(KNOWN)}
    members["specversion"] = {"const": "1.0"}
    members["time"]["format"] = "date-time"
    return {
        "type": "object",
        "description": "CloudEvents 1.0（JSON 格式） / in the JSON format",
        "properties": members,
        "required": sorted(REQUIRED),
    }


def _schemas(contracts: list[Contract]) -> dict[str, Json]:
    """The payloads, and what they refer to: a shared object once, a family's own by its version."""
    found: dict[str, Json] = {_EVENT: _envelope()}
    for contract in contracts:
        schema = released(contract)
        definitions: Mapping[str, Json] = schema.pop("$defs", {})
        own = {model.__name__ for model in own_models(contract).values()}
        shared = shared_objects((contract,)).keys() - own
        names = {d: d if d in shared else f"{_name(contract)}.{d}" for d in definitions}
        for name, definition in definitions.items():
            written = _rewritten(definition, names)
            if json.dumps(found.setdefault(names[name], written)) != json.dumps(written):
                raise ValueError(f"{names[name]} stands for two things")
        payload = {name: held for name, held in schema.items() if name not in {"$schema", "$id"}}
        found[_name(contract)] = _rewritten(payload, names)
    return found


def _rewritten(value: Any, names: Mapping[str, str]) -> Any:
    """With its references turned to the components; what stands beside one is kept."""
    if isinstance(value, list):
        return [_rewritten(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    written = {name: _rewritten(held, names) for name, held in value.items()}
    if isinstance(value.get("$ref"), str) and value["$ref"].startswith(_DEFS):
        reference = {"$ref": f"{_SCHEMAS}{names[value['$ref'].removeprefix(_DEFS)]}"}
        others = {name: held for name, held in written.items() if name != "$ref"}
        return {"allOf": [reference], **others} if others else reference
    return written
