"""Openings and replies: whom a reply answers, and who therefore may see it."""

from dataclasses import dataclass
from typing import Final

from contracts.contract import Contract
from contracts.faults import Fault
from hub.database.connection import Connection
from hub.event import Event, Record, slot_of
from hub.journal import sql
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


@dataclass(frozen=True, slots=True)
class Answered:
    """What a reply takes over from its opening.

    `audience`: the opening's publisher and its `cc`, as addresses. `parties`: its marks, so that a
    reply that speaks of the accused by number alone does not reach them either.
    """

    audience: str
    parties: bytes


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
    connection: Connection, reply: Event, *, contract: Contract, policy: Policy, now: int
) -> Answered | tuple[Fault, ...]:
    """Check a reply against the opening it names.

    An opening that the replier may not see is unknown to it, in the same words.
    """
    opening = record_of(connection, bytes.fromhex(reply.opening)) if reply.opening else None
    replier = policy.agency(reply.publisher)
    if opening is None or replier is None or opening.type not in contract.answers:
        return (OPENING_UNKNOWN,)
    if not isinstance(entitle(replier, opening, policy=policy, now=now), Allowed):
        return (OPENING_UNKNOWN,)
    differing: list[Fault] = []
    if opening.key != reply.key:
        differing.append(CASE_DIFFERS)
    if opening.correlation != reply.correlation:
        differing.append(CORRELATION_DIFFERS)
    return tuple(differing) or Answered(
        f"{opening.publisher} {opening.cc}".strip(), opening.parties
    )


NOT_A_REPLY: Final = Answered(audience="", parties=b"")
