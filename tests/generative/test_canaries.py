"""What F2 to F4 fields hold shows nowhere but in views that list it, and in the journal's data.

A story is played with canaries in every such field, and what was accepted is sent again spoilt.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from contracts.catalogue import load_catalogue
from contracts.classes import F2
from contracts.contract import Contract
from contracts.fields import walk
from tests.generative import world
from tests.generative.payloads import CANARY, IDNO, PAYLOADS, PHONE, secret
from tests.generative.story import CEILING, Stage, Story
from tests.running import RunningHub, running_hub
from tests.spec.storage import cells

CANARIES = (CANARY, IDNO, PHONE)
SAMPLES = 300

# Those whose payloads are drawn member by member; the others' are their examples.
each_contract = pytest.mark.parametrize(
    "contract", [load_catalogue().find(t, "1.0") for t in sorted(PAYLOADS)], ids=lambda c: c.type
)


def tells(text: str) -> bool:
    return any(canary in text.lower() for canary in CANARIES)


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Everything that is neither object nor array, with its pointer."""
    match value:
        case dict():
            for name, held in value.items():
                yield from leaves(held, f"{pointer}/{name}")
        case list():
            for held in value:
                yield from leaves(held, f"{pointer}/-")
        case _:
            yield pointer, value


def planted(value: Any, steps: list[str], by: Any) -> Any:
    """The document with another value at a pointer, in the first item of each array."""
    if not steps:
        return by
    if isinstance(value, list):
        return [planted(value[0], steps[1:], by), *value[1:]]
    return {**value, steps[0]: planted(value[steps[0]], steps[1:], by)}


def payloads(type_: str) -> list[dict[str, Any]]:
    """Many valid payloads of a type."""
    agencies = world.registry(Random(1))
    return [PAYLOADS[type_](Random(n), "case", agencies) for n in range(SAMPLES)]


@each_contract
def test_every_text_of_the_classes_f2_to_f4_carries_a_canary(contract: Contract) -> None:
    """Every such member is filled in; one that takes a canary has had one."""
    fields = {p for p, f in walk(contract.fields) if f.field_class >= F2 and not f.parts}
    samples = payloads(contract.type)
    told: dict[str, list[Any]] = {}
    for sample in samples:
        for pointer, value in leaves(sample):
            told.setdefault(pointer, []).append(value)
    assert {pointer for pointer in fields if pointer not in told} == set()
    bare = [p for p in fields if not any(tells(str(value)) for value in told[p])]
    assert [pointer for pointer in bare if takes_a_canary(contract, pointer, samples)] == []


def takes_a_canary(contract: Contract, pointer: str, samples: list[dict[str, Any]]) -> bool:
    sample = next(s for s in samples if pointer in first_leaves(s))
    spoilt = planted(sample, pointer.split("/")[1:], secret("x"))
    return not isinstance(contract.check(json.dumps(spoilt).encode()), tuple)


def first_leaves(value: Any, pointer: str = "") -> dict[str, Any]:
    """The leaves that `planted` reaches."""
    match value:
        case dict():
            below = [first_leaves(held, f"{pointer}/{name}") for name, held in value.items()]
            return {where: leaf for found in below for where, leaf in found.items()}
        case list():
            return first_leaves(value[0], f"{pointer}/-") if value else {}
        case _:
            return {pointer: value}


def spoilt(random: Random, data: dict[str, Any]) -> Any:
    """A payload that is valid no more: a member renamed, of another type, too long, repeated."""
    pointer = random.choice([p for p, held in first_leaves(data).items() if tells(str(held))])
    steps = pointer.split("/")[1:]
    wrong = random.choice(([secret("x")], {secret("x"): 1}, secret("x") * 5_000, f"\0{CANARY}"))
    return random.choice((planted(data, steps, wrong), {**data, secret("x"): secret("y")}, [data]))


def answers(hub: RunningHub, stage: Stage, story: Story, random: Random) -> Iterator[str]:
    """What the hub says beside views: to publishers, auditors and operators."""
    events = story.events
    for event in events:
        publisher = stage.readers[event.publisher]
        whole = {**event.attributes, "data": event.data}
        broken = {**whole, "data": spoilt(random, dict(event.data))}
        renamed = {**broken, "id": f"spoilt-{event.attributes['id']}"}
        for batch in ([whole], [broken], [renamed], [renamed, whole]):
            for mode in ("each", "all"):
                yield publisher.publish(*batch, mode=mode).text
        yield publisher.send(json.dumps(renamed).encode()[:-40]).text
    for event in events[:20]:
        asked = {"source": event.attributes["source"], "id": event.attributes["id"]}
        receipt = (event.hub or {})["hubreceipt"]
        yield stage.readers[event.publisher].http.get(f"/v1/receipts/{receipt}").text
        for agency in random.sample(world.IDS, 5):
            yield stage.admin.get("/v1/explain", params={**asked, "agency": agency}).text
            yield stage.readers[agency].http.get("/v1/explain", params=asked).text
        yield stage.admin.get("/v1/reads", params={"limit": "1000", **asked}).text
    yield stage.admin.get("/metrics").text


def test_nothing_of_it_is_told_logged_counted_or_indexed(tmp_path: Path) -> None:
    random = Random(9)
    directory = tmp_path / "data"
    with running_hub(directory, settings={"ceiling": CEILING}) as hub:
        stage = Stage(hub)
        story = Story(stage, random)
        story.begin()
        for published in (*story.publish_openings(40), *story.publish_replies(20)):
            assert published.difference() is None
        for reading in story.read():
            assert reading.difference() is None
        told = [*answers(hub, stage, story, random)]
        assert hub.stop() == 0
    assert any('"status":"rejected"' in answer for answer in told)
    assert [answer for answer in told if tells(answer)] == []
    assert [line for line in hub.lines if tells(line)] == []
    places = {
        (table, column)
        for table, column, value in cells(directory)
        if tells(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))
    }
    assert places == {("journal", "data")}
