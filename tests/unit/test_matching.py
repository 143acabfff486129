"""Matching: the subscriptions of an event, as a look at each single one would find them."""

import gc
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.event import Event, Marking
from hub.journal.matching import Matcher
from hub.journal.subscriptions import All, Body, Exact, Filter, Prefix, Subscription, passes
from hub.policy.document import PolicyDocument, parse
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies, Policy
from tests.sample import (
    AUDIT,
    CITY,
    COUNTY,
    DISCIPLINE,
    OTHER_COUNTY,
    PETITION,
    PROVINCE,
    admitted,
    policy,
)

# Each address of these tests with the agencies that it names in the sample's policy.
ADDRESSES: Mapping[str, frozenset[str]] = {
    "": frozenset(),
    DISCIPLINE: frozenset({DISCIPLINE}),
    f"{AUDIT} {CITY}": frozenset({AUDIT, CITY}),
    "inspection-office@510100": frozenset({CITY}),
    "inspection-office@510100/*": frozenset({COUNTY, OTHER_COUNTY}),
    "inspection-office@510000/**": frozenset({CITY, COUNTY, OTHER_COUNTY}),
    f"inspection-office@510000 {COUNTY}": frozenset({PROVINCE, COUNTY}),
}
AGENCIES = (PETITION, CITY, COUNTY, OTHER_COUNTY, PROVINCE, DISCIPLINE, AUDIT)
REGIONS = ("000000", "510000", "510100", "510104", "510105", "110000")
TYPES = (
    "petition.case_transferred",
    "clue.transferred",
    "clue.received",
    "briefing.provided",
)


def compiled() -> Policy:
    """The sample's policy, ready for decisions."""
    document = parse(json.dumps(policy()).encode())
    assert isinstance(document, PolicyDocument)
    policies = Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"key"),
        ceiling=Marking.internal,
    )
    return policies.compile(1, document)


POLICY = compiled()


def subscription(number: int, agency: str, **asked: Any) -> Subscription:
    """A subscription as it stands."""
    return Subscription(
        number=number,
        agency=agency,
        id=f"s{number}",
        body=Body(**asked),
        pins={},
        start=0,
        committed=0,
        filled=0,
        fill_until=0,
        created_at=0,
        expired=0,
    )


def is_for(subscription: Subscription, event: Event, audience: str) -> bool:
    """What design says of a single subscription, step by step."""
    body = subscription.body
    if not any(_names_type(pattern, event.type) for pattern in body.types):
        return False
    named = ADDRESSES[event.to] | ADDRESSES[event.cc] | ADDRESSES[audience]
    if subscription.agency in named:
        return True
    contract = load_catalogue().find(event.type, event.version)
    assert contract is not None
    scope = body.region or subscription.agency[:6]
    kind = subscription.agency.split(".")[1]
    return kind in contract.receivers and event.region.startswith(_significant(scope))


def _names_type(pattern: str, type_: str) -> bool:
    return pattern in ("*", type_, f"{type_.split('.')[0]}.*")


def _significant(region: str) -> str:
    while region.endswith("00"):
        region = region[:-2]
    return region


def _holds(asked: Filter, attributes: Mapping[str, Any]) -> bool:
    if isinstance(asked, All):
        return all(_holds(part, attributes) for part in asked.all)
    if isinstance(asked, Exact):
        return all(_said(attributes, name) == value for name, value in asked.exact.items())
    return all(_said(attributes, name).startswith(value) for name, value in asked.prefix.items())


def _said(attributes: Mapping[str, Any], name: str) -> str:
    """An attribute as CloudEvents writes it in a header."""
    value = attributes.get(name, "")
    return value if isinstance(value, str) else json.dumps(value)


SINGLE: st.SearchStrategy[Exact | Prefix] = st.one_of(
    st.builds(
        lambda name, value: Exact(exact={name: value}),
        st.sampled_from(("subject", "urgent", "count", "absent")),
        st.sampled_from(("a", "ab", "true", "7")),
    ),
    st.builds(
        lambda name, value: Prefix(prefix={name: value}),
        st.sampled_from(("subject", "source", "count")),
        st.sampled_from(("a", "/510100", "7", "t")),
    ),
    st.just(Exact(exact={"subject": "ab", "urgent": "true"})),
)


def all_of(filters: Sequence[Exact | Prefix]) -> All:
    """The filter that asks for all of them."""
    return All(all=tuple(filters))


