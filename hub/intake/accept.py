"""The way in: everything between a door and the backbone, in order.

Read, permit, check the contract, assign; then the backbone. Refusals are recorded before the
answer: admission's here, registration's in its own transaction. A door calls `Intake.accept`;
nothing else lets an event in.
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from msgspec import UNSET

from contracts.agency import parse_addresses, publisher_of, ways_to
from contracts.catalogue import Catalogue
from contracts.common import Payload
from contracts.contract import MOST_FAULTS, Contract
from contracts.declare import EVERY_WAY
from contracts.envelope import Attributes, Envelope, Text, day_of, moment_of
from contracts.faults import Fault, at_most
from contracts.lifetime import morning
from contracts.matrix import Relation
from contracts.region import Regions
from hub.backbone.port import Append, Backbone
from hub.database.patience import Patience
from hub.errors import Forbidden, HubError
from hub.event import (
    SEALED,
    Caveat,
    Event,
    Marking,
    Outcome,
    Rejected,
    Sent,
    microseconds,
    receipt_of,
)
from hub.intake import faults
from hub.intake.submitted import Flawed, Submitted
from hub.journal.register import BATCH_REFUSED, BatchRefused
from hub.policy.agencies import Agency
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policy
from hub.policy.tokens import Caller

Mode = Literal["each", "all"]
EVENTS_A_TURN: Final = 100


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks for admission, and under which policy. `against`: what speaks against the events of
    this request, by all that it depends on, in which most of them are alike.
    """

    publisher: Agency
    policy: Policy
    against: dict[tuple[object, ...], tuple[Fault, ...]] = field(default_factory=dict)


