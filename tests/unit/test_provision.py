"""What Kafka is to hold for a hub, and how it gets there from what it holds: without a Kafka."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from contracts.catalogue import Catalogue, load_catalogue
from hub.policy.document import PolicyDocument, parse
from hub.upkeep.provision import (
    AddCredential,
    AddPartitions,
    AddRight,
    ChangeSettings,
    CreateTopic,
    DeleteTopic,
    Found,
    LeftOver,
    Plan,
    Remark,
    RemoveCredential,
    RemoveRight,
    Replicated,
    Step,
    Stranger,
    difference,
    said,
)
from hub.upkeep.topics import (
    Credential,
    Feed,
    Layout,
    Right,
    Topic,
    Wanted,
    agency_of,
    publishers,
    wanted,
)
from tests.sample import AUDIT, CITY, PETITION, agency, grant

NOW = 1_795_651_200_000_000  # 2026-11-26T00:00:00Z
FAMILIES = ("clue", "petition")
CATALOGUE = Catalogue(c for c in load_catalogue() if c.family in FAMILIES)
LAYOUT = Layout(largest=320 * 1024)
AGENCIES = [agency(PETITION, "示范市信访局"), agency(CITY, "示范市委巡察办")]
GRANTS = [grant(PETITION, "publish", "petition.*"), grant(CITY, "receive", "petition.*")]
COMMON = {
    "cleanup.policy": "delete",
    "compression.type": "producer",
    "max.message.bytes": "1048576",
    "message.timestamp.type": "LogAppendTime",
    "min.insync.replicas": "2",
    "retention.ms": "1209600000",
    "segment.ms": "86400000",
    "unclean.leader.election.enable": "false",
}
OF_PETITION = frozenset(
    {
        Right(PETITION, "WRITE", "TOPIC", f"intake.{PETITION}"),
        Right(PETITION, "READ", "TOPIC", f"rejected.{PETITION}"),
        Right(PETITION, "READ", "GROUP", f"{PETITION}:", "PREFIXED"),
    }
)
OF_THE_HUB = frozenset(
    {
        Right("guantong", "READ", "TOPIC", "share.", "PREFIXED"),
        Right("guantong", "WRITE", "TOPIC", "share.", "PREFIXED"),
        Right("guantong", "READ", "TOPIC", "intake.", "PREFIXED"),
        Right("guantong", "WRITE", "TOPIC", "rejected.", "PREFIXED"),
        Right("guantong", "WRITE", "TOPIC", "feed.", "PREFIXED"),
        Right("guantong", "READ", "GROUP", "guantong.", "PREFIXED"),
    }
)
NOTHING = Found({}, frozenset(), frozenset())


def written(**changes: Any) -> PolicyDocument:
    """A policy in which the petition bureau publishes and the city's office receives."""
    document = {"agencies": AGENCIES, "grants": GRANTS, "recusals": [], **changes}
    parsed = parse(json.dumps(document).encode())
    assert isinstance(parsed, PolicyDocument)
    return parsed


def needs(
    layout: Layout = LAYOUT, *, feeds: Mapping[str, Sequence[str]] | None = None, **changes: Any
) -> Wanted:
    """What such a policy wants of Kafka; `feeds`: agency → its subscriptions by Kafka."""
    fed = [
        Feed(agency_id, f"feed.{agency_id}.{id_}")
        for agency_id, ids in (feeds or {}).items()
        for id_ in ids
    ]
    return wanted(written(**changes), CATALOGUE, layout, feeds=fed, now=NOW)


def topic(name: str, partitions: int, **settings: str) -> Topic:
    """A topic as it is wanted, but for what is said."""
    named = {key.replace("_", "."): value for key, value in settings.items()}
    return Topic(name, partitions, 3, {**COMMON, **named})


def held(want: Wanted, **changes: Any) -> Found:
    """What Kafka holds when all is as wanted, but for what is said."""
    return replace(Found(want.topics, want.credentials, want.rights), **changes)


