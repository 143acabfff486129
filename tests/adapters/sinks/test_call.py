"""Events handed to an interface of the agency's own, over real HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from adapters.kit.port import Away, CannotRun
from adapters.kit.sinks.call import CallSettings, CallSink
from adapters.kit.sinks.taken import open_taken
from tests.adapters.door import HANG_UP, Answer, Asked, Door, Script
from tests.adapters.sinks.events import transferred
from tests.adapters.sinks.making import HERE, contents

EVENTS = [transferred(1, "示-001"), transferred(2, "示-002")]


def answers(*scripted: Answer) -> list[Script]:
    return [lambda asked, answer=answer: answer for answer in scripted]  # type: ignore[misc]


def settings(door: Door, **more: object) -> CallSettings:
    said = {"type": "call", "url": f"{door.url}/in", "path": "refused", **more}
    return CallSettings.model_validate(said)


def keys(door: Door) -> list[str]:
    return [asked.headers["Idempotency-Key"] for asked in door.asked]


def receipts(*numbers: int) -> list[str]:
    return [f"{number:032x}" for number in numbers]


def test_an_event_is_posted_whole_under_its_key_and_with_the_token(
    door: Door, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text("sample-token\n")
    door.script.extend(answers(Answer(200), Answer(201)))
    with settings(door, token_file="token").opened(tmp_path, HERE) as sink:
        sink.take(EVENTS)
    first: Asked = door.asked[0]
    assert (first.method, first.path) == ("POST", "/in")
    assert first.headers["Authorization"] == "Bearer sample-token"
    assert first.headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert [json.loads(asked.body) for asked in door.asked] == EVENTS
    assert keys(door) == receipts(1, 2)


def test_one_that_is_refused_stands_in_the_folder_and_holds_nobody(
    door: Door, tmp_path: Path
) -> None:
    door.script.extend(answers(Answer(422, {"said": "内容不符"}), Answer(409)))
    with settings(door).opened(tmp_path, HERE) as sink:
        sink.take(EVENTS)
        sink.take(EVENTS)
    assert keys(door) == receipts(1, 2)
    (told,) = contents(tmp_path / "refused").values()
    assert json.loads(told) == {"status": 422, "event": EVENTS[0]}


@pytest.mark.parametrize("answer", [Answer(503), Answer(500), Answer(408), HANG_UP])
def test_where_only_waiting_helps_it_goes_on_from_there(
    door: Door, tmp_path: Path, answer: Answer
) -> None:
    door.script.extend(answers(Answer(200), answer, Answer(200)))
    with settings(door).opened(tmp_path, HERE) as sink:
        with pytest.raises(Away):
            sink.take(EVENTS)
        sink.take(EVENTS)
    assert keys(door) == receipts(1, 2, 2)


@pytest.fixture
def clock() -> list[float]:
    return [1_000.0]


@pytest.fixture
def sink(door: Door, tmp_path: Path, clock: list[float]) -> Iterator[CallSink]:
    with open_taken(tmp_path / "taken.db") as taken, httpx.Client() as http:
        yield CallSink(http, door.url, tmp_path, taken, now=lambda: clock[0])


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("120", 120), ("Thu, 01 Jan 1970 00:18:00 GMT", 80), ("99999999", 3_600)],
)
def test_it_does_not_call_before_the_time_that_was_asked_for(
    door: Door, sink: CallSink, clock: list[float], written: str, seconds: float
) -> None:
    door.script.extend(answers(Answer(429, headers={"Retry-After": written}), Answer(200)))
    with pytest.raises(Away, match="429"):
        sink.take(EVENTS[:1])
    clock[0] += seconds - 1
    with pytest.raises(Away, match="时间未到"):
        sink.take(EVENTS[:1])
    assert len(door.asked) == 1
    clock[0] += 2
    sink.take(EVENTS[:1])
    assert len(door.asked) == 2


@pytest.mark.parametrize("written", ["", "-5", "²", "soon", "9" * 400])
def test_a_time_that_says_nothing_is_no_time(door: Door, sink: CallSink, written: str) -> None:
    headers = {"Retry-After": written}
    door.script.extend([lambda asked: Answer(503, headers=headers)] * 2)
    with pytest.raises(Away, match="503"):
        sink.take(EVENTS[:1])


@pytest.mark.parametrize("status", [301, 401, 403, 404])
def test_a_wrong_address_or_token_stops_it_before_any_event_is_lost(
    door: Door, tmp_path: Path, status: int
) -> None:
    door.script.extend(answers(Answer(status, headers={"Location": "http://127.0.0.1:1/"})))
    with settings(door).opened(tmp_path, HERE) as sink, pytest.raises(CannotRun, match=str(status)):
        sink.take(EVENTS)
    assert contents(tmp_path / "refused") == {}


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [("token", 0o644, "chmod 600"), ("", 0o600, "只有一行"), ("a\nb", 0o600, "只有一行")],
)
def test_a_token_is_taken_from_a_file_of_its_owner_alone(
    door: Door, tmp_path: Path, content: str, mode: int, told: str
) -> None:
    (tmp_path / "token").write_text(content)
    (tmp_path / "token").chmod(mode)
    with (
        pytest.raises(CannotRun, match=told),
        settings(door, token_file="token").opened(tmp_path, HERE),
    ):
        pass


def test_an_authority_that_is_none_says_so(door: Door, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    with pytest.raises(CannotRun, match="证书"), settings(door, ca="ca.pem").opened(tmp_path, HERE):
        pass
