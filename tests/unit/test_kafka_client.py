"""What aiokafka's clients are taught."""

import asyncio
import socket

from aiokafka.client import AIOKafkaClient
from aiokafka.structs import BrokerMetadata

from hub.kafka import ask_beside


def leaders_told(host: str, port: int, *, tries: int) -> tuple[list[bool], int]:
    """Whether a client learns of its only broker who leads, and how many times it rests."""
    rests: list[None] = []

    async def rest() -> None:
        rests.append(None)

    async def ask() -> list[bool]:
        client = AIOKafkaClient()
        client.cluster._brokers = {1: BrokerMetadata(1, host, port, None)}
        told = [await client._metadata_update(client.cluster, []) for _ in range(tries)]
        await client.close()
        return told

    ask_beside(rest)
    # A request may take forty seconds.
    return asyncio.run(asyncio.wait_for(ask(), 30)), len(rests)


def test_who_cannot_learn_who_leads_rests_before_the_next_try() -> None:
    assert leaders_told("127.0.0.1", 1, tries=3) == ([False] * 3, 3)


def test_a_broker_that_has_fallen_silent_is_not_asked_for_as_long_as_a_request_may_take() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert leaders_told(*silent.getsockname(), tries=1) == ([False], 1)