def test_policy_and_catalogue_say_what_kafka_is_to_hold() -> None:
    assert needs() == Wanted(
        topics={
            "share.clue": topic("share.clue", 1),
            "share.petition": topic("share.petition", 1),
            f"intake.{PETITION}": topic(f"intake.{PETITION}", 1, compression_type="uncompressed"),
            f"rejected.{PETITION}": topic(f"rejected.{PETITION}", 1),
        },
        credentials=frozenset({Credential(PETITION), Credential("guantong")}),
        rights=OF_PETITION | OF_THE_HUB,
        registered=frozenset({PETITION, CITY}),
        feeds=frozenset(),
        hub="guantong",
    )


def test_an_installation_decides_on_the_numbers() -> None:
    layout = Layout(
        largest=2 * 1024 * 1024,
        partitions=12,
        intake_partitions=3,
        replication=1,
        min_isr=1,
        retention_days=2,
        hub="hub-a",
    )
    want = needs(layout)
    settings = {
        **COMMON,
        "max.message.bytes": str(2 * 1024 * 1024 + 64 * 1024),
        "min.insync.replicas": "1",
        "retention.ms": "172800000",
    }
    doors = {**settings, "compression.type": "uncompressed"}
    assert list(want.topics.values()) == [
        Topic("share.clue", 12, 1, settings),
        Topic("share.petition", 12, 1, settings),
        Topic(f"intake.{PETITION}", 3, 1, doors),
        Topic(f"rejected.{PETITION}", 1, 1, settings),
    ]
    assert {right.user for right in want.rights} == {PETITION, "hub-a"}


@pytest.mark.parametrize(
    "impossible", [{"min_isr": 4}, {"hub": PETITION}, {"hub": ""}, {"hub": "Hub"}, {"hub": "a:b"}]
)
def test_what_no_cluster_can_be_is_refused(impossible: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match=" / --"):
        Layout(largest=1, **impossible)


def test_every_family_of_the_catalogue_has_its_topic_under_a_name_that_kafka_takes() -> None:
    want = wanted(written(), load_catalogue(), LAYOUT, feeds=[], now=NOW)
    families = {contract.family for contract in load_catalogue()}
    assert {n for n in want.topics if n.startswith("share.")} == {f"share.{f}" for f in families}
    # Kafka keeps apart neither `.` nor `_` in the names of its metrics.
    assert [n for n in want.topics if not n.replace(".", "").replace("-", "").isalnum()] == []


LATER, EARLIER = "2027-01-01", "2026-11-01"
ROUNDS = [
    {"id": "past", "name": "上一轮", "until": EARLIER},
    {"id": "next", "name": "下一轮", "from": LATER},
]


@pytest.mark.parametrize(
    ("record", "granted", "publishes"),
    [
        ({}, {}, True),
        ({}, {"may": "receive"}, False),
        ({}, {"from": LATER}, True),
        ({}, {"until": LATER}, True),
        ({}, {"until": EARLIER}, False),
        ({}, {"round": "next"}, True),
        ({}, {"round": "past"}, False),
        ({}, {"round": "next", "until": "2026-12-31"}, False),
        ({"valid_until": EARLIER}, {}, False),
        ({"valid_from": LATER}, {}, True),
        ({"valid_from": LATER}, {"until": "2026-12-31"}, False),
        ({}, {"agency": None, "kind": "audit"}, True),
        ({}, {"agency": None, "kind": "petition"}, False),
        ({"acts_as": ["petition"]}, {"agency": None, "kind": "petition"}, True),
        ({}, {"agency": PETITION}, False),
    ],
)
def test_whoever_may_publish_now_or_later_has_a_door(
    record: Mapping[str, Any], granted: Mapping[str, Any], publishes: bool
) -> None:
    right = {**grant(AUDIT, "publish", "clue.*"), **granted}
    document = written(
        agencies=[agency(AUDIT, "示范市审计局", **record), agency(PETITION, "示范市信访局")],
        grants=[{name: value for name, value in right.items() if value is not None}],
        rounds=ROUNDS,
    )
    assert (AUDIT in publishers(document, NOW)) is publishes


