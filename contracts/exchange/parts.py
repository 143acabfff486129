"""What every exchange says: its own number, and which event it is about."""

from typing import Annotated

from contracts.classes import F1
from contracts.common import Part, Payload
from contracts.values import EventSource, EventType, Identifier, text


class About(Part):
    """An event as its publisher named it, and by the receipt that the hub gave for it."""

    source: Annotated[EventSource, F1("事件来源", "source of the event")]
    id: Annotated[str, text(256), F1("事件标识", "id of the event")]
    type: Annotated[EventType | None, F1("事件类型", "type of the event")] = None
    receipt: Annotated[Identifier | None, F1("回执编号", "receipt of the event")] = None


class Exchange(Payload):
    """A step of the exchange of documents. It says what is done with an event, not what is in it:
    who may read the exchange need not have every field of the event.
    """

    matter: Annotated[Identifier, F1("往来事项编号", "number of the exchange")]
    about: Annotated[About, F1("所涉事件", "event it is about")]
