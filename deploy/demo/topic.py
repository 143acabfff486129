"""An agency that publishes by its own topic of Kafka, with a client that knows no hub."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaError, Message, Producer

from deploy.demo.failed import DemoFailed

SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Topic:
    """`intake.<agency>`, as its agency reaches it."""

    bootstrap: str
    agency: str
    password: str = field(repr=False)

    @property
    def name(self) -> str:
        return f"intake.{self.agency}"

    def publish(self, event: Mapping[str, Any]) -> None:
        """Write an event until the brokers have it. Raises DemoFailed."""
        told: list[tuple[KafkaError | None, Message]] = []
        producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": self.agency,
                "sasl.password": self.password,
                "acks": "all",
            }
        )
        producer.produce(
            self.name,
            json.dumps(event, ensure_ascii=False).encode(),
            key=event["id"],
            headers={"content-type": "application/cloudevents+json"},
            on_delivery=lambda error, message: told.append((error, message)),
        )
        producer.flush(SECONDS)
        if [error for error, _ in told] != [None]:
            raise DemoFailed(f"演示事件未能写入 {self.name}：{told}")
