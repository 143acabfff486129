"""The client against a real HTTP server; time and chance are handed in, nothing waits."""

import json
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.kit.batches import batches
from adapters.kit.client import HubClient, Retry
from adapters.kit.results import EventError, HubAway, HubProblem, Page, Policy, Result
from tests.adapters.door import HANG_UP, Answer, Asked, Door, Script, error

PROBLEM = {
    "type": "about:blank",
    "status": 403,
    "code": "not_permitted",
    "title": "没有授权",
    "title_en": "not permitted",
    "detail": "petition.*",
    "retryable": False,
}


@contextmanager
def client_of(url: str, **options: Any) -> Iterator[tuple[HubClient, list[float]]]:
    """A client whose pauses are written down instead of waited."""
    pauses: list[float] = []
    now = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
    options = {"retry": Retry(times=3, first=1.0, longest=60.0)} | options
    client = HubClient(
        url, "secret", sleep=pauses.append, chance=lambda: 1.0, now=lambda: now, **options
    )
    with client:
        yield client, pauses


def always(answer: Answer) -> Script:
    return lambda asked: answer


def event(number: int, **data: object) -> bytes:
    return json.dumps({"source": "/s", "id": str(number), "data": data}).encode()


def ids(asked: Asked) -> list[str]:
    return [event["id"] for event in json.loads(asked.body)]


def test_events_are_published_in_batches_and_answered_in_order(door: Door) -> None:
    with client_of(door.url) as (client, pauses):
        results = client.publish(map(event, range(250)))
    assert [(r.id, r.status) for r in results] == [(str(n), "accepted") for n in range(250)]
    assert [len(ids(asked)) for asked in door.asked] == [100, 100, 50]
    assert {asked.path for asked in door.asked} == {"/v1/events?mode=each"}
    headers = door.asked[0].headers
    assert headers["Content-Type"] == "application/cloudevents-batch+json"
    assert headers["Authorization"] == "Bearer secret"
    assert pauses == []


def test_the_bytes_of_an_event_are_sent_as_they_are(door: Door) -> None:
    written = '{ "source":"/s","id":"1","data":{"文":1.0,"z":1,"a":2} }'.encode()
    with client_of(door.url) as (client, _):
        client.publish([written])
    assert door.asked[0].body == b"[" + written + b"]"


def test_nothing_to_publish_asks_nobody(door: Door) -> None:
    with client_of(door.url) as (client, _):
        assert client.publish([]) == []
    assert door.asked == []


def test_a_batch_holds_no_more_than_the_hub_takes() -> None:
    sized = [b"x" * size for size in (40, 40, 40, 300, 1)]
    cut = list(batches(sized, most=1000, most_bytes=100))
    assert [[len(event) for event in batch] for batch in cut] == [[40, 40], [40], [300], [1]]
    assert [len(batch) for batch in batches([b"x"] * 2_500)] == [1000, 1000, 500]
    assert all(sum(map(len, batch)) + len(batch) + 1 <= 100 for batch in cut if batch != [sized[3]])


def test_events_rejected_for_good_are_told_and_not_repeated(door: Door) -> None:
    door.rejects = lambda e: [error("required", "缺少必填项", pointer="/data/x")] * (e["id"] == "1")
    with client_of(door.url) as (client, pauses):
        results = client.publish([event(0), event(1)])
    assert results[1] == Result(
        source="/s",
        id="1",
        status="rejected",
        receipt=None,
        errors=(EventError("required", "/data/x", "缺少必填项", "required", False),),
    )
    assert [result.status for result in results] == ["accepted", "rejected"]
    assert len(door.asked) == 1
    assert pauses == []


def test_a_batch_of_which_nothing_was_taken_is_an_answer_too(door: Door) -> None:
    door.rejects = lambda e: [error("required", "缺少必填项")]
    with client_of(door.url) as (client, _):
        assert [result.status for result in client.publish([event(0)])] == ["rejected"]


def test_only_events_rejected_for_now_are_sent_again(door: Door) -> None:
    tries: list[str] = []

    def for_now(event: dict[str, Any]) -> list[dict[str, Any]]:
        tries.append(event["id"])
        busy = event["id"] == "1" and tries.count("1") < 3
        return [error("busy", "稍后再试", retryable=True)] if busy else []

    door.rejects = for_now
    with client_of(door.url) as (client, pauses):
        results = client.publish(map(event, range(3)))
    assert [(r.id, r.status) for r in results] == [(str(n), "accepted") for n in range(3)]
    assert [ids(asked) for asked in door.asked] == [["0", "1", "2"], ["1"], ["1"]]
    assert pauses == [1.0, 2.0]


