"""A story played on a real hub through its HTTP door: a policy, its changes, events, readers."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from random import Random
from typing import Any, Final

from jsonschema import Draft202012Validator

from contracts.catalogue import load_catalogue
from tests.generative import world
from tests.generative.changes import change
from tests.generative.model import Denied, Event, decide
from tests.generative.payloads import often
from tests.generative.records import Explained, Published, Read
from tests.generative.registry import Moment
from tests.running import RunningHub, codes_of, results_of

Json = dict[str, Any]
CEILING: Final = "mimi"
CASES: Final = 12
EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Stage:
    """A hub on which stories are played, with a client for every agency of the world."""

    def __init__(self, hub: RunningHub) -> None:
        self.hub = hub
        self.admin = hub.admin
        # Only a registered agency is given a token.
        hub.apply(everybody_in_office(world.policy(Random(0), ["none"])))
        self.readers = {id_: hub.agency(id_) for id_ in world.IDS}
        self.stories = 0
        self._validators = {
            contract.urn: Draft202012Validator(
                self.admin.get(f"/v1/contracts/{contract.type}/{contract.version}/view").json()
            )
            for contract in load_catalogue()
        }
        self._valid: set[str] = set()

    def validate(self, document: Json) -> None:
        """A view validates against the schema of its contract's views."""
        written = json.dumps([document["type"], document["data"]], sort_keys=True)
        if written not in self._valid:
            self._validators[document["dataschema"]].validate(document["data"])
            self._valid.add(written)


def everybody_in_office(policy: world.Policy) -> world.Policy:
    """The policy with every agency taking part, so that every one can subscribe."""
    bounds = ("valid_from", "valid_until")
    records = [
        {name: held for name, held in record.items() if name not in bounds}
        for record in policy["agencies"]
    ]
    return {**policy, "agencies": records}