class Intake:
    """Admission. `record` keeps refusals; `pause` lets other requests have a turn."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        marks: PartyMarks,
        backbone: Backbone,
        current_policy: Callable[[], Awaitable[Policy]],
        record: Callable[[Sequence[Outcome], Caller], Awaitable[None]],
        pause: Callable[[], Awaitable[None]],
        clock: Callable[[], int],
    ) -> None:
        self._catalogue = catalogue
        self._marks = marks
        self._backbone = backbone
        self._current_policy = current_policy
        self._record = record
        self._pause = pause
        self._clock = clock

    async def accept(
        self, submitted: Sequence[Submitted], *, mode: Mode, caller: Caller, patience: Patience
    ) -> list[Outcome]:
        """Admit a request's events; what became of each, in order.

        Raises Forbidden for a caller that is no agency in force, and what the backbone raises when
        nothing was stored and a retry helps; when patience ends, StorageFailed.
        """
        policy = await patience.answer(self._current_policy())
        publisher = policy.agency(caller.agency) if caller.agency else None
        if publisher is None or not publisher.takes_part(self._clock()):
            raise Forbidden("只有登记在册的机构可以发布 / only a registered agency may publish")
        receipts = [_receipt_of(event) for event in submitted]
        append = self._backbone.expect([receipt for receipt in receipts if receipt])
        # What is asked goes out before the events are examined, for all requests of this turn.
        await self._pause()
        asking = _Asking(publisher, policy)
        examined: list[Event | Rejected] = []
        for n, (event, receipt) in enumerate(zip(submitted, receipts, strict=True), start=1):
            examined.append(self._examine(event, receipt, asking))
            # Telling what is wrong can cost a hundred times what a good event costs.
            if n % EVENTS_A_TURN == 0 or isinstance(examined[-1], Rejected):
                await self._pause()
        settled = await self._recognise(submitted, examined, publisher, patience)
        if mode == "all":
            return await self._carry_all(settled, append, caller, patience)
        return await self._carry_each(settled, append, caller, patience)

    async def refuse(self, error: HubError, caller: Caller, *, patience: Patience) -> None:
        """Record that a request could not be read as a whole. Raises StorageFailed."""
        fault = Fault(error.code, "", *type(error).titles())
        await patience.answer(self._record([Rejected(None, None, (fault,))], caller))

    async def refuse_each(
        self, submitted: Sequence[Submitted], fault: Fault, caller: Caller
    ) -> list[Outcome]:
        """Refuse events for what their caller is, and record each."""
        refused: list[Outcome] = [Rejected(*_named(event), (fault,)) for event in submitted]
        await self._record(refused, caller)
        return refused

    def _examine(self, submitted: Submitted, receipt: bytes, asking: _Asking) -> Event | Rejected:
        """Permit, check and assign one event; all its faults if it has any."""
        if isinstance(submitted, Flawed):
            return self._examine_flawed(submitted, asking.policy)
        attributes = submitted.attributes
        contract = self._catalogue.by_dataschema(attributes.dataschema)
        if contract is None or contract.type != attributes.type:
            fault = faults.TYPE_MISMATCH if contract else faults.CONTRACT_UNKNOWN
            return Rejected(attributes.source, attributes.id, (fault,))
        region = _or(attributes.region, asking.publisher.region)
        payload = contract.check(submitted.data, day_of(attributes.time), codes=asking.policy.codes)
        found = [*self._permit(attributes, contract, region, asking)]
        if isinstance(payload, tuple):
            found.extend(payload)
            return Rejected(attributes.source, attributes.id, at_most(tuple(found), MOST_FAULTS))
        key = f"{contract.family}:{contract.case_of(payload)}"
        if attributes.partitionkey is not UNSET and attributes.partitionkey != key:
            found.append(faults.PARTITION_KEY)
        if found:
            return Rejected(attributes.source, attributes.id, at_most(tuple(found), MOST_FAULTS))
        return self._assign(
            submitted, receipt, contract, payload, asking.publisher.id, region=region, key=key
        )

    def _permit(
        self, attributes: Attributes, contract: Contract, region: str, asking: _Asking
    ) -> tuple[Fault, ...]:
        """What speaks against this agency publishing this event, and those that are like it."""
        alike = (
            contract,
            region,
            attributes.source,
            attributes.to,
            attributes.cc,
            attributes.dataclassification,
            attributes.caveats,
            _is_reply(contract, attributes),
        )
        against = asking.against.get(alike)
        if against is None:
            found = self._against(attributes, contract, region, asking.publisher, asking.policy)
            against = asking.against[alike] = tuple(found)
        return against

    def _against(
        self,
        attributes: Attributes,
        contract: Contract,
        region: str,
        publisher: Agency,
        policy: Policy,
    ) -> Iterator[Fault]:
        if str(publisher_of(attributes.source)) != publisher.id:
            yield faults.SOURCE_FOREIGN
        if not policy.regions.known(region):
            yield faults.REGION_UNKNOWN
        lifetime = contract.lifetime
        if lifetime.sunset is not None and self._clock() >= microseconds(morning(lifetime.sunset)):
            yield faults.contract_retired(contract.successor)
        # A reply may come from whoever received its opening; registration checks that.
        if not _is_reply(contract, attributes) and not publisher.kinds & contract.publishers:
            yield faults.PUBLISHER_NOT_ADMITTED
        if contract.unasked or not contract.answers:
            for name, addresses in (("to", attributes.to), ("cc", attributes.cc)):
                if addresses is not UNSET and not _goes(
                    addresses, contract.ways, publisher.region, policy.regions
                ):
                    yield faults.way_closed(name)
        if not _granted(publisher, contract.type, region, policy=policy, now=self._clock()):
            yield faults.NOT_GRANTED
        for name, addresses in (("to", attributes.to), ("cc", attributes.cc)):
            if addresses is not UNSET and policy.registry.unresolved(addresses):
                yield faults.address_unknown(name)
        if _marking(attributes) > policy.ceiling:
            yield faults.ABOVE_CEILING
        yield from _caveat_faults(attributes)

    def _assign(
        self,
        submitted: Envelope,
        receipt: bytes,
        contract: Contract,
        payload: Payload,
        publisher: str,
        *,
        region: str,
        key: str,
    ) -> Event:
        """Give the event what registration needs: digest, key, marks of its parties."""
        attributes = submitted.attributes
        expires, caveats = attributes.expirytime, _caveats(attributes)
        reply = _is_reply(contract, attributes)
        named_at = self._catalogue.about.get(contract)
        return Event(
            source=attributes.source,
            id=attributes.id,
            receipt=receipt,
            type=contract.type,
            version=contract.version,
            publisher=publisher,
            region=region,
            key=key,
            attributes=submitted.encoded,
            data=SEALED if caveats & Caveat.sealed else submitted.data,
            digest=hashlib.sha256(submitted.data).digest(),
            to=_or(attributes.to, ""),
            cc=_or(attributes.cc, ""),
            about=b"" if named_at is None else receipt_of(*contract.subject_of(payload, named_at)),
            refers=reply or contract.about is not None,
            opening=_or(attributes.causationid, "") if reply else "",
            correlation=_or(attributes.correlationid, ""),
            marking=_marking(attributes),
            caveats=caveats,
            parties=self._marks.of_event(
                contract.parties_of(payload), contract.persons_of(payload)
            ),
            expires=None if expires is UNSET else microseconds(moment_of(expires)),
        )

    def _examine_flawed(self, flawed: Flawed, policy: Policy) -> Rejected:
        """Add the payload's faults to those of the envelope, where it can be told."""
        contract = self._catalogue.by_dataschema(flawed.dataschema or "")
        found = flawed.faults
        if contract and flawed.data:
            checked = contract.check(flawed.data, codes=policy.codes)
            found += checked if isinstance(checked, tuple) else ()
        return Rejected(flawed.source, flawed.id, at_most(found, MOST_FAULTS))

    async def _recognise(
        self,
        submitted: Sequence[Submitted],
        examined: Sequence[Event | Rejected],
        publisher: Agency,
        patience: Patience,
    ) -> list[Event | Outcome]:
        """What is registered already is a duplicate, whatever today's rules say of new events.

        A publisher that never heard of its receipt may ask after a version's sunset, a change of
        its grants or of the codes. Asked is only what is its own.
        """
        settled: list[Event | Outcome] = [*examined]
        places = {
            n: _as_sent(event)
            for n, event in enumerate(submitted)
            if isinstance(examined[n], Rejected)
            and not isinstance(event, Flawed)
            and str(publisher_of(event.attributes.source)) == publisher.id
        }
        if places:
            known = await patience.answer(self._backbone.known([*places.values()]))
            for n, duplicate in zip(places, known, strict=True):
                settled[n] = duplicate or settled[n]
        return settled

    async def _carry_each(
        self,
        examined: Sequence[Event | Outcome],
        append: Append,
        caller: Caller,
        patience: Patience,
    ) -> list[Outcome]:
        """Store the good ones. Refusals come first: if they cannot be kept, nothing is stored."""
        refused = [e for e in examined if isinstance(e, Rejected)]
        if refused:
            await patience.answer(self._record(refused, caller))
        events = [e for e in examined if isinstance(e, Event)]
        stored = iter(await append(events, atomic=False, patience=patience) if events else ())
        return [next(stored) if isinstance(e, Event) else e for e in examined]

    async def _carry_all(
        self,
        examined: Sequence[Event | Outcome],
        append: Append,
        caller: Caller,
        patience: Patience,
    ) -> list[Outcome]:
        """Store all, or none: then all refusals are recorded, those for the batch's sake too."""
        events = [e for e in examined if isinstance(e, Event)]
        try:
            if not any(isinstance(e, Rejected) for e in examined):
                stored = iter(
                    await append(events, atomic=True, patience=patience) if events else ()
                )
                return [next(stored) if isinstance(e, Event) else e for e in examined]
            known = await patience.answer(self._backbone.find(events))
        except BatchRefused as refused:
            known = refused.outcomes
        told = (_refused_with_batch(e, k) for e, k in zip(events, known, strict=True))
        outcomes = [next(told) if isinstance(e, Event) else e for e in examined]
        await patience.answer(self._record(outcomes, caller))
        return outcomes


