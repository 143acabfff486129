"""Promise 4: a reader never passes a position that commits late."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.running import PATIENCE, AgencyClient, RunningHub, running_hub
from tests.sample import CITY, DISCIPLINE, PETITION, clue, petition, policy

pytestmark = [pytest.mark.on_both, pytest.mark.at_length]

Event = dict[str, Any]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as threads:
        yield threads


@pytest.fixture
def bureau(hub: RunningHub) -> AgencyClient:
    return hub.agency(PETITION)


@pytest.fixture
def reader(hub: RunningHub) -> AgencyClient:
    """The discipline office, with a subscription `all` that starts with the test."""
    client = hub.agency(DISCIPLINE)
    client.http.delete("/v1/subscriptions/all")
    client.subscribe()
    return client


def ids(events: list[Event]) -> list[str]:
    return [event["id"] for event in events]


def numbers(events: list[Event]) -> list[int]:
    shards = {event["hubposition"].partition("-")[0] for event in events}
    assert shards <= {"0"}
    return [int(event["hubposition"].partition("-")[2]) for event in events]


def follow(client: AgencyClient, count: int, *, limit: int, id_: str = "all") -> list[Event]:
    """Read by long polls until so many events have come."""
    found: list[Event] = []
    query: dict[str, Any] = {"limit": limit, "wait": 20}
    while len(found) < count:
        answer = client.page(id_, **query)
        events = answer.json()
        assert answer.status_code == 200, answer.text
        assert 1 <= len(events) <= limit, "a long poll ended without the events that were published"
        found.extend(events)
        query["cursor"] = answer.headers["guantong-cursor"]
    return found


def committing(client: AgencyClient, count: int, *, limit: int, id_: str) -> list[Event]:
    """As `follow`, but by the committed cursor, as a subscriber that keeps no place itself."""
    found: list[Event] = []
    while len(found) < count:
        answer = client.page(id_, limit=limit, wait=20)
        assert answer.json()
        found.extend(answer.json())
        done = client.commit(answer.headers["guantong-cursor"], id_)
        assert (done.status_code, done.json()["id"]) == (200, id_)
    return found


PUBLISHERS, ROUNDS = 6, 40


def publish_rounds(client: AgencyClient, publisher: int) -> list[Event]:
    """One event, then a batch of some, and so on; the receipts."""
    receipts: list[Event] = []
    for n in range(ROUNDS):
        batch = [petition(f"p{publisher}-{n}-{m}") for m in range(1 + n % 4)]
        receipts.extend(client.accepted(*batch))
    return receipts


def test_readers_beside_many_publishers_see_every_position_once_and_in_order(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    with running_hub(tmp_path / "data") as hub:
        hub.apply(policy())
        hub.token(PETITION), hub.token(DISCIPLINE)
        hub.agency(DISCIPLINE).subscribe("poll")
        hub.agency(DISCIPLINE).subscribe("commit")
        count = PUBLISHERS * sum(1 + n % 4 for n in range(ROUNDS))
        readers: list[Future[list[Event]]] = [
            *(
                pool.submit(follow, hub.agency(DISCIPLINE), count, limit=limit, id_="poll")
                for limit in (1, 3, 100)
            ),
            pool.submit(committing, hub.agency(DISCIPLINE), count, limit=7, id_="commit"),
        ]
        publishers = [
            pool.submit(publish_rounds, hub.agency(PETITION), n) for n in range(PUBLISHERS)
        ]
        receipts = [receipt for publisher in publishers for receipt in publisher.result(PATIENCE)]
        in_order = sorted(receipts, key=lambda receipt: int(receipt["position"][2:]))
        for reading in readers:
            events = reading.result(PATIENCE)
            assert numbers(events) == list(range(1, count + 1))
            assert [e["hubreceipt"] for e in events] == [r["id"] for r in in_order]
            times = [event["hubtime"] for event in events]
            assert times == sorted(times)
        assert hub.agency(DISCIPLINE).page("commit").json() == []


def test_a_long_poll_wakes_when_an_event_comes(
    hub: RunningHub, bureau: AgencyClient, reader: AgencyClient, pool: ThreadPoolExecutor
) -> None:
    reader.page()
    polling = pool.submit(reader.page, wait=60)
    bureau.accepted(petition("wakes"))
    answer = polling.result(timeout=PATIENCE)
    assert (answer.status_code, ids(answer.json())) == (200, ["XF-wakes"])
    assert answer.headers["content-type"] == "application/cloudevents-batch+json"
    assert answer.headers["cache-control"] == "no-store"


def test_many_long_polls_of_one_subscription_all_wake(
    hub: RunningHub, bureau: AgencyClient, reader: AgencyClient, pool: ThreadPoolExecutor
) -> None:
    polling = [pool.submit(hub.agency(DISCIPLINE).page, wait=60) for _ in range(8)]
    bureau.accepted(petition("wakes-all"))
    assert [ids(poll.result(timeout=PATIENCE).json()) for poll in polling] == [["XF-wakes-all"]] * 8


def test_a_long_poll_without_news_ends_empty_after_its_time(reader: AgencyClient) -> None:
    before = monotonic()
    answer = reader.page(wait=1)
    assert (answer.status_code, answer.json()) == (200, [])
    assert 0.9 < monotonic() - before < PATIENCE


def test_a_poll_without_wait_ends_at_once(reader: AgencyClient) -> None:
    # Did each wait for the least that can be asked for, together they would be out of patience.
    before = monotonic()
    assert [reader.page().json() for _ in range(PATIENCE)] == [[]] * PATIENCE
    assert monotonic() - before < PATIENCE


def test_a_long_poll_goes_on_waiting_over_what_its_reader_may_not_see(
    hub: RunningHub, bureau: AgencyClient, reader: AgencyClient, pool: ThreadPoolExecutor
) -> None:
    polling = pool.submit(reader.page, wait=60)
    bureau.accepted(petition("over-1", to=CITY), petition("over-2", to=CITY))
    bureau.accepted(petition("over-3"))
    assert ids(polling.result(timeout=PATIENCE).json()) == ["XF-over-3"]


def test_what_may_not_be_seen_does_not_make_a_page_short_nor_stop_the_reader(
    bureau: AgencyClient, reader: AgencyClient
) -> None:
    events = [petition(f"mixed-{n}", **({} if n % 3 == 0 else {"to": CITY})) for n in range(30)]
    bureau.accepted(*events)
    page = reader.page(limit=4)
    assert ids(page.json()) == [f"XF-mixed-{n}" for n in (0, 3, 6, 9)]
    rest = reader.page(limit=100, cursor=page.headers["guantong-cursor"])
    assert ids(rest.json()) == [f"XF-mixed-{n}" for n in range(12, 30, 3)]


def test_more_events_than_a_page_examines_are_passed_over_in_one_call(
    bureau: AgencyClient, reader: AgencyClient
) -> None:
    """6,000 entries that the reader may not see stand before the one that it may."""
    for start in range(0, 6000, 1000):
        bureau.accepted(*(petition(f"pass-{n}", to=CITY) for n in range(start, start + 1000)))
    bureau.accepted(petition("pass-end", to=f"{CITY} {DISCIPLINE}"))
    page = reader.page(limit=10)
    assert ids(page.json()) == ["XF-pass-end"]
    assert reader.page(limit=10, cursor=page.headers["guantong-cursor"]).json() == []


def test_reading_commits_nothing(bureau: AgencyClient, reader: AgencyClient) -> None:
    bureau.accepted(*(petition(f"again-{n}") for n in range(5)))
    first = reader.page(limit=3)
    second = reader.page(limit=3)
    assert (second.content, second.headers["guantong-cursor"]) == (
        first.content,
        first.headers["guantong-cursor"],
    )
    on = reader.page(limit=3, cursor=first.headers["guantong-cursor"])
    assert ids(on.json()) == ["XF-again-3", "XF-again-4"]
    assert reader.page(limit=3).content == first.content


def test_a_committed_cursor_is_where_the_next_reading_starts(
    bureau: AgencyClient, reader: AgencyClient
) -> None:
    bureau.accepted(*(petition(f"commit-{n}") for n in range(5)))
    page = reader.page(limit=2)
    standing = reader.http.get("/v1/subscriptions/all").json()
    done = reader.commit(page.headers["guantong-cursor"])
    assert (done.status_code, done.json()) == (
        200,
        {**standing, "cursor": page.headers["guantong-cursor"]},
    )
    assert reader.http.get("/v1/subscriptions/all").json() == done.json()
    assert ids(reader.page().json()) == ["XF-commit-2", "XF-commit-3", "XF-commit-4"]


def test_committing_an_older_cursor_changes_nothing(
    bureau: AgencyClient, reader: AgencyClient
) -> None:
    bureau.accepted(*(petition(f"older-{n}") for n in range(4)))
    older = reader.page(limit=1).headers["guantong-cursor"]
    newer = reader.page(limit=3).headers["guantong-cursor"]
    standing = reader.commit(newer)
    for cursor in (older, newer):
        again = reader.commit(cursor)
        assert (again.status_code, again.json()) == (200, standing.json())
    assert ids(reader.page().json()) == ["XF-older-3"]
    assert ids(reader.page(cursor=older).json()) == ["XF-older-1", "XF-older-2", "XF-older-3"]


def test_the_cursor_of_an_empty_page_is_good_for_what_comes_next(
    bureau: AgencyClient, reader: AgencyClient
) -> None:
    empty = reader.page()
    assert empty.json() == []
    bureau.accepted(petition("next"))
    page = reader.page(cursor=empty.headers["guantong-cursor"])
    assert ids(page.json()) == ["XF-next"]
    assert reader.page(cursor=page.headers["guantong-cursor"]).json() == []


def test_two_readers_of_one_subscription_both_see_everything(
    hub: RunningHub, bureau: AgencyClient, reader: AgencyClient, pool: ThreadPoolExecutor
) -> None:
    readings = [pool.submit(follow, hub.agency(DISCIPLINE), 40, limit=3) for _ in range(2)]
    for n in range(40):
        bureau.accepted(petition(f"both-{n}"))
    expected = [f"XF-both-{n}" for n in range(40)]
    assert [ids(reading.result(timeout=PATIENCE)) for reading in readings] == [expected] * 2


CURSOR_INVALID = {
    "type": "urn:guantong:problem:cursor_invalid",
    "status": 400,
    "code": "cursor_invalid",
    "title": "游标无效或属于其他订阅",
    "title_en": "the cursor is invalid or belongs to another subscription",
    "detail": "",
    "retryable": False,
}


def refused(reader: AgencyClient, cursor: str) -> bool:
    """Whether a cursor is refused, for reading and for committing, and nothing changes."""
    standing = reader.http.get("/v1/subscriptions/all").content
    answers = [reader.page(cursor=cursor), reader.commit(cursor)]
    unchanged = reader.http.get("/v1/subscriptions/all").content == standing
    told = [(answer.status_code, answer.json()) for answer in answers]
    return unchanged and told == [(400, CURSOR_INVALID)] * 2


def test_a_cursor_altered_in_any_sign_is_refused(
    bureau: AgencyClient, reader: AgencyClient
) -> None:
    bureau.accepted(petition("altered"))
    cursor = reader.page().headers["guantong-cursor"]
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    taken = []
    for n, sign in enumerate(cursor):
        other = cursor[:n] + signs[(signs.index(sign) + 1) % 64] + cursor[n + 1 :]
        if not refused(reader, other):
            taken.append(n)
    assert taken == []
    assert reader.page(cursor=cursor).status_code == 200


def test_a_cursor_cut_short_or_with_something_more_is_refused(
    bureau: AgencyClient, reader: AgencyClient
) -> None:
    bureau.accepted(petition("cut"))
    cursor = reader.page().headers["guantong-cursor"]
    shorter = [cursor[:n] for n in range(1, len(cursor))]
    longer = [cursor + more for more in ("A", "AAAA", "=", "!!!!", "\n", " ", "样")]
    inside = [f"{cursor[:8]}!!!!{cursor[8:]}", f"{cursor[:8]}\n\n\n\n{cursor[8:]}"]
    taken = [other for other in (*shorter, *longer, *inside) if not refused(reader, other)]
    assert taken == []
    assert reader.page(cursor="").json() == CURSOR_INVALID


def test_a_cursor_belongs_to_its_subscription(hub: RunningHub, reader: AgencyClient) -> None:
    office = hub.agency(CITY)
    office.subscribe("all")
    reader.subscribe("other")
    foreign = [
        office.page().headers["guantong-cursor"],
        reader.page("other").headers["guantong-cursor"],
    ]
    former = reader.page().headers["guantong-cursor"]
    reader.http.delete("/v1/subscriptions/all")
    reader.subscribe()
    assert [refused(reader, cursor) for cursor in (*foreign, former)] == [True] * 3


def test_a_cursor_of_another_hub_is_refused(
    fresh_hub: RunningHub, hub: RunningHub, reader: AgencyClient
) -> None:
    elsewhere = fresh_hub.agency(DISCIPLINE)
    for n in range(30):
        elsewhere.subscribe(f"s{n}")
    cursors = [elsewhere.page(f"s{n}").headers["guantong-cursor"] for n in range(30)]
    assert [refused(reader, cursor) for cursor in cursors] == [True] * 30


def test_positions_are_gap_free_also_over_what_was_refused(
    bureau: AgencyClient, reader: AgencyClient
) -> None:
    known = petition("gap-known")
    bureau.accepted(known)
    for n in range(20):
        wrong = petition(f"gap-wrong-{n}", data={"people": -1})
        bureau.publish(petition(f"gap-{n}"), wrong, known)
        bureau.publish(petition(f"gap-none-{n}"), wrong, mode="all")
    found = reader.drain()
    assert ids(found) == ["XF-gap-known", *(f"XF-gap-{n}" for n in range(20))]
    places = numbers(found)
    assert places == list(range(places[0], places[0] + 21))


def test_what_is_not_the_readers_stands_between_its_positions(
    hub: RunningHub, bureau: AgencyClient, reader: AgencyClient
) -> None:
    receipts = [
        *bureau.accepted(petition("between-1")),
        *bureau.accepted(petition("between-2", to=CITY)),
        *hub.agency(CITY).accepted(clue("between")),
    ]
    found = reader.drain()
    assert [e["hubposition"] for e in found] == [receipts[n]["position"] for n in (0, 2)]
