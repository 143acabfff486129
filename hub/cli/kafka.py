"""`guantong kafka`: the topics, users and rights of a cluster follow the policy in force."""

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import App, Parameter
from cyclopts.validators import Number

from contracts.catalogue import load_catalogue
from hub.app.ground import microseconds_now
from hub.cli.connection import Where, connected
from hub.cli.needs import NeedsBrokers, NeedsYes
from hub.cli.output import AsJson, complain, say, show_json
from hub.cli.rehearsal import FOUND, in_force
from hub.errors import KafkaMissing, KafkaPartitions
from hub.policy.document import PolicyDocument, parse
from hub.settings import Settings
from hub.upkeep.passwords import Passwords
from hub.upkeep.provision import AddCredential, Plan, Remark, Step, said
from hub.upkeep.topics import Feed, Layout, Wanted, is_agency, wanted

if TYPE_CHECKING:
    from hub.upkeep.kafka import Cluster

kafka = App(name="kafka")

MOST_PARTITIONS: Final = 1000
MOST_REPLICAS: Final = 15
LONGEST_RETENTION: Final = 365

Partitions = Annotated[int, Parameter(validator=Number(gte=1, lte=MOST_PARTITIONS))]
Replicas = Annotated[int, Parameter(validator=Number(gte=1, lte=MOST_REPLICAS))]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Options:
    """Which cluster, and what is decided for it."""

    bootstrap: Annotated[
        str | None,
        Parameter(help="Kafka 地址 主机:端口,…，缺省为 GUANTONG_KAFKA / its addresses HOST:PORT,…"),
    ] = None
    user: Annotated[
        str | None,
        Parameter(
            help="执行者的 Kafka 用户，缺省为 GUANTONG_KAFKA_USER / as which Kafka user to do this"
        ),
    ] = None
    password_file: Annotated[
        Path | None,
        Parameter(
            help="其口令文件，缺省用 GUANTONG_KAFKA_PASSWORD / the file of that user's password"
        ),
    ] = None
    ca: Annotated[
        Path | None,
        Parameter(
            help="CA 证书，给出即用 TLS，缺省为 GUANTONG_KAFKA_CA / CA certificates: use TLS"
        ),
    ] = None
    partitions: Annotated[
        Partitions | None,
        Parameter(
            help="share 主题的分区数，缺省为 GUANTONG_KAFKA_PARTITIONS / of every share topic"
        ),
    ] = None
    intake_partitions: Annotated[
        Partitions,
        Parameter(help="每个 intake 主题至少的分区数 / of every intake topic, at least"),
    ] = 1
    replication: Annotated[
        Replicas, Parameter(help="新建主题的副本数 / replicas of new topics")
    ] = 3
    min_isr: Annotated[
        Replicas, Parameter(help="写入须到达的副本数 / replicas that a write must reach")
    ] = 2
    retention_days: Annotated[
        int,
        Parameter(
            help="主题保留的天数 / days that topics keep records",
            validator=Number(gte=1, lte=LONGEST_RETENTION),
        ),
    ] = 14
    feed_retention_days: Annotated[
        int,
        Parameter(
            help="feed 主题保留的天数 / days that the topics of feeds keep records",
            validator=Number(gte=1, lte=LONGEST_RETENTION),
        ),
    ] = 7
    hub_user: Annotated[str, Parameter(help="贯通自己的用户 / the user that the hub is")] = (
        "guantong"
    )
    delete_topics: Annotated[
        bool,
        Parameter(
            negative=(),
            help="删除已没有的机构或订阅的主题 / delete topics of agencies, feeds that are no more",
        ),
    ] = False


@kafka.command
def plan(*, options: Options = Options(), as_json: AsJson = False, where: Where = Where()) -> int:
    """显示 Kafka 与现行策略的差别，不作改动。/ Show how Kafka differs from the policy in force.

    退出码 0 表示无差别，2 表示有差别，1 表示无法比较。/ Exits with 0 for no difference, 2 for some,
    1 when it could not tell.
    """
    work = _Work.of(options, where)
    found = work.plan()
    _show(found, as_json=as_json)
    return FOUND if found.differs else 0


