"""`guantong kafka plan` and `apply` on a real cluster with access control."""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from contracts.catalogue import load_catalogue
from deploy.local.kafka import ADMIN, KafkaCluster, running
from tests.cluster import until
from tests.commands import guantong
from tests.e2e.office import HOTLINE, SHA_512, Office, consumed, done_with, every_right_of, produced
from tests.running import PATIENCE, RunningHub
from tests.sample import AUDIT, PETITION

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def office(hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """With a cluster of these tests' own."""
    folder = tmp_path_factory.mktemp("office")
    with running(folder / "kafka", secured=True) as brokers:
        yield Office(hub, brokers, folder)


def rights_of(agency_id: str) -> set[tuple[str, ...]]:
    """What an agency that publishes may do at Kafka."""
    who = (f"User:{agency_id}", "ALLOW")
    return {
        (*who, "WRITE", "TOPIC", f"intake.{agency_id}", "LITERAL"),
        (*who, "READ", "TOPIC", f"rejected.{agency_id}", "LITERAL"),
        (*who, "READ", "GROUP", f"{agency_id}:", "PREFIXED"),
    }


RIGHTS_OF_THE_HUB = {
    ("User:guantong", "ALLOW", operation, resource, name, "PREFIXED")
    for operation, resource, name in (
        ("READ", "TOPIC", "share."),
        ("WRITE", "TOPIC", "share."),
        ("READ", "TOPIC", "intake."),
        ("WRITE", "TOPIC", "rejected."),
        ("WRITE", "TOPIC", "feed."),
        ("READ", "GROUP", "guantong."),
    )
}
SHARED = {f"share.{contract.family}" for contract in load_catalogue()}


def doors_of(*agencies: str) -> set[str]:
    """The topics of agencies."""
    return {f"{kind}.{id_}" for kind in ("intake", "rejected") for id_ in agencies}


def test_kafka_holds_what_the_policy_wants_and_a_second_apply_does_nothing(office: Office) -> None:
    office.provides()
    office.admits(PETITION, AUDIT)
    planned = office.plan("--json")
    assert (planned.status, planned.complained) == (2, "")
    assert [step["does"] for step in planned.document["steps"]] == [
        *["CreateTopic"] * 4,
        *["AddCredential"] * 2,
        *["AddRight"] * 6,
    ]
    done = office.apply("--yes")
    assert (done.status, done.complained) == (0, "")
    assert office.topics() == SHARED | doors_of(PETITION, AUDIT)
    assert office.rights() == RIGHTS_OF_THE_HUB | rights_of(PETITION) | rights_of(AUDIT)
    assert office.users() == {ADMIN, "guantong", PETITION, AUDIT}
    described = office.admin.list_topics(timeout=PATIENCE).topics
    assert {len(described[name].partitions) for name in SHARED} == {1}
    again = [office.plan("--json"), office.apply("--yes", "--json")]
    assert [(each.status, each.document) for each in again] == [
        (0, {"steps": [], "remarks": [], "immovable": {}})
    ] * 2


def test_passwords_are_in_files_of_their_own_and_are_not_told(office: Office) -> None:
    office.provides()
    office.admits(PETITION)
    done = office.apply("--yes")
    files = {path.name: path for path in office.secrets.iterdir()}
    assert set(files) == {f"{PETITION}.password", "guantong.password"}
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    for path in files.values():
        assert path.read_text().strip() not in done.said
    assert done.said.splitlines()[-3:] == [
        "6 项须改 / to be done",
        "已完成 / done",
        f"新口令在 {office.secrets} / new passwords are in {office.secrets}",
    ]


def test_an_agency_reaches_its_own_door_and_its_own_refusals_and_nothing_else(
    office: Office,
) -> None:
    office.provides()
    office.provides(PETITION, HOTLINE)
    desk = office.login(PETITION)
    # As its client does of itself, and as one that must not double anything.
    for more in ({}, {"enable.idempotence": True}):
        producer = Producer({**desk, **more})
        assert produced(producer, f"intake.{PETITION}") == "OK"
    with pytest.raises(KafkaException, match="TRANSACTIONAL_ID_AUTHORIZATION_FAILED"):
        Producer({**desk, "transactional.id": PETITION}).init_transactions(PATIENCE)
    elsewhere = (f"intake.{HOTLINE}", f"rejected.{PETITION}", "share.petition")
    assert [produced(producer, name) for name in elsewhere] == ["TOPIC_AUTHORIZATION_FAILED"] * 3
    hub = Producer(office.login("guantong"))
    for name in (f"rejected.{PETITION}", f"rejected.{HOTLINE}", "share.petition"):
        assert produced(hub, name, name.encode()) == "OK"
    own = f"rejected.{PETITION}"
    assert consumed(desk, own, f"{PETITION}:refusals") == own.encode()
    for name in (f"rejected.{HOTLINE}", f"intake.{PETITION}", "share.petition"):
        assert consumed(desk, name, f"{PETITION}:other") == "TOPIC_AUTHORIZATION_FAILED"
    for group in (f"{HOTLINE}:refusals", f"{PETITION}.refusals", "guantong.doors"):
        assert consumed(desk, own, group) == "GROUP_AUTHORIZATION_FAILED"


def test_the_hub_reads_every_door_and_writes_every_refusal(office: Office) -> None:
    office.provides()
    office.provides(PETITION)
    door = f"intake.{PETITION}"
    assert produced(Producer(office.login(PETITION)), door, b"for the hub") == "OK"
    login = office.login("guantong")
    assert consumed(login, door, "guantong.test-of-the-hub") == b"for the hub"
    hub = Producer({**login, "enable.idempotence": True})
    assert produced(hub, f"rejected.{PETITION}") == "OK"
    assert produced(hub, door) == "TOPIC_AUTHORIZATION_FAILED"


def test_whoever_left_the_policy_is_refused_at_once_though_connected(office: Office) -> None:
    office.provides(PETITION, AUDIT)
    login = office.login(AUDIT)
    producer = Producer(login)
    assert produced(producer, f"intake.{AUDIT}") == "OK"
    office.admits(PETITION)
    done = office.apply("--yes")
    assert (done.status, done.complained) == (0, "")
    assert [line.partition("：")[0] for line in done.said.splitlines()[:3]] == ["收回"] * 3
    assert produced(producer, f"intake.{AUDIT}") == "TOPIC_AUTHORIZATION_FAILED"
    assert office.users() == {ADMIN, "guantong", PETITION}
    assert not (office.secrets / f"{AUDIT}.password").exists()
    # What it has written is kept until somebody says otherwise.
    left = {f"intake.{AUDIT}", f"rejected.{AUDIT}"}
    assert office.topics() == SHARED | doors_of(PETITION, AUDIT)
    told = office.plan("--json")
    assert (told.status, told.document["steps"]) == (0, [])
    assert {remark["topic"] for remark in told.document["remarks"]} == left
    assert office.apply("--yes", "--delete-topics").status == 0
    assert office.topics() == SHARED | doors_of(PETITION)


def test_another_number_of_partitions_is_refused_before_anything_is_done(office: Office) -> None:
    office.provides(PETITION, AUDIT)
    office.admits(PETITION)
    # As the hub itself would be told.
    told = guantong(
        *("kafka", "plan", "--data", office.hub.directory, "--replication=1", "--min-isr=1"),
        environment={**office.environment, "GUANTONG_KAFKA_PARTITIONS": "8"},
    )
    assert told.status == 2
    held = f"1 (×{len(SHARED)})"
    way_on = (
        f"现有分区数 {held}：照旧请用 --partitions 或 GUANTONG_KAFKA_PARTITIONS，"
        "确要更改见 deploy/kafka.md「更改分区数」"
        f" / there are {held}: keep them with --partitions or GUANTONG_KAFKA_PARTITIONS, or move as"
        " deploy/kafka.md tells"
    )
    assert way_on in told.said.splitlines()
    before = (office.topics(), office.rights(), office.users())
    done = office.apply("--yes", partitions=8)
    assert done.status == 1
    assert done.complained.startswith("share 主题的分区数不得这样更改，未作任何改动")
    assert done.complained.endswith(f"{way_on}\n")
    assert (office.topics(), office.rights(), office.users()) == before
    assert rights_of(AUDIT) < before[1]


@pytest.fixture
def strangers(office: Office) -> Iterator[set[tuple[str, ...]]]:
    """What others have at the cluster: topics, a user, rights; the rights, as they are shown."""
    office.provides(PETITION)
    admin, earlier = office.admin, office.rights()
    topics = [NewTopic("intake.orders", 3, 1), NewTopic("orders", 1, 1)]
    rights = [
        ("orders", "User:bank", AclPermissionType.ALLOW),
        # Somebody has stopped an agency: no plan lets it go on.
        (f"intake.{PETITION}", f"User:{PETITION}", AclPermissionType.DENY),
    ]
    place = (ResourceType.TOPIC, ResourcePatternType.LITERAL, "192.0.2.7", AclOperation.ALL)
    entries = [(*place[:1], n, place[1], who, *place[2:], how) for n, who, how in rights]
    info = ScramCredentialInfo(SHA_512, 4096)
    bank = UserScramCredentialUpsertion("bank", info, b"of-the-bank")
    done_with(admin.create_topics(topics))
    done_with(admin.create_acls([AclBinding(*entry) for entry in entries]))
    done_with(admin.alter_user_scram_credentials([bank]))
    until(lambda: len(office.rights() - earlier) == len(rights))
    yield office.rights() - earlier
    done_with(admin.delete_topics([topic.topic for topic in topics]))
    done_with(admin.delete_acls([AclBindingFilter(*entry) for entry in entries]))
    done_with(admin.alter_user_scram_credentials([UserScramCredentialDeletion("bank", SHA_512)]))


def test_what_is_not_ours_is_not_touched(office: Office, strangers: set[tuple[str, ...]]) -> None:
    office.provides()
    assert office.topics() == SHARED | {"intake.orders", "orders"}
    assert office.rights() == RIGHTS_OF_THE_HUB | strangers
    assert {right[:2] for right in strangers} == {
        ("User:bank", "ALLOW"),
        (f"User:{PETITION}", "DENY"),
    }
    assert office.users() == {ADMIN, "guantong", "bank"}


def test_settings_are_put_right_and_those_without_a_wish_stay(office: Office) -> None:
    office.provides()
    wanted = office.settings("share.clue")
    changed = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in (("retention.ms", "1000"), ("segment.bytes", "1048576"))
    ]
    resource = ConfigResource(ResourceType.TOPIC, "share.clue", incremental_configs=changed)
    done_with(office.admin.incremental_alter_configs([resource]))
    until(lambda: office.settings("share.clue")["retention.ms"] == "1000")
    done = office.apply("--yes")
    line = "retention.ms 1000 → 1209600000"
    assert done.said.splitlines()[0] == (
        f"主题 share.clue 的设置 {line} / settings of share.clue: {line}"
    )
    assert office.settings("share.clue") == {**wanted, "segment.bytes": "1048576"}


