"""What a process answers before its hub is there: that it lives, and what it waits for."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub.errors import HubError, NotYetReady
from hub.metrics import Metrics
from hub.web.direct import Door
from hub.web.edge import Edge
from hub.web.problems import answer, problem


class Threshold:
    """Hands requests on to the hub once it is there; `doors` are then the hub's.

    `name` is what is waited for.
    """

    def __init__(self, *, name: str, metrics: Metrics) -> None:
        self.doors: dict[bytes, Door] = {}
        self._reason = f"{name}: starting"
        self._name = name
        self._metrics = metrics
        self._edge: Edge | None = None

    def waits(self, error: HubError) -> None:
        """The hub cannot be opened yet, for this reason."""
        self._reason = f"{self._name}: {error.code}"

    def open(self, edge: Edge) -> None:
        """The hub is there."""
        self._edge = edge
        self.doors.update(edge.doors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answering = self._edge or self._answer(Request(scope))
        await answering(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        match request.method, request.url.path:
            case "GET" | "HEAD", "/health/live":
                return answer({"status": "live"})
            case "GET" | "HEAD", "/health/ready":
                return answer({"status": "unready", "reason": self._reason}, 503)
            case _:
                self._metrics.turned_away(NotYetReady.code)
                return problem(NotYetReady(self._reason, retry_after=1))