def test_topics_of_agencies_are_told_by_their_names() -> None:
    names = {
        "intake.510100.petition": "510100.petition",
        "rejected.510100.petition.12345": "510100.petition.12345",
        "intake.orders": None,
        "intake.510100.shop": None,
        "intake.510100.petition.A": None,
        "Intake.510100.petition": None,
        "feed.510100.petition.all": "510100.petition",
        "feed.510100.petition.12345": "510100.petition",
        "feed.510100.petition.12345.case-2": "510100.petition.12345",
        "feed.510100.petition": None,
        "feed.510100.petition.": None,
        "feed.510100.petition.a_b": None,
        "share.petition": None,
        "intake.": None,
    }
    assert {name: agency_of(name) for name in names} == names


def test_an_empty_kafka_gets_everything_topics_first_and_rights_last() -> None:
    want = needs()
    plan = difference(want, NOTHING)
    assert plan == Plan(
        (
            *map(CreateTopic, want.topics.values()),
            AddCredential(Credential(PETITION)),
            AddCredential(Credential("guantong")),
            *map(AddRight, sorted(OF_PETITION)),
            *map(AddRight, sorted(OF_THE_HUB)),
        )
    )
    assert plan.differs


def test_where_all_is_as_wanted_nothing_is_done() -> None:
    want = needs()
    plan = difference(want, held(want))
    assert (plan, plan.differs) == (Plan(()), False)


def test_what_is_not_ours_is_left_alone() -> None:
    want = needs()
    foreign = {n: Topic(n, 9, 1, {}) for n in ("orders", "intake.orders", "share.orders", "feed.x")}
    strangers = frozenset({Credential("bank"), Credential("bank", "SCRAM-SHA-256")})
    theirs = frozenset(
        {
            Right("bank", "ALL", "TOPIC", "orders"),
            Right("bank", "READ", "GROUP", "*"),
            Right("bank", "DESCRIBE", "TOPIC", "share.", "PREFIXED"),
            Right("*", "READ", "TOPIC", "news", "PREFIXED"),
        }
    )
    found = Found({**want.topics, **foreign}, want.credentials | strangers, want.rights | theirs)
    assert difference(want, found, delete_topics=True) == Plan(())


def test_whoever_else_reads_or_writes_topics_of_ours_is_told_of() -> None:
    want = needs()
    strange = [
        Right("*", "WRITE", "TOPIC", f"intake.{PETITION}"),
        Right("bank", "ALL", "TOPIC", "*"),
        Right("bank", "READ", "TOPIC", "feed", "PREFIXED"),
        Right("bank", "READ", "TOPIC", "share.c", "PREFIXED"),
    ]
    plan = difference(want, held(want, rights=want.rights | frozenset(strange)))
    assert plan == Plan((), remarks=tuple(map(Stranger, strange)))
    assert not plan.differs


@pytest.mark.parametrize("delete", [False, True])
def test_an_agency_that_is_gone_loses_its_rights_before_anything_else(delete: bool) -> None:
    before = needs(grants=[*GRANTS, grant(CITY, "publish", "clue.*")])
    after = needs(
        agencies=[agency(CITY, "示范市委巡察办"), agency(AUDIT, "示范市审计局")],
        grants=[grant(CITY, "publish", "clue.*"), grant(AUDIT, "publish", "clue.*")],
    )
    old = Credential(PETITION, "SCRAM-SHA-256")
    gone = (f"intake.{PETITION}", f"rejected.{PETITION}")
    extra = Right(PETITION, "READ", "TOPIC", "share.clue", host="192.0.2.7")
    found = held(before, credentials=before.credentials | {old}, rights=before.rights | {extra})
    assert difference(after, found, delete_topics=delete) == Plan(
        (
            *map(RemoveRight, sorted(OF_PETITION | {extra})),
            RemoveCredential(old),
            RemoveCredential(Credential(PETITION)),
            *(DeleteTopic(name) for name in gone if delete),
            CreateTopic(after.topics[f"intake.{AUDIT}"]),
            CreateTopic(after.topics[f"rejected.{AUDIT}"]),
            AddCredential(Credential(AUDIT)),
            AddRight(Right(AUDIT, "READ", "GROUP", f"{AUDIT}:", "PREFIXED")),
            AddRight(Right(AUDIT, "READ", "TOPIC", f"rejected.{AUDIT}")),
            AddRight(Right(AUDIT, "WRITE", "TOPIC", f"intake.{AUDIT}")),
        ),
        remarks=() if delete else tuple(map(LeftOver, gone)),
    )


