"""The outermost layer: whatever goes wrong inside becomes a problem, and nothing leaks."""

from collections.abc import Mapping
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from hub.errors import BadRequest, HubError, MethodNotAllowed, NotFound
from hub.logs import places_of
from hub.metrics import Metrics
from hub.web.direct import Door
from hub.web.problems import problem


class Refusing:
    """Answers errors as problems, and counts them by code."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def tell_error(self, _request: Request, error: Exception) -> Response:
        """The answer to an error of the family."""
        assert isinstance(error, HubError)
        return self._tell(error)

    async def tell_http(self, request: Request, error: Exception) -> Response:
        """The answer where the routing found nothing; which methods an address takes, if any."""
        assert isinstance(error, HTTPException)
        if error.status_code != 405:
            return self._tell(NotFound())
        refused = self._tell(MethodNotAllowed())
        refused.headers["Allow"] = ", ".join(sorted(_methods_at(request)))
        return refused

    async def tell_fault(self, _request: Request, _error: Exception) -> Response:
        """The answer where nobody foresaw the error; `Edge` then counts and logs it."""
        return problem(HubError())

    def _tell(self, error: HubError) -> Response:
        self._metrics.turned_away(error.code)
        return problem(error, **error.members())


def _holds_nul(scope: Scope) -> bool:
    """Whether an address holds a NUL: nothing here has one in its name, and PostgreSQL takes none.

    No text comes into the database that holds one: each has been checked by what reads bodies.
    """
    return scope["type"] == "http" and (
        "\0" in scope["path"] or b"%00" in scope.get("query_string", b"")
    )


def _methods_at(request: Request) -> set[str]:
    """The methods of all routes that share the address."""
    routes: list[Route] = request.app.routes
    there = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in there for method in route.methods or ()}


class Edge:
    """Counts and logs what nobody foresaw; its message may hold content, its place does not.

    `doors`: by URL, the endpoints that are also reached without the routing.
    """

    def __init__(
        self,
        app: Starlette,
        *,
        doors: Mapping[bytes, Door],
        refusing: Refusing,
        metrics: Metrics,
        log: FilteringBoundLogger,
    ) -> None:
        self.app = app
        self.doors = {url: partial(self._answer, door) for url, door in doors.items()}
        self._refusing = refusing
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if _holds_nul(scope):
                refusal = BadRequest("%00")
                answer = await self._refusing.tell_error(Request(scope), refusal)
                await answer(scope, receive, send)
            else:
                await self.app(scope, receive, send)
        except Exception as error:
            self._tell_of(error)

    async def _answer(self, door: Door, request: Request) -> Response:
        """What the routing and its error handlers answer, without them."""
        try:
            return await door(request)
        except HubError as error:
            return await self._refusing.tell_error(request, error)
        except Exception as error:
            self._tell_of(error)
            return await self._refusing.tell_fault(request, error)

    def _tell_of(self, error: Exception) -> None:
        self._metrics.erred()
        self._log.error("request.failed", error=type(error).__name__, at=places_of(error))
