"""Kafka as the doctor judges it, by what its brokers tell of their topics."""

import pytest

from hub.errors import KafkaLoginRefused
from hub.upkeep.brokers import judge_away, judge_topics
from hub.upkeep.finding import Level

WANTED = ["share.audit", "share.clue", "share.petition"]
UNKNOWN = "UnknownTopicOrPartitionError"
DENIED = "TopicAuthorizationFailedError"


@pytest.mark.parametrize(
    ("found", "level", "says", "says_en"),
    [
        (
            (4, 4, 4),
            "ok",
            "Kafka 有答复，3 个主题各有 4 个分区",
            "Kafka answers, 3 topics have 4 partitions each",
        ),
        (
            (UNKNOWN, DENIED, UNKNOWN),
            "failure",
            "Kafka 缺少主题：share.audit、share.petition",
            "Kafka lacks topics: share.audit, share.petition",
        ),
        (
            (8, DENIED, 4),
            "failure",
            "Kafka 不提供主题的情况（TopicAuthorizationFailedError）：share.clue",
            "Kafka does not tell of topics (TopicAuthorizationFailedError): share.clue",
        ),
        (
            (4, 8, 6),
            "failure",
            "主题的分区数不是 GUANTONG_KAFKA_PARTITIONS 所设的 4（share.clue: 8）"
            "：share.clue、share.petition",
            "topics have other partitions than the 4 of GUANTONG_KAFKA_PARTITIONS (share.clue: 8):"
            " share.clue, share.petition",
        ),
    ],
)
def test_the_backbones_topics_are_all_there_with_the_partitions_that_are_set(
    found: tuple[int | str, ...], level: Level, says: str, says_en: str
) -> None:
    finding = judge_topics(dict(zip(WANTED, found, strict=True)), WANTED, partitions=4)
    assert (finding.check, finding.level) == ("kafka", level)
    assert (finding.says, finding.says_en) == (says, says_en)
    assert (finding.advice != "", finding.advice_en != "") == (level != "ok",) * 2


def test_of_many_topics_some_are_named() -> None:
    wanted = [f"share.{n}" for n in range(9)]
    finding = judge_topics(dict.fromkeys(wanted, UNKNOWN), wanted, partitions=4)
    assert finding.says == "Kafka 缺少主题：share.0、share.1、share.2、share.3、share.4 +4"


def test_brokers_that_cannot_be_reached_are_told_with_why() -> None:
    finding = judge_away(KafkaLoginRefused)
    assert (finding.level, finding.says, finding.says_en) == (
        "failure",
        *KafkaLoginRefused.titles(),
    )
