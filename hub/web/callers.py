"""Who calls: the bearer token of a request → its caller."""

from collections.abc import Callable

from starlette.requests import Request

from hub.errors import Forbidden, Unauthenticated
from hub.metrics import Metrics
from hub.policy.current import CurrentPolicy
from hub.policy.tokens import Caller, Tokens

LONGEST_TOKEN = 512


class Callers:
    """Identifies callers."""

    def __init__(
        self,
        tokens: Tokens,
        *,
        policy: CurrentPolicy,
        metrics: Metrics,
        clock: Callable[[], int],
    ) -> None:
        self._tokens = tokens
        self._policy = policy
        self._metrics = metrics
        self._clock = clock

    async def of(self, request: Request) -> Caller:
        """The caller of a request. Raises Unauthenticated."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer" or not 0 < len(token) <= LONGEST_TOKEN:
                raise Unauthenticated
            return await self._tokens.caller(token, now=self._clock())
        except Unauthenticated:
            self._metrics.unauthenticated()
            raise

    async def agency_of(self, request: Request) -> str:
        """The agency of a request's caller, in force. Raises Unauthenticated or Forbidden."""
        caller = await self.of(request)
        if caller.agency is None:
            raise Forbidden("此操作须用机构令牌 / this needs an agency's token")
        agency = (await self._policy.get()).agency(caller.agency)
        if agency is None or not agency.takes_part(self._clock()):
            raise Forbidden("机构未登记或已停用 / the agency is not registered or not in force")
        return caller.agency

    async def with_role(self, request: Request, *roles: str) -> Caller:
        """The caller, who has one of the roles. Raises Unauthenticated or Forbidden."""
        caller = await self.of(request)
        if not caller.roles & set(roles):
            raise Forbidden(f"需要角色 {'、'.join(roles)} / needs the role {' or '.join(roles)}")
        return caller
