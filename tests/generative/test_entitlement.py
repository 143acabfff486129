"""Who gets what, in a generated world: the hub's answers are those of the slow second reading.

Everything goes through the HTTP door. What the hub answered is kept, so that the comparison itself
can be put to the test: a model that is wrong in one thing is found out.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.generative import model, places, records, registry, versions, views
from tests.generative.model import Denied, Event
from tests.generative.records import Explained, Published, Read
from tests.generative.registry import Moment, Record
from tests.generative.story import CEILING, Stage, Story
from tests.running import running_hub

# As long as a million decisions may take on a busy machine.
pytestmark = pytest.mark.timeout(7200)
KEPT = 100_000
MOST_TOLD = 3


@dataclass
class Played:
    """What came of all stories; the records of the first ones are kept."""

    decisions: int = 0
    differences: list[str] = field(default_factory=list)
    records: list[Published | Read | Explained] = field(default_factory=list, repr=False)
    answers: Counter[str] = field(default_factory=Counter)

    def take(self, records: Iterable[Published | Read | Explained]) -> None:
        """Compare each record as it comes."""
        for record in records:
            self.decisions += record.decisions
            self.answers.update(answers_in(record))
            if self.decisions <= KEPT:
                self.records.append(record)
            difference = record.difference()
            if difference is not None:
                self.differences.append(f"{type(record).__name__}: {difference}")


def answers_in(record: Published | Read | Explained) -> Iterator[str]:
    """What the hub said, each answer by its name."""
    match record:
        case Published(codes=None):
            yield "forbidden"
        case Published(codes=codes):
            yield from (code for code, _ in codes) if codes else ("published",)
        case Read(got=got):
            yield from ("view" if "hubwithheld" in event else "whole" for event in got)
            yield from ("converted" for event in got if "hubconverted" in event)
        case Explained(told=told):
            yield (told["now"]["decision"] or {"reason": "unregistered"})["reason"] or "allowed"


@pytest.fixture(scope="module")
def played(wanted: int, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Stories, one after the other on one hub, until enough was decided."""
    with running_hub(tmp_path_factory.mktemp("hub"), settings={"ceiling": CEILING}) as hub:
        stage, so_far = Stage(hub), Played()

        # A difference is told with all it depends on: shrinking a story would take hours.
        @settings(
            max_examples=max(10, wanted // 1000),
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(
            chance=st.randoms(use_true_random=True),
            openings=st.integers(35, 50),
            replies=st.integers(20, 35),
            changes=st.lists(st.integers(3, 9), min_size=1, max_size=2),
        )
        def play(chance: Random, openings: int, replies: int, changes: list[int]) -> None:
            if so_far.decisions >= wanted or len(so_far.differences) >= MOST_TOLD:
                return
            story = Story(stage, chance)
            story.begin()
            so_far.take(story.publish_openings(openings))
            so_far.take(story.publish_replies(replies))
            so_far.take(story.publish_exchanges(replies))
            so_far.take(story.read())
            for number in changes:
                story.change(number)
                so_far.take(story.publish_openings(number))
                so_far.take(story.publish_replies(number))
                so_far.take(story.publish_exchanges(number))
                so_far.take(story.read())
            story.start_over()
            so_far.take(story.publish_replies(10))
            so_far.take(story.read())
            so_far.take(story.replay(6))
            so_far.take(story.explain(30))
            so_far.take(story.replay_since(6))
            story.end()

        play()
    return so_far


def test_the_hub_decides_as_the_model_does(
    played: Played, wanted: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert played.differences == [], "\n".join(played.differences[:MOST_TOLD])
    assert played.decisions >= wanted
    with capsys.disabled():
        sys.stdout.write(f"\ndecisions {played.decisions} | {dict(played.answers)}\n")


def test_the_world_has_an_example_of_every_answer(played: Played) -> None:
    """Else the comparison would say nothing of what never happens."""
    assert played.answers.keys() >= {
        "published",
        "whole",
        "view",
        "allowed",
        "not_granted",
        "publisher_not_admitted",
        "region_unknown",
        "address_unknown",
        "above_ceiling",
        "opening_unknown",
        "case_differs",
        "correlation_differs",
        "about_differs",
        "subject_unknown",
        "not_among_readers",
        "converted",
        "caveat_unknown",
        "caveat_needs_to",
        "caveat_circle",
    }
    decided = {
        decision.reason if isinstance(decision, Denied) else "masked" if decision.masked else "full"
        for record in played.records
        if isinstance(record, Read) and record.status == 200
        for decision in (model.decide(e, record.agency, record.moment) for e in record.fed())
    }
    assert decided == {
        "full",
        "masked",
        "not_a_receiver",
        "no_grant",
        "no_forward",
        "not_addressed",
        "above_clearance",
        "accused_party",
        "recused",
    }
    assert any(
        records.pinned(event, record.subscription) is None
        and not isinstance(model.decide(event, record.agency, record.moment), Denied)
        for record in played.records
        if isinstance(record, Read) and record.status == 200
        for event in record.fed()
    )


# --- a model that is wrong in one thing is found out ----------------------------------------------


def always(*_: Any) -> bool:
    return True


def never(*_: Any) -> bool:
    return False


def itself(value: Any, *_: Any) -> Any:
    return value


def one_record(agency: str, moment: Moment) -> list[Record | None]:
    return [moment.record(agency)]


def without_predecessors(agency: str, moment: Moment) -> list[Record]:
    own = moment.record(agency) or {}
    body = registry.body_of(agency, moment)
    return [r for r in body if r is own or ("organ" in own and r.get("organ") == own["organ"])]


def own_kind(agency: str, _: Moment) -> set[str]:
    return {agency.split(".")[1]}


def never_inspected(agency: str, moment: Moment) -> set[str]:
    return registry.kinds_of(agency, moment) - {"inspected-party"}


def own_desks(kind: str, moment: Moment) -> list[str]:
    ids = [record["id"] for record in moment.policy["agencies"]]
    return [id_ for id_ in ids if id_.split(".")[1:] == [kind]]


def below(address: str, moment: Moment, resolve: Any = registry.written) -> Any:
    return resolve(address if address.endswith("**") else address.replace("/*", "/**"), moment)


def grants_less(*left_out: str, grants: Any = model.grants) -> Callable[..., Any]:
    return lambda grant, *rest: grants(
        {name: held for name, held in grant.items() if name not in left_out}, *rest
    )


def scope_alone(grant: Record, event: Event, _: str, moment: Moment) -> bool:
    return model.scope_covers(grant["region"], event.region, event.publisher, moment)


def systems_are_places(scope: str, region: str, *_: Any) -> bool:
    return places.covers(scope.rpartition("@")[2], region)


def unmasked(*about: Any, measure: Any = model.measure_for) -> Any:
    return measure(*about) and "full"


def masked_when_addressed(
    event: Event, agency: str, moment: Moment, measure: Any = model.measure_for
) -> Any:
    found = measure(event, agency, moment)
    return "masked" if found and model.is_addressed(event, agency, moment) else found


def own_parties(event: Event, *rest: Any, accused: Any = model.is_accused) -> Any:
    return accused(replace(event, opening=None), *rest)


def own_case(event: Event) -> set[str]:
    return {event.key}


def nothing(*_: Any) -> list[tuple[str, str]]:
    return []


def some_led(data: Any, convert: Any = versions.as_2_0) -> Any:
    return convert({**data, "subjects": [versions.without(s, "lead") for s in data["subjects"]]})


def caveats_but(ignored: str) -> property:
    return property(lambda e: [c for c in e.attributes.get("caveats", "").split() if c != ignored])


MUTATIONS: Mapping[str, tuple[ModuleType | type, str, Any]] = {
    "recusals are forgotten": (model, "is_recused", never),
    "the accused get it": (model, "is_accused", never),
    "heads are nobody": (model, "is_head", never),
    "an organ is one record": (model, "body_of", one_record),
    "predecessors are forgotten": (model, "body_of", without_predecessors),
    "names are compared as written": (model, "normalised", str),
    "the opening's parties are forgotten": (model, "is_accused", own_parties),
    "clearance does not matter": (model, "above_clearance", never),
    "levels do not matter": (model, "at_level", always),
    "rounds do not end": (model, "grants", grants_less("round")),
    "grants do not end": (model, "grants", grants_less("from", "until")),
    "grants are for everybody": (model, "grants", grants_less("agency", "kind")),
    "systems are places": (model, "scope_covers", systems_are_places),
    "an address does not widen a grant": (model, "reaches", scope_alone),
    "everybody is addressed": (model, "is_addressed", always),
    "replies have no audience": (model, "in_audience", never),
    "nobody succeeds anybody": (registry, "in_office", itself),
    "nobody is fed for a successor": (model, "line_of", registry.names),
    "retired regions are gone": (places, "today", itself),
    "the next level is all levels": (registry, "written", below),
    "nobody stands in for a desk": (registry, "desks_of", own_desks),
    "acting is nothing": (model, "kinds_of", own_kind),
    "an inspected party is told": (model, "kinds_of", never_inspected),
    "masked cells are full": (model, "measure_for", unmasked),
    "an address lifts no mask": (model, "measure_for", masked_when_addressed),
    "summaries are withheld": (views, "SUMMARY", {}),
    "source-protected is nothing": (model.Event, "caveats", caveats_but("source-protected")),
    "sealed is nothing": (model.Event, "caveats", caveats_but("sealed")),
    "expired events are delivered": (model, "expired", never),
    "filters do not matter": (model, "filter_holds", always),
    "what an event comes from is another case": (model, "cases_of", own_case),
    "exchanges are anybody's": (model, "exchange_faults", nothing),
    "answers are about anything": (model, "subject", never),
    "pins are forgotten": (records, "pinned", itself),
    "what a version cannot say is left out": (versions, "as_2_0", some_led),
}


@pytest.mark.parametrize("wrong", MUTATIONS)
def test_a_model_is_found_out_in_which(
    played: Played, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*MUTATIONS[wrong])
    assert any(record.difference() is not None for record in played.records)
