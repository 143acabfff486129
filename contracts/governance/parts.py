"""What the hub's own types share: the event that they speak of, and how it travels."""

from typing import Annotated, Final, Literal

from contracts.classes import F1
from contracts.common import Part
from contracts.values import Digest, Identifier, Line

# The publishers of what the hub says itself.
HUB: Final = ()
Channel = Literal["pull", "stream", "webhook", "kafka", "bundle"]


class EventRef(Part):
    """An event by its publisher's name for it; nothing of its content."""

    source: Annotated[Line, F1("事件来源", "source")]
    id: Annotated[Line, F1("事件标识", "event id")]
    type: Annotated[Identifier, F1("事件类型", "event type")]
    digest: Annotated[Digest | None, F1("数据摘要", "digest", "数据字节的 SHA-256")] = None
