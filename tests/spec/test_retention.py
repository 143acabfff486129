"""Retention (design 8): reading again since a time, and what is told of what has been purged."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from hub.event import rfc3339
from tests.commands import guantong
from tests.running import (
    PATIENCE,
    AgencyClient,
    RunningHub,
    results_of,
    running_hub,
    start_hub,
)
from tests.sample import CITY, DISCIPLINE, PETITION, clue, petition, policy
from tests.spec.storage import make_older, rows

pytestmark = [pytest.mark.on_both, pytest.mark.at_length]

Event = dict[str, Any]
_numbers = count()
# Petitions go after three days; clues stay for as long as their contract says, five years.
SHORT = {"retention": '{"petition.*": 3}'}
EXPIRED = {
    "type": "urn:guantong:problem:cursor_expired",
    "status": 410,
    "code": "cursor_expired",
    "title": "游标之后有事件已超过保存期并被清除",
    "title_en": "events after the cursor have expired and been purged",
    "retryable": False,
}


def ids(events: list[Event]) -> list[str]:
    return [event["id"] for event in events]


def since(client: AgencyClient, time: str, id_: str = "all") -> Any:
    """Ask for a replay."""
    return client.http.post(f"/v1/subscriptions/{id_}/cursor", json={"since": time})


def shown(client: AgencyClient, id_: str = "all") -> Event:
    """A subscription as the hub tells it."""
    answer: Event = client.http.get(f"/v1/subscriptions/{id_}").json()
    return answer


def later(time: str, **by: int) -> str:
    """A time of the hub, some time after."""
    moved = datetime.fromisoformat(time) + timedelta(**by)
    return moved.isoformat(timespec="microseconds").replace("+00:00", "Z")


def office_command(hub: RunningHub, *arguments: str) -> tuple[Any, str]:
    """What a command of the discipline office prints: its JSON, and what it says beside it."""
    return command(hub, *arguments, "--as", DISCIPLINE)


def command(hub: RunningHub, *arguments: str) -> tuple[Any, str]:
    """What a command prints: its JSON, and what it says beside it."""
    done = guantong(*arguments, "--json", "--data", hub.directory)
    assert done.status == 0, done.complained
    return done.document, done.complained


def expired_unread(admin: httpx.Client, id_: str) -> dict[str, int]:
    """What the auditor is told of the discipline office's subscriptions, at a clue of the city."""
    ask = {"source": f"/{CITY}", "id": id_, "agency": DISCIPLINE}
    told = admin.get("/v1/explain", params=ask).json()
    return {asked["id"]: asked["expired_unread"] for asked in told["subscriptions"]}


def await_expired(client: AgencyClient, least: int, id_: str = "all") -> None:
    """Return once so many entries of a subscription have expired; each look is a request."""
    end = monotonic() + PATIENCE
    while shown(client, id_)["expired"] < least:
        assert monotonic() < end, shown(client, id_)


# --- since a time ---------------------------------------------------------------------------------


@dataclass
class History:
    """Three batches of two events, and the hubtime of each."""

    reader: AgencyClient
    batches: list[list[str]]
    times: list[str]


@pytest.fixture
def history(hub: RunningHub) -> History:
    """The discipline office's own subscription `all` with three batches in it."""
    reader, bureau = hub.agency(DISCIPLINE), hub.agency(PETITION)
    reader.http.delete("/v1/subscriptions/all")
    reader.subscribe()
    for _ in range(3):
        bureau.accepted(petition(f"since-{next(_numbers)}"), petition(f"since-{next(_numbers)}"))
    events = reader.drain()
    times = [event["hubtime"] for event in events]
    assert times[0] == times[1] < times[2] == times[3] < times[4] == times[5]
    pairs = [ids(events)[n : n + 2] for n in (0, 2, 4)]
    return History(reader, pairs, times[::2])


def test_since_goes_forward_and_back_to_the_first_event_of_that_time_or_later(
    history: History,
) -> None:
    for n in (2, 0, 1, 2, 0):
        answer = since(history.reader, history.times[n])
        assert (answer.status_code, answer.json()) == (200, shown(history.reader))
        expected = [id_ for batch in history.batches[n:] for id_ in batch]
        assert ids(history.reader.drain()) == expected
    assert since(history.reader, later(history.times[0], microseconds=1)).status_code == 200
    assert ids(history.reader.drain()) == [*history.batches[1], *history.batches[2]]


