"""What aiokafka's clients are taught."""

import asyncio

from aiokafka.client import AIOKafkaClient

from hub.kafka import be_patient


def test_who_cannot_learn_who_leads_rests_before_the_next_try() -> None:
    rests: list[None] = []

    async def rest() -> None:
        rests.append(None)

    async def tried() -> list[bool]:
        client = AIOKafkaClient(bootstrap_servers="127.0.0.1:1")
        told = [await client._metadata_update(client.cluster, []) for _ in range(3)]
        await client.close()
        return told

    be_patient(rest)
    assert asyncio.run(tried()) == [False] * 3
    assert len(rests) == 3
