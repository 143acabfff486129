"""Matching and deciding among very many, against the same among ten."""

import gc
import json
from collections.abc import Callable, Sequence
from typing import Any

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.event import Entry, Event, Marking
from hub.journal.matching import Matcher
from hub.journal.subscriptions import Body, Subscription
from hub.policy.document import PolicyDocument
from hub.policy.entitle import Allowed, entitle
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies, Policy
from tests.bench.material import crowd
from tests.bench.measure import rate, report
from tests.sample import admitted

ROUNDS = 15
FEW, SUBSCRIPTIONS = 10, 100_000
AGENCIES, GRANTS = 3_000, 10_000
NOW = 1_790_000_000_000_000


def compiled(document: dict[str, Any]) -> Policy:
    """A policy, ready for decisions."""
    policies = Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"bench"),
        ceiling=Marking.internal,
    )
    return policies.compile(1, PolicyDocument.model_validate_json(json.dumps(document)))


def subscriptions(count: int, offices: Sequence[str]) -> list[Subscription]:
    """So many subscriptions, of which three are for events of the first office's place."""
    body = Body(types=("petition.*",))
    mine = [offices[0]] * 3
    others = (offices[1 + n % (len(offices) - 1)] for n in range(count - len(mine)))
    return [
        Subscription(n, agency, f"s{n}", body, {}, 0, 0, 0, 0, 1, expired=0)
        for n, agency in enumerate([*mine, *others])
    ]


def matching() -> bool:
    policy = compiled(crowd(agencies=AGENCIES, grants=0))
    offices = [a for a in policy.registry.agencies if "inspection-office" in a]
    events = [admitted(f"e{n}", region=offices[0][:6]) for n in range(20_000)]
    many = Matcher(subscriptions(SUBSCRIPTIONS, offices), policy=policy)
    few = Matcher(subscriptions(FEW, offices), policy=policy)
    gc.freeze()

    def among(matcher: Matcher) -> Callable[[], int]:
        def match() -> int:
            for event in events:
                assert len(matcher.matches(event, audience="")) == 3
            return len(events)

        return match

    rounds = [(rate(among(many)), rate(among(few))) for _ in range(ROUNDS)]
    return report(
        "matching among 100,000 subscriptions / among 10, of which 3 match",
        ours=[m for m, _ in rounds],
        reference=[f for _, f in rounds],
        goal=0.77,
        unit="events/s",
    )


def deciding() -> bool:
    wide = compiled(crowd(agencies=AGENCIES, grants=GRANTS))
    narrow = compiled(crowd(agencies=3, grants=FEW))
    asking = [*narrow.registry.agencies][:2]
    events = [admitted(f"e{n}", region=a[:6]) for n in range(2_000) for a in asking]
    entries = [(asking[n % len(asking)], entry_of(e)) for n, e in enumerate(events)]
    gc.freeze()

    def under(policy: Policy) -> Callable[[], int]:
        def decide() -> int:
            for agency_id, entry in entries:
                agency = policy.agency(agency_id)
                assert agency is not None
                assert isinstance(entitle(agency, entry, policy=policy, now=NOW), Allowed)
            return len(entries)

        return decide

    rounds = [(rate(under(wide)), rate(under(narrow))) for _ in range(ROUNDS)]
    return report(
        "deciding under 10,000 grants and 3,000 agencies / under 10 grants",
        ours=[w for w, _ in rounds],
        reference=[n for _, n in rounds],
        goal=0.83,
        unit="decisions/s",
    )


def entry_of(event: Event) -> Entry:
    """What delivery would read of an event of the same place."""
    return Entry(
        position=1,
        hubtime=NOW,
        receipt=event.receipt,
        type=event.type,
        version=event.version,
        publisher=f"{event.region}.audit",
        region=event.region,
        key=event.key,
        to="",
        cc="",
        audience="",
        marking=event.marking,
        expires=None,
        caveats=0,
        origins="",
        parties=b"",
        attributes=event.attributes,
        data=event.data,
    )


def run() -> bool:
    return all([matching(), deciding()])