def test_since_takes_back_what_was_committed(history: History) -> None:
    page = history.reader.page(limit=5)
    history.reader.commit(page.headers["guantong-cursor"])
    assert ids(history.reader.drain()) == history.batches[2][1:]
    since(history.reader, history.times[1])
    assert ids(history.reader.drain()) == [*history.batches[1], *history.batches[2]]


def test_since_may_be_written_with_any_offset(history: History) -> None:
    moment = datetime.fromisoformat(history.times[1]).astimezone(timezone(timedelta(hours=8)))
    written = moment.isoformat(timespec="microseconds")
    assert written.endswith("+08:00")
    assert since(history.reader, written).status_code == 200
    assert ids(history.reader.drain()) == [*history.batches[1], *history.batches[2]]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "2000-01-01t00:00:00z"])
def test_since_long_ago_begins_where_the_subscription_does(history: History, time: str) -> None:
    first = shown(history.reader)["cursor"]
    history.reader.commit(history.reader.page().headers["guantong-cursor"])
    assert since(history.reader, time).json()["cursor"] == first
    assert ids(history.reader.drain()) == [id_ for batch in history.batches for id_ in batch]


@pytest.mark.parametrize("time", ["2999-01-01T00:00:00Z", "9999-12-31T23:59:59.999999-23:59"])
def test_since_a_time_to_come_reads_what_comes_next(
    hub: RunningHub, history: History, time: str
) -> None:
    assert since(history.reader, time).status_code == 200
    assert history.reader.drain() == []
    (receipt,) = hub.agency(PETITION).accepted(petition(f"next-{next(_numbers)}"))
    assert [event["hubreceipt"] for event in history.reader.drain()] == [receipt["id"]]


@pytest.mark.parametrize(
    "body",
    [
        {"since": "2026-11-01"},
        {"since": "2026-11-01T00:00:00"},
        {"since": "2026-13-01T00:00:00Z"},
        {"since": "2026-11-01T00:00:00Z "},
        {"since": "now"},
        {"since": 0},
        {"since": None},
        {"since": "2026-11-01T00:00:00Z", "cursor": "x"},
        {"since": "2026-11-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"},
        {},
    ],
)
def test_a_replay_that_is_no_time_is_refused_and_changes_nothing(
    history: History, body: dict[str, Any]
) -> None:
    standing = shown(history.reader)
    answer = history.reader.http.post("/v1/subscriptions/all/cursor", json=body)
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "type": "urn:guantong:problem:bad_request",
            "status": 400,
            "code": "bad_request",
            "title": "请求不合规",
            "title_en": "the request is malformed",
            "detail": '{"cursor": "…"} | {"since": "2026-11-01T00:00:00+08:00"}',
            "retryable": False,
        },
    )
    assert shown(history.reader) == standing


def test_only_an_own_subscription_is_replayed(hub: RunningHub, history: History) -> None:
    answer = since(hub.agency(CITY), history.times[0])
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_subscription_starts_at_a_time(history: History) -> None:
    starts = {
        history.times[1]: [*history.batches[1], *history.batches[2]],
        later(history.times[1], microseconds=1): history.batches[2],
        "2999-01-01T00:00:00+08:00": [],
    }
    for n, (start, expected) in enumerate(starts.items()):
        id_ = f"{history.batches[0][0]}-{n}"
        made = history.reader.subscribe(id_, start=start)
        assert made["start"] == start
        assert ids(history.reader.page(id_, wait=20 if expected else 0).json()) == expected
        assert history.reader.subscribe(id_, start=start)["cursor"] == made["cursor"]
        history.reader.http.delete(f"/v1/subscriptions/{id_}")


@pytest.mark.parametrize("start", ["then", "", "2026-11-01", "2026-11-01T25:00:00Z", "NOW"])
def test_a_start_that_is_no_time_is_refused(history: History, start: str) -> None:
    answer = history.reader.http.post("/v1/subscriptions", json={"start": start})
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [
            {
                "code": "start_format",
                "pointer": "/start",
                "message": "应为 now、earliest 或带时区的时间，如 2026-11-01T09:00:00+08:00",
                "message_en": "now, earliest, or a time with its offset, such as "
                "2026-11-01T09:00:00+08:00",
                "retryable": False,
            }
        ],
    )