def test_an_agency_that_may_publish_no_more_keeps_its_topics() -> None:
    before, after = needs(), needs(grants=[GRANTS[1]])
    assert difference(after, held(before), delete_topics=True) == Plan(
        (*map(RemoveRight, sorted(OF_PETITION)), RemoveCredential(Credential(PETITION)))
    )


def reading(agency_id: str, *ids: str) -> list[Right]:
    """What whoever reads feeds may do, and publishes nothing."""
    return [
        Right(agency_id, "READ", "GROUP", f"{agency_id}:", "PREFIXED"),
        *(Right(agency_id, "READ", "TOPIC", f"feed.{agency_id}.{id_}") for id_ in ids),
    ]


def test_an_agency_reads_its_own_feeds_for_a_week() -> None:
    want = needs(feeds={CITY: ["all", "clues"]})
    assert difference(want, held(needs())) == Plan(
        (
            CreateTopic(topic(f"feed.{CITY}.all", 1, retention_ms="604800000")),
            CreateTopic(topic(f"feed.{CITY}.clues", 1, retention_ms="604800000")),
            AddCredential(Credential(CITY)),
            *map(AddRight, reading(CITY, "all", "clues")),
        )
    )
    shorter = needs(replace(LAYOUT, feed_retention_days=2), feeds={CITY: ["all"]})
    assert shorter.topics[f"feed.{CITY}.all"].settings["retention.ms"] == "172800000"


@pytest.mark.parametrize("delete", [False, True])
def test_a_feed_that_was_ended_is_read_no_more_and_its_topic_told_of(delete: bool) -> None:
    before, after = needs(feeds={CITY: ["all", "clues"]}), needs(feeds={CITY: ["all"]})
    gone = f"feed.{CITY}.clues"
    assert difference(after, held(before), delete_topics=delete) == Plan(
        (
            RemoveRight(Right(CITY, "READ", "TOPIC", gone)),
            *(DeleteTopic(gone) for _ in range(delete)),
        ),
        remarks=() if delete else (LeftOver(gone),),
    )


def test_whoever_may_receive_nothing_more_reads_no_feed_and_the_topic_stays() -> None:
    feeds = {CITY: ["all"]}
    before, after = needs(feeds=feeds), needs(feeds=feeds, grants=[GRANTS[0]])
    assert difference(after, held(before), delete_topics=True) == Plan(
        (*map(RemoveRight, reading(CITY, "all")), RemoveCredential(Credential(CITY)))
    )


def test_an_agency_that_left_reads_no_feed_though_its_subscription_stands() -> None:
    feeds = {CITY: ["all"]}
    before, after = (
        needs(feeds=feeds),
        needs(feeds=feeds, agencies=[AGENCIES[0]], grants=[GRANTS[0]]),
    )
    assert difference(after, held(before)) == Plan(
        (*map(RemoveRight, reading(CITY, "all")), RemoveCredential(Credential(CITY))),
        remarks=(LeftOver(f"feed.{CITY}.all"),),
    )


def test_the_partitions_of_shared_topics_never_change() -> None:
    want = needs(replace(LAYOUT, partitions=8))
    found = held(needs(), topics={**needs().topics, "share.clue": topic("share.clue", 8)})
    plan = difference(want, found)
    assert plan == Plan((), immovable={"share.petition": 1})
    assert plan.differs


def test_partitions_of_a_door_are_added_and_never_taken_away() -> None:
    want = needs(replace(LAYOUT, intake_partitions=2))
    name = f"intake.{PETITION}"
    assert difference(want, held(needs())) == Plan((AddPartitions(name, 1, 2),))
    more = replace(want.topics[name], partitions=5)
    assert difference(want, held(want, topics={**want.topics, name: more})) == Plan(())


