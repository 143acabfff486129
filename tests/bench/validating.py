"""A door that only reads and checks what comes, and stores nothing: what the bench compares with.

Run as a process of its own; it prints its port.
"""

import sys

import msgspec
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.catalogue import load_catalogue
from contracts.envelope import Envelope
from hub.intake.http import read_events
from hub.intake.limits import Limits
from hub.metrics import Metrics
from hub.web.body import read_body
from hub.web.problems import answer
from hub.web.server import Bounds, Server

LIMITS = Limits()
CATALOGUE = load_catalogue()


async def publish(request: Request) -> Response:
    """Whether each event is what its contract asks for."""
    body = await read_body(request, most=LIMITS.body)
    for event in read_events(request.headers.raw, body, LIMITS):
        assert isinstance(event, Envelope)
        contract = CATALOGUE.by_dataschema(event.attributes.dataschema)
        assert contract is not None
        assert not isinstance(contract.check(event.data), tuple)
    return answer({"results": []})


def told(port: int) -> None:
    """Say where it listens."""
    sys.stdout.write(msgspec.json.encode(port).decode() + "\n")
    sys.stdout.flush()


async def nothing() -> None:
    """There is nothing to stop."""


async def main() -> None:
    server = Server(
        Starlette(routes=[Route("/v1/events", publish, methods=["POST"])]),
        doors={},
        bounds=Bounds(head=10, body=30, connections=1_000, of_one_address=1_000, stop=1),
        ready=told,
        stopping=lambda: None,
        stopped=nothing,
        metrics=Metrics(version="bench", sqlite=""),
    )
    server.config.host, server.config.port = "127.0.0.1", 0
    await server.serve()


if __name__ == "__main__":
    uvloop.run(main())