def _named(event: Submitted) -> tuple[str | None, str | None]:
    """An event's source and id, as far as they could be read."""
    named = event if isinstance(event, Flawed) else event.attributes
    return named.source, named.id


def _receipt_of(event: Submitted) -> bytes:
    """An event's receipt; empty for what is flawed."""
    if isinstance(event, Flawed):
        return b""
    return receipt_of(event.attributes.source, event.attributes.id)


def _as_sent(event: Envelope) -> Sent:
    attributes = event.attributes
    return Sent(
        receipt=receipt_of(attributes.source, attributes.id),
        attributes=event.encoded,
        data=event.data,
        source=attributes.source,
        id=attributes.id,
        digest=hashlib.sha256(event.data).digest(),
        caveats=_caveats(attributes),
    )


def _is_reply(contract: Contract, attributes: Attributes) -> bool:
    """Whether the event answers an opening; what may come unasked does when it names one."""
    return bool(contract.answers) and not (contract.unasked and attributes.causationid is UNSET)


def _goes(addresses: str, ways: frozenset[Relation], region: str, regions: Regions) -> bool:
    """Whether a contract of these ways lets an event of this region go to all the addresses."""
    return ways.issuperset(EVERY_WAY) or all(
        ways >= ways_to(address, region, regions=regions) for address in parse_addresses(addresses)
    )


def _granted(publisher: Agency, type_: str, region: str, *, policy: Policy, now: int) -> bool:
    return any(
        grant.holds(now) and grant.scope.covers(region, publisher.system, regions=policy.regions)
        for grant in policy.grants.to(publisher, "publish", type_)
    )


def _caveat_faults(attributes: Attributes) -> Iterator[Fault]:
    """A circle that must stay small is written out."""
    caveats = _caveats(attributes)
    if not caveats:
        return
    if attributes.to is UNSET:
        yield faults.CAVEAT_NEEDS_TO
    if caveats & (Caveat.source_protected | Caveat.sealed):
        for name, addresses in (("to", attributes.to), ("cc", attributes.cc)):
            if addresses is not UNSET and "*" in addresses:
                yield faults.caveat_circle(name)


def _caveats(attributes: Attributes) -> int:
    if attributes.caveats is UNSET:
        return 0
    return sum(Caveat[word.replace("-", "_")] for word in attributes.caveats.split(" "))


def _refused_with_batch(event: Event, outcome: Outcome | None) -> Outcome:
    """In a refused `all`: duplicates and refusals stay what they are, good ones are refused too."""
    return outcome or Rejected(event.source, event.id, (BATCH_REFUSED,))


def _marking(attributes: Attributes) -> int:
    return Marking[_or(attributes.dataclassification, "internal")]


def _or(value: Text, default: str) -> str:
    return default if value is UNSET else str(value)
