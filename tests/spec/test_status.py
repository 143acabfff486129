"""What operators see: who speaks, who has fallen silent, who lags, what is refused."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.running import PATIENCE, RunningHub, restart_hub, start_hub
from tests.sample import AUDIT, CITY, COUNTY, DISCIPLINE, PETITION, briefing, petition, policy
from tests.spec.storage import change

HOUR = timedelta(hours=1)


def status(hub: RunningHub, **query: Any) -> dict[str, Any]:
    """The answer to an operator."""
    with hub.admin as admin:
        answer = admin.get("/v1/status", params=query)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def at_rest(hub: RunningHub) -> dict[str, Any]:
    """The answer once nothing waits to be written: a hub also writes of its own accord."""
    while (told := status(hub))["queue"]:
        pass
    return told


def of(hub: RunningHub, agency: str) -> dict[str, Any]:
    """What is told of one agency."""
    found: dict[str, Any] = next(i for i in status(hub)["items"] if i["agency"] == agency)
    return found


def moment(text: str) -> datetime:
    """A time of an answer."""
    return datetime.fromisoformat(text)


def test_a_hub_at_its_first_start_tells_of_everything_that_there_is_nothing(
    backend: str, tmp_path: Path
) -> None:
    hub = start_hub(tmp_path / "data")
    try:
        told = at_rest(hub)
    finally:
        hub.kill()
    began, now, size = told.pop("started"), told.pop("now"), told["journal"].pop("bytes")
    assert timedelta(0) <= moment(now) - moment(began) < timedelta(seconds=PATIENCE)
    assert size % 8192 == 0 or backend == "postgresql"
    assert size > 0
    assert told == {
        "version": "0.1.0",
        "queue": 0,
        "policy": 0,
        "journal": {"registered": 0, "oldest": None, "newest": None, "untallied": 0},
        "refused": {"codes": {}, "complete": True},
        "away": [],
        "items": [],
        "next": None,
    }


def test_each_agency_is_told_of_with_what_it_sent_and_what_waits_for_it(
    fresh_hub: RunningHub,
) -> None:
    hub = fresh_hub
    bureau, city, county = hub.agency(PETITION), hub.agency(CITY), hub.agency(COUNTY)
    city.subscribe("read")
    city.subscribe("unread")
    county.subscribe("none", types=["clue.*"])
    receipts = bureau.accepted(petition("1"), petition("2"), petition("3"))
    bureau.publish(petition("1"), petition("3"))
    bureau.publish(petition("4", data={"people": -1, "date": "?"}), petition("5", region="520100"))
    page = city.page("read", limit=2)
    assert city.commit(page.headers["guantong-cursor"], "read").status_code == 200

    told = status(hub)
    assert told["journal"] | {"bytes": 0} == {
        "registered": 3,
        "oldest": "0-1",
        "newest": "0-3",
        "untallied": 0,
        "bytes": 0,
    }
    assert told["policy"] == 1
    assert told["refused"] == {"codes": {"format": 1, "not_granted": 1}, "complete": True}
    assert (told["away"], told["next"]) == ([], None)
    quiet = {
        "today": {"accepted": 0, "refused": 0},
        "since_start": {"duplicate": 0},
        "last": None,
        "rhythm": None,
        "subscriptions": 0,
        "lag": 0,
        "lag_complete": True,
        "oldest": None,
    }
    named = [(a["id"], a["name"]) for a in policy()["agencies"]]
    expected = {id_: {"agency": id_, "name": name, **quiet} for id_, name in named}
    expected[PETITION] |= {
        "today": {"accepted": 3, "refused": 2},
        "since_start": {"duplicate": 2},
        "last": receipts[-1]["hubtime"],
    }
    expected[CITY] |= {"subscriptions": 2, "lag": 4, "oldest": receipts[0]["hubtime"]}
    expected[COUNTY] |= {"subscriptions": 1}
    assert told["items"] == [expected[id_] for id_ in sorted(expected)]


def test_agencies_come_in_pages(hub: RunningHub) -> None:
    every = sorted(agency["id"] for agency in policy()["agencies"])
    found: list[str] = []
    after: str | None = ""
    sizes = []
    while after is not None:
        page = status(hub, limit=3, after=after)
        found.extend(item["agency"] for item in page["items"])
        sizes.append(len(page["items"]))
        after = page["next"]
    assert (found, sizes) == (every, [3, 3, 1])


def test_neither_an_agency_nor_a_stranger_is_told(hub: RunningHub) -> None:
    with hub.agency(CITY).http as agency, hub.client(None) as nobody:
        answers = [client.get("/v1/status") for client in (agency, nobody)]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [
        (403, "forbidden"),
        (401, "unauthenticated"),
    ]


@pytest.mark.parametrize(
    ("role", "answered"),
    [("operator", 200), ("system", 403), ("security", 403), ("auditor", 403)],
)
def test_of_the_roles_an_operator_alone_is_told(hub: RunningHub, role: str, answered: int) -> None:
    with hub.admin as admin:
        token = admin.post("/v1/tokens", json={"role": role}).json()["token"]
    with hub.client(token) as caller:
        assert caller.get("/v1/status").status_code == answered


@pytest.mark.parametrize("query", ["limit=x", "limit=-1"])
def test_a_limit_that_is_no_number_is_refused(hub: RunningHub, query: str) -> None:
    with hub.admin as admin:
        answer = admin.get(f"/v1/status?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_what_was_accepted_is_counted_once_however_often_the_hub_is_killed(
    fresh_hub: RunningHub,
) -> None:
    hub, sent = fresh_hub, 0
    for n in range(2):
        hub.agency(PETITION).accepted(*(petition(f"{n}-{m}") for m in range(10)))
        sent += 10
        today = of(hub, PETITION)["today"]
        assert today == {"accepted": sent, "refused": 0}
        hub = restart_hub(hub)
    try:
        # By now the watch of the last process has tallied, or is about to.
        assert of(hub, PETITION)["today"] == {"accepted": sent, "refused": 0}
        assert status(hub)["journal"]["untallied"] == 0
    finally:
        hub.kill()


@pytest.fixture(scope="module")
def silent_hub(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub whose audit and discipline offices have spoken each hour for ten weeks.

    The one stopped two weeks ago, the other has gone on to this hour.
    """
    directory = tmp_path_factory.mktemp("silent")
    hub = start_hub(directory)
    hub.apply(policy())
    hub.stop()
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    change(
        directory,
        planted(AUDIT, until=now - timedelta(weeks=2)),
        planted(DISCIPLINE, until=now),
        planted(COUNTY, until=now, weeks=2),
    )
    running = start_hub(directory)
    yield running
    running.kill()


