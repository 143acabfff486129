"""A story played on a real hub: everything through its HTTP door, compared with the model."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from random import Random
from typing import Any, Final

from jsonschema import Draft202012Validator

from contracts.catalogue import load_catalogue
from tests.generative import world
from tests.generative.model import Denied, Event, decide, expired, feed, may_publish
from tests.generative.registry import Moment, names
from tests.generative.views import view
from tests.running import AgencyClient, RunningHub, codes_of, results_of

Json = dict[str, Any]
CEILING: Final = "mimi"
CASES: Final = 12


class Stage:
    """A hub on which stories are played, with a client for every agency of the world."""

    def __init__(self, hub: RunningHub) -> None:
        self.hub = hub
        # Tokens are given to registered agencies only; what a policy grants does not matter here.
        hub.apply({**world.policy(Random(0), ["none"]), **everybody_in_office(Random(0))})
        self.readers = {id_: hub.agency(id_) for id_ in world.IDS}
        self.decisions = 0
        self.answers: Counter[str] = Counter()
        self.stories = 0
        with hub.admin as admin:
            self._validators = {
                contract.type: Draft202012Validator(
                    admin.get(f"/v1/contracts/{contract.type}/{contract.version}/view").json()
                )
                for contract in load_catalogue()
            }
        self._valid: set[str] = set()

    def validate(self, document: Json) -> None:
        """A view validates against the schema of its contract's views."""
        written = json.dumps([document["type"], document["data"]], sort_keys=True)
        if written not in self._valid:
            self._validators[document["type"]].validate(document["data"])
            self._valid.add(written)


def everybody_in_office(random: Random) -> world.Policy:
    """A registry in which every agency takes part, so that every one can subscribe."""
    bounds = ("valid_from", "valid_until", "successor")
    return {
        "agencies": [
            {name: held for name, held in record.items() if name not in bounds}
            for record in world.registry(random)
        ]
    }


class Story:
    """A policy, its changes, and the events that are published and read under it."""

    def __init__(self, stage: Stage, random: Random) -> None:
        stage.stories += 1
        self._stage = stage
        self._random = random
        self._id = f"s{stage.stories}"
        self._cases = [f"{self._id}-case-{n}" for n in range(CASES)]
        self._numbers = iter(range(10**6))
        self._policy = world.policy(random, self._cases)
        self._events: list[tuple[Event, Moment]] = []
        self._subscriptions: dict[str, Json] = {}

    def begin(self) -> None:
        """Every agency subscribes, then the story's policy comes into force."""
        self._stage.hub.apply({**self._policy, **everybody_in_office(self._random)})
        for agency, reader in self._stage.readers.items():
            asked = world.subscription(self._random, agency, self._id)
            reader.subscribe(**{name: held for name, held in asked.items() if name != "agency"})
            self._subscriptions[agency] = asked
        self._enact(self._policy)

    def end(self) -> None:
        """Leave the hub as it was, so that the next story is as quick."""
        self._stage.hub.apply({**self._policy, **everybody_in_office(self._random)})
        for reader in self._stage.readers.values():
            assert reader.http.delete(f"/v1/subscriptions/{self._id}").status_code == 204

    def change(self, changes: int) -> None:
        """Change the policy, so many things at once."""
        policy = self._policy
        for _ in range(changes):
            policy = world.change(self._random, policy, self._cases)
        self._enact(policy)

    def publish_openings(self, count: int) -> None:
        """Publish openings by agencies of all kinds."""
        self._publish([self._opening() for _ in range(count)])

    def publish_replies(self, count: int) -> None:
        """Publish replies to what was registered, by whoever received it and by others."""
        self._publish([self._reply() for _ in range(count)])

    def read(self) -> None:
        """Every agency reads all that the story published; it gets what the model says."""
        moment = self._moment()
        for agency, reader in self._stage.readers.items():
            subscription = self._subscriptions[agency]
            events = [event for event, then in self._events if feed(subscription, event, then)]
            answer = reader.page(self._id, limit=1000)
            self._stage.decisions += len(self._events)
            if not moment.in_force(agency):
                assert answer.status_code == 403, f"{agency} is not in force: {answer.text[:200]}"
                continue
            assert answer.status_code == 200, answer.text
            expected = [*self._expected(events, agency, moment)]
            got = answer.json()
            if got != expected:
                told = account(self._events, agency, moment, expected, got)
                raise AssertionError(f"{told}\nsubscription: {subscription}")
            for document in got:
                self._stage.validate(document)

    def _expected(
        self, events: Sequence[Event], agency: str, moment: Moment
    ) -> Iterator[dict[str, Any]]:
        for event in events:
            if expired(event, moment):
                continue
            decision = decide(event, agency, moment)
            if isinstance(decision, Denied):
                self._stage.answers[decision.reason] += 1
            else:
                self._stage.answers["masked" if decision.masked else "full"] += 1
                yield view(event, decision)

    def _moment(self) -> Moment:
        return Moment(self._policy, datetime.now(UTC), CEILING)

    def _enact(self, policy: world.Policy) -> None:
        self._stage.hub.apply(policy)
        self._policy = policy

    def _opening(self) -> Event:
        type_ = self._random.choice(world.OPENINGS)
        publisher = world.admitted_publisher(self._random, type_)
        return self._drawn(type_, publisher, self._random.choice(self._cases))

    def _reply(self) -> Event:
        openings = [e for e, _ in self._events if e.contract.type == "clue.transferred"]
        others = [e for e, _ in self._events]
        opening = self._random.choice(openings if self._random.random() < 0.9 else others)
        moment = self._moment()
        readers = [id_ for id_ in world.IDS if not isinstance(decide(opening, id_, moment), Denied)]
        likely = readers if readers and self._random.random() < 0.8 else world.IDS
        case = opening.key.partition(":")[2]
        if self._random.random() < 0.05:
            case = self._random.choice(self._cases)
        reply = self._drawn(
            self._random.choice(world.REPLIES), self._random.choice(likely), case, opening
        )
        return reply

    def _drawn(
        self, type_: str, publisher: str, case: str, opening: Event | None = None
    ) -> Event:
        id_ = f"{self._id}-{next(self._numbers)}"
        attributes = world.event(self._random, id_, type_, publisher, case, self._policy)
        data = attributes.pop("data")
        if opening is not None:
            assert opening.hub is not None
            attributes["causationid"] = opening.hub["hubreceipt"]
            correlation = opening.attributes.get("correlationid")
            if self._random.random() < 0.95:
                attributes.pop("correlationid", None)
                if correlation is not None:
                    attributes["correlationid"] = correlation
        return Event(attributes, data, opening)

    def _publish(self, events: Sequence[Event]) -> None:
        """Each publisher sends its own in one request; the hub takes what the model lets pass."""
        moment = self._moment()
        ordered = sorted(events, key=lambda event: event.publisher)
        for publisher, group in groupby(ordered, key=lambda event: event.publisher):
            batch = list(group)
            reader = self._stage.readers[publisher]
            answer = reader.publish(*({**e.attributes, "data": e.data} for e in batch))
            if not moment.in_force(publisher):
                assert answer.status_code == 403, f"{publisher} is not in force: {answer.text}"
                continue
            for event, result in zip(batch, results_of(answer), strict=True):
                faults = sorted(set(may_publish(event, publisher, moment)))
                if sorted(codes_of(result)) != faults:
                    raise AssertionError(publishing_account(event, moment, faults, result))
                for code, _ in faults:
                    self._stage.answers[code] += 1
                if not faults:
                    self._stage.answers["published"] += 1
                    self._events.append((registered(event, result["receipt"]), moment))
        self._events.sort(key=lambda known: int((known[0].hub or {})["hubposition"][2:]))