def test_the_command_line_replays_and_starts_at_a_time(hub: RunningHub, history: History) -> None:
    history.reader.commit(history.reader.page().headers["guantong-cursor"])
    told, _ = office_command(hub, "pull", "all", "--since", history.times[1])
    assert ids(told) == [*history.batches[1], *history.batches[2]]
    made, _ = office_command(hub, "subscribe", "by-command", "--start", history.times[2])
    assert made["start"] == history.times[2]
    history.reader.http.delete("/v1/subscriptions/by-command")


# --- what is purged -------------------------------------------------------------------------------


@contextmanager
def ten_days_later(
    hub: RunningHub, *, days: int = 10, settings: dict[str, str] = SHORT
) -> Iterator[RunningHub]:
    """The same data directory after some days, under a node's own retention."""
    assert hub.stop() == 0
    make_older(hub.directory, days=days)
    with running_hub(hub.directory, settings=settings) as again:
        again._tokens.update(hub._tokens)
        yield again


def publish(hub: RunningHub, *names: str) -> list[Event]:
    """Petitions (`p…`) and clues (`c…`), each in a request of its own; their receipts."""
    made = []
    for name in names:
        if name.startswith("p"):
            made += hub.agency(PETITION).accepted(petition(name))
        else:
            made += hub.agency(CITY).accepted(clue(name))
    return made


@pytest.mark.at_the_door
def test_what_was_purged_is_gone_recorded_counted_and_told(backend: str, tmp_path: Path) -> None:
    secret = "KANARIE-PURGE-51C2"
    with running_hub(tmp_path) as hub:
        hub.apply(policy())
        reader = hub.agency(DISCIPLINE)
        for name in ("behind", "halfway", "through"):
            reader.subscribe(name)
        hub.agency(CITY).subscribe("foreign")
        gone = hub.agency(PETITION).accepted(petition("p1", data={"summary": secret}))
        gone += publish(hub, "p2", "p3")
        reader.commit(reader.page("halfway", limit=2).headers["guantong-cursor"], "halfway")
        stays = publish(hub, "c1", "c2")
        reader.commit(reader.page("through").headers["guantong-cursor"], "through")
        hub.agency(PETITION).publish(petition("refused", data={"people": -1}))

        with ten_days_later(hub, days=500) as again:
            reader, bureau = again.agency(DISCIPLINE), again.agency(PETITION)
            await_expired(reader, 3, "behind")
            counts = {n: shown(reader, n)["expired"] for n in ("behind", "halfway", "through")}
            assert counts == {"behind": 3, "halfway": 1, "through": 0}
            assert shown(again.agency(CITY), "foreign")["expired"] == 3
            with again.admin as admin:
                metrics = admin.get("/metrics").text.splitlines()
                assert expired_unread(admin, "CL-c1") == {"behind": 3, "halfway": 1, "through": 0}
                purges = admin.get("/v1/purges", params={"limit": 1}).json()
                ask = {"source": f"/{PETITION}", "id": "XF-p1"}
                assert admin.get("/v1/explain", params=ask).status_code == 404
            told, _ = command(again, "audit", "purges")
            assert told == purges["items"]
            assert f'guantong_events_expired_unread_total{{agency="{DISCIPLINE}"}} 4.0' in metrics
            assert f'guantong_events_expired_unread_total{{agency="{CITY}"}} 3.0' in metrics
            assert 'guantong_events_purged_total{family="petition"} 3.0' in metrics
            states = [
                client.http.get(f"/v1/receipts/{receipt['id']}").status_code
                for client, receipts in ((bureau, gone), (again.agency(CITY), stays))
                for receipt in receipts
            ]
            assert states == [404, 404, 404, 200, 200]

            # From before what is gone there is no way on but the one that is told.
            answer = reader.page("behind")
            problem = answer.json()
            available = problem.pop("available")
            way_on = json.dumps({"since": available["from"]})
            told = f"可从现存最早处继续：{way_on} / the way on: {way_on}"
            assert (answer.status_code, problem) == (410, {**EXPIRED, "detail": told})
            assert [reader.page("halfway").status_code, reader.page("through").json()] == [410, []]
            assert since(reader, later(available["from"], microseconds=-1), "behind").json() == (
                since(reader, available["from"], "behind").json()
            ), "nothing stands between what was purged and what is held"
            assert since(reader, later(available["from"], days=-1), "behind").status_code == 410
            page = reader.page("behind")
            assert (page.status_code, ids(page.json())) == (200, ["CL-c1", "CL-c2"])
            assert "guantong-expired" not in page.headers
            assert [event["hubtime"] for event in page.json()] == [*available.values()]

            # What comes again comes as new.
            (resent,) = publish(again, "p2")
            assert resent["position"] == "0-6"
            assert ids(reader.drain("through")) == ["XF-p2"]
            assert reader.subscribe("newly", start="earliest")["expired"] == 0
            assert ids(reader.page("newly", wait=20).json()) == ["CL-c1", "CL-c2", "XF-p2"]
            assert again.stop() == 0
    digest = hashlib.sha256(b"".join(bytes.fromhex(r["id"]) for r in gone)).digest()
    ((at, begin, end),) = rows(tmp_path, "SELECT at, from_hubtime, to_hubtime FROM purges")
    recorded = {
        "number": 1,
        "at": rfc3339(at),
        "type": "petition.case_transferred",
        "version": "1.0",
        "events": 3,
        "first": "0-1",
        "last": "0-3",
        "from_hubtime": rfc3339(begin),
        "to_hubtime": rfc3339(end),
        "digest": digest.hex(),
    }
    assert purges == {"items": [recorded], "next": None}
    assert rows(tmp_path, "SELECT count(*) FROM refusals") == [(0,)]
    # PostgreSQL gives the place to others when it vacuums.
    assert backend == "postgresql" or secret.encode() not in (tmp_path / "hub.db").read_bytes()


