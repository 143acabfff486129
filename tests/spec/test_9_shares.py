"""Promise 9: a loud publisher uses up its own share, and starves nobody."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.running import RunningHub, running_hub
from tests.sample import AUDIT, PETITION, briefing, petition, policy
from tests.spec.wire import Answer, Wire, head

REQUESTS, BYTES = 3, 10_000


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub of which a publisher may use little at once."""
    settings = {"share_requests": f"{REQUESTS}", "share_bytes": f"{BYTES}"}
    with running_hub(tmp_path_factory.mktemp("narrow"), settings=settings) as running:
        running.apply(policy())
        yield running


def holding(stack: ExitStack, hub: RunningHub, agency: str, length: int) -> Wire:
    """A request of so many bytes that the hub has begun to read, and that goes on until sent."""
    wire = stack.enter_context(Wire(hub))
    wire.send(head("/v1/events", hub.token(agency), length=length, Expect="100-continue"))
    wire.continued()
    return wire


def finish(wire: Wire, length: int) -> Answer:
    """Send the empty batch that was held back, as long as was said."""
    wire.send(b"[" + b" " * (length - 2) + b"]")
    return wire.answer()


def turned_away(hub: RunningHub) -> dict[str, float]:
    """How many requests were turned away, by agency."""
    with hub.admin as admin:
        lines = admin.get("/metrics").text.splitlines()
    name = 'guantong_requests_over_share_total{agency="'
    counted = (line.removeprefix(name).split('"} ') for line in lines if line.startswith(name))
    return {agency: float(count) for agency, count in counted}


def is_told(answer: Any) -> bool:
    """Whether an answer says all that a client needs to come again."""
    return (answer.status_code, answer.headers["retry-after"], answer.json()) == (
        429,
        "1",
        {
            "type": "urn:guantong:problem:share_exceeded",
            "status": 429,
            "code": "share_exceeded",
            "title": "本机构同时处理的请求已达份额，请稍后重试",
            "title_en": "this agency's share is in use, try again later",
            "detail": "",
            "retryable": True,
        },
    )


@pytest.mark.parametrize(("held", "length"), [(REQUESTS, 100), (1, BYTES)])
def test_a_publisher_that_uses_its_share_is_told_to_come_again_and_the_others_are_taken(
    narrow: RunningHub, held: int, length: int
) -> None:
    loud, other = narrow.agency(PETITION), narrow.agency(AUDIT)
    before = turned_away(narrow).get(PETITION, 0)
    events = [petition(f"loud-{held}-{n}") for n in range(5)]
    with ExitStack() as stack:
        wires = [holding(stack, narrow, PETITION, length) for _ in range(held)]
        assert [is_told(loud.publish(event)) for event in events] == [True] * len(events)
        for n in range(5):
            other.accepted(briefing(f"other-{held}-{n}"))
        for wire in wires:
            assert (finish(wire, length).json()) == {"results": []}
    # Nothing was kept of what was turned away, and there is room again.
    loud.accepted(*events)
    assert turned_away(narrow) == {PETITION: before + len(events)}


def test_a_request_that_is_alone_may_be_larger_than_the_share(narrow: RunningHub) -> None:
    bureau = narrow.agency(PETITION)
    events = [petition(f"large-{n}", data={"summary": "字" * 1_000}) for n in range(10)]
    assert len(bureau.accepted(*events)) == len(events)


def test_one_address_has_so_many_connections(tmp_path: Path) -> None:
    settings = {"max_connections_per_address": "3", "max_connections": "100"}
    with running_hub(tmp_path / "data", settings=settings) as hub:
        hub.apply(policy())
        token = hub.token(PETITION)
        asking = head("/v1/contracts", token, method="GET")
        with ExitStack() as stack:
            # Each held connection has been answered once, so the hub is known to count it.
            held: list[Wire] = []
            while len(held) < 3:
                wire = stack.enter_context(Wire(hub))
                wire.send(asking)
                if wire.answer().status == 200:
                    held.append(wire)
            with Wire(hub) as one_more:
                answer = one_more.answer()
                assert (answer.status, answer.json()["code"]) == (503, "overloaded")
                assert one_more.ended()
        with ExitStack() as stack:
            again = False
            while not again:
                wire = stack.enter_context(Wire(hub))
                wire.send(asking)
                again = wire.answer().status == 200
