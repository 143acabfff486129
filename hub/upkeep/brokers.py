"""Kafka as the doctor judges it: whether its brokers answer, and hold the backbone's topics."""

from collections.abc import Mapping, Sequence

from hub.errors import HubError
from hub.upkeep.finding import Finding, failure, ok

CHECK = "kafka"
# Of the topics that are wrong, so many are named.
MOST_NAMED = 5


def judge_away(lack: type[HubError]) -> Finding:
    """Why the brokers cannot be reached."""
    title, title_en = lack.titles()
    return failure(
        CHECK,
        title,
        title_en,
        "发布的事件存入发件箱，已在 Kafka 的尚不登记；"
        "请按 deploy/monitoring/runbooks/GuantongKafkaAway.md 处理",
        "what is published waits in the outbox, what Kafka has is not registered; do as"
        " deploy/monitoring/runbooks/GuantongKafkaAway.md says",
    )


def judge_unfed(fed: Sequence[str]) -> list[Finding]:
    """Feeds by Kafka of a hub that has no brokers, by agency and subscription; one more than is
    named stands for all the others."""
    if not fed:
        return []
    return [
        failure(
            CHECK,
            f"没有设置 GUANTONG_KAFKA，由 Kafka 投送的订阅收不到事件：{_listed(fed, '、')}",
            f"GUANTONG_KAFKA is not set, feeds by Kafka get nothing: {_listed(fed, ', ')}",
            "请恢复该设置后重启；不再用 Kafka 的，请订阅方删除该订阅，改用拉取",
            "set it again and restart; without Kafka for good, have the subscriber delete the"
            " subscription and pull",
        )
    ]


def judge_topics(
    found: Mapping[str, int | str], wanted: Sequence[str], *, partitions: int
) -> Finding:
    """The backbone's topics against the setting. `found` has how many partitions each has, or
    Kafka's name of why it does not say.
    """
    missing = [topic for topic in wanted if found.get(topic) == "UnknownTopicOrPartitionError"]
    if missing:
        return failure(
            CHECK,
            f"Kafka 缺少主题：{_listed(missing, '、')}",
            f"Kafka lacks topics: {_listed(missing, ', ')}",
            "请执行 guantong kafka apply；在此之前其事件存入发件箱",
            "run guantong kafka apply; until then their events wait in the outbox",
        )
    untold = {topic: str(found.get(topic)) for topic in wanted if not _counted(found.get(topic))}
    if untold:
        reasons = ", ".join(sorted({*untold.values()}))
        return failure(
            CHECK,
            f"Kafka 不提供主题的情况（{reasons}）：{_listed([*untold], '、')}",
            f"Kafka does not tell of topics ({reasons}): {_listed([*untold], ', ')}",
            "请用 guantong kafka plan 核对贯通用户的权限",
            "compare the rights of the hub's user with guantong kafka plan",
        )
    other = [topic for topic in wanted if found[topic] != partitions]
    if other:
        told = f"{other[0]}: {found[other[0]]}"
        return failure(
            CHECK,
            f"主题的分区数不是 GUANTONG_KAFKA_PARTITIONS 所设的 {partitions}"
            f"（{told}）：{_listed(other, '、')}",
            f"topics have other partitions than the {partitions} of GUANTONG_KAFKA_PARTITIONS"
            f" ({told}): {_listed(other, ', ')}",
            "各进程须用同一设置，与主题建立时一致；更改分区数见 deploy/kafka.md",
            "every process needs the setting with which the topics were made; to change it see"
            " deploy/kafka.md",
        )
    return ok(
        CHECK,
        f"Kafka 有答复，{len(wanted)} 个主题各有 {partitions} 个分区",
        f"Kafka answers, {len(wanted)} topics have {partitions} partitions each",
    )


def judge_answer() -> Finding:
    """That brokers answer who needs no topics of the backbone."""
    return ok(CHECK, "Kafka 有答复", "Kafka answers")


def _counted(found: int | str | None) -> bool:
    return isinstance(found, int)


def _listed(names: Sequence[str], comma: str) -> str:
    more = f" +{len(names) - MOST_NAMED:,}" if len(names) > MOST_NAMED else ""
    return comma.join(names[:MOST_NAMED]) + more