def test_settings_with_a_wish_are_put_right_and_others_stay() -> None:
    want = needs()
    settings = {**COMMON, "retention.ms": "1000", "min.insync.replicas": "1", "flush.ms": "7"}
    changed = {**want.topics, "share.clue": Topic("share.clue", 1, 1, settings)}
    assert difference(want, held(want, topics=changed)) == Plan(
        (
            ChangeSettings(
                "share.clue",
                {"min.insync.replicas": "1", "retention.ms": "1000"},
                {"min.insync.replicas": "2", "retention.ms": "1209600000"},
            ),
        ),
        remarks=(Replicated("share.clue", 1, 3),),
    )


def test_a_user_who_cannot_log_in_as_wanted_is_given_a_password() -> None:
    want = needs()
    found = held(
        want, credentials=frozenset({Credential("guantong"), Credential(PETITION, "SCRAM-SHA-256")})
    )
    assert difference(want, found) == Plan((AddCredential(Credential(PETITION)),))


def test_rights_of_ours_that_nobody_wants_are_taken_away() -> None:
    want = needs()
    extra = frozenset(
        {
            Right("guantong", "ALTER", "BROKER", "kafka-cluster"),
            Right(PETITION, "WRITE", "TOPIC", f"intake.{PETITION}", host="192.0.2.7"),
        }
    )
    assert difference(want, held(want, rights=want.rights | extra)) == Plan(
        tuple(map(RemoveRight, sorted(extra)))
    )


def test_a_step_is_one_line_in_each_language() -> None:
    lines: dict[Step | Remark, tuple[str, str]] = {
        RemoveRight(Right(PETITION, "READ", "GROUP", f"{PETITION}:", "PREFIXED")): (
            "收回：510100.petition 对消费组 510100.petition:* 的 READ",
            "take away: READ on group 510100.petition:* for 510100.petition",
        ),
        AddRight(Right(PETITION, "READ", "BROKER", "kafka-cluster", host="192.0.2.7")): (
            "授予：510100.petition 对BROKER kafka-cluster 的 READ @192.0.2.7",
            "give: READ on broker kafka-cluster for 510100.petition @192.0.2.7",
        ),
        RemoveCredential(Credential(PETITION)): (
            "删除用户 510100.petition (SCRAM-SHA-512)",
            "remove the user 510100.petition (SCRAM-SHA-512)",
        ),
        AddCredential(Credential(PETITION)): (
            "建立用户 510100.petition (SCRAM-SHA-512)",
            "make the user 510100.petition (SCRAM-SHA-512)",
        ),
        DeleteTopic("intake.x"): (
            "删除主题 intake.x 及其内容",
            "delete the topic intake.x and what it holds",
        ),
        AddPartitions("intake.x", 1, 2): (
            "主题 intake.x 的分区 1 → 2",
            "partitions of intake.x: 1 → 2",
        ),
        LeftOver("intake.x"): (
            "主题 intake.x 的机构或订阅已不存在：确要删除请加 --delete-topics",
            "the agency or subscription of intake.x is no more: --delete-topics deletes it",
        ),
        Stranger(Right("bank", "READ", "TOPIC", "*")): (
            "非贯通所设，请核实：bank 对主题 * 的 READ",
            "not of the hub's making, see to it: READ on topic * for bank",
        ),
        Replicated("share.x", 1, 3): (
            "主题 share.x 的副本数为 1，应为 3：请用 kafka-reassign-partitions",
            "share.x has 1 replicas, wanted 3: use kafka-reassign-partitions",
        ),
    }
    assert {step: said(step) for step in lines} == lines
    # Their settings are not hashed.
    assert said(CreateTopic(Topic("share.x", 4, 3, {"retention.ms": "7"}))) == (
        "建立主题 share.x P=4 RF=3 retention.ms=7",
        "make the topic share.x P=4 RF=3 retention.ms=7",
    )
    assert said(ChangeSettings("share.x", {"a": "1"}, {"a": "2"})) == (
        "主题 share.x 的设置 a 1 → 2",
        "settings of share.x: a 1 → 2",
    )