def test_an_apply_that_was_interrupted_goes_on_from_where_it_was(office: Office) -> None:
    office.provides()
    offices = [f"{PETITION}.unit-{n}" for n in range(1, 4)]
    office.admits(*offices)
    obstacle = office.secrets / f"{offices[1]}.password"
    obstacle.mkdir()
    stopped = office.apply("--yes")
    assert stopped.status == 1
    assert str(obstacle) in stopped.complained
    # A file is there before its user is.
    drawn = (office.secrets / f"{offices[0]}.password").read_text()
    assert office.topics() == SHARED | doors_of(*offices)
    obstacle.rmdir()
    planned = office.plan("--json").document["steps"]
    assert [step["credential"]["user"] for step in planned if step["does"] == "AddCredential"] in (
        offices,
        offices[1:],
    )
    done = office.apply("--yes")
    assert (done.status, done.complained, office.plan().status) == (0, "", 0)
    assert (office.secrets / f"{offices[0]}.password").read_text() == drawn
    for one in offices:
        assert produced(Producer(office.login(one)), f"intake.{one}") == "OK"


def test_it_asks_at_a_terminal_and_nowhere_else(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.provides()
    office.admits(PETITION)
    refused = office.apply()
    assert refused.status == 1
    assert refused.complained.startswith("没有终端可以询问，未作改动：确要执行请加 --yes")
    ours, theirs = os.openpty()
    with open(theirs) as terminal, open(ours, "wb", buffering=0) as keyboard:
        monkeypatch.setattr(sys, "stdin", terminal)
        question = "执行以上各项？/ do all this? [y/N] "
        keyboard.write(b"n\n")
        declined = office.apply()
        assert (declined.status, declined.complained) == (
            1,
            f"{question}未作改动 / nothing was done\n",
        )
        assert office.users() == {ADMIN, "guantong"}
        keyboard.write(b"y\n")
        agreed = office.apply()
        assert (agreed.status, agreed.complained) == (0, question)
    assert office.users() == {ADMIN, "guantong", PETITION}


@pytest.mark.parametrize(
    ("environment", "words", "told"),
    [
        ({"GUANTONG_KAFKA_PASSWORD": "wrong"}, [], "用户名或口令不对 / wrong user or password"),
        ({"GUANTONG_KAFKA": "127.0.0.1:1"}, [], "Connection refused"),
        ({"GUANTONG_KAFKA_USER": "guantong"}, [], "执行者须是另一个用户"),
        ({"GUANTONG_KAFKA_USER": PETITION}, [], "执行者须是另一个用户"),
        ({}, ["--replication=1"], "--min-isr is at most --replication"),
        ({}, ["--hub-user", PETITION], "--hub-user is lower-case letters"),
        ({}, ["--password-file", "/nowhere"], "/nowhere"),
        ({}, ["--ca", "/nowhere"], "ssl.ca.location"),
    ],
)
def test_what_cannot_be_done_is_said(
    office: Office, environment: Mapping[str, str], words: Sequence[str], told: str
) -> None:
    where = {**office.environment, **environment}
    done = guantong("kafka", "plan", "--data", office.hub.directory, *words, environment=where)
    assert (done.status, done.said) == (1, "")
    assert told in done.complained


def test_what_kafka_does_not_accept_is_said_with_the_step_that_it_was(office: Office) -> None:
    office.provides()
    office.admits(PETITION)
    done = office.apply("--yes", replication=3)
    assert done.status == 1
    assert done.complained.startswith(
        "Kafka 没有接受 / Kafka did not accept what it was asked"
        f" 建立主题 intake.{PETITION} P=1 RF=3 "
    )
    assert "INVALID_REPLICATION_FACTOR" in done.complained


def test_which_kafka_must_be_said(office: Office) -> None:
    done = guantong("kafka", "plan", "--data", office.hub.directory)
    assert (done.status, done.said) == (1, "")
    assert done.complained.startswith("须指明 Kafka 的地址：--bootstrap 或 GUANTONG_KAFKA")


@pytest.fixture
def provisioner(office: Office) -> Iterator[Mapping[str, str]]:
    """The environment of an account that may do nothing yet."""
    office.provides(AUDIT)
    info = ScramCredentialInfo(SHA_512, 4096)
    made = UserScramCredentialUpsertion("provisioner", info, b"of-its-own")
    done_with(office.admin.alter_user_scram_credentials([made]))
    yield {"GUANTONG_KAFKA_USER": "provisioner", "GUANTONG_KAFKA_PASSWORD": "of-its-own"}
    removed = UserScramCredentialDeletion("provisioner", SHA_512)
    done_with(office.admin.alter_user_scram_credentials([removed]))
    done_with(office.admin.delete_acls([every_right_of("User:provisioner")]))


def rights_on_the_page() -> Iterator[AclBinding]:
    """What the page about Kafka has the applying account be given."""
    page = (ROOT / "deploy" / "kafka.md").read_text(encoding="utf-8")
    for line in re.findall(r"^kafka-acls .* --add --allow-principal (.*)$", page, re.MULTILINE):
        principal, *words = line.split()
        operations = [word for before, word in pairwise(words) if before == "--operation"]
        topics = [word for before, word in pairwise(words) if before == "--topic"]
        places = [(ResourceType.TOPIC, name, ResourcePatternType.PREFIXED) for name in topics]
        if "--cluster" in words:
            places = [(ResourceType.BROKER, "kafka-cluster", ResourcePatternType.LITERAL)]
        for (kind, name, pattern), operation in product(places, operations):
            shouted = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).upper()
            may = (AclOperation[shouted], AclPermissionType.ALLOW)
            yield AclBinding(kind, name, pattern, principal, "*", *may)