def test_where_older_events_are_held_reading_goes_on_and_says_how_many_expired(
    tmp_path: Path,
) -> None:
    with running_hub(tmp_path) as hub:
        hub.apply(policy())
        reader = hub.agency(DISCIPLINE)
        reader.subscribe()
        publish(hub, "c1", "p1", "p2", "c2", "p3", "c3", "p4")
        events = reader.drain()
        cursor = reader.page(limit=3).headers["guantong-cursor"]
        with ten_days_later(hub) as again:
            reader = again.agency(DISCIPLINE)
            await_expired(reader, 4)
            pages = []
            query: dict[str, Any] = {"limit": 1}
            for _ in range(5):
                page = reader.page(**query)
                pages.append((ids(page.json()), page.headers.get("guantong-expired")))
                query["cursor"] = page.headers["guantong-cursor"]
            expected = [
                (["CL-c1"], None),
                (["CL-c2"], "2"),
                # A page that comes to the end tells what expired there, once.
                (["CL-c3"], "2"),
                ([], None),
                ([], None),
            ]
            assert pages == expected
            whole = reader.page()
            assert (ids(whole.json()), whole.headers["guantong-expired"]) == (
                ["CL-c1", "CL-c2", "CL-c3"],
                "4",
            )
            # A cursor from before the purge stands between events that are both gone.
            between = reader.page(cursor=cursor)
            assert (ids(between.json()), between.headers["guantong-expired"]) == (
                ["CL-c2", "CL-c3"],
                "2",
            )
            # The same since a time: what expired of that time and later is told.
            told = []
            for event in events:
                moved = later(event["hubtime"], days=-10)
                assert since(reader, moved).status_code == 200
                page = reader.page()
                told.append((ids(page.json()), page.headers.get("guantong-expired")))
            assert told == [
                (["CL-c1", "CL-c2", "CL-c3"], "4"),
                (["CL-c2", "CL-c3"], "4"),
                (["CL-c2", "CL-c3"], "3"),
                (["CL-c2", "CL-c3"], "2"),
                (["CL-c3"], "2"),
                (["CL-c3"], "1"),
                ([], "1"),
            ]
            assert shown(reader)["expired"] == 4
            moved = later(events[3]["hubtime"], days=-10)
            pulled, said = office_command(again, "pull", "all", "--since", moved)
            assert (ids(pulled), said) == (
                ["CL-c2", "CL-c3"],
                "另有 2 件已超过保存期并被清除 / 2 more have expired\n",
            )


