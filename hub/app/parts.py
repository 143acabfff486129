"""The parts of a hub, made and put together around its core."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

from contracts.catalogue import load_catalogue
from hub.app.core import Core
from hub.app.ground import Ground, microseconds_now
from hub.backbone.port import Backbone
from hub.backbone.registering import Registering
from hub.backbone.rounds import Rounds
from hub.backbone.sql import SqlBackbone
from hub.database.intake import Settled
from hub.database.keys import retired_cursor_keys
from hub.database.news import News
from hub.database.patience import Patience
from hub.database.readiness import Readiness
from hub.database.transactions import storage_reason
from hub.database.writer import Joint, Writer
from hub.delivery.accounts import Accounts as Delivered
from hub.delivery.arrivals import Arrivals
from hub.delivery.pull import Pull
from hub.delivery.recent import Recent
from hub.event import Outcome, Rejected
from hub.evidence import reads
from hub.evidence.reads import Reading
from hub.intake.accept import Intake
from hub.intake.accounts import Accounts
from hub.intake.limits import Limits
from hub.intake.shares import Shares
from hub.journal import refusals
from hub.journal.cursors import Cursors
from hub.journal.filling import Filler
from hub.journal.retention.purging import Purger
from hub.logs import places_of
from hub.metrics import Metrics
from hub.policy import sql as policy_sql
from hub.policy.current import CurrentPolicy
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from hub.policy.tokens import Caller, Tokens
from hub.policy.uses import Uses
from hub.settings import Settings
from hub.upkeep.doctor import Doctor
from hub.upkeep.examine import Patient
from hub.upkeep.finding import Finding
from hub.watch.watching import Watch

REFUSAL_BYTES = 768
READING_BYTES = 4096
DEAD_LETTER_BYTES = 512
RECENT_BYTES = 32 * 1024 * 1024
WATCH_SECONDS = 15
REST_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Hub:
    """A running hub's parts."""

    ground: Ground
    policies: Policies
    current: CurrentPolicy
    known: Tokens
    uses: Uses
    cursors: Cursors
    arrivals: Arrivals
    backbone: Backbone
    intake: Intake
    limits: Limits
    shares: Shares
    accounts: Accounts
    pull: Pull
    delivered: Delivered
    filler: Filler
    watch: Watch
    purger: Purger
    metrics: Metrics
    writer: Writer
    readiness: Readiness
    doctor: Doctor


def straight(ground: Ground, core: Core) -> SqlBackbone:
    """The backbone of a process that registers what its own doors admit."""
    return SqlBackbone(
        writer=ground.writer,
        readers=ground.readers,
        registrar=core.registrar,
        registered=core.registered,
    )


def registering(ground: Ground, core: Core) -> Registering:
    """What registers the batches that other processes' doors hand over."""
    return Registering(
        writer=ground.writer,
        readers=ground.readers,
        rounds=Rounds(
            registrar=core.registrar, failed=partial(_tell_failed, ground), clock=microseconds_now
        ),
        registered=core.registered,
        settled=partial(_tell_settled, core),
        aside=lambda batch: ground.log.error(
            "intake.set_aside", number=batch.number, reason=batch.reason
        ),
        background=ground.background,
        rest=lambda: asyncio.sleep(REST_SECONDS),
        clock=microseconds_now,
    )


def assemble(
    ground: Ground,
    core: Core,
    backbone: Backbone,
    *,
    examine: Callable[[], Awaitable[list[Finding]]],
) -> Hub:
    """Put a hub together on its ground, around its core; `examine` finds what the doctor tells
    beside what he sees in the database.
    """
    policies, arrivals, tell = core.policies, core.arrivals, core.tell
    current = CurrentPolicy(
        readers=ground.readers,
        policies=policies,
        monotonic=time.monotonic,
        changed=lambda: tell(News(policy=True)),
    )
    cursors = Cursors(core.keys["cursors"], retired=retired_cursor_keys(core.keys))
    limits = _limits(ground.settings)
    readiness = Readiness(
        ground.writer,
        name="writer" if ground.settings.database is None else "postgresql",
        monotonic=time.monotonic,
    )
    return Hub(
        ground=ground,
        policies=policies,
        current=current,
        known=Tokens(ground.asked, changed=lambda: tell(News(tokens=True))),
        uses=_uses(ground),
        cursors=cursors,
        arrivals=arrivals,
        backbone=backbone,
        intake=_intake(ground, core, backbone, current),
        limits=limits,
        shares=Shares(
            requests=limits.share_requests,
            size=limits.share_bytes,
            exceeded=ground.metrics.share_exceeded,
            monotonic=time.monotonic,
        ),
        accounts=Accounts(catalogue=load_catalogue(), metrics=ground.metrics, log=ground.log),
        pull=_pull(ground, core, current, cursors),
        delivered=Delivered(catalogue=load_catalogue(), metrics=ground.metrics, log=ground.log),
        filler=_filler(ground, policies, arrivals),
        watch=_watch(ground, policies),
        purger=_purger(ground),
        metrics=ground.metrics,
        writer=ground.writer,
        readiness=readiness,
        doctor=_doctor(ground, readiness, examine),
    )


