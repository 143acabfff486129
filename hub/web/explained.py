"""What `/v1/explain` tells: five shapes, by who asks and what became of the event."""

from typing import Any, TypedDict

from hub.evidence.account import Place
from hub.web.events import ReceiptShown
from hub.web.operation import Time


class GroundShown(TypedDict):
    """Why a step of the decision holds, or does not."""

    step: int
    code: str
    facts: list[str]
    message: str
    message_en: str


class DecisionShown(TypedDict):
    """What would be decided now."""

    allowed: bool
    step: int | None
    reason: str | None
    classes: list[str]
    masked: bool
    grounds: list[GroundShown]


class ReadingShown(TypedDict):
    """A page as far as it concerns the event: in which version, or why it was kept back."""

    at: Time
    subscription: str
    version: str
    channel: str
    token: int
    classes: list[str]
    masked: bool
    reason: str | None
    withheld: list[str]


class ReadingJudged(ReadingShown):
    """The same, with what was decided then and why."""

    policy: int
    allowed: bool
    grounds: list[GroundShown]


class SubscriptionStands(TypedDict):
    """How a subscription, standing or ended, stands to the event; what it asked for then.

    `expired_unread`: how many entries were purged before it had read them; null once it is ended.
    """

    id: str
    event: Place
    asked_then: dict[str, Any] | None
    standing: bool
    committed_past: bool
    expired_unread: int | None


class EventJudged(ReceiptShown):
    """An event as the decision sees it: everything but what it says."""

    version: str
    publisher: str
    region: str
    key: str
    to: list[str]
    cc: list[str]
    audience: list[str]
    dataclassification: str
    caveats: list[str]
    expires: Time | None
    unmatched_parties: int


class Now(TypedDict):
    """The decision under the policy in force; null for an agency that is not registered."""

    policy: int
    decision: DecisionShown | None


class ToAuditor(TypedDict):
    """Who got the event."""

    event: EventJudged
    delivered_to: list[str]


class ToAuditorOfOne(TypedDict):
    """Why one agency did, or did not, get the event."""

    event: EventJudged
    agency: str
    registered: bool
    subscriptions: list[SubscriptionStands]
    readings: list[ReadingJudged]
    now: Now


class AddressShown(TypedDict):
    """When somebody whom the address names first got the event."""

    address: str
    delivered: Time | None


class ToPublisher(TypedDict):
    """Whether the event arrived."""

    event: ReceiptShown
    delivered: bool
    addresses: list[AddressShown]


class EventGot(TypedDict):
    """An event that the asking agency was handed."""

    source: str
    id: str
    type: str
    receipt: str
    position: str
    hubtime: Time


class ToSubscriber(TypedDict):
    """What the asking agency itself got, and when."""

    event: EventGot
    agency: str
    readings: list[ReadingShown]


class EventRefused(TypedDict):
    """An event that was never registered."""

    source: str
    id: str
    state: str


class RefusalShown(TypedDict):
    """Why it was refused, and when."""

    code: str
    pointer: str
    at: Time


class Refused(TypedDict):
    """The refusals of an event."""

    event: EventRefused
    errors: list[RefusalShown]


Told = ToAuditor | ToAuditorOfOne | ToPublisher | ToSubscriber | Refused
