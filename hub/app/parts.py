"""The parts of a hub, made and put together: here alone a backbone is named."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

from contracts.catalogue import load_catalogue
from hub.app.ground import Ground, microseconds_now
from hub.backbone.sql import SqlBackbone
from hub.database.keys import retired_cursor_keys
from hub.database.readiness import Readiness
from hub.database.writer import Writer
from hub.delivery.arrivals import Arrivals
from hub.delivery.pull import Pull
from hub.event import Marking, Outcome, Rejected
from hub.evidence import reads
from hub.evidence.reads import Reading
from hub.intake.accept import Intake
from hub.journal import refusals
from hub.journal.cursors import Cursors
from hub.journal.filling import Filler
from hub.journal.register import Registrar, Registration
from hub.journal.retention.purging import Purger
from hub.metrics import Metrics
from hub.policy import sql as policy_sql
from hub.policy.current import CurrentPolicy
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from hub.policy.tokens import Caller, Tokens
from hub.policy.uses import Uses
from hub.upkeep.doctor import Doctor
from hub.upkeep.examine import Patient
from hub.watch.watching import Watch

REFUSAL_BYTES = 768
READING_BYTES = 4096
DEAD_LETTER_BYTES = 512
WATCH_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Hub:
    """A running hub's parts."""

    policies: Policies
    current: CurrentPolicy
    known: Tokens
    uses: Uses
    cursors: Cursors
    arrivals: Arrivals
    backbone: SqlBackbone
    intake: Intake
    pull: Pull
    filler: Filler
    watch: Watch
    purger: Purger
    metrics: Metrics
    writer: Writer
    readiness: Readiness
    doctor: Doctor


async def assemble(ground: Ground, keys: Mapping[str, bytes]) -> Hub:
    """Put a hub together on its ground; `keys` are its secrets, by name."""
    catalogue, marks = load_catalogue(), PartyMarks(keys["parties"])
    policies = Policies(
        catalogue=catalogue,
        regions=ground.codes.regions(),
        codes=ground.codes,
        marks=marks,
        ceiling=Marking[ground.settings.ceiling],
    )
    current = CurrentPolicy(readers=ground.readers, policies=policies, monotonic=time.monotonic)
    cursors = Cursors(keys["cursors"], retired=retired_cursor_keys(keys))
    arrivals = Arrivals()
    readiness = Readiness(ground.writer, monotonic=time.monotonic)
    registrar = Registrar(policies=policies, clock=microseconds_now)
    await ground.writer.submit(registrar.load)
    backbone = SqlBackbone(
        writer=ground.writer,
        readers=ground.readers,
        registrar=registrar,
        registered=partial(_registered, arrivals, ground.metrics),
    )
    return Hub(
        policies=policies,
        current=current,
        known=Tokens(ground.readers),
        uses=Uses(
            write=lambda uses: ground.writer.submit(partial(policy_sql.note_uses, uses=uses)),
            pause=lambda: asyncio.sleep(60),
        ),
        cursors=cursors,
        arrivals=arrivals,
        backbone=backbone,
        intake=Intake(
            catalogue=catalogue,
            marks=marks,
            backbone=backbone,
            current_policy=current.get,
            record=partial(_record, ground.writer),
            pause=lambda: asyncio.sleep(0),
            clock=microseconds_now,
        ),
        pull=Pull(
            readers=ground.pages,
            policies=policies,
            newest=lambda: current.version,
            cursors=cursors,
            arrivals=arrivals,
            keep=partial(_keep, ground.writer),
            clock=microseconds_now,
            monotonic=time.monotonic,
        ),
        filler=_filler(ground, policies, arrivals),
        watch=_watch(ground, policies),
        purger=_purger(ground),
        metrics=ground.metrics,
        writer=ground.writer,
        readiness=readiness,
        doctor=_doctor(ground, readiness),
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


def _doctor(ground: Ground, readiness: Readiness) -> Doctor:
    settings = ground.settings
    return Doctor(
        ground.examinations,
        patient=Patient(ground.directory, settings.max_connections, settings.queue_bytes),
        unready=readiness.reason,
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


async def _record(writer: Writer, outcomes: Sequence[Outcome], caller: Caller) -> None:
    """Keep refusals before they are answered."""
    work = partial(refusals.record, outcomes=outcomes, caller=caller.name, now=microseconds_now())
    faults = sum(len(o.faults) for o in outcomes if isinstance(o, Rejected))
    await writer.submit(work, weight=faults * REFUSAL_BYTES)


def _registered(arrivals: Arrivals, metrics: Metrics, registration: Registration) -> None:
    arrivals.announce(registration.touched)
    metrics.registered(strangers=registration.strangers)


async def _keep(writer: Writer, reading: Reading) -> bool:
    """Keep what was read before it leaves."""
    weight = READING_BYTES + DEAD_LETTER_BYTES * len(reading.parked)
    return await writer.submit(partial(reads.keep, reading=reading), weight=weight)