def registered(event: Event, receipt: Mapping[str, str]) -> Event:
    """The event with what the hub adds on delivery."""
    named = f"{event.attributes['source']}\n{event.attributes['id']}".encode()
    assert receipt["id"] == hashlib.sha256(named).hexdigest()[:32]
    hub = {
        "hubreceipt": receipt["id"],
        "hubtime": receipt["hubtime"],
        "hubposition": receipt["position"],
    }
    return Event(event.attributes, event.data, event.opening, hub)


def account(
    events: Sequence[tuple[Event, Moment]],
    agency: str,
    moment: Moment,
    expected: Sequence[Json],
    got: Sequence[Json],
) -> str:
    """Both answers to the first event on which they differ, and what decides it."""
    hers, his = ({e["id"]: e for e in told} for told in (expected, got))
    if list(hers) != list(his) and set(hers) == set(his):
        return f"{agency}: another order: {list(hers)} and {list(his)}"
    event = next(e for e, _ in events if hers.get(e.attributes["id"]) != his.get(e.attributes["id"]))
    id_ = event.attributes["id"]
    lines = {
        "agency": agency,
        "event": event.attributes,
        "opening": event.opening and event.opening.attributes,
        "addressed": names(f"{event.attributes.get('to', '')} {event.attributes.get('cc', '')}", moment),
        "addressed then": next(
            names(f"{event.attributes.get('to', '')} {event.attributes.get('cc', '')}", then)
            for known, then in events
            if known is event
        ),
        "records": relevant_records(event, agency, moment),
        "grants": relevant_grants(event, agency, moment),
        "recusals": [r for r in moment.policy["recusals"] if r["agency"] == agency],
        "model decides": decide(event, agency, moment),
        "model": differing(hers.get(id_), his.get(id_)),
        "hub": differing(his.get(id_), hers.get(id_)),
    }
    if decide(event, agency, moment) == Denied(4, "accused_party"):
        lines["data"] = event.data
    return "\n" + "\n".join(f"{name}: {held}" for name, held in lines.items())


def publishing_account(
    event: Event, moment: Moment, faults: Sequence[tuple[str, str]], result: Json
) -> str:
    """Both answers to an event that was published."""
    lines = {
        "event": event.attributes,
        "opening": event.opening and event.opening.attributes,
        "records": relevant_records(event, event.publisher, moment),
        "grants": relevant_grants(event, event.publisher, moment),
        "model": faults,
        "hub": codes_of(result),
    }
    if event.opening is not None:
        lines["model decides on the opening"] = decide(event.opening, event.publisher, moment)
    return "\n" + "\n".join(f"{name}: {held}" for name, held in lines.items())


def relevant_records(event: Event, agency: str, moment: Moment) -> list[Json]:
    """The registry records of the agency and of the publisher."""
    return [dict(r) for r in moment.policy["agencies"] if r["id"] in (agency, event.publisher)]


def relevant_grants(event: Event, agency: str, moment: Moment) -> list[Json]:
    """The grants that name the agency or one of its kinds."""
    record = moment.record(agency) or {}
    kinds = (agency.split(".")[1], *record.get("acts_as", ()))
    return [
        dict(grant)
        for grant in moment.policy["grants"]
        if grant.get("agency") == agency or grant.get("kind") in kinds
    ]


def differing(told: Json | None, other: Json | None) -> Any:
    """What of a document the other has not; "nothing" for a document that is not there."""
    if told is None or other is None:
        return told and sorted(told)
    return {name: held for name, held in told.items() if other.get(name) != held}
