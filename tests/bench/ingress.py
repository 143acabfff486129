"""Split, envelope, contract, digest and doubled members, against bare validation of the payload."""

import hashlib

import msgspec
from msgspec import Raw
from pydantic import TypeAdapter

from contracts.catalogue import load_catalogue
from contracts.envelope import Envelope, day_of, read_structured
from contracts.petition.v1 import CaseTransferred
from tests.bench.material import event, rendered
from tests.bench.measure import rate, report

EVENTS = 2_000
ROUNDS = 9


def run() -> bool:
    events = rendered([event(n) for n in range(EVENTS)])
    batches = [b"[" + b",".join(events[n : n + 100]) + b"]" for n in range(0, EVENTS, 100)]
    payloads = [bytes(msgspec.json.decode(e, type=dict[str, Raw])["data"]) for e in events]
    contract = load_catalogue().find("petition.case_transferred", "1.0")
    assert contract is not None
    validate = TypeAdapter(CaseTransferred).validate_json
    split = msgspec.json.Decoder(list[Raw]).decode

    def bare() -> int:
        for payload in payloads:
            validate(payload)
        return EVENTS

    def ours() -> int:
        for batch in batches:
            for raw in split(batch):
                envelope = read_structured(bytes(raw))
                assert isinstance(envelope, Envelope)
                contract.check(envelope.data, day_of(envelope.attributes.time))
                hashlib.sha256(envelope.data).digest()
        return EVENTS

    pairs = [(rate(ours), rate(bare)) for _ in range(ROUNDS)]
    return report(
        "ingress (split, envelope, contract, digest, doubled members) / bare validate_json",
        ours=[o for o, _ in pairs],
        reference=[r for _, r in pairs],
        goal=0.6,
        unit="events/s",
        bytes=len(events[0]),
    )
