"""What a hub answered in a story; each record tells how that differs from what the model says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.generative import model, registry, versions, views
from tests.generative.model import Denied, Event
from tests.generative.registry import Moment, Record

Json = dict[str, Any]
TOLD: Final = ("allowed", "reason", "classes", "masked")


@dataclass(frozen=True, slots=True)
class Published:
    """One event at the door: the codes and pointers of its refusal, None for a refused caller."""

    event: Event
    moment: Moment
    codes: list[tuple[str, str]] | None

    @property
    def decisions(self) -> int:
        """How many decisions it compares."""
        return 1

    def difference(self) -> str | None:
        """Both answers, if they differ."""
        expected = None
        if self.moment.in_force(self.event.publisher):
            expected = sorted(model.may_publish(self.event, self.event.publisher, self.moment))
        if expected == self.codes:
            return None
        told = {"event": self.event.attributes, "model": expected, "hub": self.codes}
        return written({**told, **grounds(self.event, self.event.publisher, self.moment)})


@dataclass(frozen=True, slots=True)
class Read:
    """One agency's reading of a subscription; `events` is what there was, with its moment."""

    agency: str
    subscription: Record
    events: Sequence[tuple[Event, Moment]]
    moment: Moment
    status: int
    got: Sequence[Json]

    @property
    def decisions(self) -> int:
        """How many decisions it compares."""
        return len(self.events)

    def fed(self) -> Iterator[Event]:
        """What the feed holds."""
        return (e for e, then in self.events if model.feed(self.subscription, e, then))

    def difference(self) -> str | None:
        """Both answers to the first event on which they differ, and what decides it."""
        if not self.moment.in_force(self.agency):
            return None if self.status == 403 else f"{self.agency}: {self.status} and not 403"
        if self.status != 200:
            return f"{self.agency}: {self.status} and not 200"
        decided = [(event, model.decide(event, self.agency, self.moment)) for event in self.fed()]
        expected = [
            views.view(told, decision)
            for event, decision in decided
            if not isinstance(decision, Denied)
            and not model.expired(event, self.moment)
            and model.wanted(self.subscription, event)
            and (told := pinned(event, self.subscription)) is not None
        ]
        if expected == list(self.got):
            return None
        ours, theirs = ({d["id"]: d for d in told} for told in (expected, self.got))
        ids = [event.attributes["id"] for event, _ in self.events]
        differing = [id_ for id_ in ids if ours.get(id_) != theirs.get(id_)]
        if not differing:
            return f"{self.agency}: another order: {[*ours]} and {[*theirs]}"
        event, then = self.events[ids.index(differing[0])]
        return written(
            {
                "agency": self.agency,
                "event": event.attributes,
                "data": event.data,
                "subscription": self.subscription,
                "registered then": then.record(self.agency),
                "in its feed": model.feed(self.subscription, event, then),
                "model decides": model.decide(event, self.agency, self.moment),
                "model": beside(ours.get(differing[0]), theirs.get(differing[0])),
                "hub": beside(theirs.get(differing[0]), ours.get(differing[0])),
                **grounds(event, self.agency, self.moment),
            }
        )


@dataclass(frozen=True, slots=True)
class Explained:
    """What the auditor is told of an event and an agency; `readings` are of one subscription."""

    event: Event
    agency: str
    subscription: str
    moment: Moment
    readings: Sequence[Read]
    told: Json

    @property
    def decisions(self) -> int:
        """How many decisions it compares."""
        return 1 + len(self.readings)

    def difference(self) -> str | None:
        """Both accounts, if they differ."""
        now = self.told["now"]["decision"]
        then = [r for r in self.readings if r.status == 200 and self.event in r.fed()]
        expected = {
            "now": explained(self.event, self.agency, self.moment),
            "then": [read(self.event, r.subscription, r.moment) for r in then],
        }
        got = {
            "now": now and {name: now[name] for name in ("step", *TOLD)},
            "then": [
                {name: told[name] for name in TOLD}
                for told in self.told["readings"]
                if told["subscription"] == self.subscription
            ],
        }
        if got == expected:
            return None
        told = {"agency": self.agency, "event": self.event.attributes}
        return written({**told, "model": expected, "hub": got})


def pinned(event: Event, subscription: Record) -> Event | None:
    """The event in the version that the subscription has pinned; None where it is parked."""
    version = subscription["versions"].get(event.contract.type, event.contract.version)
    return versions.in_version(event, version)


def explained(event: Event, agency: str, moment: Moment) -> Json | None:
    """A decision as explain tells it; None for an agency that is not registered."""
    if moment.record(agency) is None:
        return None
    decision = model.decide(event, agency, moment)
    if isinstance(decision, Denied):
        told = {"allowed": False, "step": decision.step, "reason": decision.reason}
        return {**told, "classes": [], "masked": False}
    told = {"allowed": True, "step": None, "reason": None}
    return {**told, "classes": sorted(decision.classes), "masked": decision.masked}


def read(event: Event, subscription: Record, moment: Moment) -> Json:
    """What the record of a reading keeps of a decision: an expired event is not decided on."""
    told = explained(event, subscription["agency"], moment)
    assert told is not None, "only a registered agency reads"
    if told["allowed"] and not model.wanted(subscription, event):
        told = {"allowed": False, "reason": "filtered", "classes": [], "masked": False}
    if told["allowed"] and pinned(event, subscription) is None:
        told = {"allowed": False, "reason": "inconvertible", "classes": [], "masked": False}
    if model.expired(event, moment):
        told = {"allowed": False, "reason": "expired", "classes": [], "masked": False}
    return {name: told[name] for name in TOLD}


def grounds(event: Event, agency: str, moment: Moment) -> Json:
    """What of the policy a decision on the event and agency looks at."""
    kinds = registry.kinds_of(agency, moment)
    concerned = {agency, event.publisher, event.opening and event.opening.publisher}
    given = [
        grant
        for grant in moment.policy["grants"]
        if grant.get("agency") == agency or grant.get("kind") in kinds
    ]
    recusals = [r for r in moment.policy["recusals"] if r["agency"] == agency]
    body = registry.body_of(agency, moment) if moment.record(agency) else []
    return {
        "body": [record["id"] for record in body],
        "comes from": [earlier.attributes for earlier in model.ancestry(event)][1:],
        "addressed": sorted(model.named_in(event, ("to", "cc"), moment)),
        "agencies": [r for r in moment.policy["agencies"] if r["id"] in concerned],
        "grants": [grant for grant in given if model.holds_type(grant, event.contract.type)],
        "recusals": [r for r in recusals if r["case"] in model.cases_of(event)],
    }


def beside(told: Json | None, other: Json | None) -> Any:
    """What of a document is different in the other; the whole if there is no other."""
    if told is None or other is None:
        return told
    return {name: held for name, held in told.items() if other.get(name) != held}


def written(lines: Mapping[str, Any]) -> str:
    """An account for people."""
    return "\n" + "\n".join(f"  {name}: {held}" for name, held in lines.items())
