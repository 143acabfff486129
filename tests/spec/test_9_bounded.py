"""Promise 9: everything has its bound, and whoever passes it is told so and hinders nobody."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.running import (
    PATIENCE,
    STRUCTURED,
    AgencyClient,
    RunningHub,
    codes_of,
    results_of,
    running_hub,
)
from tests.sample import AUDIT, CITY, DISCIPLINE, PETITION, briefing, petition, policy
from tests.spec.wire import Answer, Wire, head, publishing

Event = dict[str, Any]
BODY, BATCH, EVENT, DATA, DEPTH, VALUES = 20_000, 10, 4_000, 2_000, 8, 120


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub with small bounds."""
    settings = {
        "max_body": str(BODY),
        "max_batch": str(BATCH),
        "max_event": str(EVENT),
        "max_data": str(DATA),
        "max_depth": str(DEPTH),
        "max_values": str(VALUES),
        "max_page": "5",
        "max_wait": "1",
    }
    with running_hub(tmp_path_factory.mktemp("small"), settings=settings) as running:
        running.apply(policy())
        yield running


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that waits for nobody: whoever is slow for once, as on a busy machine, is refused."""
    settings = {"head_seconds": "0.5", "body_seconds": "0.5"}
    directory = tmp_path_factory.mktemp("hasty")
    with running_hub(directory) as patient:
        patient.apply(policy())
        token = patient.token(PETITION)
        assert patient.stop() == 0
    with running_hub(directory, settings=settings) as running:
        running._tokens[PETITION] = token
        yield running


@pytest.fixture
def bureau(small: RunningHub) -> AgencyClient:
    return small.agency(PETITION)


def sized(event: Event, size: int, *, of: str) -> bytes:
    """The event as JSON with spaces so that its `whole` or its `data` has just so many bytes."""
    payload = json.dumps(event["data"], ensure_ascii=False).encode()
    envelope = json.dumps({k: v for k, v in event.items() if k != "data"}).encode()[:-1]
    if of == "data":
        payload = payload[:-1] + b" " * (size - len(payload)) + b"}"
        return b'%b,"data":%b}' % (envelope, payload)
    whole = b'%b,"data":%b}' % (envelope, payload)
    return whole[:-1] + b" " * (size - len(whole)) + b"}"


def too_large(limit: int, pointer: str) -> Event:
    return {
        "code": "event_too_large",
        "pointer": pointer,
        "message": f"超过上限 {limit} 字节；大件请以 DocRef 引用",
        "message_en": f"larger than {limit} bytes: refer to large things by DocRef",
        "retryable": False,
    }


# --- sizes ----------------------------------------------------------------------------------------


def test_a_body_over_the_limit_is_refused_as_a_whole(bureau: AgencyClient) -> None:
    event = json.dumps([petition("body")]).encode()
    fits = bureau.send(event + b" " * (BODY - len(event)))
    assert (fits.status_code, results_of(fits)[0]["status"]) == (200, "accepted")
    over = bureau.send(event + b" " * (BODY - len(event) + 1))
    assert over.headers["content-type"] == "application/problem+json"
    assert (over.status_code, over.json()) == (
        413,
        {
            "type": "urn:guantong:problem:too_large",
            "status": 413,
            "code": "too_large",
            "title": "内容超过上限",
            "title_en": "larger than the limit",
            "detail": f"{BODY} bytes",
            "retryable": False,
        },
    )


def test_a_body_of_unstated_length_is_refused_as_soon_as_it_is_too_long(small: RunningHub) -> None:
    with Wire(small) as wire:
        wire.send(head("/v1/events", small.token(PETITION), Transfer_Encoding="chunked"))
        chunk = b"%x\r\n%b\r\n" % (1000, b" " * 1000)
        wire.send(chunk * (BODY // 1000 + 1))
        answer = wire.answer()
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


def test_a_length_over_the_limit_is_refused_before_the_body_comes(small: RunningHub) -> None:
    with Wire(small) as wire:
        wire.send(head("/v1/events", small.token(PETITION), length=10**12))
        answer = wire.answer()
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


def test_a_batch_over_the_limit_is_refused_as_a_whole(bureau: AgencyClient) -> None:
    events = [petition(f"batch-{n}") for n in range(BATCH + 1)]
    over = bureau.publish(*events)
    assert (over.status_code, over.json()["code"], over.json()["detail"]) == (
        413,
        "too_large",
        f"{BATCH} events",
    )
    assert len(bureau.accepted(*events[:BATCH])) == BATCH


@pytest.mark.parametrize("binding", ["batch", "structured"])
def test_an_event_over_the_limit_is_refused_in_its_place(
    bureau: AgencyClient, binding: str
) -> None:
    fits = sized(petition(f"event-{binding}"), EVENT, of="whole")
    over = sized(petition(f"event-{binding}-over"), EVENT + 1, of="whole")
    if binding == "batch":
        answer = bureau.send(b"[%b,%b]" % (fits, over))
        assert answer.status_code == 207
        first, second = results_of(answer)
    else:
        (first,), (second,) = (
            results_of(bureau.send(event, media=STRUCTURED)) for event in (fits, over)
        )
    assert first["status"] == "accepted"
    assert (second["status"], second["errors"]) == ("rejected", [too_large(EVENT, "")])


def test_data_over_the_limit_is_refused_in_its_place(bureau: AgencyClient) -> None:
    fits = sized(petition("data"), DATA, of="data")
    over = sized(petition("data-over"), DATA + 1, of="data")
    first, second = results_of(bureau.send(b"[%b,%b]" % (fits, over)))
    assert first["status"] == "accepted"
    assert (second["source"], second["id"], second["errors"]) == (
        f"/{PETITION}",
        "XF-data-over",
        [too_large(DATA, "/data")],
    )


def test_data_over_the_limit_is_refused_in_binary_mode(bureau: AgencyClient) -> None:
    event = petition("data-binary")
    headers = {f"ce-{n}": v for n, v in event.items() if n not in ("data", "datacontenttype")}
    headers["content-type"] = "application/json"
    data = json.dumps(event["data"], ensure_ascii=False).encode()
    over = data + b" " * (DATA + 1 - len(data))
    answer = bureau.http.post("/v1/events", content=over, headers=headers)
    (result,) = results_of(answer)
    assert (result["id"], result["errors"]) == ("XF-data-binary", [too_large(DATA, "/data")])


def nested(depth: int, *, inside: str) -> bytes:
    event = json.dumps(petition(f"depth-{inside}-{depth}"))[:-1].encode()
    if inside == "arrays":
        return b'%b,"extra":%b%b}' % (event, b"[" * depth, b"]" * depth)
    return b'%b,"extra":%b1%b}' % (event, b'{"a":' * depth, b"}" * depth)


@pytest.mark.parametrize("inside", ["arrays", "objects"])
@pytest.mark.parametrize("depth", [DEPTH, 300])
def test_json_nested_too_deeply_is_refused_in_its_place(
    bureau: AgencyClient, inside: str, depth: int
) -> None:
    good = json.dumps(petition(f"beside-{inside}-{depth}")).encode()
    answer = bureau.send(b"[%b,%b]" % (good, nested(depth, inside=inside)))
    first, second = results_of(answer)
    assert (answer.status_code, first["status"]) == (207, "accepted")
    assert codes_of(second) == [("too_deep", "")]


def test_brackets_in_text_nest_nothing(bureau: AgencyClient) -> None:
    summary = '[{"[[\\' * 50
    bureau.accepted(petition("brackets", data={"summary": summary}))


def test_a_payload_of_too_many_values_is_refused_in_its_place(bureau: AgencyClient) -> None:
    """Each might be a fault to be told; commas and colons in text are none."""
    text = petition("values-text", data={"summary": ":," * VALUES})
    many = petition("values-many", data={"handlers": [1] * VALUES})
    answer = bureau.publish(text, many)
    first, second = results_of(answer)
    assert (answer.status_code, first["status"]) == (207, "accepted")
    assert codes_of(second) == [("too_many", "/data")]


def test_json_nested_beyond_all_measure_is_refused_as_a_whole(bureau: AgencyClient) -> None:
    answer = bureau.send(b"[" * (BODY - 1))
    assert (answer.status_code, answer.json()["code"]) in (
        (400, "too_deep"),
        (400, "batch_malformed"),
    )
    assert bureau.publish().status_code == 200


def test_numbers_out_of_all_proportion_are_refused(bureau: AgencyClient) -> None:
    event = json.dumps(petition("number"))
    for number in ("9" * 1500, "1e999999999", "-" + "1" * 1500):
        body = event.replace('"people": 3', f'"people": {number}').encode()
        assert body != event.encode()
        answer = bureau.send(b"[%b]" % body)
        assert (answer.status_code, results_of(answer)[0]["status"]) == (422, "rejected")


# --- pages ----------------------------------------------------------------------------------------


def test_a_page_ends_at_the_limit_asked_for_and_at_the_hubs_own(
    small: RunningHub, bureau: AgencyClient
) -> None:
    reader = small.agency(DISCIPLINE)
    reader.subscribe("pages")
    bureau.accepted(*(petition(f"page-{n}") for n in range(10)))
    sizes = [len(reader.page("pages", limit=n).json()) for n in (1, 3, 5, 6, 1000, 999_999_999)]
    assert sizes == [1, 3, 5, 5, 5, 5]
    assert len(reader.page("pages").json()) == 5


@pytest.mark.parametrize("name", ["limit", "wait"])
@pytest.mark.parametrize("value", ["-1", "1.", "many", "１", "9" * 5000, " 1"])
def test_a_query_that_is_no_number_is_refused(small: RunningHub, name: str, value: str) -> None:
    reader = small.agency(DISCIPLINE)
    reader.subscribe("query")
    answer = reader.page("query", **{name: value})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("path", ["/v1/subscriptions", "/v1/subscriptions/query/events"])
def test_a_page_of_none_is_no_fault_of_the_hub(small: RunningHub, path: str) -> None:
    reader = small.agency(DISCIPLINE)
    reader.subscribe("query")
    reader.subscribe("query-2")
    answer = reader.http.get(path, params={"limit": "0"})
    assert answer.status_code in (200, 400), answer.text
    with small.admin as admin:
        assert admin.get("/v1/agencies", params={"limit": "0"}).status_code in (200, 400)


def test_a_wait_longer_than_the_hubs_is_cut_short(small: RunningHub) -> None:
    reader = small.agency(DISCIPLINE)
    reader.subscribe("wait")
    before = monotonic()
    assert reader.page("wait", wait=3600).json() == []
    assert monotonic() - before < PATIENCE


@pytest.mark.at_length
def test_a_page_ends_at_8_mebibytes(tmp_path: Path) -> None:
    """Forty briefings of a quarter mebibyte each."""
    with running_hub(tmp_path / "data") as hub:
        hub.apply(policy())
        reader, audit = hub.agency(CITY), hub.agency(AUDIT)
        reader.subscribe()
        items = [{"title": "事项", "text": "字" * 20_000} for _ in range(4)]
        events = [briefing(n, data={"items": items}) for n in range(40)]
        size = len(json.dumps(events[0], ensure_ascii=False).encode())
        assert 230_000 < size < 256 * 1024
        for start in range(0, 40, 20):
            audit.accepted(*events[start : start + 20])
        pages = [reader.page(limit=1000)]
        while pages[-1].json():
            cursor = pages[-1].headers["guantong-cursor"]
            pages.append(reader.page(limit=1000, cursor=cursor))
        assert [e["id"] for page in pages for e in page.json()] == [e["id"] for e in events]
        assert all(len(page.content) <= 8 * 1024 * 1024 + 1024 for page in pages)
        assert len(pages[0].content) > 7 * 1024 * 1024


# --- connections ----------------------------------------------------------------------------------


def is_timeout(answer: Answer) -> bool:
    return (answer.status, answer.headers["content-type"], answer.json()["code"]) == (
        408,
        "application/problem+json",
        "request_timeout",
    )


def test_a_head_that_comes_too_slowly_is_refused_and_the_connection_ended(
    hasty: RunningHub,
) -> None:
    whole = publishing(hasty.token(PETITION), b"[]")
    parts = (b"", b"GET / HT", whole[:60], whole[: whole.index(b"\r\n\r\n") + 2])
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(hasty)) for _ in parts]
        for wire, part in zip(wires, parts, strict=True):
            wire.send(part)
        assert [is_timeout(wire.answer()) for wire in wires] == [True] * len(parts)
        assert [wire.ended() for wire in wires] == [True] * len(parts)


def test_a_body_that_comes_too_slowly_is_refused_and_the_connection_ended(
    hasty: RunningHub,
) -> None:
    token = hasty.token(PETITION)
    requests = (
        publishing(token, b"[]") + head("/v1/events", token, length=100),
        head("/v1/events", token, length=100) + b"[",
        head("/v1/events", token, Transfer_Encoding="chunked") + b"1\r\n[\r\n",
    )
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(hasty)) for _ in requests]
        for wire, request in zip(wires, requests, strict=True):
            wire.send(request)
        assert wires[0].answer().json() == {"results": []}
        assert [is_timeout(wire.answer()) for wire in wires] == [True] * len(requests)
        assert [wire.ended() for wire in wires] == [True] * len(requests)


def test_a_head_that_goes_on_and_on_is_refused(small: RunningHub) -> None:
    with Wire(small) as wire:
        wire.send(b"GET /v1/policy HTTP/1.1\r\nHost: hub\r\n")
        wire.send(b"X-Filler: " + b"a" * 70_000)
        answer = wire.answer()
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


def test_slow_senders_do_not_hinder_the_others(small: RunningHub, bureau: AgencyClient) -> None:
    token = small.token(PETITION)
    with ExitStack() as stack:
        slow = [stack.enter_context(Wire(small)) for _ in range(50)]
        for wire in slow:
            wire.send(head("/v1/events", token, length=2, Expect="100-continue"))
            wire.continued()
            wire.send(b"[")
        bureau.accepted(petition("beside-slow"))
        # Only now do they go on.
        for wire in slow:
            wire.send(b"]")
        assert [wire.answer().json() for wire in slow] == [{"results": []}] * len(slow)


def test_more_connections_than_the_limit_are_told_to_come_again(tmp_path: Path) -> None:
    with running_hub(tmp_path / "data", settings={"max_connections": "4"}) as hub:
        hub.apply(policy())
        token = hub.token(PETITION)
        with ExitStack() as stack:
            # Each held connection has been answered once, so the hub is known to count it.
            held: list[Wire] = []
            while len(held) < 4:
                wire = stack.enter_context(Wire(hub))
                wire.send(publishing(token, b"[]"))
                if wire.answer().status == 200:
                    held.append(wire)
            with Wire(hub) as one_more:
                answer = one_more.answer()
                assert (answer.status, answer.json()["code"]) == (503, "overloaded")
                assert answer.json()["retryable"] is True
                assert int(answer.headers["retry-after"]) >= 1
                assert one_more.ended()
            for wire in held:
                wire.send(publishing(token, b"[]"))
                assert (wire.answer().json()) == {"results": []}


# --- the writer's queue ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub of which only one work may wait for the writer; what tests need was made before."""
    data = tmp_path_factory.mktemp("crowded")
    with running_hub(data) as roomy:
        roomy.apply(policy())
        roomy.token(PETITION)
        roomy.agency(DISCIPLINE).subscribe()
        assert roomy.stop() == 0
    with running_hub(data, settings={"queue_bytes": "1"}) as running:
        running._tokens.update(roomy._tokens)
        yield running


