"""Clients that agencies have already, told what `deploy/kafka.md` says, with the rights of `apply`.

Loopback has no TLS: in what the page says, only addresses, passwords and that are other.
"""

import asyncio
import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import certifi
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.helpers import create_ssl_context
from cloudevents.core.bindings import kafka
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1 import kafka as old_kafka
from cloudevents.v1.http import CloudEvent as OldEvent
from confluent_kafka import Consumer, KafkaException, Message, Producer
from jsonschema import Draft7Validator

from contracts.asyncapi.document import document
from contracts.catalogue import load_catalogue
from deploy.local.kafka import ENVIRONMENT, KafkaCluster, java_with_kafka
from tests.e2e.office import Office
from tests.kafka import PROTOCOL
from tests.running import PATIENCE, STRUCTURED, RunningHub, restart_hub, running_hub
from tests.sample import DISCIPLINE, PETITION, petition, policy

Event = dict[str, Any]

DOOR, REFUSALS = f"intake.{PETITION}", f"rejected.{PETITION}"
PAGE = (Path(__file__).parents[2] / "deploy" / "kafka.md").read_text(encoding="utf-8")
CHAPTER = PAGE[PAGE.index("## 机构的客户端") : PAGE.index("## 门")]
JAVA, LIBRDKAFKA = re.findall(r"```properties\n(.*?)```", CHAPTER, re.DOTALL)
(AIOKAFKA,) = re.findall(r"```python\n(.*?)```", CHAPTER, re.DOTALL)
CONSOLE_PRODUCER, CONSOLE_CONSUMER = re.findall(r"kafka-console-(?:\w+) (.*)", CHAPTER)
BROKERS = "kafka1.example:9093,kafka2.example:9093,kafka3.example:9093"


