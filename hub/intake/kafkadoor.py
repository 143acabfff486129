"""A door that is a topic: records of an agency's own producer, admitted as requests are.

The same admission as over HTTP, the same limits and records of refusals; where a request would be
told to come again, records wait in their topic. What was refused is answered in a topic of the
agency's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import msgspec

from contracts.faults import Fault
from hub.database.patience import Patience
from hub.errors import Forbidden, NotYetReady
from hub.event import Outcome, Rejected
from hub.intake.accept import Intake
from hub.intake.accounts import Accounts
from hub.intake.kafka import ANSWERS, Record, agency_of, read_record
from hub.intake.limits import Limits
from hub.intake.shares import WEIGHT, Shares
from hub.intake.submitted import Submitted
from hub.policy.tokens import NO_TOKEN, Caller

# Whoever is no agency in force shares this; names of topics become no labels.
STRANGERS: Final = ""
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Answer:
    """What a publisher is told of a record that was refused; never the record's content."""

    topic: str
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes


class KafkaDoor:
    """`told` is what a publisher hears of an outcome, over whichever door; `version` the version of
    the policy in force, 0 before the first. Storage may take `patience` seconds, None for any time.
    """

    def __init__(
        self,
        *,
        intake: Intake,
        limits: Limits,
        shares: Shares,
        accounts: Accounts,
        told: Callable[[Outcome], Mapping[str, Any]],
        version: Callable[[], int],
        patience: float | None,
    ) -> None:
        self._intake = intake
        self._limits = limits
        self._shares = shares
        self._accounts = accounts
        self._told = told
        self._version = version
        self._patience = patience

    async def admit(self, records: Sequence[Record]) -> list[Answer]:
        """Admit the records, in order, of one topic; answers to those that were refused.

        When it returns, every event is safe or its refusal is recorded. Records that were admitted
        before are known as duplicates; what was refused before is refused, and recorded, again.
        Raises what admission and the publisher's share do while nothing but waiting helps.
        """
        started, patience = perf_counter(), Patience(self._patience)
        agency = agency_of(records[0].topic)
        caller = Caller(token=NO_TOKEN, agency=agency, roles=frozenset())
        with self._shares.claim(agency) as claim:
            claim.add(sum(record.size for record in records) + len(records) * WEIGHT)
            submitted = [read_record(record, self._limits) for record in records]
            try:
                outcomes = await self._intake.accept(
                    submitted, mode="each", caller=caller, patience=patience
                )
            except Forbidden as forbidden:
                if not self._version():
                    # Whoever sets up a hub has brokers and policy in whichever order.
                    raise NotYetReady("policy") from forbidden
                outcomes = await self._turn_away(submitted, caller, started)
            else:
                self._account_for(submitted, outcomes, caller, started)
        return [
            self._answer(record, outcome)
            for record, outcome in zip(records, outcomes, strict=True)
            if isinstance(outcome, Rejected)
        ]

    async def _turn_away(
        self, submitted: Sequence[Submitted], caller: Caller, started: float
    ) -> list[Outcome]:
        with self._shares.claim(STRANGERS):
            refused = await self._intake.refuse_each(submitted, _NO_AGENCY, caller)
            self._shares.faulted(STRANGERS, len(refused))
        seconds = perf_counter() - started
        self._accounts.turned_away(refused, _NO_AGENCY.code, caller=caller.name, seconds=seconds)
        return refused

    def _account_for(
        self,
        submitted: Sequence[Submitted],
        outcomes: Sequence[Outcome],
        caller: Caller,
        started: float,
    ) -> None:
        faults = sum(len(o.faults) for o in outcomes if isinstance(o, Rejected))
        self._shares.faulted(caller.name, faults)
        seconds = perf_counter() - started
        self._accounts.admitted(outcomes, caller=caller.name, mode="each", seconds=seconds)
        self._accounts.retiring(submitted, caller=caller.name)

    def _answer(self, record: Record, outcome: Outcome) -> Answer:
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        return Answer(
            topic=ANSWERS + agency_of(record.topic),
            key=record.key,
            headers=(
                *((name, str(value).encode()) for name, value in place.items()),
                ("content-type", b"application/json"),
            ),
            value=_encode(self._told(outcome)),
        )


_NO_AGENCY: Final = Fault(
    "forbidden",
    "",
    "主题所属的机构没有登记或不在有效期内，请联系管理员",
    "the topic's agency is not registered, or not in force: ask the administrator",
)