def planted(agency: str, *, until: datetime, weeks: int = 10) -> str:
    """Tallies of an agency that spoke twice in each of these hours, as SQL."""
    newest = int(until.timestamp()) // 3600
    hours = range(newest, newest - weeks * 168, -1)
    values = ", ".join(f"('{agency}', {hour}, 2, {hour * 3_600_000_000})" for hour in hours)
    return f"INSERT INTO tallies (agency, hour, events, last) VALUES {values}"


def silence_measured(hub: RunningHub) -> dict[tuple[str, str], float]:
    """What the watch has measured of silence, by metric and agency, once it has."""
    deadline = monotonic() + PATIENCE
    found: list[tuple[str, str, str]] = []
    while not found and monotonic() < deadline:
        with hub.admin as admin:
            text = admin.get("/metrics").text
        named = r'^guantong_silence_(silent|expected_events){agency="(.*)"} (.*)$'
        found = re.findall(named, text, re.MULTILINE)
    return {(name, agency): float(value) for name, agency, value in found}


def test_an_agency_that_stopped_is_silent_until_it_speaks_again(silent_hub: RunningHub) -> None:
    told = status(silent_hub)
    standing = {item["agency"]: item for item in told["items"]}
    audit, discipline = standing[AUDIT], standing[DISCIPLINE]
    since = moment(told["now"]) - moment(audit["last"])
    assert timedelta(weeks=2) <= since <= timedelta(weeks=2, hours=2)
    # The hour in which it last spoke and the one that runs are none of the gap.
    expected = 2.0 * (since // HOUR - 1)
    chance = audit["rhythm"].pop("chance")
    assert audit["rhythm"] == {"silent": True, "expected": expected, "weekday": 48.0, "weeks": 8}
    assert 0 < chance < 1e-12
    assert (discipline["rhythm"]["silent"], discipline["rhythm"]["weekday"]) == (False, 48.0)
    # Two weeks are too few to know a rhythm by, and the others never spoke.
    assert {a for a, item in standing.items() if item["rhythm"]} == {AUDIT, DISCIPLINE}
    assert told["away"] == []

    measured = silence_measured(silent_hub)
    # It may have been measured in the hour before.
    assert measured.pop(("expected_events", AUDIT)) >= expected - 2
    assert measured.pop(("expected_events", DISCIPLINE)) <= 2
    assert measured == {("silent", AUDIT): 1, ("silent", DISCIPLINE): 0}

    (receipt,) = silent_hub.agency(AUDIT).accepted(briefing("silent"))
    spoken = of(silent_hub, AUDIT)
    assert spoken["last"] == receipt["hubtime"]
    assert spoken["today"]["accepted"] == 1
    assert [spoken["rhythm"][name] for name in ("silent", "expected", "chance")] == [False, 0, 1]


def test_an_agency_that_takes_part_no_more_is_not_called_silent(silent_hub: RunningHub) -> None:
    ended = [
        {**agency, "valid_until": "2026-01-01"} if agency["id"] == AUDIT else agency
        for agency in policy()["agencies"]
    ]
    silent_hub.apply(policy(agencies=ended))
    try:
        assert of(silent_hub, AUDIT)["rhythm"] is None
    finally:
        silent_hub.apply(policy())
    assert of(silent_hub, AUDIT)["rhythm"] is not None


def test_the_command_shows_the_state_once_where_there_is_no_terminal(
    silent_hub: RunningHub,
) -> None:
    shown = command(silent_hub, "--sort", "agency", COLUMNS="80").stdout.splitlines()
    agencies = sorted(agency["id"] for agency in policy()["agencies"])
    assert shown[0].startswith("贯通 0.1.0 · 已运行")
    assert [line.split()[0] for line in shown if re.match(r"\d{6}\.", line)] == agencies
    told = json.loads(command(silent_hub, "--json").stdout)
    assert told.keys() == status(silent_hub).keys()
    assert [item["agency"] for item in told["items"]] == agencies


def test_the_command_stays_in_a_terminal_until_q_is_pressed(silent_hub: RunningHub) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    before = termios.tcgetattr(theirs)
    running = subprocess.Popen(
        arguments(silent_hub), stdin=theirs, stdout=theirs, stderr=theirs, env=environment()
    )
    try:
        wait_for(ours, "退出 quit", PETITION)
        os.write(ours, b"a")
        wait_for(ours, "退出 quit", PETITION)
        os.write(ours, b"q")
        assert running.wait(timeout=PATIENCE) == 0
        assert termios.tcgetattr(theirs) == before
    finally:
        running.kill()
        running.wait()
        os.close(ours)
        os.close(theirs)


def arguments(hub: RunningHub, *more: str) -> list[str]:
    """The command line of `guantong status`."""
    return [sys.executable, "-m", "hub", "status", "--data", str(hub.directory), *more]


def environment(**more: str) -> dict[str, str]:
    """The environment of a command, on a terminal that knows colours."""
    return {**os.environ, "TERM": "xterm-256color", **more}


def command(hub: RunningHub, *more: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `guantong status` without a terminal."""
    return subprocess.run(
        arguments(hub, *more),
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def wait_for(terminal: int, *texts: str) -> None:
    """Read what a terminal is sent until it has held the texts, in this order."""
    seen = ""
    for text in texts:
        while text not in seen:
            ready, _, _ = select.select([terminal], [], [], PATIENCE)
            assert ready, seen
            seen += os.read(terminal, 65536).decode(errors="replace")
        seen = seen.partition(text)[2]