def seen_of(hub: RunningHub, prefix: str) -> list[str]:
    """The ids that the discipline office reads, of those that begin so, sorted."""
    ids = (event["id"] for event in hub.agency(DISCIPLINE).drain())
    return sorted(id_ for id_ in ids if id_.startswith(prefix))


MANY = 50


def overload(hub: RunningHub, batches: Iterator[list[Event]]) -> list[tuple[list[Event], Any]]:
    """Publish from many threads until many were told to come again; every batch and its answer."""
    waiting = iter(list(batches))
    turned_away: list[Any] = []

    def publish(client: AgencyClient) -> list[tuple[list[Event], Any]]:
        sent = []
        while len(turned_away) < MANY and (batch := next(waiting, None)):
            answer = client.publish(*batch)
            sent.append((batch, answer))
            if answer.status_code == 503:
                turned_away.append(answer)
        return sent

    with ThreadPoolExecutor(24) as pool:
        shares = list(pool.map(publish, [hub.agency(PETITION) for _ in range(24)]))
    assert len(turned_away) >= MANY
    return [pair for share in shares for pair in share]


def test_a_full_queue_is_told_as_such_with_nothing_half_done(crowded: RunningHub) -> None:
    sent = overload(crowded, ([petition(f"q{n}-{m}") for m in range(3)] for n in range(2400)))
    taken = [batch for batch, answer in sent if answer.status_code == 200]
    turned_away = [(batch, answer) for batch, answer in sent if answer.status_code != 200]
    for _, answer in turned_away:
        body = answer.json()
        assert (answer.status_code, body["code"], body["retryable"]) == (503, "overloaded", True)
        assert int(answer.headers["retry-after"]) >= 1
        assert "results" not in body
    assert seen_of(crowded, "XF-q") == sorted(event["id"] for batch in taken for event in batch)
    # Nothing was lost either: they are taken when they come again, and the hub has room.
    client = crowded.agency(PETITION)
    for batch, _ in turned_away:
        while (answer := client.publish(*batch)).status_code == 503:
            pass
        assert [result["status"] for result in results_of(answer)] == ["accepted"] * len(batch)


