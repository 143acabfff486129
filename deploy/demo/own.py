"""An agency's own system, which knows no adapter: it makes events and publishes them itself, at
the hub's door, or with a client of Kafka's to the agency's topic.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from adapters.kit.client import HubClient
from deploy.demo.failed import DemoFailed
from deploy.demo.steps import Own


@dataclass(frozen=True, slots=True)
class OwnSystem:
    """What publishes events of an agency; `way` is what people call it."""

    agency: str
    way: str
    publish: Callable[[Mapping[str, Any]], None]

    def send(self, made: Own, feed: Iterable[Mapping[str, Any]]) -> float:
        """Publish, as an answer to what the agency's feed brought; when that was, by the monotonic
        clock. Raises DemoFailed."""
        event = {
            "specversion": "1.0",
            "id": made.id,
            "source": f"/{self.agency}/own",
            "type": made.type,
            "time": made.time,
            "dataschema": f"urn:guantong:contract:{made.type}:1.0",
            "datacontenttype": "application/json",
            **(_answering(made, feed) if made.answers else {}),
            "data": {**made.case, **made.data},
        }
        began = monotonic()
        self.publish(event)
        return began


def _answering(made: Own, feed: Iterable[Mapping[str, Any]]) -> Mapping[str, str]:
    """What makes an event an answer to the opening in a feed. Raises DemoFailed without one."""
    for event in feed:
        if event["type"] == made.answers and made.case.items() <= event["data"].items():
            thread = {"causationid": event["hubreceipt"]}
            return thread | {k: event[k] for k in ("correlationid",) if k in event}
    raise DemoFailed(f"{made.id}：没有收到要答复的 {made.answers}")


def at_the_door(client: HubClient, event: Mapping[str, Any]) -> None:
    """Publish an event over HTTP. Raises DemoFailed when it is not taken."""
    result = client.publish([json.dumps(event, ensure_ascii=False).encode()])[0]
    if result.status == "rejected":
        raise DemoFailed(f"{event['id']} 被退回：{result.errors}")
