"""Promise 1: what was accepted is kept, whatever becomes of the process."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from socket import create_connection
from threading import Condition
from time import monotonic
from typing import Any

import httpx
import pytest

from tests.forking import started
from tests.running import (
    PATIENCE,
    AgencyClient,
    RunningHub,
    environment_of,
    results_of,
    running_hub,
)
from tests.sample import CITY, DISCIPLINE, PETITION, petition, policy
from tests.spec.storage import cells, change, rows
from tests.spec.wire import Wire, head

pytestmark = [pytest.mark.on_both, pytest.mark.at_length]

Event = dict[str, Any]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(12) as threads:
        yield threads


class Publishing:
    """Publishers that go on until the hub is gone; what they were told was accepted."""

    def __init__(self) -> None:
        self.accepted: dict[str, Event] = {}
        self._changed = Condition()

    def run(self, client: AgencyClient, name: str) -> list[Event]:
        """Publish batches of five, one after the other; those that nobody answered."""
        for n in range(100_000):
            batch = [petition(f"{name}-{n}-{m}") for m in range(5)]
            try:
                answer = client.publish(*batch)
            except httpx.TransportError:
                return batch
            assert answer.status_code == 200, answer.text
            with self._changed:
                for result in results_of(answer):
                    assert result["status"] == "accepted"
                    self.accepted[result["id"]] = result["receipt"]
                self._changed.notify()
        raise AssertionError("the hub was never killed")

    def wait_for(self, count: int) -> None:
        """Wait until so many events have been accepted."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.accepted) >= count, timeout=PATIENCE)