def test_a_feed_of_which_nothing_is_left_has_a_way_on_too(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        hub.apply(policy())
        hub.agency(DISCIPLINE).subscribe()
        publish(hub, "p1", "p2")
        with ten_days_later(hub) as again:
            reader = again.agency(DISCIPLINE)
            await_expired(reader, 2)
            answer = reader.page(wait=20)
            available = answer.json()["available"]
            assert (answer.status_code, available["from"]) == (410, available["to"])
            assert since(reader, available["from"]).status_code == 200
            page = reader.page()
            assert (page.status_code, page.json()) == (200, [])
            publish(again, "p3")
            assert ids(reader.page().json()) == ["XF-p3"]


def test_days_for_what_is_no_type_keep_a_hub_from_starting(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"no such type: clue\.nothing"):
        start_hub(tmp_path, settings={"retention": '{"clue.nothing": 3}'})


MANY = 3000
KILLS = 3


def test_a_killed_purge_goes_on_where_it_was_and_what_is_published_meanwhile_is_whole(
    tmp_path: Path,
) -> None:
    """kill -9 in the middle of purges; every count comes out exact, and every new event."""
    with running_hub(tmp_path) as hub:
        hub.apply(policy())
        for agency in (DISCIPLINE, CITY):
            hub.agency(agency).subscribe()
        old = []
        for start in range(0, MANY, 1000):
            batch = [petition(f"old-{n}") for n in range(start, start + 1000)]
            old += hub.agency(PETITION).accepted(*batch)
            hub.agency(CITY).accepted(clue(f"old-{start}"))
        passed = hub.agency(DISCIPLINE).page(limit=1000)
        hub.agency(DISCIPLINE).commit(passed.headers["guantong-cursor"])
        hub.token(PETITION)
        assert hub.stop() == 0
    make_older(tmp_path, days=10)

    new = [petition(f"new-{n}") for n in range(150)]
    pending = list(new)
    for kill in range(KILLS + 1):
        with (
            running_hub(tmp_path, settings=SHORT) as again,
            ThreadPoolExecutor(1) as pool,
        ):
            again._tokens.update(hub._tokens)
            reader, city = again.agency(DISCIPLINE), again.agency(CITY)
            before = shown(city)["expired"]
            publishing = pool.submit(publish_in_order, again.agency(PETITION), pending)
            if kill < KILLS:
                await_expired(city, min(before + 300, MANY))
                again.kill()
                publishing.result(PATIENCE)
                continue
            publishing.result(PATIENCE)
            await_expired(city, MANY)
            counts = [shown(client)["expired"] for client in (city, reader)]
            assert (counts, pending) == ([MANY, MANY - 1000], [])
            clues = [f"CL-old-{n}" for n in range(0, MANY, 1000)]
            assert ids(reader.drain()) == [*clues, *ids(new)]
            since(city, city.page().json()["available"]["from"])
            assert ids(city.drain()) == ids(new)
            assert again.stop() == 0
    recorded = rows(tmp_path, "SELECT first, last, events, digest FROM purges ORDER BY first")
    purged = []
    for first, last, events, digest in recorded:
        within = [r["id"] for r in old if first <= int(r["position"][2:]) <= last]
        joined = b"".join(map(bytes.fromhex, within))
        assert (len(within), hashlib.sha256(joined).digest()) == (events, digest)
        purged += within
    assert purged == [receipt["id"] for receipt in old]
    left = rows(tmp_path, "SELECT count(*) FROM held UNION ALL SELECT count(*) FROM dedup")
    assert left == [(3 + len(new),)] * 2


def publish_in_order(bureau: AgencyClient, pending: list[Event]) -> None:
    """Publish one after the other, until there are none or the hub is gone."""
    with suppress(httpx.TransportError):
        while pending:
            (result,) = results_of(bureau.publish(pending[0]))
            # What a killed hub had stored and not answered is known when it comes again.
            assert result["status"] in ("accepted", "duplicate")
            del pending[0]
