"""Admission alone: of events as a door reads them, under a policy in force."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from contracts.catalogue import load_catalogue
from contracts.envelope import Envelope
from contracts.region import load_regions
from hub.backbone.port import Backbone
from hub.event import Marking
from hub.intake.accept import Intake
from hub.intake.forms import STRUCTURED
from hub.intake.http import read_events
from hub.intake.limits import Limits
from hub.policy import document as documents
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies, Policy
from hub.policy.tokens import Caller
from tests.sample import CITY, grant, policy

CALLER = Caller(token=1, agency=CITY, roles=frozenset())


def submitted(event: dict[str, Any]) -> Envelope:
    """An event as a door reads it."""
    headers = [(b"content-type", STRUCTURED.encode())]
    (read,) = read_events(headers, json.dumps(event, ensure_ascii=False).encode(), Limits())
    assert isinstance(read, Envelope)
    return read


def policies() -> Policies:
    """What compiles a policy."""
    return Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"key"),
        ceiling=Marking.internal,
    )


def policy_in_force() -> Policy:
    """One in which `CALLER` may publish clues, without end."""
    made = documents.parse(json.dumps(policy(grants=[grant(CITY, "publish", "clue.*")])).encode())
    assert isinstance(made, documents.PolicyDocument)
    return policies().compile(1, made)


async def at_once(*_: object) -> None:
    """What takes no time, and has no result."""


def intake_on(
    backbone: Backbone,
    *,
    now: int,
    current_policy: Callable[[], Awaitable[Policy]],
    record: Callable[..., Awaitable[None]] = at_once,
    pause: Callable[[], Awaitable[None]] = at_once,
) -> Intake:
    """Admission at a moment."""
    return Intake(
        catalogue=load_catalogue(),
        marks=PartyMarks(b"key"),
        backbone=backbone,
        current_policy=current_policy,
        record=record,
        pause=pause,
        clock=lambda: now,
    )