class Story:
    """What is published and read under one policy and its changes."""

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
        self._read: list[Read] = []

    @property
    def events(self) -> list[Event]:
        """What was registered, in order."""
        return [event for event, _ in self._events]

    def begin(self) -> None:
        """Every agency subscribes, then the story's policy comes into force."""
        self._stage.hub.apply(everybody_in_office(self._policy))
        for agency in world.IDS:
            asked = world.subscription(self._random, agency, self._id)
            self._subscribe(asked, start="now")
            self._subscriptions[agency] = asked
        self._enact(self._policy)

    def end(self) -> None:
        """Leave no subscription behind, so that the next story is as quick."""
        everybody = everybody_in_office({**self._policy, "agencies": world.registry(Random(0))})
        self._stage.hub.apply(everybody)
        for agency in world.IDS:
            http = self._stage.readers[agency].http
            assert http.delete(f"/v1/subscriptions/{self._id}").status_code == 204

    def change(self, changes: int) -> None:
        """Change the policy, so many things at once."""
        policy = self._policy
        for _ in range(changes):
            policy = change(self._random, policy, self._cases)
        self._enact(policy)

    def start_over(self) -> None:
        """Put a whole other policy in force; what was published stays."""
        self._enact(world.policy(self._random, self._cases))

    def publish_openings(self, count: int) -> Iterator[Published]:
        """Publish openings by agencies of all kinds."""
        yield from self._publish([self._opening() for _ in range(count)])

    def publish_replies(self, count: int) -> Iterator[Published]:
        """Publish replies to what was registered, by whoever received it and by others."""
        yield from self._publish([self._reply() for _ in range(count)])

    def publish_exchanges(self, count: int) -> Iterator[Published]:
        """Publish exchanges about what was registered, and answers to some of them."""
        yield from self._publish([self._exchange() for _ in range(count)])
        asked = [e for e in self.events if e.contract.about is not None]
        if asked:
            chosen = self._random.choices(asked, k=count // 2)
            yield from self._publish([self._reply_to(opening) for opening in chosen])

    def read(self) -> Iterator[Read]:
        """Every agency reads all of its subscription again."""
        for asked in self._subscriptions.values():
            reading = self._reading(asked, self._events)
            self._read.append(reading)
            yield reading

    def replay(self, count: int) -> Iterator[Read]:
        """Some agencies subscribe anew, from the earliest event or from a time on."""
        moment = self._moment()
        in_force = [id_ for id_ in world.IDS if moment.in_force(id_)]
        for agency in self._random.sample(in_force, count):
            asked = world.subscription(self._random, agency, f"{self._id}-replay")
            asked["filters"].append({"prefix": {"id": f"{self._id}-"}})
            since = hubtime(self._random.choice(self._events)[0])
            start, first = self._random.choice((("earliest", EVER), (since.isoformat(), since)))
            self._subscribe(asked, start=start)
            http = self._stage.readers[agency].http
            path = f"/v1/subscriptions/{asked['id']}"
            while not http.get(path).json()["ready"]:
                continue
            # What is older is matched as things are when the subscription is made.
            later = [event for event, _ in self._events if hubtime(event) >= first]
            yield self._reading(asked, [(event, moment) for event in later])
            assert http.delete(path).status_code == 204

    def replay_since(self, count: int) -> Iterator[Read]:
        """Some agencies go back to the time of an event, and read on from there."""
        moment = self._moment()
        in_force = [id_ for id_ in world.IDS if moment.in_force(id_)]
        for agency in self._random.sample(in_force, count):
            since = hubtime(self._random.choice(self._events)[0])
            http = self._stage.readers[agency].http
            path = f"/v1/subscriptions/{self._id}/cursor"
            assert http.post(path, json={"since": since.isoformat()}).status_code == 200
            later = [(event, then) for event, then in self._events if hubtime(event) >= since]
            yield self._reading(self._subscriptions[agency], later)

    def explain(self, count: int) -> Iterator[Explained]:
        """The auditor asks about some events and agencies."""
        for _ in range(count):
            event = self._random.choice(self._events)[0]
            agency = self._random.choice(world.IDS)
            asked = {"source": event.attributes["source"], "id": event.attributes["id"]}
            answer = self._stage.admin.get("/v1/explain", params={**asked, "agency": agency})
            assert answer.status_code == 200, answer.text
            readings = [reading for reading in self._read if reading.agency == agency]
            yield Explained(event, agency, self._id, self._moment(), readings, answer.json())

    def _subscribe(self, asked: Json, *, start: str) -> None:
        body = {name: held for name, held in asked.items() if name not in ("agency", "id")}
        self._stage.readers[asked["agency"]].subscribe(asked["id"], start=start, **body)

    def _reading(self, asked: Json, events: Sequence[tuple[Event, Moment]]) -> Read:
        agency, moment = asked["agency"], self._moment()
        answer = self._stage.readers[agency].page(asked["id"], limit=1000)
        got = answer.json() if answer.status_code == 200 else []
        for document in got:
            self._stage.validate(document)
        return Read(agency, asked, tuple(events), moment, answer.status_code, got)

    def _moment(self) -> Moment:
        return Moment(self._policy, datetime.now(UTC), CEILING)

    def _enact(self, policy: world.Policy) -> None:
        self._stage.hub.apply(policy)
        self._policy = policy

    def _opening(self) -> Event:
        known = world.OPENINGS if self._random.random() < 0.7 else world.OTHERS
        type_ = self._random.choice(known)
        publisher = world.admitted_publisher(self._random, type_)
        return self._drawn(type_, publisher, self._random.choice(self._cases))

    def _reply(self) -> Event:
        """Mostly to a clue, in its case, by who received it; now and then to none of these."""
        chance = self._random
        clues = [e for e, _ in self._events if e.contract.type == "clue.transferred"]
        return self._reply_to(chance.choice(clues if chance.random() < 0.8 else self.events))

    def _reply_to(self, opening: Event) -> Event:
        chance, readers = self._random, self._readers_of(opening)
        publisher = chance.choice(readers if readers and chance.random() < 0.8 else world.IDS)
        case = opening.key.partition(":")[2]
        if chance.random() < 0.1:
            case = chance.choice(self._cases)
        replies = world.REPLIES
        if opening.contract.type != "clue.transferred" and chance.random() < 0.8:
            replies = load_catalogue().replies_to(opening.contract.type) or replies
        reply = self._drawn(chance.choice(replies), publisher, case)
        attributes = {**reply.attributes, "causationid": (opening.hub or {})["hubreceipt"]}
        if chance.random() < 0.85:
            attributes.pop("correlationid", None)
            if "correlationid" in opening.attributes:
                attributes["correlationid"] = opening.attributes["correlationid"]
        data = reply.data
        if "about" in data:
            told = opening if chance.random() < 0.7 else chance.choice(self.events)
            data = {**data, "about": told.data.get("about", named(told))}
        return Event(attributes, data, opening)

    def _exchange(self) -> Event:
        """Mostly between the publisher of an event and its readers, now and then about none."""
        chance = self._random
        about = chance.choice(self.events)
        readers, author = self._readers_of(about), about.publisher
        sender = chance.choice((author, chance.choice(readers or world.IDS)))
        circle: Sequence[str] = readers
        if sender != author:
            circle = [author, *about.attributes.get("to", "").split()]
        if chance.random() < 0.15:
            sender = chance.choice(world.IDS)
        if chance.random() < 0.15 or not circle:
            circle = world.IDS
        drawn = self._drawn(chance.choice(world.EXCHANGES), sender, chance.choice(self._cases))
        attributes = {name: held for name, held in drawn.attributes.items() if name != "cc"}
        attributes |= often(chance, 0.95, to=chance.choice(circle))
        attributes |= often(chance, 0.15, cc=chance.choice(circle))
        if chance.random() < 0.05:
            return Event(attributes, {**drawn.data, "about": {**named(about), "id": "never"}})
        return Event(attributes, {**drawn.data, "about": named(about)}, about=about)

    def _readers_of(self, event: Event) -> list[str]:
        moment = self._moment()
        return [id_ for id_ in world.IDS if not isinstance(decide(event, id_, moment), Denied)]

    def _drawn(self, type_: str, publisher: str, case: str) -> Event:
        id_ = f"{self._id}-{next(self._numbers)}"
        attributes = world.event(self._random, id_, type_, publisher, case, self._policy)
        data = attributes.pop("data")
        return Event(attributes, data)

    def _publish(self, events: Sequence[Event]) -> Iterator[Published]:
        """Each publisher sends its own in one request."""
        moment = self._moment()
        ordered = sorted(events, key=lambda event: event.publisher)
        for publisher, group in groupby(ordered, key=lambda event: event.publisher):
            batch = list(group)
            documents = [{**event.attributes, "data": event.data} for event in batch]
            answer = self._stage.readers[publisher].publish(*documents)
            if answer.status_code == 403:
                yield from (Published(event, moment, None) for event in batch)
                continue
            for event, result in zip(batch, results_of(answer), strict=True):
                if result["status"] == "accepted":
                    self._events.append((registered(event, result["receipt"]), moment))
                yield Published(event, moment, sorted(codes_of(result)))


def hubtime(event: Event) -> datetime:
    """When the event was registered."""
    return datetime.fromisoformat((event.hub or {})["hubtime"])


def named(event: Event) -> Json:
    """The event as an exchange names it."""
    return {name: event.attributes[name] for name in ("source", "id")}


def registered(event: Event, receipt: Json) -> Event:
    """The event with what the hub adds on delivery."""
    names = {"hubreceipt": "id", "hubtime": "hubtime", "hubposition": "position"}
    hub = {name: receipt[told] for name, told in names.items()}
    return Event(event.attributes, event.data, event.opening, hub, event.about)