@kafka.command
def apply(
    *,
    secrets: Annotated[
        Path,
        Parameter(
            help="新用户口令文件的目录，一直用同一个 / where passwords are kept: always there"
        ),
    ],
    yes: Annotated[bool, Parameter(negative=(), help="不再询问 / do not ask")] = False,
    options: Options = Options(),
    as_json: AsJson = False,
    where: Where = Where(),
) -> int:
    """使 Kafka 与现行策略一致；先收回，后授予。/ Make Kafka as the policy in force has it.

    可重复执行；中断后再执行即继续。须在策略变更后执行。/ May be repeated, goes on after an
    interruption, and is due after every change of the policy.
    """
    work = _Work.of(options, where)
    found = work.plan()
    _show(found, as_json=as_json)
    if found.immovable:
        raise KafkaPartitions(_way_to_move(found.immovable))
    if not found.steps:
        return 0
    if not (yes or _agreed()):
        complain("未作改动 / nothing was done")
        return 1
    work.cluster.carry_out(
        found.steps,
        Passwords(secrets, token_urlsafe),
        settled=lambda: not work.plan().differs,
        sleep=time.sleep,
    )
    if not as_json:
        say("已完成 / done")
        if any(isinstance(step, AddCredential) for step in found.steps):
            say(f"新口令在 {secrets} / new passwords are in {secrets}")
    return 0


@dataclass(frozen=True, slots=True)
class _Work:
    """A cluster, and what is wanted of it."""

    cluster: "Cluster"
    wanted: Wanted
    delete_topics: bool

    @classmethod
    def of(cls, options: Options, where: Where) -> "_Work":
        settings = Settings()
        layout = Layout(
            largest=settings.max_event,
            partitions=options.partitions or settings.kafka_partitions,
            intake_partitions=options.intake_partitions,
            replication=options.replication,
            min_isr=options.min_isr,
            retention_days=options.retention_days,
            feed_retention_days=options.feed_retention_days,
            hub=options.hub_user,
        )
        cluster = _cluster(options, settings)
        document = _parsed(in_force(where))
        needs = wanted(
            document, load_catalogue(), layout, feeds=_feeds(where), now=microseconds_now()
        )
        return cls(cluster, needs, options.delete_topics)

    def plan(self) -> Plan:
        return self.cluster.plan(self.wanted, delete_topics=self.delete_topics)


def _feeds(where: Where) -> list[Feed]:
    with connected(where) as client:
        return [Feed(told["agency"], told["topic"]) for told in client.feeds()]


def _cluster(options: Options, settings: Settings) -> "Cluster":
    """Raises KafkaMissing without the library, NeedsBrokers without an address."""
    # A hub without Kafka needs no library for it.
    try:
        from hub.upkeep.kafka import Access, Cluster
    except ModuleNotFoundError as error:
        raise KafkaMissing from error
    bootstrap = options.bootstrap or settings.kafka
    if bootstrap is None:
        raise NeedsBrokers
    user = options.user or settings.kafka_user
    if user is not None and (user == options.hub_user or is_agency(user)):
        raise ValueError(
            f"{user}：执行者须是另一个用户，否则会收回自己的权限"
            " / do this as a user of another name: this one would take its own rights away"
        )
    return Cluster(
        Access(bootstrap, user, _password(options, settings), options.ca or settings.kafka_ca)
    )


def _password(options: Options, settings: Settings) -> str | None:
    if options.password_file is not None:
        return options.password_file.read_text(encoding="utf-8").strip()
    held = settings.kafka_password
    return None if held is None else held.get_secret_value()


def _parsed(document: Mapping[str, Any]) -> PolicyDocument:
    parsed = parse(json.dumps(document).encode())
    if not isinstance(parsed, PolicyDocument):
        raise ValueError(
            "贯通的策略无法读取，请用与它同版本的命令"
            " / the hub's policy cannot be read: use this command in the hub's version"
        )
    return parsed


def _show(found: Plan, *, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "steps": [_as_json(step) for step in found.steps],
                "remarks": [_as_json(remark) for remark in found.remarks],
                "immovable": found.immovable,
            }
        )
        return
    for line in (*found.steps, *found.remarks):
        say(" / ".join(said(line)))
    if found.immovable:
        say(_way_to_move(found.immovable))
    say(f"{len(found.steps)} 项须改 / to be done")


def _as_json(line: Step | Remark) -> dict[str, Any]:
    zh, en = said(line)
    return {"does": type(line).__name__, **asdict(line), "says": zh, "says_en": en}


def _way_to_move(found: Mapping[str, int]) -> str:
    counted = sorted(Counter(found.values()).items())
    held = ", ".join(f"{number} (×{topics})" for number, topics in counted)
    return (
        f"现有分区数 {held}：照旧请用 --partitions 或 GUANTONG_KAFKA_PARTITIONS，"
        "确要更改见 deploy/kafka.md「更改分区数」"
        f" / there are {held}: keep them with --partitions or GUANTONG_KAFKA_PARTITIONS, or move as"
        " deploy/kafka.md tells"
    )


def _agreed() -> bool:
    """Whether a person at the terminal says yes. Raises NeedsYes where there is none."""
    if not sys.stdin.isatty():
        raise NeedsYes
    sys.stderr.write("执行以上各项？/ do all this? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
