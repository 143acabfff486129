"""What was read: which positions, what was decided on each, under which policy and token.

A reading is kept before its page leaves. Whoever changes the policy or revokes a token comes before
or after, in whichever process, so that no page leaves under what was replaced or revoked.
"""

import zlib
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from operator import sub
from typing import Final

from contracts.classes import FieldClass
from contracts.faults import Fault
from hub.database.access import hold_access
from hub.database.connection import Connection
from hub.database.order import change_dead_letters
from hub.errors import Unauthenticated
from hub.evidence import sql
from hub.policy.entitle import Allowed, Decision
from hub.policy.tokens import ENDED

# One byte an entry. The numbers are kept for years: new reasons go to the end.
REASONS: Final = (
    "contract_unknown",
    "agency_not_in_force",
    "not_a_receiver",
    "no_grant",
    "not_addressed",
    "no_forward",
    "above_clearance",
    "accused_party",
    "recused",
    "expired",
    "filtered",
    "inconvertible",
    "too_large",
)
# What the subscriber may have, and was not given: a dead letter.
PARKED_REASONS: Final = ("inconvertible", "too_large")
DENIED: Final = 0x80
EXPIRED: Final = DENIED | REASONS.index("expired")
FILTERED: Final = DENIED | REASONS.index("filtered")
PARKED: Final = DENIED | REASONS.index("inconvertible")
TOO_LARGE: Final = DENIED | REASONS.index("too_large")
# Handed over in the version that the subscription had pinned, which is not the published one.
OTHER_VERSION: Final = 0x40
_MASKED: Final = 0x20
_BITS: Final = {field_class: 1 << n for n, field_class in enumerate(FieldClass)}
_LARGEST: Final = {"B": 2**8, "H": 2**16, "I": 2**32, "Q": 2**64}


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that was allowed and could not be given, in `wanted`, the pinned version.

    `reason` is what its subscriber may know of why.
    """

    position: int
    wanted: str
    reason: Fault


@dataclass(frozen=True, slots=True)
class Reading:
    """One page's reading. `outcomes` has a byte for each of `positions`, which are in order.

    `parked` tells of those among them whose byte is `PARKED` or `TOO_LARGE`.
    """

    subscription: int
    agency: str
    subscription_id: str
    token: int
    channel: str
    policy: int
    read_at: int
    positions: Sequence[int]
    outcomes: bytes
    parked: Sequence[Parked] = ()

    @property
    def hands_over(self) -> bool:
        """Whether any of the entries was allowed."""
        return self.outcomes.isascii() or min(self.outcomes) < DENIED or bool(self.parked)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided on one entry: the classes that were shown, or the reason why none were.

    `converted`: it was handed over in another version than it was published in.
    """

    classes: frozenset[FieldClass]
    masked: bool
    converted: bool
    reason: str | None

    @property
    def allowed(self) -> bool:
        """Whether the event was handed over."""
        return self.reason is None


def keep(connection: Connection, reading: Reading) -> bool:
    """Keep a reading, and what becomes of dead letters by it.

    False, and nothing kept, when it hands something over under a policy that is no longer the one
    in force. Raises Unauthenticated when its token has ended meanwhile.
    """
    (kept,) = keep_together(connection, [reading])
    return kept


def keep_together(connection: Connection, readings: Sequence[Reading]) -> list[bool]:
    """Keep readings as `keep` does each; one that raises undoes all."""
    hold_access(connection)
    return [_keep(connection, reading) for reading in readings]


def _keep(connection: Connection, reading: Reading) -> bool:
    row = sql.ReadRow(
        subscription=reading.subscription,
        agency=reading.agency,
        subscription_id=reading.subscription_id,
        token=reading.token,
        channel=reading.channel,
        policy=reading.policy,
        read_at=reading.read_at,
        first=reading.positions[0],
        last=reading.positions[-1],
        outcomes=packed(reading.positions, reading.outcomes),
    )
    waiting = sql.append_read(connection, row, in_force=reading.hands_over)
    if waiting is None:
        if sql.has_ended(connection, reading.token, at=reading.read_at):
            raise Unauthenticated(ENDED)
        return False
    if waiting or reading.parked:
        change_dead_letters(connection)
    if waiting:
        outcomes = zip(reading.positions, reading.outcomes, strict=True)
        delivered = [position for position, outcome in outcomes if outcome < DENIED]
        sql.settle_dead_letters(
            connection, reading.subscription, delivered, delivered=reading.read_at
        )
    if reading.parked:
        tried = [_as_kept(parked, at=reading.read_at) for parked in reading.parked]
        sql.add_dead_letters(connection, reading.subscription, tried)
    return True


def _as_kept(parked: Parked, *, at: int) -> sql.DeadLetterRow:
    reason = parked.reason
    return sql.DeadLetterRow(
        position=parked.position,
        wanted=parked.wanted,
        code=reason.code,
        pointer=reason.pointer,
        message=reason.message,
        message_en=reason.message_en,
        attempts=1,
        first=at,
        last=at,
    )


def outcome_of(decision: Decision) -> int:
    """The byte that stands for a decision."""
    if isinstance(decision, Allowed):
        return _shown(decision.classes) | (_MASKED if decision.masked else 0)
    return DENIED | REASONS.index(decision.reason)


@lru_cache(maxsize=64)
def _shown(classes: frozenset[FieldClass]) -> int:
    return sum(_BITS[field_class] for field_class in classes)


def told(outcome: int) -> Outcome:
    """The decision that a byte stands for."""
    if outcome & DENIED:
        return Outcome(frozenset(), False, False, REASONS[outcome & ~DENIED])
    classes = frozenset(c for c, bit in _BITS.items() if outcome & bit)
    return Outcome(classes, bool(outcome & _MASKED), bool(outcome & OTHER_VERSION), None)


def packed(positions: Sequence[int], outcomes: bytes) -> bytes:
    """Positions as their distances in the smallest integers that hold them, then the outcomes."""
    if positions[-1] - positions[0] == len(positions) - 1:
        # A feed of all there is, read page by page: the commonest of large ones.
        code, distances = "B", b"\x01" * (len(positions) - 1)
    else:
        steps = list(map(sub, positions[1:], positions))
        widest = max(steps)
        code = next(code for code, limit in _LARGEST.items() if widest < limit)
        distances = array(code, steps).tobytes()
    return code.encode() + zlib.compress(distances + outcomes, level=1)


def unpacked(first: int, blob: bytes) -> dict[int, int]:
    """Position → outcome byte, of a reading whose first position is `first`."""
    return dict(zip(*_columns(first, blob), strict=True))


def outcome_at(position: int, first: int, blob: bytes) -> Outcome | None:
    """What was decided at one position, if the reading came to it."""
    positions, outcomes = _columns(first, blob)
    place = bisect_left(positions, position)
    if place == len(positions) or positions[place] != position:
        return None
    return told(outcomes[place])


def _columns(first: int, blob: bytes) -> tuple[list[int], bytes]:
    code, inner = blob[:1].decode(), zlib.decompress(blob[1:])
    count = (len(inner) + array(code).itemsize) // (array(code).itemsize + 1)
    steps = array(code, inner[: len(inner) - count])
    return list(accumulate(steps, initial=first)), inner[len(inner) - count :]
