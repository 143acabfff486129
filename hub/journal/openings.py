"""Openings and replies: whom a reply answers, and who therefore may see it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from contracts.contract import Contract
from contracts.faults import Fault
from hub.database.connection import Connection
from hub.event import Event, Record, slot_of
from hub.journal import sql
from hub.policy.agencies import Agency
from hub.policy.entitle import Allowed, entitle
from hub.policy.policy import Policy

OPENING_UNKNOWN: Final = Fault(
    "opening_unknown",
    "/causationid",
    "找不到所答复的事件，或本机构未曾收到该事件；causationid 应为其回执号（hubreceipt）",
    "no such opening was delivered here; causationid is its receipt id (hubreceipt)",
)
CASE_DIFFERS: Final = Fault(
    "case_differs",
    "/data",
    "答复的案件编号与所答复的事件不一致",
    "the reply names another case than its opening",
)
CORRELATION_DIFFERS: Final = Fault(
    "correlation_differs",
    "/correlationid",
    "correlationid 应与所答复的事件一致",
    "correlationid must equal the opening's",
)
ABOUT_DIFFERS: Final = Fault(
    "about_differs",
    "/data/about",
    "答复所指的事件与所答复的事件不一致：照填其 about 的 source 和 id",
    "the reply is about another event than its opening: give the source and id of its `about`",
)
SUBJECT_UNKNOWN: Final = Fault(
    "subject_unknown",
    "/data/about",
    "找不到所指的事件，或本机构既未发布也无权收到该事件；按其 source 和 id 填写",
    "no such event was published by, or may be read by, this agency: give its source and id",
)
NOT_AMONG_READERS: Final = Fault(
    "not_among_readers",
    "/to",
    "须写明收件机构 to：发布机构写给有权收到所指事件的机构，"
    "收到它的机构写给发布机构和其写明的收件机构",
    "say in `to` whom it is for: a publisher writes to its event's readers, a reader to the"
    " publisher and to whom it addressed",
)
TOO_FAR_BACK: Final = Fault(
    "too_far_back",
    "/data/about",
    "所指的事件本身已牵涉过多案件；请直接指明最初的事件",
    "the event that it is about goes back over too many cases: name the one it began with",
)
# Exchanges about exchanges: what each takes over would grow from one to the next without end.
MOST_ORIGINS: Final = 20
Find = Callable[[bytes], Record | None]


@dataclass(frozen=True, slots=True)
class Answered:
    """What an event takes over from the one that it answers or is about.

    `audience`: the opening's publisher and its `cc`, as addresses. `parties`: its marks, so that a
    reply that speaks of the accused by number alone does not reach them either. `origins`: the
    other cases that it then comes from, so that it reaches nobody who withdraws from one of them.
    """

    audience: str
    parties: bytes
    origins: str


def record_of(connection: Connection, receipt: bytes) -> Record | None:
    """The journal row of a receipt (16 bytes)."""
    slot = slot_of(receipt)
    while (position := sql.claimed_by(connection, slot)) is not None:
        record = sql.record(connection, position)
        if record.receipt == receipt:
            return record
        slot += 1
    return None


def answer(
    find: Find, reply: Event, *, contract: Contract, policy: Policy, now: int
) -> Answered | tuple[Fault, ...]:
    """Check a reply against the opening it names; `find` gives the event of a receipt.

    An opening that the replier may not see is unknown to it, in the same words.
    """
    opening = find(bytes.fromhex(reply.opening)) if reply.opening else None
    replier = policy.agency(reply.publisher)
    if opening is None or replier is None or opening.type not in contract.answers:
        return (OPENING_UNKNOWN,)
    if not isinstance(entitle(replier, opening, policy=policy, now=now), Allowed):
        return (OPENING_UNKNOWN,)
    differing: list[Fault] = []
    # A reply may be of another family, whose keys begin otherwise: the case is what they share.
    if opening.key.partition(":")[2] != reply.key.partition(":")[2]:
        differing.append(CASE_DIFFERS)
    if opening.correlation != reply.correlation:
        differing.append(CORRELATION_DIFFERS)
    # Of an opening that was registered before the journal kept it, nothing is known to compare.
    if opening.about and opening.about != reply.about:
        differing.append(ABOUT_DIFFERS)
    return tuple(differing) or Answered(
        f"{opening.publisher} {opening.cc}".strip(), opening.parties, _origins(reply, opening)
    )


def concern(find: Find, event: Event, *, policy: Policy, now: int) -> Answered | tuple[Fault, ...]:
    """Check an event against the one it is about: it passes between those who have that one.

    Its publisher writes to readers, as the policy has them now; a reader to the publisher and to
    whom it named, for who else may read it is not a reader's to know. About an event that the
    sender may not see, it is told the same as about none.
    """
    subject = find(event.about)
    sender = policy.agency(event.publisher)
    if subject is None or sender is None:
        return (SUBJECT_UNKNOWN,)

    def reads(agency: Agency | None) -> bool:
        return agency is not None and isinstance(
            entitle(agency, subject, policy=policy, now=now), Allowed
        )

    def standing(*addresses: str) -> frozenset[str]:
        told = " ".join(filter(None, addresses))
        return policy.registry.standing(told, now) if told else frozenset()

    named, authors = standing(event.to, event.cc), standing(subject.publisher)
    if sender.id in authors:
        circle = named
    elif reads(sender):
        circle = standing(subject.publisher, subject.to, subject.cc)
    else:
        return (SUBJECT_UNKNOWN,)
    have_it = (id_ in authors or reads(policy.agency(id_)) for id_ in named)
    if not named or not named <= circle or not all(have_it):
        return (NOT_AMONG_READERS,)
    origins = _origins(event, subject)
    if origins.count(" ") >= MOST_ORIGINS:
        return (TOO_FAR_BACK,)
    return Answered(audience="", parties=subject.parties, origins=origins)


def _origins(event: Event, earlier: Record) -> str:
    """The cases that an event comes from, beside its own, the nearest first."""
    keys = dict.fromkeys((earlier.key, *earlier.origins.split()))
    keys.pop(event.key, None)
    return " ".join(keys)


NOT_A_REPLY: Final = Answered(audience="", parties=b"", origins="")
