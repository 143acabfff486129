"""Asking the database whether a caller may still call: another process may have ended its token.

A token that this process remembers is good until it hears otherwise, half a second at most. Where
that is too long, what is read is confirmed after it was read, and what is done before it is done:
so whatever leaves, or takes place, after a revocation was acknowledged is refused.
"""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import HubError, StorageFailed
from hub.web.callers import Callers
from hub.web.operation import Described


def confirming(routes: Iterable[Described], callers: Callers) -> list[Described]:
    """The same routes, whose callers are confirmed."""
    return [_confirming(route, callers) for route in routes]


def _confirming(route: Described, callers: Callers) -> Described:
    async def read(request: Request) -> Response:
        # Who has no good token at all is refused here, within his attempts.
        await callers.of(request)
        try:
            answer: Response = await route.endpoint(request)
        except StorageFailed:
            # It tells nothing of what was asked for; whether the token has ended, nobody could say.
            raise
        except HubError:
            await callers.confirm(request)
            raise
        await callers.confirm(request)
        return answer

    async def act(request: Request) -> Response:
        await callers.of(request)
        await callers.confirm(request)
        answer: Response = await route.endpoint(request)
        return answer

    handler = read if route.method == "GET" else act
    return Described(route.path, handler, route.operation, method=route.method)
