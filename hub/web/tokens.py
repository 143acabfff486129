"""Tokens of agencies and of roles: issued, replaced, listed, revoked."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.typing import FilteringBoundLogger

from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.errors import BadRequest, NotFound
from hub.event import rfc3339
from hub.policy import issuing, sql
from hub.policy.issuing import Wanted
from hub.policy.policy import Policies
from hub.policy.sql import TokenRow
from hub.policy.tokens import ROLES, Caller, Role, Tokens
from hub.web.body import number, place_after, read_body
from hub.web.callers import Callers
from hub.web.problems import answer

DAY: Final = 24 * 3600
MOST_NUMBER: Final = 2**53
Seconds = Annotated[int, Field(ge=60, le=3 * 365 * DAY)]


class _Asked(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    seconds: Seconds | None = None
    replaces: Annotated[int, Field(ge=1, le=MOST_NUMBER)] | None = None
    overlap: Annotated[int, Field(ge=0, le=30 * DAY)] = DAY


class _AskedForRole(_Asked):
    role: Role


def routes(
    *,
    known: Tokens,
    policies: Policies,
    writer: Writer,
    readers: Readers,
    callers: Callers,
    log: FilteringBoundLogger,
    clock: Callable[[], int],
    token_days: int,
    max_page: int,
) -> list[Route]:
    """Agencies' tokens are the role system's; each role has charge of its own."""

    async def issue(caller: Caller, asked: _Asked, agency: str | None, role: str = "") -> Response:
        wanted = Wanted(
            agency=agency,
            roles=frozenset(role.split()),
            seconds=asked.seconds or token_days * DAY,
            replaces=asked.replaces,
            overlap=asked.overlap,
        )
        work = partial(issuing.issue, wanted=wanted, caller=caller, now=clock())
        made = await writer.submit(work)
        if made.replaced is not None:
            known.forget(made.replaced)
        log.info("token.issued", caller=caller.name, owner=wanted.owner, number=made.number)
        shown = {"token": made.token, "number": made.number, "expires": rfc3339(made.expires)}
        return answer(shown, 201)

    async def revoke(request: Request, caller: Caller, agency: str | None) -> Response:
        token = request.path_params["number"]
        if token > MOST_NUMBER:
            raise NotFound
        work = partial(issuing.revoke, number=token, caller=caller, now=clock(), agency=agency)
        known.forget(await writer.submit(work))
        log.info("token.revoked", caller=caller.name, number=token)
        return Response(status_code=204)

    async def issue_to_agency(request: Request) -> Response:
        caller = await callers.with_role(request, "system")
        asked = _read(_Asked, await read_body(request), '{"seconds": 60…}')
        agency = request.path_params["id"]
        if (await readers.run(policies.seen_by)).agency(agency) is None:
            raise NotFound
        return await issue(caller, asked, agency)

    async def revoke_of_agency(request: Request) -> Response:
        caller = await callers.with_role(request, "system")
        return await revoke(request, caller, request.path_params["id"])

    async def issue_to_role(request: Request) -> Response:
        caller = await callers.with_role(request, *sorted(ROLES))
        asked = _read(_AskedForRole, await read_body(request), '{"role": "auditor"}')
        return await issue(caller, asked, None, asked.role)

    async def revoke_any(request: Request) -> Response:
        caller = await callers.with_role(request, *sorted(ROLES))
        return await revoke(request, caller, None)

    async def list_all(request: Request) -> Response:
        caller = await callers.with_role(request, *sorted(ROLES))
        most = number(request, "limit", default=100, most=max_page)
        own = None if caller.roles & {"system", "auditor"} else " ".join(sorted(caller.roles))
        page = partial(
            sql.tokens_after,
            agency=request.query_params.get("agency"),
            roles=own,
            after=place_after(request),
            most=most + 1,
        )
        rows = await readers.run(page)
        items = [_shown(row) for row in rows[:most]]
        return answer({"items": items, "next": items[-1]["number"] if len(rows) > most else None})

    return [
        Route("/v1/agencies/{id}/tokens", issue_to_agency, methods=["POST"]),
        Route("/v1/agencies/{id}/tokens/{number:int}", revoke_of_agency, methods=["DELETE"]),
        Route("/v1/tokens", issue_to_role, methods=["POST"]),
        Route("/v1/tokens", list_all, methods=["GET"]),
        Route("/v1/tokens/{number:int}", revoke_any, methods=["DELETE"]),
    ]


_Body = TypeVar("_Body", bound=BaseModel)


def _read(model: type[_Body], body: bytes, example: str) -> _Body:
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise BadRequest(example) from error


def _shown(row: TokenRow) -> dict[str, Any]:
    """A token as the roles see it; nothing of the secret itself is kept."""
    return {
        "number": row.number,
        "agency": row.agency,
        "roles": row.roles.split(),
        "created": rfc3339(row.created_at),
        "expires": rfc3339(row.expires_at),
        "last_used": None if row.last_used_at is None else rfc3339(row.last_used_at),
        "revoked": None if row.revoked_at is None else rfc3339(row.revoked_at),
        "replaced_by": row.replaced_by,
    }
