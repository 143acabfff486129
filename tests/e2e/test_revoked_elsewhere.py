"""A token that another process has ended opens nothing, though no news of that has come yet."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from deploy.local.postgres import PostgresServer
from tests.postgres import connected, fresh_database
from tests.running import RunningHub, start_hub
from tests.sample import CITY, policy

# What a caller may ask for; of each it is told that there is nothing, or what there is.
READS = {
    "/v1/subscriptions": 200,
    "/v1/subscriptions/all": 200,
    "/v1/subscriptions/none": 404,
    "/v1/subscriptions/all/dead-letters": 200,
    f"/v1/receipts/{'0' * 32}": 404,
}
ROLE_READS = ("/v1/policy", "/v1/agencies", "/v1/acts", "/v1/status", "/v1/purges")
ACTS = {
    "/v1/subscriptions": {"id": "new", "types": ["petition.*"]},
    "/v1/subscriptions/all/cursor": {"since": "2026-11-01T00:00:00+08:00"},
}


@pytest.fixture(scope="module")
def door(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningHub, str]]:
    """A door, and the address of its database."""
    with fresh_database(postgres) as url:
        running = start_hub(
            tmp_path_factory.mktemp("door"), settings={"database": url}, command="serve"
        )
        try:
            running.apply(policy())
            running.agency(CITY).subscribe("all")
            yield running, url
        finally:
            running.stop()


async def _end(url: str) -> None:
    """End the tokens of agencies and roles, as another process does, and tell nobody."""
    async with connected(url) as connection:
        await connection.execute("UPDATE tokens SET revoked_at = 1 WHERE roles NOT LIKE '% %'")


def known(door: RunningHub, path: str, **asked: str) -> httpx.Client:
    """A client with a token of its own, which the door knows."""
    with door.admin as admin:
        made = admin.post(path, json=asked).json()
    client = door.client(made["token"])
    assert client.get("/v1/contracts").status_code == 200
    return client


def code_of(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code") if answer.status_code > 399 else None


def test_an_agency_neither_reads_nor_acts_by_it(door: tuple[RunningHub, str]) -> None:
    running, url = door
    tokens = f"/v1/agencies/{CITY}/tokens"
    readers = {path: known(running, tokens) for path in READS}
    actors = {path: known(running, tokens) for path in ACTS}
    assert {path: client.get(path).status_code for path, client in readers.items()} == READS
    asyncio.run(_end(url))
    reads = {path: code_of(client.get(path)) for path, client in readers.items()}
    assert reads == dict.fromkeys(READS, (401, "unauthenticated"))
    acts = {path: code_of(client.post(path, json=ACTS[path])) for path, client in actors.items()}
    assert acts == dict.fromkeys(ACTS, (401, "unauthenticated"))
    assert known(running, tokens).get("/v1/subscriptions/new").status_code == 404


def test_a_role_reads_nothing_by_it(door: tuple[RunningHub, str]) -> None:
    running, url = door
    roles = ("system", "auditor", "operator")
    clients = {
        path: {role: known(running, "/v1/tokens", role=role) for role in roles}
        for path in ROLE_READS
    }
    asked = {
        path: next(client for client in of.values() if client.get(path).status_code == 200)
        for path, of in clients.items()
    }
    asyncio.run(_end(url))
    told = {path: code_of(client.get(path)) for path, client in asked.items()}
    assert told == dict.fromkeys(ROLE_READS, (401, "unauthenticated"))
