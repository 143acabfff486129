"""From what Kafka holds to what it is to hold, step by step, revocations first. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never

from hub.upkeep.topics import FEED, PREFIXES, SHARE, Credential, Right, Topic, Wanted, agency_of

# With these, of a topic's operations, records are read or come in.
_TOUCHING: Final = frozenset({"ALL", "READ", "WRITE"})


@dataclass(frozen=True, slots=True)
class Found:
    """What Kafka holds: of topics at least ours, of credentials and rights all there are."""

    topics: Mapping[str, Topic]
    credentials: frozenset[Credential]
    rights: frozenset[Right]


@dataclass(frozen=True, slots=True)
class RemoveRight:
    """Holds at once, also for who is connected."""

    right: Right


@dataclass(frozen=True, slots=True)
class RemoveCredential:
    """Nobody logs in with it again."""

    credential: Credential


@dataclass(frozen=True, slots=True)
class DeleteTopic:
    """With all that is in it."""

    topic: str


@dataclass(frozen=True, slots=True)
class CreateTopic:
    """With all of its settings."""

    topic: Topic


@dataclass(frozen=True, slots=True)
class AddPartitions:
    """From `found` to `wanted`."""

    topic: str
    found: int
    wanted: int


@dataclass(frozen=True, slots=True)
class ChangeSettings:
    """To `wanted`; other settings of the topic stay."""

    topic: str
    found: Mapping[str, str]
    wanted: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AddCredential:
    """Under a password that is made for it."""

    credential: Credential


@dataclass(frozen=True, slots=True)
class AddRight:
    """Holds at once."""

    right: Right


Step = (
    RemoveRight
    | RemoveCredential
    | DeleteTopic
    | CreateTopic
    | AddPartitions
    | ChangeSettings
    | AddCredential
    | AddRight
)


@dataclass(frozen=True, slots=True)
class Replicated:
    """A topic with another number of replicas than wanted, which is for Kafka's own tools."""

    topic: str
    found: int
    wanted: int


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A topic of an agency that the policy no longer has, or of a subscription that was ended: it
    stays until it is told to go.
    """

    topic: str


@dataclass(frozen=True, slots=True)
class Stranger:
    """What somebody else may do with topics of ours: not ours to take away, but to be known."""

    right: Right


Remark = Replicated | LeftOver | Stranger


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, in order, and what is to be known.

    `immovable`: shared topics with another number of partitions than is asked for. Then nothing
    may be done: later events of a key would pass earlier ones on another partition.
    """

    steps: tuple[Step, ...]
    remarks: tuple[Remark, ...] = ()
    immovable: Mapping[str, int] = field(default_factory=dict)

    @property
    def differs(self) -> bool:
        """Whether what is there is not what is wanted."""
        return bool(self.steps or self.immovable)


def difference(wanted: Wanted, found: Found, *, delete_topics: bool = False) -> Plan:
    """How to get from what is found to what is wanted. What is not ours is left alone."""
    ours = {name: topic for name, topic in found.topics.items() if wanted.owns_topic(name)}
    gone = sorted(name for name in ours if _is_gone(name, wanted))
    steps: tuple[Step, ...] = (
        *_revocations(wanted, found),
        *(DeleteTopic(name) for name in gone if delete_topics),
        *_of_topics(wanted, ours),
        *map(AddCredential, sorted(wanted.credentials - found.credentials)),
        *map(AddRight, sorted(wanted.rights - found.rights)),
    )
    remarks: tuple[Remark, ...] = (
        *_replicated(wanted, ours),
        *(LeftOver(name) for name in gone if not delete_topics),
        *(Stranger(right) for right in sorted(found.rights) if _is_strange(right, wanted)),
    )
    return Plan(steps, remarks, _immovable(wanted, ours))


def _revocations(wanted: Wanted, found: Found) -> Iterator[Step]:
    """Rights before credentials: who is logged in stays so without."""
    for right in sorted(found.rights - wanted.rights):
        if wanted.owns_user(right.user):
            yield RemoveRight(right)
    users = {credential.user for credential in wanted.credentials}
    for credential in sorted(found.credentials):
        if wanted.owns_user(credential.user) and credential.user not in users:
            yield RemoveCredential(credential)


def _is_gone(topic: str, wanted: Wanted) -> bool:
    if topic.startswith(FEED):
        return topic not in wanted.feeds
    agency = agency_of(topic)
    return agency is not None and agency not in wanted.registered