def _pull(ground: Ground, core: Core, current: CurrentPolicy, cursors: Cursors) -> Pull:
    return Pull(
        readers=ground.pages,
        policies=core.policies,
        newest=lambda: current.version,
        cursors=cursors,
        arrivals=core.arrivals,
        keep=partial(keep_reading, ground),
        recent=Recent(most=RECENT_BYTES),
        clock=microseconds_now,
        monotonic=time.monotonic,
    )


def _uses(ground: Ground) -> Uses:
    return Uses(
        write=lambda uses: ground.writer.submit(partial(policy_sql.note_uses, uses=uses)),
        pause=lambda: asyncio.sleep(60),
    )


def _intake(ground: Ground, core: Core, backbone: Backbone, current: CurrentPolicy) -> Intake:
    return Intake(
        catalogue=load_catalogue(),
        marks=PartyMarks(core.keys["parties"]),
        backbone=backbone,
        current_policy=current.get,
        record=partial(_record, ground.writer),
        pause=lambda: asyncio.sleep(0),
        clock=microseconds_now,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        body=settings.max_body,
        batch=settings.max_batch,
        event=settings.max_event,
        data=settings.max_data,
        depth=settings.max_depth,
        values=settings.max_values,
        share_bytes=settings.share_bytes,
        share_requests=settings.share_requests,
    )


def _filler(ground: Ground, policies: Policies, arrivals: Arrivals) -> Filler:
    return Filler(
        writer=ground.writer,
        readers=ground.readers,
        policies=policies,
        announce=arrivals.announce,
        background=ground.background,
        pause=lambda: asyncio.sleep(2),
    )


def _doctor(
    ground: Ground, readiness: Readiness, examine: Callable[[], Awaitable[list[Finding]]]
) -> Doctor:
    settings = ground.settings
    return Doctor(
        ground.examinations,
        patient=Patient(
            ground.directory,
            settings.max_connections,
            settings.queue_bytes,
            kafka=settings.kafka is not None,
        ),
        unready=readiness.reason,
        beside=examine,
        version=version("guantong"),
        clock=microseconds_now,
        monotonic=time.monotonic,
    )


def _watch(ground: Ground, policies: Policies) -> Watch:
    return Watch(
        writer=ground.writer,
        readers=ground.readers,
        policies=policies,
        metrics=ground.metrics,
        clock=microseconds_now,
        background=ground.background,
        pause=lambda: asyncio.sleep(WATCH_SECONDS),
    )


def _purger(ground: Ground) -> Purger:
    return Purger(
        writer=ground.writer,
        readers=ground.readers,
        terms=ground.terms,
        records_days=ground.settings.records_days,
        metrics=ground.metrics,
        log=ground.log,
        clock=microseconds_now,
        background=ground.background,
        pause=lambda: asyncio.sleep(0.05),
        rest=lambda: asyncio.sleep(ground.settings.purge_seconds),
    )


def _tell_failed(ground: Ground, error: BaseException) -> None:
    """A batch alone could not be registered."""
    ground.log.error("registration.failed", reason=storage_reason(error), at=places_of(error))


def _tell_settled(core: Core, settled: Sequence[Settled]) -> None:
    """Tell the doors what became of their batches."""
    for each in settled:
        core.tell(News(settled={each.door: ((each.batch, each.outcomes),)}))


async def _record(writer: Writer, outcomes: Sequence[Outcome], caller: Caller) -> None:
    """Keep refusals before they are answered."""
    work = partial(refusals.record, outcomes=outcomes, caller=caller.name, now=microseconds_now())
    faults = sum(len(o.faults) for o in outcomes if isinstance(o, Rejected))
    await writer.submit(work, weight=faults * REFUSAL_BYTES)


async def keep_reading(ground: Ground, reading: Reading) -> bool:
    """Keep what was read before it leaves; False where its policy is no longer in force.

    Raises StorageFailed when that takes longer than the database may to answer.
    """
    weight = READING_BYTES + DEAD_LETTER_BYTES * len(reading.parked)
    kept = ground.records.submit(
        partial(reads.keep, reading=reading),
        weight=weight,
        joint=Joint(reads.keep_together, reading),
    )
    return await Patience(ground.database.answer).answer(kept)
