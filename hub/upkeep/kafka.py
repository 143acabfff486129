"""Kafka as its administrators see it: what it holds, and carrying out the steps that change it."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TypeVar, assert_never

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from hub.errors import HubError, KafkaAway, KafkaDenied, KafkaRefused
from hub.upkeep.passwords import Passwords
from hub.upkeep.provision import (
    AddCredential,
    AddPartitions,
    AddRight,
    ChangeSettings,
    CreateTopic,
    DeleteTopic,
    Found,
    Plan,
    RemoveCredential,
    RemoveRight,
    Step,
    difference,
    said,
)
from hub.upkeep.topics import MECHANISM, Credential, Right, Topic, Wanted

Item = TypeVar("Item")
# A request; a broker that is asked for the first time takes a second or two.
SECONDS: Final = 15.0
LOOK: Final = 0.1
# Brokers learn of a change from the controller, a moment after it was made.
LOOKS: Final = 100
MOST_AT_ONCE: Final = 100
# Passwords are drawn, not thought of: guessing them is not made harder by a slow digest.
ITERATIONS: Final = 4096
_PRINCIPAL: Final = "User:"
_TOPIC: Final = ResourceType.TOPIC
_NEEDED: Final = (AclOperation.ALTER, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS)
_AUTHORIZER: Final = "authorizer.class.name"
_AWAY: Final = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TIMED_OUT,
        KafkaError._TIMED_OUT_QUEUE,
        KafkaError._RESOLVE,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.NOT_CONTROLLER,
    }
)
_HOPELESS: Final = frozenset({KafkaError._AUTHENTICATION, KafkaError._ALL_BROKERS_DOWN})
_DENIED: Final = frozenset(
    {
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
    }
)
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Access:
    """How a cluster is reached: with a user by SCRAM, with a CA's certificates over TLS."""

    bootstrap: str
    user: str | None = None
    password: str | None = None
    ca: Path | None = None

    def __repr__(self) -> str:
        return f"Access({self.bootstrap!r})"

    def settings(self) -> dict[str, Any]:
        """What the client library is told."""
        told: dict[str, Any] = {"bootstrap.servers": self.bootstrap}
        layers = ("SASL" if self.user else "", "SSL" if self.ca else "PLAINTEXT")
        told["security.protocol"] = "_".join(filter(None, layers))
        if self.user:
            told |= {"sasl.mechanism": MECHANISM, "sasl.username": self.user}
            told["sasl.password"] = self.password or ""
        if self.ca:
            told["ssl.ca.location"] = str(self.ca)
        return told