@pytest.mark.at_the_door
def test_what_was_accepted_is_delivered_after_kill_9_again_and_again(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    """The hub is killed in the midst of publishing, twice; unanswered batches are sent again."""
    publishing = Publishing()
    token = reading = ""
    unanswered: list[list[Event]] = []
    for life in range(3):
        with running_hub(tmp_path / "data") as hub:
            if life == 0:
                hub.apply(policy())
                token, reading = hub.token(PETITION), hub.token(DISCIPLINE)
                AgencyClient(DISCIPLINE, hub.client(reading)).subscribe()
            bureau = AgencyClient(PETITION, hub.client(token))
            for batch in unanswered:
                results = results_of(bureau.publish(*batch))
                # All of a batch or none of it was registered.
                assert len({result["status"] for result in results}) == 1
                assert results[0]["status"] in ("accepted", "duplicate")
                publishing.accepted |= {r["id"]: r["receipt"] for r in results}
            if life < 2:
                runs = [
                    pool.submit(
                        publishing.run, AgencyClient(PETITION, hub.client(token)), f"{life}-{n}"
                    )
                    for n in range(6)
                ]
                publishing.wait_for(300 * (life + 1))
                hub.kill()
                unanswered = [run.result(PATIENCE) for run in runs]
                continue
            events = AgencyClient(DISCIPLINE, hub.client(reading)).drain()
            told = {
                event["id"]: (event["hubreceipt"], event["hubposition"], event["hubtime"])
                for event in events
            }
            assert len(told) == len(events)
            assert told == {
                id_: (receipt["id"], receipt["position"], receipt["hubtime"])
                for id_, receipt in publishing.accepted.items()
            }
            positions = [int(event["hubposition"].partition("-")[2]) for event in events]
            assert positions == list(range(1, len(events) + 1))
            times = [event["hubtime"] for event in events]
            assert times == sorted(times)
            some = next(iter(publishing.accepted.values()))
            assert bureau.http.get(f"/v1/receipts/{some['id']}").json() == some


@pytest.mark.parametrize("how", ["a stop", "kill -9"])
def test_tokens_policy_subscriptions_and_cursors_survive(tmp_path: Path, how: str) -> None:
    with running_hub(tmp_path / "data") as before:
        before.apply(policy())
        bureau, reader = before.agency(PETITION), before.agency(DISCIPLINE)
        body = {"types": ["petition.*"], "filters": [{"prefix": {"id": "XF-"}}]}
        reader.subscribe("kept", **body)
        reader.subscribe("ended")
        reader.http.delete("/v1/subscriptions/ended")
        bureau.accepted(*(petition(n) for n in range(4)))
        first = reader.page("kept", limit=1)
        cursor = reader.page("kept", limit=3).headers["guantong-cursor"]
        reader.commit(first.headers["guantong-cursor"], "kept")
        subscriptions = reader.http.get("/v1/subscriptions").json()
        with before.admin as admin:
            standing = admin.get("/v1/policy")
            revoked = admin.post(f"/v1/agencies/{PETITION}/tokens", json={}).json()
            admin.delete(f"/v1/agencies/{PETITION}/tokens/{revoked['number']}")
        administrator = (before.directory / "admin.token").read_text()
        if how == "a stop":
            assert before.stop() == 0
        else:
            before.kill()
    with running_hub(tmp_path / "data") as after:
        assert (after.directory / "admin.token").read_text() == administrator
        with after.admin as admin:
            again = admin.get("/v1/policy")
            assert (again.json(), again.headers["etag"]) == (
                standing.json(),
                standing.headers["etag"],
            )
        assert after.client(revoked["token"]).get("/v1/contracts").status_code == 401
        after.keep_tokens(before)
        reader, bureau = after.agency(DISCIPLINE), after.agency(PETITION)
        assert reader.http.get("/v1/subscriptions").json() == subscriptions
        (receipt,) = bureau.accepted(petition("after"))
        assert receipt["position"] == "0-5"
        (repeated,) = results_of(bureau.publish(petition(0)))
        assert (repeated["status"], repeated["receipt"]["position"]) == ("duplicate", "0-1")
        rest = reader.page("kept").json()
        assert [e["id"] for e in rest] == ["XF-1", "XF-2", "XF-3", "XF-after"]
        later = reader.page("kept", cursor=cursor).json()
        assert [e["id"] for e in later] == ["XF-3", "XF-after"]


def test_the_administrators_token_is_for_its_owner_alone(hub: RunningHub) -> None:
    assert (hub.directory / "admin.token").stat().st_mode & 0o777 == 0o600
    assert hub.directory.stat().st_mode & 0o077 == 0


def no_longer_listens(hub: RunningHub) -> bool:
    """Wait until the hub takes no new connection: its stop has begun."""
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        try:
            create_connection(hub.address, timeout=PATIENCE).close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            # It was taken and then cut: somebody still listens.
            continue
    return False


def test_a_stop_answers_what_is_under_way_and_waits_for_nothing_else(
    fresh_hub: RunningHub,
) -> None:
    hub = fresh_hub
    reader = hub.agency(DISCIPLINE)
    reader.subscribe()
    token = hub.token(PETITION)
    body = b"[%b]" % petition_bytes("under-way")
    polling = head("/v1/subscriptions/all/events?wait=60", hub.token(DISCIPLINE), method="GET")
    with ExitStack() as stack:
        idle, half, *polls = (stack.enter_context(Wire(hub)) for _ in range(5))
        for wire in (idle, *polls):
            wire.send(head("/v1/contracts", token, method="GET"))
            assert wire.answer().status == 200
        for poll in polls:
            poll.send(polling)
        # What came before what it answers now, the hub has read too.
        half.send(head("/v1/events", token, length=len(body), Expect="100-continue"))
        half.continued()
        half.send(body[:100])
        hub.process.terminate()
        assert no_longer_listens(hub)
        half.send(body[100:])
        answer = half.answer()
        assert (answer.status, answer.json()["results"][0]["status"]) == (200, "accepted")
        for poll in polls:
            page = poll.answer()
            assert (page.status, page.headers["content-type"]) == (
                200,
                "application/cloudevents-batch+json",
            )
            assert [e["id"] for e in page.json()] in ([], ["XF-under-way"])
        assert idle.ended()
        # Sooner than a poll would have ended by itself.
        assert hub.process.wait(timeout=50) == 0
    # Where another process registers, that one too.
    assert hub.stop() == 0
    with running_hub(hub.directory) as again:
        again.keep_tokens(hub)
        held = again.agency(DISCIPLINE).page(wait=20)
        assert [e["id"] for e in held.json()] == ["XF-under-way"]


def petition_bytes(number: str) -> bytes:
    return httpx.Request("POST", "http://hub", json=petition(number)).content


def test_a_client_that_never_ends_its_request_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    settings = {"body_seconds": f"{10 * PATIENCE}"}
    with running_hub(tmp_path / "data", settings=settings) as hub:
        hub.apply(policy())
        with Wire(hub) as wire:
            token = hub.token(PETITION)
            wire.send(head("/v1/events", token, length=100, Expect="100-continue"))
            wire.continued()
            assert hub.stop() == 0


def started_in_vain(directory: Path) -> str:
    """What a hub that does not start says; it must end by itself."""
    process = started(
        *("up", f"--data={directory}", "--listen=127.0.0.1:0"),
        environment=environment_of(directory),
    )
    said, complained = process.communicate(timeout=PATIENCE)
    assert process.wait() != 0
    assert "ready" not in said
    assert "Traceback" not in complained
    return said + complained


def test_a_second_process_on_a_data_directory_is_refused(fresh_hub: RunningHub) -> None:
    said = started_in_vain(fresh_hub.directory)
    assert "数据目录正被另一进程使用" in said
    assert "another process uses the data directory" in said
    assert str(fresh_hub.directory) in said
    with fresh_hub.admin as admin:
        assert admin.get("/health/ready").json() == {"status": "ready"}
    fresh_hub.agency(PETITION).accepted(petition("first"))


def set_revision(directory: Path, revision: str) -> str:
    """Alter what the database says of its own version; what it said."""
    ((before,),) = rows(directory, "SELECT version_num FROM alembic_version")
    change(directory, f"UPDATE alembic_version SET version_num = '{revision}'")
    return str(before)


def test_a_data_directory_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with running_hub(tmp_path / "data") as hub:
        hub.apply(policy())
        hub.agency(CITY).subscribe()
        hub.agency(PETITION).accepted(petition("kept"))
        assert hub.stop() == 0
    revision = set_revision(hub.directory, "9999_from_the_future")
    content = [*cells(hub.directory)]
    said = started_in_vain(hub.directory)
    assert "数据目录由更新版本创建" in said
    assert "a newer version made the data directory" in said
    assert [*cells(hub.directory)] == content
    set_revision(hub.directory, revision)
    with running_hub(hub.directory) as again:
        reader = AgencyClient(CITY, again.client(hub.token(CITY)))
        assert [e["id"] for e in reader.drain()] == ["XF-kept"]
