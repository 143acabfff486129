"""What Kafka is to hold for a hub, by policy and catalogue: topics, users, rights. Pure.

Ours are: the topics `share.<family>` of the catalogue's families, `intake.<agency id>`,
`rejected.<agency id>` and `feed.<agency id>.<subscription>`; the users whose name is an agency id,
and the hub's own; what these users are allowed. An agency id names one of the listed kinds. All
else is somebody else's.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from contracts.agency import AgencyId, AgencyIdError
from contracts.catalogue import Catalogue
from hub.policy.document import AgencyRecord, Grant, PolicyDocument, Round, end_of, start_of

MECHANISM: Final = "SCRAM-SHA-512"
SHARE: Final = "share."
INTAKE: Final = "intake."
REJECTED: Final = "rejected."
FEED: Final = "feed."
PREFIXES: Final = (SHARE, INTAKE, REJECTED, FEED)
# An agency's consumer groups begin with its id and this, which stands in no agency id: with a dot,
# those of 510100.petition would be 510100.petition.12345's as well.
GROUP_MARK: Final = ":"
HUB_GROUPS: Final = "guantong."

MEBIBYTE: Final = 1024 * 1024
DAY: Final = 24 * 3600 * 1000
# What Kafka adds to a record and its headers, generously.
OVERHEAD: Final = 64 * 1024
_HUB_USER: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_SUBSCRIPTION: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
# What the hub itself does with the four kinds of topics.
_OF_THE_HUB: Final = (
    (SHARE, "READ"),
    (SHARE, "WRITE"),
    (INTAKE, "READ"),
    (REJECTED, "WRITE"),
    (FEED, "WRITE"),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """What an installation decides for all of its topics.

    `partitions`: of every `share` topic alike, since events are spread over them by their key.
    `largest`: the largest event, bytes. `hub`: the user that the hub's own processes are.
    Raises ValueError for what no cluster can be.
    """

    largest: int
    partitions: int = 1
    intake_partitions: int = 1
    replication: int = 3
    min_isr: int = 2
    retention_days: int = 14
    feed_retention_days: int = 7
    hub: str = "guantong"

    def __post_init__(self) -> None:
        if self.min_isr > self.replication:
            raise ValueError(
                "--min-isr 不得大于 --replication / --min-isr is at most --replication"
            )
        if not _HUB_USER.fullmatch(self.hub):
            raise ValueError(
                "--hub-user 须为小写字母、数字、连字符，以字母开头"
                " / --hub-user is lower-case letters, digits and hyphens, a letter first"
            )


@dataclass(frozen=True, slots=True)
class Feed:
    """A subscription that the hub writes to a topic."""

    agency: str
    topic: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic; of its settings those that somebody has a wish for."""

    name: str
    partitions: int
    replication: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """An ALLOW entry of Kafka's access control; operation, resource and pattern in its words."""

    user: str
    operation: str
    resource: str
    name: str
    pattern: str = "LITERAL"
    host: str = "*"