FILTERS: st.SearchStrategy[tuple[Filter, ...]] = st.one_of(
    st.just(()),
    st.lists(
        st.one_of(
            SINGLE, st.lists(SINGLE, min_size=1, max_size=2).map(lambda f: All(all=tuple(f)))
        ),
        max_size=2,
    ).map(tuple),
)
ASKED = st.lists(
    st.tuples(
        st.sampled_from((*AGENCIES, "510100.unregistered")),
        st.builds(
            dict[str, Any],
            types=st.lists(
                st.sampled_from((*TYPES, "*", "petition.*", "clue.*", "briefing.*")),
                min_size=1,
                max_size=3,
            ).map(tuple),
            region=st.none() | st.sampled_from(REGIONS),
            filters=FILTERS,
        ),
    ),
    max_size=8,
)
EVENTS = st.builds(
    admitted,
    st.just("e"),
    type_=st.sampled_from(TYPES),
    region=st.sampled_from(REGIONS[1:]),
    to=st.sampled_from(tuple(ADDRESSES)),
    cc=st.sampled_from(tuple(ADDRESSES)),
    subject=st.sampled_from(("a", "ab", "b")),
    urgent=st.booleans(),
    count=st.sampled_from((7, 70, 8)),
)


@settings(max_examples=500)
@given(
    asked=ASKED,
    happened=st.lists(st.tuples(EVENTS, st.sampled_from(tuple(ADDRESSES))), max_size=4),
)
def test_matching_finds_what_a_look_at_every_subscription_finds(
    asked: list[tuple[str, dict[str, Any]]], happened: list[tuple[Event, str]]
) -> None:
    standing = [subscription(n, agency, **body) for n, (agency, body) in enumerate(asked)]
    matcher = Matcher(standing, policy=POLICY)
    for event, audience in happened:
        found = [s.number for s in matcher.matches(event, audience=audience)]
        assert sorted(found) == [s.number for s in standing if is_for(s, event, audience)]
        attributes = {"subject": "", **json.loads(event.attributes)}
        for s in standing:
            asked_for = all(_holds(asked, attributes) for asked in s.body.filters)
            assert passes(s.body.filters, event.attributes) == asked_for


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_addresses_of_these_tests_name_whom_they_say(address: str) -> None:
    found = POLICY.registry.resolve(address) if address else frozenset()
    assert found == ADDRESSES[address]


def test_a_subscription_that_fits_in_several_ways_is_found_once() -> None:
    types = ("*", "petition.*", "petition.case_transferred")
    standing = subscription(1, CITY, types=types)
    matcher = Matcher([standing], policy=POLICY)
    event = admitted("e", to=f"{AUDIT} {CITY}", cc="inspection-office@510100")
    assert matcher.matches(event, audience=f"{AUDIT} {CITY}") == [standing]


def steps_of(work: Callable[[], object]) -> int:
    """How many lines of Python a piece of work runs through: a cost without a clock."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    # A collection may call Python of its own, which is no cost of the work.
    gc.disable()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
        gc.enable()
    return count


def bystanders(count: int) -> list[Subscription]:
    """Subscriptions that are not for a petition of 510104: of elsewhere, or of other types."""
    elsewhere = ("110000", "510105", "510700", "330100")
    made: list[Subscription] = []
    for n in range(count):
        if n % 2:
            asked: dict[str, Any] = {"types": ("*",), "region": elsewhere[n % len(elsewhere)]}
        else:
            asked = {"types": ("clue.*", "briefing.provided"), "region": "510104"}
        made.append(subscription(n, (COUNTY, OTHER_COUNTY, PROVINCE)[n % 3], **asked))
    return made


def costs(others: Sequence[Subscription], event: Event) -> tuple[int, int]:
    """What the first and the next matching of an event cost beside these subscriptions."""
    mine = [subscription(10**6 + n, CITY, types=("petition.*",)) for n in range(3)]
    matcher = Matcher([*others, *mine], policy=POLICY)

    def match() -> None:
        assert matcher.matches(event, audience="") == mine

    POLICY.registry.resolve(event.to or CITY)
    return steps_of(match), steps_of(match)


@pytest.mark.parametrize("to", ["", f"{AUDIT} {CITY}"])
def test_matching_costs_what_it_matches_however_many_subscriptions_there_are(to: str) -> None:
    event = admitted("e", region="510104", to=to)
    few, many = costs(bystanders(10), event), costs(bystanders(10_000), event)
    assert few == many
    assert 0 < few[1] <= few[0] < 200


def test_subscriptions_of_kinds_that_may_not_receive_cost_nothing_after_the_first_event() -> None:
    # An audit office is no receiver of petitions, whatever it asks for.
    event = admitted("e", region="510104")
    others = [
        [subscription(n, AUDIT, types=("*",), region="510104") for n in range(count)]
        for count in (10, 10_000)
    ]
    few, many = (costs(some, event) for some in others)
    assert few[1] == many[1]


def test_changing_one_costs_its_own_however_many_subscriptions_there_are() -> None:
    costs_of = []
    for count in (10, 10_000):
        matcher = Matcher(bystanders(count), policy=POLICY)

        def change(matcher: Matcher = matcher) -> None:
            matcher.put(subscription(3, CITY, types=("petition.*",)))
            matcher.remove(4)

        costs_of.append(steps_of(change))
    assert costs_of[0] == costs_of[1]
    assert 0 < costs_of[0] < 150
