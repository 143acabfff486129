"""What is counted and logged of the events that a door had admitted, whichever door it is."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from structlog.typing import FilteringBoundLogger

from contracts.catalogue import Catalogue
from hub.event import Accepted, Outcome, Rejected
from hub.intake.accept import Mode
from hub.intake.submitted import Flawed, Submitted
from hub.metrics import Metrics

MOST_RECEIPTS_LOGGED: Final = 10


class Accounts:
    """Keeps the accounts of a process's doors."""

    def __init__(
        self, *, catalogue: Catalogue, metrics: Metrics, log: FilteringBoundLogger
    ) -> None:
        self._catalogue = catalogue
        self._metrics = metrics
        self._log = log

    def admitted(
        self, outcomes: Sequence[Outcome], *, caller: str, mode: Mode, seconds: float
    ) -> None:
        """A registered agency's events came out like this."""
        self._metrics.admitted(outcomes, agency=caller, seconds=seconds)
        self._tell(outcomes, caller=caller, mode=mode, seconds=seconds)

    def turned_away(
        self, outcomes: Sequence[Outcome], code: str, *, caller: str, seconds: float
    ) -> None:
        """None of them was admitted, for what their caller is: no agency to count them under."""
        self._metrics.turned_away(code, times=len(outcomes))
        self._tell(outcomes, caller=caller, mode="each", seconds=seconds)

    def retiring(self, submitted: Sequence[Submitted], *, caller: str) -> Sequence[str]:
        """Count the events under versions that are to be retired; the versions' schemas."""
        known = self._catalogue.retiring
        schemas = map(_schema_of, submitted)
        used = [schema for schema in schemas if schema is not None and schema in known]
        for urn, times in Counter(used).items() if used else ():
            contract = known[urn]
            self._metrics.used_retiring(
                agency=caller,
                type_=contract.type,
                version=contract.version,
                use="publish",
                times=times,
            )
        return used

    def _tell(
        self, outcomes: Sequence[Outcome], *, caller: str, mode: Mode, seconds: float
    ) -> None:
        taken = [outcome.receipt.id for outcome in outcomes if isinstance(outcome, Accepted)]
        rejected = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
        self._log.info(
            "events.admitted",
            caller=caller,
            mode=mode,
            accepted=len(taken),
            duplicate=len(outcomes) - len(taken) - len(rejected),
            rejected=len(rejected),
            codes=sorted({fault.code for outcome in rejected for fault in outcome.faults}),
            receipts=taken[:MOST_RECEIPTS_LOGGED],
            seconds=round(seconds, 6),
        )


def _schema_of(event: Submitted) -> str | None:
    return event.dataschema if isinstance(event, Flawed) else event.attributes.dataschema