@dataclass(frozen=True)
class Bureau:
    """An agency that publishes by Kafka, and the office that gets what it publishes."""

    cluster: KafkaCluster
    hub: RunningHub
    folder: Path
    password: str

    def told(self, text: str) -> str:
        """What the page says, to this cluster."""
        written = text.replace(BROKERS, self.cluster.bootstrap).replace("…", self.password)
        return written.replace("SASL_SSL", PROTOCOL)

    def librdkafka(self) -> dict[str, Any]:
        """The settings that the page gives."""
        lines = (line.split("=", 1) for line in self.told(LIBRDKAFKA).splitlines())
        settings = {name: value for name, value in lines if not name.startswith("ssl.")}
        return {**settings, "log_level": 0}

    def console(self, words: str, tool: str, said: bytes = b"") -> bytes:
        """What a tool of Kafka's prints, called as on the page."""
        properties = self.folder / "client.properties"
        lines = self.told(JAVA).splitlines(keepends=True)
        properties.write_text("".join(line for line in lines if not line.startswith("ssl.")))
        named = {BROKERS.partition(",")[0]: self.cluster.bootstrap, properties.name: properties}
        called = [str(named.get(word, word)) for word in shlex.split(words)]
        done = subprocess.run(
            [*java_with_kafka(self.folder), f"org.apache.kafka.tools.{tool}", *called],
            input=said,
            capture_output=True,
            timeout=PATIENCE,
            env=ENVIRONMENT,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def arrived(self, *ids: str) -> dict[str, Event]:
        """The events of these ids as the office gets them, in its order, once all are there."""
        office, found = self.hub.agency(DISCIPLINE), dict[str, Event]()
        query: dict[str, Any] = {"limit": 1000, "wait": 20}
        while found.keys() != set(ids):
            page = office.page("all", **query)
            assert page.json() != [], "what is to come never came"
            found |= {event["id"]: event for event in page.json() if event["id"] in ids}
            query["cursor"] = page.headers["guantong-cursor"]
        return found

    def refusals(self, until: str) -> list[Message]:
        """What confluent-kafka reads of its refusals, from the first to that of an event."""
        settings = self.librdkafka()
        del settings["enable.idempotence"]
        group = {"group.id": f"{PETITION}:{until}", "auto.offset.reset": "earliest"}
        consumer = Consumer({**settings, **group})
        consumer.subscribe([REFUSALS])
        found: list[Message] = []
        try:
            while not found or json.loads(found[-1].value() or b"")["id"] != until:
                message = consumer.poll(PATIENCE)
                assert message is not None and message.error() is None
                found.append(message)
        finally:
            consumer.close()
        return found


def written(producer: Producer, event: Event, *, binary: bool) -> None:
    """Have confluent-kafka write an event to the door, in either form."""
    headers, value = in_headers(event) if binary else structured(event)
    producer.produce(DOOR, value, event["data"]["petitionid"], headers=[*headers])


def structured(event: Event) -> tuple[list[tuple[str, bytes]], bytes]:
    """One document."""
    return [("content-type", STRUCTURED.encode())], json.dumps(event, ensure_ascii=False).encode()


def in_headers(event: Event) -> tuple[list[tuple[str, bytes]], bytes]:
    """Attributes as headers beside the payload."""
    attributes = {n: v for n, v in event.items() if n not in ("data", "datacontenttype")}
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    data = json.dumps(event["data"], ensure_ascii=False).encode()
    return [("content-type", b"application/json"), *headers], data


@pytest.fixture(scope="module")
def bureau(
    secured_kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bureau]:
    folder = tmp_path_factory.mktemp("bureau")
    with running_hub(folder / "hub") as hub:
        hub.apply(policy())
        hub.agency(DISCIPLINE).subscribe("all")
        office = Office(hub, secured_kafka, folder)
        done = office.apply("--yes")
        assert (done.status, done.complained) == (0, "")
        own = {"kafka_user": "guantong", "kafka_password": office.password("guantong")}
        hub = restart_hub(hub, settings={"kafka": secured_kafka.bootstrap, **own})
        try:
            yield Bureau(secured_kafka, hub, folder, office.password(PETITION))
            assert hub.stop() == 0
        finally:
            if hub.process.poll() is None:
                hub.kill()
            office.clears()


def cases(events: Mapping[str, Event]) -> dict[str, str]:
    """The case of each event."""
    return {id_: event["data"]["petitionid"] for id_, event in events.items()}


def test_confluent_kafka_writes_idempotently_with_any_compression(bureau: Bureau) -> None:
    wanted: dict[str, Event] = {}
    for compression in ("none", "gzip", "snappy", "lz4", "zstd"):
        producer = Producer(
            {**bureau.librdkafka(), "compression.type": compression, "linger.ms": 50}
        )
        for form, binary in (("structured", False), ("binary", True)):
            # As many as fill a batch, and alike: so they are packed.
            for n in range(10):
                event = petition(f"{compression}-{form}-{n}")
                written(producer, event, binary=binary)
                wanted[event["id"]] = event
        assert producer.flush(PATIENCE) == 0
    arrived = bureau.arrived(*wanted)
    assert cases(arrived) == cases(wanted)
    assert {event["source"] for event in arrived.values()} == {f"/{PETITION}"}


def test_the_sdk_of_cloudevents_writes_in_both_forms_and_both_of_its_generations(
    bureau: Bureau,
) -> None:
    def keyed(number: str) -> Event:
        return petition(number, partitionkey=f"petition:XF-{number}")

    wanted = {f"XF-sdk-{n}": keyed(f"sdk-{n}") for n in range(4)}
    attributes = [
        {**{n: v for n, v in event.items() if n != "data"}, "datacontenttype": "application/json"}
        for event in wanted.values()
    ]
    data = [event["data"] for event in wanted.values()]
    new = [
        CloudEvent({**held, "time": datetime.fromisoformat(held["time"])}, payload)
        for held, payload in zip(attributes[:2], data[:2], strict=True)
    ]
    old = [OldEvent(*event) for event in zip(attributes[2:], data[2:], strict=True)]
    messages = (
        kafka.to_structured_event(new[0]),
        kafka.to_binary_event(new[1]),
        old_kafka.to_structured(old[0]),
        old_kafka.to_binary(old[1]),
    )
    assert [message.key for message in messages] == [
        event["partitionkey"] for event in wanted.values()
    ]
    producer = Producer(bureau.librdkafka())
    for message in messages:
        producer.produce(DOOR, message.value, message.key, headers=[*message.headers.items()])
    assert producer.flush(PATIENCE) == 0
    assert cases(bureau.arrived(*wanted)) == cases(wanted)


async def test_aiokafka_writes_and_reads_refusals(bureau: Bureau) -> None:
    named: dict[str, Any] = {
        "AIOKafkaConsumer": AIOKafkaConsumer,
        "AIOKafkaProducer": AIOKafkaProducer,
        "create_ssl_context": create_ssl_context,
    }
    exec(bureau.told(AIOKAFKA).replace("kafka-ca.pem", certifi.where()), named)
    async with named["producer"] as producer, named["consumer"] as consumer:
        good, bad = petition("aio"), petition("aio-bad", data={"people": -1})
        for headers, value in (structured(good), in_headers(bad)):
            await producer.send_and_wait(DOOR, value, headers=headers)
        while json.loads((answer := await consumer.getone()).value)["id"] != bad["id"]:
            pass
    assert [fault["pointer"] for fault in json.loads(answer.value)["errors"]] == ["/data/people"]
    assert list(await asyncio.to_thread(bureau.arrived, good["id"])) == [good["id"]]


def test_kafka_s_own_tools_write_and_read_refusals(bureau: Bureau) -> None:
    good, bad = petition("console"), petition("console-bad", data={"people": -1})
    lines = []
    for headers, value in (structured(good), in_headers(bad)):
        told = b",".join(name.encode() + b":" + held for name, held in headers)
        lines.append(told + b"\t" + value + b"\n")
    bureau.console(CONSOLE_PRODUCER, "ConsoleProducer", b"".join(lines))
    assert cases(bureau.arrived(good["id"])) == cases({good["id"]: good})

    refusals = bureau.refusals(bad["id"])
    # Where a group has read, it goes on from there.
    words = CONSOLE_CONSUMER.replace(":refusals", ":console")
    words = f"{words} --max-messages {len(refusals)}"
    printed = bureau.console(words, "consumer.ConsoleConsumer").splitlines()
    place, value = printed[-1].split(b"\t")
    assert len(printed) == len(refusals)
    assert value == refusals[-1].value()
    assert json.loads(value)["id"] == bad["id"]
    told = rb"topic:%b,partition:0,offset:\d+,content-type:application/json"
    assert re.fullmatch(told % DOOR.encode(), place)


def test_what_is_answered_and_handed_over_is_as_asyncapi_says(bureau: Bureau) -> None:
    components = document(load_catalogue())["components"]

    def faults(name: str, part: str, told: object) -> list[str]:
        schema = {**components["messages"][name][part], "components": components}
        return [error.message for error in Draft7Validator(schema).iter_errors(told)]

    producer = Producer(bureau.librdkafka())
    good, bad = petition("told"), petition("told-bad", data={"people": -1})
    for event in (bad, good):
        written(producer, event, binary=True)
    producer.produce(DOOR, b"{", headers=[])
    written(producer, {**bad, "id": "XF-told-last"}, binary=False)
    assert producer.flush(PATIENCE) == 0
    for message in bureau.refusals("XF-told-last"):
        headers: dict[str, Any] = dict(message.headers() or ())
        place = {name: value.decode() for name, value in headers.items()}
        assert faults("refusal", "headers", place) == []
        assert faults("refusal", "payload", json.loads(message.value() or b"")) == []
    (view,) = bureau.arrived(good["id"]).values()
    assert faults("petition.case_transferred-1.0.view", "payload", view) == []
    assert faults("petition.case_transferred-1.0.view", "payload", good) != []
    sent = {name: value.decode() for name, value in in_headers(good)[0]}
    assert faults("petition.case_transferred-1.0.binary", "headers", sent) == []


def test_what_the_page_says_of_tls_is_taken() -> None:
    lines = (line.split("=", 1) for line in LIBRDKAFKA.splitlines())
    settings = {**dict(lines), "ssl.ca.location": certifi.where(), "bootstrap.servers": ""}
    assert len(Producer(settings)) == 0
    with pytest.raises(KafkaException, match=r"ssl\.ca\.location"):
        Producer({**settings, "ssl.ca.location": "/nowhere"})
