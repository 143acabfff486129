"""What the whole catalogue and the versions in motion cost: admission, and pulls that convert."""

import hashlib
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import uvloop

from contracts.catalogue import Catalogue, load_catalogue
from contracts.envelope import Envelope, day_of, read_structured
from hub.app.embedded import embedded
from hub.app.ground import metrics_here
from hub.settings import Settings
from tests.bench.material import event, log_to_nowhere, rendered
from tests.bench.measure import rate, report
from tests.bench.reads import READERS, pulled_from
from tests.examples import FAMILIES
from tests.running import running_hub
from tests.sample import CITY, DISCIPLINE, clue, policy

EVENTS = 2_000
PUBLISHED = 5_000
BATCH = 500
ROUNDS = 9
# The catalogue of the first hub.
FIRST = (
    "briefing.provided",
    "clue.concluded",
    "clue.disposition_decided",
    "clue.received",
    "clue.returned",
    "clue.transferred",
    "petition.case_transferred",
)


def admitting(catalogue: Catalogue, events: list[bytes]) -> Callable[[], int]:
    """Read, find the contract, check, digest."""

    def admit() -> int:
        for raw in events:
            envelope = read_structured(raw)
            assert isinstance(envelope, Envelope)
            contract = catalogue.by_dataschema(envelope.attributes.dataschema)
            assert contract is not None
            contract.check(envelope.data, day_of(envelope.attributes.time))
            hashlib.sha256(envelope.data).digest()
        return len(events)

    return admit


def admission() -> bool:
    events = rendered([event(n) for n in range(EVENTS)])
    few = Catalogue(c for c in load_catalogue() if c.type in FIRST and c.version == "1.0")
    ours, reference = admitting(load_catalogue(), events), admitting(few, events)
    pairs = [(rate(ours), rate(reference)) for _ in range(ROUNDS + 1)][1:]
    return report(
        "admission with all contracts / with the first seven",
        ours=[o for o, _ in pairs],
        reference=[r for _, r in pairs],
        goal=0.95,
        unit="events/s",
    )


async def measure(folder: Path) -> bool:
    log = log_to_nowhere()
    metrics = metrics_here()
    async with embedded(folder, settings=Settings(), metrics=metrics, log=log) as (
        hub,
        _web,
    ):
        converted: list[float] = []
        original: list[float] = []
        for n in range(ROUNDS):
            turns = [partial(pulled_from, hub.pull, DISCIPLINE, id_) for id_ in ("older", "same")]
            rates = [await turns[n % 2](), await turns[1 - n % 2]()]
            converted.append(rates[n % 2])
            original.append(rates[1 - n % 2])
    return report(
        f"pull of 1.1 as 1.0, {READERS} readers / of the original bytes",
        ours=converted[1:],
        reference=original[1:],
        goal=0.2,
        unit="events/s",
    )


def conversion() -> bool:
    example = FAMILIES / "clue/examples/valid/clue.transferred-1.1-1.json"
    data = json.loads(example.read_bytes())
    urn = "urn:guantong:contract:clue.transferred:1.1"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "hub"
        with running_hub(folder) as hub:
            hub.apply(policy())
            reader, office = hub.agency(DISCIPLINE), hub.agency(CITY)
            reader.subscribe("older", types=["clue.*"], versions={"clue.transferred": "1.0"})
            reader.subscribe("same", types=["clue.*"], versions={"clue.transferred": "1.1"})
            for first in range(0, PUBLISHED, BATCH):
                office.accepted(
                    *(
                        {**clue(n, dataschema=urn), "data": {**data, "clueid": f"CL-{n}"}}
                        for n in range(first, first + BATCH)
                    )
                )
            hub.stop()
        return uvloop.run(measure(folder))


def run() -> bool:
    return all([admission(), conversion()])