def test_the_account_that_applies_needs_the_rights_that_are_written_down(
    office: Office, provisioner: Mapping[str, str]
) -> None:
    refused = office.plan(environment=provisioner)
    assert (refused.status, refused.said) == (1, "")
    assert refused.complained == (
        "Kafka 不允许此账户这样做 / Kafka does not let this account do that"
        " Cluster: ALTER, DESCRIBE, DESCRIBE_CONFIGS\n"
    )
    rights = list(rights_on_the_page())
    assert len(rights) == 4 + 4 * 5
    done_with(office.admin.create_acls(rights))
    until(lambda: office.plan(environment=provisioner).status == 0)
    # One that goes with its topics, one that comes, one with more partitions and less time.
    office.admits(PETITION)
    before = office.settings("share.clue")
    done = office.apply("--yes", "--delete-topics", environment=provisioner, retention_days=7)
    assert (done.status, done.complained) == (0, "")
    assert office.topics() == SHARED | doors_of(PETITION)
    assert office.settings("share.clue") == {**before, "retention.ms": "604800000"}
    done = office.apply("--yes", environment=provisioner, retention_days=7, intake_partitions=3)
    assert (done.status, done.complained) == (0, "")
    described = office.admin.list_topics(timeout=PATIENCE).topics
    assert len(described[f"intake.{PETITION}"].partitions) == 3


def test_a_cluster_without_access_control_is_refused(office: Office, kafka: KafkaCluster) -> None:
    plain = {"GUANTONG_KAFKA": kafka.bootstrap}
    done = guantong("kafka", "plan", "--data", office.hub.directory, environment=plain)
    assert (done.status, done.said) == (1, "")
    assert "set authorizer.class.name" in done.complained


def test_without_the_library_it_is_said_what_to_install(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    monkeypatch.delitem(sys.modules, "hub.upkeep.kafka", raising=False)
    done = office.plan()
    assert (done.status, done.said) == (1, "")
    assert done.complained.startswith("未安装 Kafka 组件，请执行 pip install 'guantong[kafka]'")