class Cluster:
    """The brokers, under an account that may administer them.

    All calls raise KafkaAway, KafkaDenied or KafkaRefused; none waits for ever.
    """

    def __init__(self, access: Access) -> None:
        """Raises KafkaRefused for settings that no client can have."""
        # What the library has to say comes as errors; of its log nobody is to read.
        silent = logging.Logger("kafka", level=logging.CRITICAL + 1)
        self._heard: dict[int, str] = {}
        settings = {**access.settings(), "client.id": "guantong-admin", "error_cb": self._hear}
        try:
            self._admin = AdminClient(settings, logger=silent)
        except KafkaException as error:
            raise _problem(error) from error

    def plan(self, wanted: Wanted, *, delete_topics: bool = False) -> Plan:
        """How to get to what is wanted."""
        self._enter()
        return difference(wanted, self._found(wanted), delete_topics=delete_topics)

    def carry_out(
        self,
        steps: Sequence[Step],
        passwords: Passwords,
        *,
        settled: Callable[[], bool],
        sleep: Callable[[float], None],
    ) -> None:
        """Take steps in their order, those of a kind together, until they are `settled`.

        What was done before an error stays done; a new plan goes on from there.
        """
        for _, alike in groupby(steps, type):
            for part in _parts(tuple(alike)):
                begun = [self._begin(step, passwords) for step in part]
                for step, future in zip(part, begun, strict=True):
                    self._finish(step, future)
        for _ in range(LOOKS):
            if settled():
                return
            sleep(LOOK)
        raise KafkaAway("变更尚未见效，请稍后再执行 / the changes do not show yet: apply again")

    def _enter(self) -> None:
        """Make sure that there are rights at all, and that the account sees and changes them.

        Asked first: otherwise the library shows no rights where there are some, and ends the
        process when it asks for users (2.16).
        """
        told = self._answer(
            self._admin.describe_cluster(
                include_authorized_operations=True, request_timeout=SECONDS
            )
        )
        missing = [op.name for op in _NEEDED if op not in (told.authorized_operations or ())]
        if missing:
            raise KafkaDenied(f"Cluster: {', '.join(missing)}")
        broker = ConfigResource(ResourceType.BROKER, str(told.nodes[0].id))
        (asked,) = self._admin.describe_configs([broker], request_timeout=SECONDS).values()
        if self._answer(asked)[_AUTHORIZER].value == "":
            raise KafkaRefused(
                f"集群未启用访问控制，任何人都可读写：请设置 {_AUTHORIZER}"
                f" / it has no access control, anybody reads and writes: set {_AUTHORIZER}"
            )

    def _found(self, wanted: Wanted) -> Found:
        try:
            described = self._admin.list_topics(timeout=SECONDS).topics
        except KafkaException as error:
            raise self._explained(error) from error
        # Of topics that are being deleted some brokers still know the name, and nothing else.
        settings = self._settings(sorted(filter(wanted.owns_topic, described)))
        return Found(
            topics={
                name: Topic(
                    name,
                    len(described[name].partitions),
                    min((len(p.replicas) for p in described[name].partitions.values()), default=0),
                    own,
                )
                for name, own in settings.items()
            },
            credentials=frozenset(self._credentials()),
            rights=frozenset(self._rights()),
        )

    def _settings(self, topics: Sequence[str]) -> dict[str, Mapping[str, str]]:
        found: dict[str, Mapping[str, str]] = {}
        for part in _parts(topics):
            resources = [ConfigResource(_TOPIC, name) for name in part]
            asked = self._admin.describe_configs(resources, request_timeout=SECONDS)
            for resource, future in asked.items():
                self._wait(future)
                if not _is_gone(future.exception()):
                    entries = self._answer(future)
                    found[resource.name] = {name: entry.value for name, entry in entries.items()}
        return found

    def _credentials(self) -> Iterator[Credential]:
        asked = self._admin.describe_user_scram_credentials(request_timeout=SECONDS)
        assert isinstance(asked, Future)
        for user, described in self._answer(asked).items():
            for info in described.scram_credential_infos:
                yield Credential(user, info.mechanism.name.replace("_", "-"))

    def _rights(self) -> Iterator[Right]:
        """A DENY is somebody's brake, which a plan neither needs nor lifts."""
        # None leaves open what it is, which the library's types do not say.
        anything: Any = None
        every = AclBindingFilter(
            ResourceType.ANY,
            anything,
            ResourcePatternType.ANY,
            anything,
            anything,
            AclOperation.ANY,
            AclPermissionType.ALLOW,
        )
        for found in self._answer(self._admin.describe_acls(every, request_timeout=SECONDS)):
            kinds = (found.restype, found.operation, found.resource_pattern_type)
            # Of kinds younger than the library, which are about tokens and users, not topics.
            if all(kind.value for kind in kinds) and found.principal.startswith(_PRINCIPAL):
                operation, resource, pattern = (kinds[n].name for n in (1, 0, 2))
                user = found.principal.removeprefix(_PRINCIPAL)
                yield Right(user, operation, resource, found.name, pattern, found.host)

    def _begin(self, step: Step, passwords: Passwords) -> Future[Any]:
        begun: Mapping[Any, Future[Any]]
        match step:
            case RemoveRight(right):
                acls = [AclBindingFilter(*_acl(right))]
                begun = self._admin.delete_acls(acls, request_timeout=SECONDS)
            case AddRight(right):
                begun = self._admin.create_acls([AclBinding(*_acl(right))], request_timeout=SECONDS)
            case RemoveCredential(Credential(user, mechanism)):
                passwords.forget(user)
                deletion = UserScramCredentialDeletion(user, _mechanism(mechanism))
                begun = self._admin.alter_user_scram_credentials(
                    [deletion], request_timeout=SECONDS
                )
            case AddCredential(Credential(user, mechanism)):
                info = ScramCredentialInfo(_mechanism(mechanism), ITERATIONS)
                upsertion = UserScramCredentialUpsertion(
                    user, info, passwords.of(user).encode("ascii")
                )
                begun = self._admin.alter_user_scram_credentials(
                    [upsertion], request_timeout=SECONDS
                )
            case _:
                begun = self._begin_with_topic(step)
        (future,) = begun.values()
        return future

    def _begin_with_topic(
        self, step: DeleteTopic | CreateTopic | AddPartitions | ChangeSettings
    ) -> Mapping[Any, Future[Any]]:
        match step:
            case DeleteTopic(topic):
                return self._admin.delete_topics([topic], request_timeout=SECONDS)
            case CreateTopic(topic):
                new = NewTopic(
                    topic.name, topic.partitions, topic.replication, config=dict(topic.settings)
                )
                return self._admin.create_topics([new], request_timeout=SECONDS)
            case AddPartitions(topic, _, wanted):
                more = NewPartitions(topic, wanted)
                return self._admin.create_partitions([more], request_timeout=SECONDS)
            case ChangeSettings(topic, _, wanted):
                entries = [
                    ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                    for name, value in wanted.items()
                ]
                changed = ConfigResource(_TOPIC, topic, incremental_configs=entries)
                return self._admin.incremental_alter_configs([changed], request_timeout=SECONDS)
            case _:
                assert_never(step)

    def _finish(self, step: Step, future: Future[Any]) -> None:
        try:
            self._answer(future)
        except HubError as error:
            raise type(error)(f"{' / '.join(said(step))}: {error.detail}") from error

    def _wait(self, future: Future[Any]) -> None:
        """Until a request is through; who is not let in, or not answered, waits no longer."""
        while not (future.done() or self._heard.keys() & _HOPELESS):
            self._admin.poll(LOOK)
        if not future.done():
            raise self._why_away()

    def _answer(self, future: Future[Any]) -> Any:
        """What a request came to."""
        self._wait(future)
        try:
            answer = future.result()
        except KafkaException as error:
            raise self._explained(error) from error
        self._heard.clear()
        return answer

    def _explained(self, error: KafkaException) -> HubError:
        problem = _problem(error)
        return self._why_away() if isinstance(problem, KafkaAway) and self._heard else problem

    def _why_away(self) -> HubError:
        """By what was heard of the brokers; that all are down tells less than why one is."""
        if KafkaError._AUTHENTICATION in self._heard:
            return KafkaDenied("用户名或口令不对 / wrong user or password")
        ordered = sorted(self._heard, key=KafkaError._ALL_BROKERS_DOWN.__eq__)
        return KafkaAway(_cut(self._heard[ordered[0]]))

    def _hear(self, error: KafkaError) -> None:
        self._heard[error.code()] = error.str()


def _problem(exception: KafkaException) -> HubError:
    error: KafkaError = exception.args[0]
    if error.code() in _AWAY:
        return KafkaAway(_cut(error.str()))
    if error.code() in _DENIED:
        # Its text is of the brokers' insides.
        return KafkaDenied(error.name())
    return KafkaRefused(f"{error.name()}: {_cut(error.str())}")


def _is_gone(error: BaseException | None) -> bool:
    if not isinstance(error, KafkaException):
        return False
    code: int = error.args[0].code()
    return code == KafkaError.UNKNOWN_TOPIC_OR_PART


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _mechanism(name: str) -> ScramMechanism:
    return ScramMechanism[name.replace("-", "_")]


def _acl(
    right: Right,
) -> tuple[ResourceType, str, ResourcePatternType, str, str, AclOperation, AclPermissionType]:
    return (
        ResourceType[right.resource],
        right.name,
        ResourcePatternType[right.pattern],
        f"{_PRINCIPAL}{right.user}",
        right.host,
        AclOperation[right.operation],
        AclPermissionType.ALLOW,
    )


def _parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for n in range(0, len(items), MOST_AT_ONCE):
        yield items[n : n + MOST_AT_ONCE]