def test_an_event_rejected_for_now_again_and_again_is_answered_so(door: Door) -> None:
    door.rejects = lambda e: [error("busy", "稍后再试", retryable=True)]
    with client_of(door.url) as (client, pauses):
        (result,) = client.publish([event(0)])
    assert result.retryable
    assert pauses == [1.0, 2.0, 4.0]


def test_all_or_nothing_is_one_request_repeated_whole(door: Door) -> None:
    refused = {"status": "rejected", "errors": [error("batch_refused", "整批未收")]}
    busy = {"status": "rejected", "errors": [error("busy", "稍后再试", retryable=True)]}
    door.script = deque([always(Answer(422, {"results": [refused, busy]}))])
    with client_of(door.url) as (client, pauses):
        results = client.publish([event(0), event(1)], mode="all")
    assert [result.status for result in results] == ["accepted", "accepted"]
    assert [(ids(asked), asked.path) for asked in door.asked] == [
        (["0", "1"], "/v1/events?mode=all")
    ] * 2
    assert pauses == [1.0]


def test_all_or_nothing_refused_for_good_is_answered_at_once(door: Door) -> None:
    refused = {"status": "rejected", "errors": [error("batch_refused", "整批未收")]}
    wrong = {"status": "rejected", "errors": [error("required", "缺少必填项")]}
    door.script = deque([always(Answer(422, {"results": [refused, wrong]}))])
    with client_of(door.url) as (client, pauses):
        results = client.publish([event(0), event(1)], mode="all")
    assert [result.errors[0].code for result in results] == ["batch_refused", "required"]
    assert pauses == []


def test_all_or_nothing_takes_no_more_than_a_batch(door: Door) -> None:
    with client_of(door.url) as (client, _), pytest.raises(ValueError, match="1000 events"):
        client.publish(map(event, range(1_001)), mode="all")
    assert door.asked == []


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("7", 7.0),
        ("0", 1.0),
        ("Sun, 01 Nov 2026 00:00:09 GMT", 9.0),
        ("3600", 60.0),
        ("soon", 1.0),
    ],
)
def test_the_hub_says_how_long_to_wait(door: Door, status: int, header: str, pause: float) -> None:
    door.script = deque([always(Answer(status, {"title": "请稍候"}, {"Retry-After": header}))])
    with client_of(door.url) as (client, pauses):
        assert [result.status for result in client.publish([event(0)])] == ["accepted"]
    assert pauses == [pause]


@pytest.mark.parametrize("answer", [HANG_UP, Answer(502), Answer(504, "x"), Answer(503)])
def test_a_hub_that_comes_back_gets_the_batch_again(door: Door, answer: Answer) -> None:
    door.script = deque([always(answer)] * 3)
    with client_of(door.url) as (client, pauses):
        assert [result.status for result in client.publish([event(0)])] == ["accepted"]
    assert pauses == [1.0, 2.0, 4.0]


def test_a_batch_taken_without_an_answer_is_a_duplicate_the_next_time(door: Door) -> None:
    def take_and_hang_up(asked: Asked) -> Answer:
        door.take(asked)
        return HANG_UP

    door.script = deque([take_and_hang_up])
    with client_of(door.url) as (client, _):
        assert [result.status for result in client.publish([event(0)])] == ["duplicate"]


def test_a_hub_that_stays_away_is_told_after_the_last_attempt(door: Door) -> None:
    door.script = deque([always(HANG_UP)] * 10)
    with client_of(door.url) as (client, pauses), pytest.raises(HubAway):
        client.publish([event(0)])
    assert pauses == [1.0, 2.0, 4.0]
    assert len(door.asked) == 4


def test_nobody_listening_is_a_hub_away() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with client_of(url) as (client, _):
            with pytest.raises(HubAway):
                client.publish([event(0)])
            with pytest.raises(HubAway):
                client.health()


def test_pauses_grow_are_spread_and_stay_below_the_longest() -> None:
    retry = Retry(first=1.0, longest=10.0)
    assert [retry.pause(attempt, 1.0) for attempt in range(5)] == [1.0, 2.0, 4.0, 8.0, 10.0]
    assert [retry.pause(attempt, 0.0) for attempt in range(5)] == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_what_the_hub_refuses_is_raised_with_its_problem(door: Door) -> None:
    door.script = deque([always(Answer(403, PROBLEM))])
    with client_of(door.url) as (client, pauses), pytest.raises(HubProblem) as raised:
        client.publish([event(0)])
    problem = raised.value
    told = (problem.status, problem.code, problem.title, problem.title_en, problem.detail)
    assert told == (403, "not_permitted", "没有授权", "not permitted", "petition.*")
    assert not problem.retryable
    assert str(problem) == "没有授权 (not_permitted, HTTP 403) petition.*"
    assert pauses == []


