"""What a door hands to admission: events, and what could be read of those that are none."""

from dataclasses import dataclass

from contracts.envelope import Envelope
from contracts.faults import Fault


@dataclass(frozen=True, slots=True)
class Flawed:
    """An event whose envelope has faults; the rest as far as it could be told.

    With `dataschema` and `data` the payload can still be checked, so that all faults are told.
    """

    source: str | None
    id: str | None
    faults: tuple[Fault, ...]
    dataschema: str | None = None
    data: bytes | None = None


Submitted = Envelope | Flawed
