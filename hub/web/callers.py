"""Who calls: the bearer token of a request → its caller."""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import Request
from structlog.typing import FilteringBoundLogger

from hub.errors import Forbidden, TooManyAttempts, Unauthenticated
from hub.metrics import Metrics
from hub.policy.acts import Actor
from hub.policy.current import CurrentPolicy
from hub.policy.tokens import REVOKED, Caller, Tokens, Unfit
from hub.policy.uses import Uses
from hub.web.attempts import Attempts, network_of
from hub.web.body import header

LONGEST_TOKEN: Final = 512

# Who shows a whole token may hear what became of it.
_TOLD: Final[Mapping[Unfit, str]] = {
    "unknown": "",
    "expired": "令牌已过期，请申请新的 / the token has expired, ask for a new one",
    "revoked": REVOKED,
}


class Callers:
    """Identifies callers."""

    def __init__(
        self,
        tokens: Tokens,
        *,
        uses: Uses,
        attempts: Attempts,
        policy: CurrentPolicy,
        metrics: Metrics,
        log: FilteringBoundLogger,
        clock: Callable[[], int],
    ) -> None:
        self._tokens = tokens
        self._uses = uses
        self._attempts = attempts
        self._policy = policy
        self._metrics = metrics
        self._log = log
        self._clock = clock

    async def of(self, request: Request) -> Caller:
        """The caller of a request. Raises Unauthenticated or TooManyAttempts.

        A known token passes whatever else its address has tried, so that a program with a bad
        token does not shut out its neighbours behind one gateway.
        """
        now, token = self._clock(), self._bearer(request)
        caller = self._tokens.remembered(token, now=now)
        if caller is None:
            caller = await self._look_up(request, token, now)
        self._uses.note(caller.token, now)
        return caller

    async def confirm(self, request: Request) -> None:
        """Raise Unauthenticated where the token has ended by now, in whichever process."""
        found = await self._tokens.confirm(self._bearer(request), now=self._clock())
        if not isinstance(found, Caller):
            raise self._unfit(found, network_of(request.client.host if request.client else ""))

    async def member(self, request: Request) -> Actor:
        """The agency of a request's caller, in force, with the token it showed.

        Raises what `of` does, or Forbidden.
        """
        caller = await self.of(request)
        if caller.agency is None:
            raise Forbidden("此操作须用机构令牌 / this needs an agency's token")
        agency = (await self._policy.get()).agency(caller.agency)
        if agency is None or not agency.takes_part(self._clock()):
            raise Forbidden("机构未登记或已停用 / the agency is not registered or not in force")
        return caller.actor

    async def agency_of(self, request: Request) -> str:
        """The agency of a request's caller, in force. Raises what `member` does."""
        return (await self.member(request)).name

    async def with_role(self, request: Request, *roles: str) -> Caller:
        """The caller, who has one of the roles. Raises what `of` does, or Forbidden."""
        caller = await self.of(request)
        if not caller.roles & set(roles):
            raise Forbidden(f"需要角色 {'、'.join(roles)} / needs the role {' or '.join(roles)}")
        return caller

    def _bearer(self, request: Request) -> str:
        """The token that a request shows. That it shows none costs nothing and is only counted."""
        given = header(request, b"authorization")
        scheme, _, token = (given or "").partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= LONGEST_TOKEN:
            self._metrics.unauthenticated("missing" if given is None else "malformed")
            raise Unauthenticated
        return token

    async def _look_up(self, request: Request, token: str, now: int) -> Caller:
        # Who opens many connections at once shows one good token on all of them, before it is
        # known. One that turns out bad costs each its own attempt.
        shared = await self._tokens.sought(token)
        if isinstance(shared, Caller):
            return shared
        network = network_of(request.client.host if request.client else "")
        wait = self._attempts.begin(network, token)
        if wait:
            self._metrics.unauthenticated("limited")
            raise TooManyAttempts(retry_after=wait)
        found = await self._tokens.find(token, now=now)
        if isinstance(found, Caller):
            self._attempts.succeeded(network, token)
            return found
        raise self._unfit(found, network)

    def _unfit(self, found: Unfit, network: str) -> Unauthenticated:
        self._metrics.unauthenticated(found)
        self._log.warning("token.refused", address=network, reason=found)
        return Unauthenticated(_TOLD[found])