def test_a_problem_tells_everything_that_is_wrong_with_a_document(door: Door) -> None:
    errors = [error("required", "缺少必填项", pointer="/grants/0/from"), error("invalid", "不合法")]
    document = {**PROBLEM, "status": 422, "detail": "", "errors": errors}
    door.script = deque([always(Answer(422, document))])
    with client_of(door.url) as (client, _), pytest.raises(HubProblem) as raised:
        client.put_policy({}, '"1"')
    assert raised.value.errors[0].pointer == "/grants/0/from"
    assert str(raised.value).splitlines()[1:] == ["/grants/0/from 缺少必填项", "不合法"]


def test_a_problem_that_waiting_helps_is_asked_again(door: Door) -> None:
    door.script = deque([always(Answer(500, {**PROBLEM, "retryable": True}))])
    with client_of(door.url) as (client, pauses):
        assert [result.status for result in client.publish([event(0)])] == ["accepted"]
    assert pauses == [1.0]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200),
        Answer(200, []),
        Answer(200, {}),
        Answer(200, {"results": []}),
        Answer(422, {"code": "x"}),
        Answer(302, None, {"Location": "http://127.0.0.1:9/"}),
        Answer(404, "x"),
    ],
)
def test_an_answer_that_is_not_the_hubs_is_a_problem(door: Door, answer: Answer) -> None:
    door.script = deque([always(answer)])
    with client_of(door.url) as (client, _), pytest.raises(HubProblem):
        client.publish([event(0)])
    assert len(door.asked) == 1


def test_a_token_is_not_asked_for_twice_when_the_first_may_have_been_made(door: Door) -> None:
    door.script = deque([always(HANG_UP)])
    with client_of(door.url) as (client, pauses), pytest.raises(HubAway):
        client.issue_token("510100.petition")
    assert len(door.asked) == 1
    assert pauses == []


def test_lists_are_read_to_their_end(door: Door) -> None:
    pages = [
        {"items": [{"id": "a"}, {"id": "b"}], "next": "b"},
        {"items": [{"id": "c"}], "next": None},
    ]
    door.script = deque([always(Answer(200, page)) for page in pages])
    with client_of(door.url) as (client, _):
        assert [item["id"] for item in client.subscriptions()] == ["a", "b", "c"]
    assert [asked.path for asked in door.asked] == [
        "/v1/subscriptions",
        "/v1/subscriptions?after=b",
    ]


def test_the_state_of_a_hub_comes_with_all_its_agencies(door: Door) -> None:
    first = {"queue": 3, "items": [{"agency": "a"}, {"agency": "b"}], "next": "b"}
    last = {"queue": 4, "items": [{"agency": "c"}], "next": None}
    door.script = deque([always(Answer(200, first)), always(Answer(200, last))])
    with client_of(door.url) as (client, _):
        told = client.status()
    assert told == {
        "queue": 3,
        "items": [{"agency": "a"}, {"agency": "b"}, {"agency": "c"}],
        "next": None,
    }
    assert [asked.path for asked in door.asked] == [
        "/v1/status?limit=1000",
        "/v1/status?limit=1000&after=b",
    ]


def test_a_page_of_events_comes_with_its_cursor(door: Door) -> None:
    door.script = deque([always(Answer(200, [{"id": "1"}], {"Guantong-Cursor": "c1"}))])
    with client_of(door.url) as (client, _):
        page = client.pull("daily feed", limit=10, wait=0, cursor="c0")
    assert page == Page(events=({"id": "1"},), cursor="c1")
    expected = "/v1/subscriptions/daily%20feed/events?limit=10&wait=0&cursor=c0"
    assert door.asked[0].path == expected


def test_a_page_says_how_many_events_expired_on_its_way(door: Door) -> None:
    headers = [{"Guantong-Cursor": "c1", "Guantong-Expired": text} for text in ("12", "-1", "x")]
    door.script = deque([always(Answer(200, [], told)) for told in headers])
    with client_of(door.url) as (client, _):
        assert client.pull("daily", wait=0) == Page(events=(), cursor="c1", expired=12)
        for _wrong in headers[1:]:
            with pytest.raises(HubProblem, match="answer_unreadable"):
                client.pull("daily", wait=0)


