"""A topic of Kafka's: a batch of its records each one document, a record a line.

Where reading goes on is the adapter's to remember, in one transaction with the document; what is
committed to Kafka only shows people how far it is behind. Partitions are read by this adapter
alone: nobody shares them with it, and there is no rebalancing.
"""

import base64
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters.kit.port import Away, Brought, CannotRun, Outcome, Source
from adapters.kit.sources.files import new_file, secret, shown

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, Message

# While nothing has come, and once all that there is has.
_WAIT: Final = 1.0
_LOOK: Final = 0.1


class KafkaSettings(BaseModel):
    """A topic. `brokers`: HOST:PORT,HOST:PORT. With `user` by SASL/SCRAM-SHA-512, the password in
    a file of mode 0600; with `ca` (PEM) by TLS. `group`: under which what was read shows. A
    document has at most `batch` records, and `batch_bytes`, but for the last. `patience`: seconds
    to wait for an answer. `accept_loss`: go on where Kafka has removed records that were not read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["kafka"] = "kafka"
    brokers: Annotated[str, Field(pattern=r"^[^,\s:]+:[0-9]+(,[^,\s:]+:[0-9]+)*$")]
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    user: str | None = None
    password_file: Path | None = None
    ca: Path | None = None
    group: str = "guantong-adapter"
    batch: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    batch_bytes: Annotated[int, Field(ge=1, le=1 << 30)] = 16 << 20
    patience: Annotated[float, Field(gt=0, le=600)] = 15
    accept_loss: bool = False

    @model_validator(mode="after")
    def _user_and_password(self) -> "KafkaSettings":
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user and password_file go together")
        return self

    @contextmanager
    def opened(
        self, base: Path, *, monotonic: Callable[[], float] = time.monotonic
    ) -> Iterator[Source]:
        """The topic; brokers are asked as they are needed. Raises CannotRun."""
        try:
            from confluent_kafka import Consumer, KafkaException
        except ModuleNotFoundError:
            told = "缺少 Kafka 客户端，请安装 guantong[kafka]"
            raise CannotRun(told) from None
        complaint: deque[KafkaError] = deque(maxlen=1)
        try:
            consumer = Consumer({**self._told_to_client(base), "error_cb": complaint.append})
        except KafkaException:
            raise CannotRun("Kafka 客户端不接受这些设置，请核对 brokers 和 ca") from None
        try:
            yield _Topic(self, consumer, complaint, monotonic)
        finally:
            consumer.close()

    def _told_to_client(self, base: Path) -> dict[str, Any]:
        told: dict[str, Any] = {
            "bootstrap.servers": self.brokers,
            "group.id": self.group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest" if self.accept_loss else "error",
            "client.id": "guantong-adapter",
            "queued.max.messages.kbytes": 65_536,
            # What is away is told by whoever waits for it.
            "log_level": 2,
        }
        if self.user is not None and self.password_file is not None:
            told["sasl.mechanism"] = "SCRAM-SHA-512"
            told["sasl.username"] = self.user
            told["sasl.password"] = secret(base / self.password_file)
        told["security.protocol"] = {
            (False, False): "PLAINTEXT",
            (True, False): "SASL_PLAINTEXT",
            (False, True): "SSL",
            (True, True): "SASL_SSL",
        }[self.user is not None, self.ca is not None]
        if self.ca is not None:
            told["ssl.ca.location"] = str(base / self.ca)
        return told


@dataclass(frozen=True, slots=True)
class _Position:
    """The next offset of each partition of which something was read; `number` counts documents."""

    number: int
    offsets: Mapping[int, int]

    @classmethod
    def of(cls, written: str) -> "_Position":
        """Raises CannotRun for what another kind of source wrote."""
        if not written:
            return cls(0, {})
        try:
            said = json.loads(written)
            offsets = {int(partition): int(next_) for partition, next_ in said["offsets"].items()}
            return cls(int(said["number"]), offsets)
        except (ValueError, TypeError, KeyError, AttributeError):
            told = "所记位置不是 Kafka 主题的，请核对 adapters.toml 中的 source"
            raise CannotRun(told) from None

    def written(self) -> str:
        return json.dumps({"number": self.number, "offsets": self.offsets})

    def behind(self, records: "list[Message]") -> "_Position":
        offsets = {_number(record.partition()): _number(record.offset()) + 1 for record in records}
        return _Position(self.number + 1, {**self.offsets, **offsets})


class _Topic:
    """The source."""

    def __init__(
        self,
        settings: KafkaSettings,
        consumer: "Consumer",
        complaint: "deque[KafkaError]",
        monotonic: Callable[[], float],
    ) -> None:
        """`complaint`: the last thing that the client had to say of the brokers."""
        self._settings = settings
        self._consumer = consumer
        self._complaint = complaint
        self._monotonic = monotonic
        # Where the consumer stands; None when it has to be told.
        self._at: Mapping[int, int] | None = None
        self._partitions: frozenset[int] = frozenset()
        self._ended: set[int] = set()
        self._brought: dict[str, Mapping[int, int]] = {}

    def bring(self, position: str, into: Path) -> Brought | None:
        before = _Position.of(position)
        if self._at != before.offsets:
            self._go_to(before.offsets)
        self._at = None
        records = self._records()
        if not records:
            self._at = before.offsets
            if self._asked_partitions() != self._partitions:
                self._go_to(before.offsets)
            return None
        with new_file(into) as document:
            for record in records:
                document.write(_line(record))
        after = before.behind(records)
        self._at = after.offsets
        name = f"{shown(self._settings.topic)}-{after.number}.ndjson"
        self._brought[name] = after.offsets
        return Brought(name, after.written())

    def finished(self, name: str, outcome: Outcome) -> None:
        from confluent_kafka import KafkaException, TopicPartition

        # For people to see; after kill -9 the next one shows it.
        offsets = self._brought.pop(name, {})
        topic = self._settings.topic
        with suppress(KafkaException):
            self._consumer.commit(
                offsets=[TopicPartition(topic, *place) for place in offsets.items()],
                asynchronous=True,
            )

    def _go_to(self, offsets: Mapping[int, int]) -> None:
        """Read every partition from its offset, a new one from its beginning."""
        from confluent_kafka import OFFSET_BEGINNING, TopicPartition

        topic = self._settings.topic
        self._partitions = self._asked_partitions()
        self._ended = set()
        self._consumer.assign(
            [
                TopicPartition(topic, partition, offsets.get(partition, OFFSET_BEGINNING))
                for partition in sorted(self._partitions)
            ]
        )
        self._at = offsets

    def _records(self) -> "list[Message]":
        """The next records with a value; none when all partitions are read to their end.

        Raises Away when the brokers do not answer, CannotRun.
        """
        from confluent_kafka import KafkaError

        records: list[Message] = []
        size, until = 0, self._monotonic() + self._settings.patience
        while len(records) < self._settings.batch and size < self._settings.batch_bytes:
            ended = self._ended == self._partitions
            if ended and records:
                break
            message = self._consumer.poll(_LOOK if ended else _WAIT)
            if message is None:
                if ended or records:
                    break
                if self._monotonic() > until:
                    raise Away("Kafka 没有及时答复")
            elif (error := message.error()) is None:
                self._ended.discard(_number(message.partition()))
                if (value := message.value()) is not None:
                    records.append(message)
                    size += len(value)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._ended.add(_number(message.partition()))
            else:
                raise _told(error)
        return records

    def _asked_partitions(self) -> frozenset[int]:
        """Raises Away, CannotRun."""
        from confluent_kafka import KafkaException

        topic = self._settings.topic
        try:
            about = self._consumer.list_topics(topic, timeout=self._settings.patience)
        except KafkaException as error:
            # Why nobody answers, the client says on the side: a password that is refused.
            self._complaint.append(error.args[0])
            self._consumer.poll(0)
            raise _told(self._complaint[-1]) from None
        found = about.topics[topic]
        if found.error is not None:
            raise _told(found.error)
        return frozenset(found.partitions)


def _told(error: "KafkaError") -> Away | CannotRun:
    from confluent_kafka import KafkaError

    name = error.name()
    match error.code():
        case KafkaError.UNKNOWN_TOPIC_OR_PART | KafkaError._UNKNOWN_TOPIC:
            return CannotRun(f"Kafka 中没有该主题（{name}），请核对 topic")
        case (
            KafkaError._AUTHENTICATION
            | KafkaError.SASL_AUTHENTICATION_FAILED
            | KafkaError.TOPIC_AUTHORIZATION_FAILED
            | KafkaError._SSL
        ):
            return CannotRun(f"Kafka 拒绝登录或读取（{name}），请核对用户、口令、证书和权限")
        case KafkaError.OFFSET_OUT_OF_RANGE | KafkaError._AUTO_OFFSET_RESET:
            told = "未读取的消息已被 Kafka 清除，请查明缺失；如接受缺失，请设 accept_loss = true"
            return CannotRun(told)
    return Away(f"Kafka 暂不可用（{name}）")


def _line(record: "Message") -> bytes:
    """A JSON object as it was sent, on one line; anything else as a text that is no record."""
    value = record.value() or b""
    try:
        is_record = isinstance(json.loads(value.decode("utf-8-sig")), dict)
    except (ValueError, RecursionError):
        is_record = False
    if not is_record:
        return json.dumps(base64.b64encode(value).decode()).encode() + b"\n"
    # Line breaks are blanks in JSON: within its texts there are none.
    plain = value.removeprefix(b"\xef\xbb\xbf")
    return plain.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"


def _number(of_record: int | None) -> int:
    """A partition or an offset, which every record that was received has."""
    assert of_record is not None
    return of_record
