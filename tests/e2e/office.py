"""Whoever administers a hub and its Kafka, and what clients of that Kafka meet."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
)

from deploy.local.kafka import ADMIN, KafkaCluster
from hub.upkeep.topics import PREFIXES
from tests.commands import Done, guantong
from tests.kafka import Login, admin_of, for_confluent
from tests.running import PATIENCE, RunningHub
from tests.sample import CITY, PETITION, agency, grant

# Its id begins as the front desk's does.
HOTLINE = f"{PETITION}.12345"
SHA_512 = ScramMechanism.SCRAM_SHA_512
# One partition each: a small broker makes hundreds of them slowly.
SMALL = {"replication": 1, "min-isr": 1, "partitions": 1}


def every_right_of(principal: str | None = None) -> AclBindingFilter:
    """The entries of one, or of all."""
    # What may be anything is None, which the library's types do not say.
    anything: Any = None
    return AclBindingFilter(
        ResourceType.ANY,
        anything,
        ResourcePatternType.ANY,
        principal or anything,
        anything,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )


class Office:
    """Whoever runs the commands: a hub, a cluster, a directory of passwords."""

    def __init__(self, hub: RunningHub, brokers: KafkaCluster, directory: Path) -> None:
        self.hub = hub
        self.brokers = brokers
        self.secrets = directory / "secrets"
        self.environment = {
            "GUANTONG_KAFKA": brokers.bootstrap,
            "GUANTONG_KAFKA_USER": ADMIN,
            "GUANTONG_KAFKA_PASSWORD": brokers.password,
        }
        self.admin = AdminClient({**for_confluent(brokers, admin_of(brokers)), "log_level": 0})

    def words(self, *words: str | Path, **options: int) -> tuple[str | Path, ...]:
        """A command under `kafka` for the hub and this small cluster."""
        named = {**SMALL, **{name.replace("_", "-"): value for name, value in options.items()}}
        numbers = [f"--{name}={value}" for name, value in named.items()]
        return ("kafka", *words, "--data", self.hub.directory, *numbers)

    def plan(
        self, *words: str, environment: Mapping[str, str] | None = None, **options: int
    ) -> Done:
        """Run `kafka plan`."""
        told = {**self.environment, **(environment or {})}
        return guantong(*self.words("plan", *words, **options), environment=told)

    def apply(
        self, *words: str, environment: Mapping[str, str] | None = None, **options: int
    ) -> Done:
        """Run `kafka apply`, which asks only when it is told to."""
        told = {**self.environment, **(environment or {})}
        said = self.words("apply", "--secrets", self.secrets, *words, **options)
        return guantong(*said, environment=told)

    def admits(self, *agencies: str) -> None:
        """Put a policy in force under which these agencies publish."""
        self.hub.apply(
            {
                "agencies": [
                    *(agency(id_, f"示范单位{n}") for n, id_ in enumerate(agencies)),
                    agency(CITY, "示范市委巡察办"),
                ],
                "grants": [grant(id_, "publish", "petition.*") for id_ in agencies],
                "recusals": [],
            }
        )

    def provides(self, *agencies: str) -> None:
        """Have Kafka hold what these agencies need, and nothing of others."""
        self.admits(*agencies)
        done = self.apply("--yes", "--delete-topics")
        assert (done.status, done.complained) == (0, "")

    def leaves(self) -> None:
        """Take away all topics, rights and users but the administrator."""
        done_with(self.admin.delete_topics(sorted(self.topics())))
        done_with(self.admin.delete_acls([every_right_of()]))
        for user in self.users() - {ADMIN}:
            gone = UserScramCredentialDeletion(user, SHA_512)
            done_with(self.admin.alter_user_scram_credentials([gone]))

    def login(self, user: str) -> dict[str, Any]:
        """The settings of a client, with the password that was written for it."""
        # What a refused client complains of is what its test is about.
        known = Login(user, self.password(user))
        return {**for_confluent(self.brokers, known), "log_level": 0}

    def password(self, user: str) -> str:
        """What was written for a user."""
        return (self.secrets / f"{user}.password").read_text().strip()

    def clears(self) -> None:
        """Leave nothing of what was applied on a cluster that others use as well."""
        ours = [name for name in self.topics() if name.startswith(PREFIXES)]
        done_with(self.admin.delete_topics(ours))
        for file in self.secrets.iterdir():
            done_with(self.admin.delete_acls([every_right_of(f"User:{file.stem}")]))
            removed = UserScramCredentialDeletion(file.stem, SHA_512)
            done_with(self.admin.alter_user_scram_credentials([removed]))

    def topics(self) -> set[str]:
        """All topics but Kafka's own."""
        return {name for name in self.admin.list_topics(timeout=PATIENCE).topics if name[0] != "_"}

    def rights(self) -> set[tuple[str, ...]]:
        """All entries of the access control, of whatever host."""
        return {
            (
                *(b.principal, b.permission_type.name, b.operation.name, b.restype.name),
                *(b.name, b.resource_pattern_type.name),
            )
            for b in self.admin.describe_acls(every_right_of()).result()
        }

    def users(self) -> set[str]:
        """All who have a password."""
        described = self.admin.describe_user_scram_credentials()
        return set(described.result())  # type: ignore[union-attr]

    def settings(self, topic: str) -> dict[str, str]:
        """A topic's settings that are its own."""
        resource = ConfigResource(ResourceType.TOPIC, topic)
        (asked,) = self.admin.describe_configs([resource]).values()
        return {n: entry.value for n, entry in asked.result().items() if not entry.is_default}


def produced(producer: Producer, topic: str, value: bytes = b"{}") -> str:
    """What a broker answers to a record: OK, or the name of its error."""
    told: list[str] = []

    def hear(error: KafkaError | None, _: Message) -> None:
        told.append("OK" if error is None else error.name())

    producer.produce(topic, value, on_delivery=hear)
    producer.flush(PATIENCE)
    return told[0]


def consumed(login: Mapping[str, Any], topic: str, group: str) -> bytes | str:
    """The first record that a member of the group gets of a topic, or the name of an error."""
    consumer = Consumer({**login, "group.id": group, "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe([topic])
        message = consumer.poll(PATIENCE)
    except KafkaException as error:
        return str(error.args[0].name())
    finally:
        consumer.close()
    assert message is not None
    found = message.error()
    return message.value() or b"" if found is None else found.name()


def done_with(begun: Mapping[Any, Any]) -> None:
    """Wait for requests of the administrator's own."""
    for future in begun.values():
        future.result(PATIENCE)
