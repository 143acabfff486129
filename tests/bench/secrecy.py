"""What a subscriber may not know takes as long to deny as what there is not."""

import statistics
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.bench.measure import report
from tests.running import AgencyClient, running_hub
from tests.sample import CITY, COUNTY, PETITION, petition, policy

EVENTS = 2_000
ROUNDS = 200


def seconds(client: AgencyClient, event: dict[str, Any]) -> float:
    """How long one answer takes; it is always the same 404."""
    asked = {"source": event["source"], "id": event["id"]}
    started = perf_counter()
    answer = client.http.get("/v1/explain", params=asked)
    taken = perf_counter() - started
    assert answer.status_code == 404
    return taken


def run() -> bool:
    with tempfile.TemporaryDirectory() as folder, running_hub(Path(folder) / "hub") as hub:
        hub.apply(policy())
        county, bureau = hub.agency(COUNTY), hub.agency(PETITION)
        county.subscribe(region="510000")
        # Half of them are denied to the county when it reads, the other half delivered.
        events = [
            petition(n, region="510104", **({"to": CITY} if n % 2 else {})) for n in range(EVENTS)
        ]
        for n in range(0, EVENTS, 500):
            bureau.accepted(*events[n : n + 500])
        county.drain()
        denied = events[1::2]
        took: dict[str, list[float]] = {"denied": [], "unknown": [], "foreign": []}
        for n in range(ROUNDS):
            took["denied"].append(seconds(county, denied[n % len(denied)]))
            took["unknown"].append(seconds(county, petition(f"unheard-{n}")))
            took["foreign"].append(seconds(county, petition(f"f-{n}", source="/110000.audit")))
        medians = {name: statistics.median(each) for name, each in took.items()}
        return all(
            [
                report(
                    f"explain to a subscriber: an event that was denied / one that is {name},"
                    " the faster to the slower",
                    ours=[1e6 * min(medians["denied"], medians[name])],
                    reference=[1e6 * max(medians["denied"], medians[name])],
                    goal=0.9,
                    unit="microseconds",
                )
                for name in ("unknown", "foreign")
            ]
        )