def _of_topics(wanted: Wanted, ours: Mapping[str, Topic]) -> Iterator[Step]:
    for name, topic in wanted.topics.items():
        if name not in ours:
            yield CreateTopic(topic)
    for name, topic in wanted.topics.items():
        if name in ours:
            yield from _changes(topic, ours[name])


def _changes(topic: Topic, found: Topic) -> Iterator[Step]:
    # An agency's topic may have been given more of them, for a loud one.
    if not _is_shared(topic.name) and found.partitions < topic.partitions:
        yield AddPartitions(topic.name, found.partitions, topic.partitions)
    other = {n: v for n, v in topic.settings.items() if found.settings.get(n) != v}
    if other:
        held = {name: found.settings.get(name, "") for name in other}
        yield ChangeSettings(topic.name, held, other)


def _replicated(wanted: Wanted, ours: Mapping[str, Topic]) -> Iterator[Replicated]:
    for name, topic in wanted.topics.items():
        if name in ours and ours[name].replication != topic.replication:
            yield Replicated(name, ours[name].replication, topic.replication)


def _immovable(wanted: Wanted, ours: Mapping[str, Topic]) -> dict[str, int]:
    return {
        name: ours[name].partitions
        for name, topic in wanted.topics.items()
        if _is_shared(name) and name in ours and ours[name].partitions != topic.partitions
    }


def _is_strange(right: Right, wanted: Wanted) -> bool:
    if right.resource != "TOPIC" or right.operation not in _TOUCHING:
        return False
    if wanted.owns_user(right.user):
        return False
    return right.name == "*" or any(
        name.startswith(right.name) if right.pattern == "PREFIXED" else name == right.name
        for name in (*wanted.topics, *PREFIXES)
    )


def _is_shared(topic: str) -> bool:
    return topic.startswith(SHARE)


def said(step: Step | Remark) -> tuple[str, str]:
    """A step or a remark as a line for people, Chinese and English."""
    match step:
        case RemoveRight(right):
            zh, en = _right_said(right)
            return f"收回：{zh}", f"take away: {en}"
        case AddRight(right):
            zh, en = _right_said(right)
            return f"授予：{zh}", f"give: {en}"
        case Stranger(right):
            zh, en = _right_said(right)
            return f"非贯通所设，请核实：{zh}", f"not of the hub's making, see to it: {en}"
        case RemoveCredential(credential):
            who = f"{credential.user} ({credential.mechanism})"
            return f"删除用户 {who}", f"remove the user {who}"
        case AddCredential(credential):
            who = f"{credential.user} ({credential.mechanism})"
            return f"建立用户 {who}", f"make the user {who}"
        case _:
            return _topic_said(step)


def _topic_said(
    step: DeleteTopic | CreateTopic | AddPartitions | ChangeSettings | Replicated | LeftOver,
) -> tuple[str, str]:
    match step:
        case DeleteTopic(topic):
            return f"删除主题 {topic} 及其内容", f"delete the topic {topic} and what it holds"
        case CreateTopic(topic):
            counts = f"P={topic.partitions} RF={topic.replication}"
            shown = f"{topic.name} {counts} {_settings_said(topic.settings)}"
            return f"建立主题 {shown}", f"make the topic {shown}"
        case AddPartitions(topic, found, wanted):
            change = f"{found} → {wanted}"
            return f"主题 {topic} 的分区 {change}", f"partitions of {topic}: {change}"
        case ChangeSettings(topic, found, wanted):
            change = ", ".join(f"{name} {found[name]} → {wanted[name]}" for name in wanted)
            return f"主题 {topic} 的设置 {change}", f"settings of {topic}: {change}"
        case Replicated(topic, found, wanted):
            return (
                f"主题 {topic} 的副本数为 {found}，应为 {wanted}：请用 kafka-reassign-partitions",
                f"{topic} has {found} replicas, wanted {wanted}: use kafka-reassign-partitions",
            )
        case LeftOver(topic):
            return (
                f"主题 {topic} 的机构或订阅已不存在：确要删除请加 --delete-topics",
                f"the agency or subscription of {topic} is no more: --delete-topics deletes it",
            )
        case _:
            assert_never(step)


_RESOURCES: Final = {"TOPIC": "主题", "GROUP": "消费组"}


def _right_said(right: Right) -> tuple[str, str]:
    name = f"{right.name}*" if right.pattern == "PREFIXED" else right.name
    host = "" if right.host == "*" else f" @{right.host}"
    kind = _RESOURCES.get(right.resource, right.resource)
    return (
        f"{right.user} 对{kind} {name} 的 {right.operation}{host}",
        f"{right.operation} on {right.resource.lower()} {name} for {right.user}{host}",
    )


def _settings_said(settings: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in settings.items())