def test_dead_letters_are_counted_listed_and_asked_for_again(door: Door) -> None:
    door.script = deque(
        [
            always(Answer(200, [], {"Guantong-Cursor": "c1", "Guantong-Parked": "2"})),
            always(Answer(200, {"items": [{"n": 7}], "next": 7})),
            always(Answer(200, {"items": [{"n": 9}], "next": None})),
            always(Answer(200, [{"id": "1"}])),
        ]
    )
    with client_of(door.url) as (client, _):
        assert client.pull("daily", wait=0) == Page(events=(), cursor="c1", parked=2)
        assert list(client.dead_letters("daily feed")) == [{"n": 7}, {"n": 9}]
        assert client.redrive("daily feed", 9) == ({"id": "1"},)
    path = "/v1/subscriptions/daily%20feed/dead-letters"
    assert [asked.path for asked in door.asked][1:] == [
        path,
        f"{path}?after=7",
        f"{path}/9/redrive",
    ]


def test_a_policy_is_changed_under_the_tag_it_was_read_with(door: Door) -> None:
    document: dict[str, Any] = {"agencies": [], "grants": [], "recusals": []}
    door.script = deque(
        [
            always(Answer(200, document, {"ETag": '"7"'})),
            always(Answer(200, {"changed": True})),
            always(Answer(200, {"changed": False})),
            always(Answer(200, {"version": 8})),
        ]
    )
    with client_of(door.url) as (client, _):
        policy = client.get_policy()
        assert policy == Policy(document=document, etag='"7"')
        assert client.put_policy(document, policy.etag, dry_run=True) == {"changed": True}
        assert client.put_policy(document, policy.etag, replay="30d") == {"changed": False}
        assert client.put_policy(document, policy.etag) == {"version": 8}
    assert [(a.method, a.path, a.headers.get("If-Match")) for a in door.asked] == [
        ("GET", "/v1/policy", None),
        ("PUT", "/v1/policy?dry_run=true", '"7"'),
        ("PUT", "/v1/policy?dry_run=true&replay=30d", '"7"'),
        ("PUT", "/v1/policy", '"7"'),
    ]


def test_every_call_goes_where_the_interface_says(door: Door) -> None:
    answer = Answer(200, {"items": [], "next": None, "token": "t"})
    door.script = deque([always(answer)] * 20)
    with client_of(door.url) as (client, _):
        client.subscribe({"id": "s", "types": ["petition.*"]})
        client.delete_subscription("s/1")
        client.commit("s", "c1")
        client.replay("s", "2026-11-01T00:00:00+08:00")
        list(client.contracts())
        client.contract("petition.case_transferred")
        client.contract("petition.case_transferred", "1.0")
        client.receipt("0" * 32)
        client.explain("/510100.petition/xfj", "1", "510100.inspection-office")
        list(client.agencies())
        client.issue_token("510100.petition", {"seconds": 600})
        client.revoke_token("510100.petition", 3)
        client.status()
        assert client.health()
    assert [(asked.method, asked.path, asked.body) for asked in door.asked] == [
        ("POST", "/v1/subscriptions", b'{"id":"s","types":["petition.*"]}'),
        ("DELETE", "/v1/subscriptions/s%2F1", b""),
        ("POST", "/v1/subscriptions/s/cursor", b'{"cursor":"c1"}'),
        ("POST", "/v1/subscriptions/s/cursor", b'{"since":"2026-11-01T00:00:00+08:00"}'),
        ("GET", "/v1/contracts", b""),
        ("GET", "/v1/contracts/petition.case_transferred", b""),
        ("GET", "/v1/contracts/petition.case_transferred/1.0", b""),
        ("GET", f"/v1/receipts/{'0' * 32}", b""),
        (
            "GET",
            "/v1/explain?source=%2F510100.petition%2Fxfj&id=1&agency=510100.inspection-office",
            b"",
        ),
        ("GET", "/v1/agencies", b""),
        ("POST", "/v1/agencies/510100.petition/tokens", b'{"seconds":600}'),
        ("DELETE", "/v1/agencies/510100.petition/tokens/3", b""),
        ("GET", "/v1/status?limit=1000", b""),
        ("GET", "/health/ready", b""),
    ]


def test_a_hub_that_is_not_ready_says_so_without_being_asked_twice(door: Door) -> None:
    door.script = deque([always(Answer(503))])
    with client_of(door.url) as (client, pauses):
        assert not client.health()
    assert pauses == []