def test_a_full_queue_does_not_half_do_a_batch_with_a_refused_event(crowded: RunningHub) -> None:
    """Events stored, then no room to record what was refused: not a 503 as if none were stored."""
    wrong = petition("wrong", data={"people": -1})
    sent = overload(crowded, ([petition(f"h{n}"), wrong] for n in range(4800)))
    turned_away = {batch[0]["id"] for batch, answer in sent if answer.status_code == 503}
    taken = {batch[0]["id"] for batch, answer in sent if answer.status_code == 207}
    seen = set(seen_of(crowded, "XF-h"))
    assert (seen & turned_away, seen) == (set(), taken)


# --- subscribers ----------------------------------------------------------------------------------


def test_a_subscriber_that_never_reads_does_not_hinder_the_others(hub: RunningHub) -> None:
    """It asks for pages and takes none of the bytes; others publish and read meanwhile."""
    stuck, reader, bureau = hub.agency(CITY), hub.agency(DISCIPLINE), hub.agency(PETITION)
    stuck.subscribe()
    summary = "字" * 15_000
    for n in range(4):
        bureau.accepted(*(petition(f"stuck-{n}-{m}", data={"summary": summary}) for m in range(50)))
    token = hub.token(CITY)
    asking = head("/v1/subscriptions/all/events?limit=1000", token, method="GET")
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(Wire(hub)).send(asking * 20)
        reader.subscribe()
        cursor = reader.page().headers["guantong-cursor"]
        for n in range(20):
            bureau.accepted(petition(f"beside-{n}"))
            page = reader.page(cursor=cursor, wait=10)
            assert [e["id"] for e in page.json()] == [f"XF-beside-{n}"]
            cursor = page.headers["guantong-cursor"]
