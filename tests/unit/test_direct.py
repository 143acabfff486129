"""The short way of a request: the answer goes out before what nobody waits for is done."""

import asyncio

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.flow_control import FlowControl

from hub.web.direct import Whole

SCOPE = {"type": "http", "headers": []}


class Wire(asyncio.Transport):
    """A client's side of a connection, which keeps what comes."""

    def __init__(self, happened: list[bytes]) -> None:
        super().__init__()
        self._happened = happened

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._happened.append(bytes(data))


async def answered(*, gone: bool) -> list[bytes]:
    """What happens when a request is answered whose accounts are kept afterwards, in order."""
    happened: list[bytes] = []

    async def account() -> None:
        happened.append(b"accounted")

    async def door(_: Request) -> Response:
        whole.disconnected = gone
        return Response(b"{}", background=BackgroundTask(account))

    wire = Wire(happened)
    whole = Whole(
        transport=wire,
        flow=FlowControl(wire),
        keep_alive=True,
        headers=(),
        answered=lambda: happened.append(b"next"),
    )
    await whole.run(door, SCOPE, b"")
    return happened


async def test_the_answer_goes_out_before_it_is_accounted_for() -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
    assert await answered(gone=False) == [answer, b"next", b"accounted"]


async def test_it_is_accounted_for_though_its_client_has_gone() -> None:
    assert await answered(gone=True) == [b"accounted"]