@dataclass(frozen=True, slots=True, order=True)
class Credential:
    """What a user logs in with: a password under a SCRAM mechanism."""

    user: str
    mechanism: str = MECHANISM


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be there; `registered` are all agencies of the policy, `hub` the hub's user.

    `feeds`: the topics of all subscriptions of such agencies, whether or not they may read them.
    """

    topics: Mapping[str, Topic]
    credentials: frozenset[Credential]
    rights: frozenset[Right]
    registered: frozenset[str]
    feeds: frozenset[str]
    hub: str

    def owns_user(self, name: str) -> bool:
        """Whether a user is ours."""
        return name == self.hub or is_agency(name)

    def owns_topic(self, name: str) -> bool:
        """Whether a topic is ours."""
        return name in self.topics or agency_of(name) is not None


def wanted(
    document: PolicyDocument,
    catalogue: Catalogue,
    layout: Layout,
    *,
    feeds: Sequence[Feed],
    now: int,
) -> Wanted:
    """What a policy in force, the catalogue and the feeds want of Kafka at `now`, microseconds UTC.

    The feeds of whoever may receive nothing have no readers.
    """
    agencies, may_receive = publishers(document, now), frozenset(receivers(document, now))
    registered = frozenset(record.id for record in document.agencies)
    read = [feed for feed in feeds if feed.agency in may_receive]
    topics = [_shared(family, layout) for family in sorted({c.family for c in catalogue})]
    topics += [_of_agency(INTAKE, agency, layout) for agency in agencies]
    topics += [_of_agency(REJECTED, agency, layout) for agency in agencies]
    topics += [_of_feed(feed, layout) for feed in read]
    clients = {*agencies, *(feed.agency for feed in read)}
    rights = [
        *(right for agency in agencies for right in _rights_at_door(agency)),
        *(Right(feed.agency, "READ", "TOPIC", feed.topic) for feed in read),
        *(Right(each, "READ", "GROUP", f"{each}{GROUP_MARK}", "PREFIXED") for each in clients),
        *_rights_of_hub(layout.hub),
    ]
    return Wanted(
        topics={topic.name: topic for topic in topics},
        credentials=frozenset(map(Credential, (*clients, layout.hub))),
        rights=frozenset(rights),
        registered=registered,
        feeds=frozenset(feed.topic for feed in feeds if feed.agency in registered),
        hub=layout.hub,
    )


def publishers(document: PolicyDocument, now: int) -> tuple[str, ...]:
    """The agencies that may publish something at `now` or later, sorted."""
    return _who_may("publish", document, now)


def receivers(document: PolicyDocument, now: int) -> tuple[str, ...]:
    """The agencies that may receive something at `now` or later, sorted."""
    return _who_may("receive", document, now)


def _who_may(
    may: Literal["publish", "receive"], document: PolicyDocument, now: int
) -> tuple[str, ...]:
    rounds = {round_.id: round_ for round_ in document.rounds}
    granted: dict[str, list[Grant]] = {}
    for grant in document.grants:
        if grant.may == may:
            granted.setdefault(grant.agency or f"kind {grant.kind}", []).append(grant)
    return tuple(
        sorted(
            record.id
            for record in document.agencies
            if any(
                _overlap(now, record, grant, *(rounds[id_] for id_ in (grant.round,) if id_))
                for subject in _subjects(record)
                for grant in granted.get(subject, ())
            )
        )
    )


def is_agency(name: str) -> bool:
    """Whether a name is spelt as an agency id."""
    try:
        AgencyId.parse(name)
    except AgencyIdError:
        return False
    return True


def agency_of(topic: str) -> str | None:
    """The agency whose door, refusals or feed a topic holds; None for any other topic."""
    for prefix in (INTAKE, REJECTED, FEED):
        if topic.startswith(prefix):
            agency = topic.removeprefix(prefix)
            if prefix == FEED:
                agency, _, id_ = agency.rpartition(".")
                if not _SUBSCRIPTION.fullmatch(id_):
                    return None
            return agency if is_agency(agency) else None
    return None


def _subjects(record: AgencyRecord) -> Iterator[str]:
    """Whom a grant may name to mean the agency."""
    yield record.id
    for kind in {AgencyId.parse(record.id).kind, *record.acts_as}:
        yield f"kind {kind}"


def _overlap(now: int, *parts: AgencyRecord | Grant | Round) -> bool:
    """Whether there is a moment, `now` or later, at which all of them are in force."""
    starts = [start for part in parts if (start := start_of(part.valid_from)) is not None]
    ends = [end for part in parts if (end := end_of(part.valid_until)) is not None]
    return not ends or max([now, *starts]) < min(ends)


def _shared(family: str, layout: Layout) -> Topic:
    return _topic(f"{SHARE}{family}", layout.partitions, layout, compression="producer")


def _of_agency(prefix: str, agency: str, layout: Layout) -> Topic:
    if prefix == REJECTED:
        return _topic(f"{prefix}{agency}", 1, layout, compression="producer")
    # The brokers unpack what an agency's client has packed, and refuse what is too large then: else
    # a megabyte could become a thousand of them in the hub. Nor needs it a library for each kind.
    return _topic(f"{prefix}{agency}", layout.intake_partitions, layout, compression="uncompressed")


def _of_feed(feed: Feed, layout: Layout) -> Topic:
    """One partition: what an agency reads stands in the order of its feed."""
    topic = _topic(feed.topic, 1, layout, compression="producer")
    kept = {"retention.ms": str(layout.feed_retention_days * DAY)}
    return replace(topic, settings={**topic.settings, **kept})


def _topic(name: str, partitions: int, layout: Layout, *, compression: str) -> Topic:
    settings = {
        "cleanup.policy": "delete",
        "compression.type": compression,
        # Clients send batches of a megabyte unless told otherwise; one event always fits.
        "max.message.bytes": str(max(MEBIBYTE, layout.largest + OVERHEAD)),
        # A time that the sender makes up would keep a record for ever, or end it at once.
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(layout.min_isr),
        "retention.ms": str(layout.retention_days * DAY),
        # Only whole segments expire: without this a quiet topic keeps its events a week longer.
        "segment.ms": str(DAY),
        # What the brokers have acknowledged is not given up for a leader sooner.
        "unclean.leader.election.enable": "false",
    }
    return Topic(name, partitions, layout.replication, settings)


def _rights_at_door(agency: str) -> Iterable[Right]:
    """READ and WRITE bring DESCRIBE along; who may write may do so idempotently."""
    return (
        Right(agency, "WRITE", "TOPIC", f"{INTAKE}{agency}"),
        Right(agency, "READ", "TOPIC", f"{REJECTED}{agency}"),
    )


def _rights_of_hub(user: str) -> Iterator[Right]:
    for prefix, operation in _OF_THE_HUB:
        yield Right(user, operation, "TOPIC", prefix, "PREFIXED")
    yield Right(user, "READ", "GROUP", HUB_GROUPS, "PREFIXED")
