"""An agency that publishes by its own topic of Kafka, with a client that knows no hub."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaError, Message, Producer

SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Topic:
    """`intake.<agency>`, as its agency reaches it."""

    bootstrap: str
    agency: str
    password: str = field(repr=False)

    def publish(self, event: Mapping[str, Any]) -> str:
        """Write an event that must be taken; where the brokers have it."""
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
            f"intake.{self.agency}",
            json.dumps(event, ensure_ascii=False).encode(),
            key=event["correlationid"],
            headers={"content-type": "application/cloudevents+json"},
            on_delivery=lambda error, message: told.append((error, message)),
        )
        producer.flush(SECONDS)
        for error, message in told:
            if error is None:
                return f"{message.topic()}-{message.partition()} @{message.offset()}"
        raise SystemExit(f"演示事件未能写入 intake.{self.agency}：{told}")
