"""Tokens of agencies and of roles: issued, replaced, listed, revoked."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Final, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from structlog.typing import FilteringBoundLogger

from hub.database.order import ACCESS
from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.errors import BadRequest, Invalid, NotFound
from hub.event import rfc3339
from hub.policy import issuing, sql
from hub.policy.issuing import Wanted
from hub.policy.policy import Policies
from hub.policy.sql import TokenRow
from hub.policy.tokens import ROLES, Caller, Role, Tokens
from hub.web.body import number, place_after, read_body
from hub.web.callers import Callers
from hub.web.operation import (
    EVERY_ROLE,
    NUMBER,
    Answer,
    Described,
    Operation,
    Page,
    Parameter,
    Time,
    after,
    found,
    in_json,
    in_path,
    limit,
)
from hub.web.problems import answer

DAY: Final = 24 * 3600
MOST_NUMBER: Final = 2**53
_NO_AGENCY: Final = (
    "策略中没有这个机构，请先登记并生效 / no such agency in the policy: register it first"
)
Seconds = Annotated[int, Field(ge=60, le=3 * 365 * DAY)]


class TokenAsked(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    seconds: Seconds | None = None
    replaces: Annotated[int, Field(ge=1, le=MOST_NUMBER)] | None = None
    overlap: Annotated[int, Field(ge=0, le=30 * DAY)] = DAY


class RoleTokenAsked(TokenAsked):
    role: Role


class Issued(TypedDict):
    """A new token, shown this once."""

    token: str
    number: int
    expires: Time


class TokenShown(TypedDict):
    """A token as the roles see it; nothing of the secret itself is kept."""

    number: int
    agency: str | None
    roles: list[str]
    created: Time
    expires: Time
    last_used: Time | None
    revoked: Time | None
    replaced_by: int | None


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
) -> list[Described]:
    """Agencies' tokens are the role system's; each role has charge of its own."""

    async def issue(
        caller: Caller, asked: TokenAsked, agency: str | None, role: str = ""
    ) -> Response:
        wanted = Wanted(
            agency=agency,
            roles=frozenset(role.split()),
            seconds=asked.seconds or token_days * DAY,
            replaces=asked.replaces,
            overlap=asked.overlap,
        )
        work = partial(issuing.issue, wanted=wanted, caller=caller, now=clock())
        made = await writer.submit(work, locks=(ACCESS,))
        if made.replaced is not None:
            known.forget(made.replaced)
        log.info("token.issued", caller=caller.name, owner=wanted.owner, number=made.number)
        shown: Issued = {
            "token": made.token,
            "number": made.number,
            "expires": rfc3339(made.expires),
        }
        return answer(shown, 201)

    async def revoke(request: Request, caller: Caller, agency: str | None) -> Response:
        token = request.path_params["number"]
        if token > MOST_NUMBER:
            raise NotFound
        work = partial(issuing.revoke, number=token, caller=caller, now=clock(), agency=agency)
        known.forget(await writer.submit(work, locks=(ACCESS,)))
        log.info("token.revoked", caller=caller.name, number=token)
        return Response(status_code=204)

    async def issue_to_agency(request: Request) -> Response:
        caller = await callers.with_role(request, "system")
        asked = _read(TokenAsked, await read_body(request), '{"seconds": 60…}')
        agency = request.path_params["id"]
        if (await readers.run(policies.seen_by)).agency(agency) is None:
            raise NotFound(_NO_AGENCY)
        return await issue(caller, asked, agency)

    async def revoke_of_agency(request: Request) -> Response:
        caller = await callers.with_role(request, "system")
        return await revoke(request, caller, request.path_params["id"])

    async def issue_to_role(request: Request) -> Response:
        caller = await callers.with_role(request, *sorted(ROLES))
        asked = _read(RoleTokenAsked, await read_body(request), '{"role": "auditor"}')
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

    of_agency = "/v1/agencies/{id}/tokens"
    return [
        Described(of_agency, issue_to_agency, _ISSUE_TO_AGENCY, method="POST"),
        Described(
            f"{of_agency}/{{number:int}}", revoke_of_agency, _REVOKE_OF_AGENCY, method="DELETE"
        ),
        Described("/v1/tokens", issue_to_role, _ISSUE_TO_ROLE, method="POST"),
        Described("/v1/tokens", list_all, _listing(max_page)),
        Described("/v1/tokens/{number:int}", revoke_any, _REVOKE, method="DELETE"),
    ]


_AGENCY: Final = in_path("id", "机构编号 / the agency's id", {"type": "string"})
_NUMBER: Final = in_path("number", "令牌编号 / its number", NUMBER)
_MADE: Final = {201: Answer("已签发，仅此一次显示 / issued, shown this once", in_json(Issued))}
_REVOKED: Final = {204: Answer("已吊销 / it has ended")}
_ISSUE_TO_AGENCY: Final = Operation(
    "为机构签发令牌 / issue a token to an agency",
    callers=("system",),
    parameters=(_AGENCY,),
    body=in_json(TokenAsked),
    answers=_MADE,
    errors=(NotFound, Invalid),
)
_REVOKE_OF_AGENCY: Final = Operation(
    "吊销机构的令牌 / end a token of an agency",
    callers=("system",),
    parameters=(_AGENCY, _NUMBER),
    answers=_REVOKED,
    errors=(NotFound,),
)
_ISSUE_TO_ROLE: Final = Operation(
    "为角色签发令牌，由该角色自己的令牌办理 / issue a token to a role, by that role's own",
    callers=EVERY_ROLE,
    body=in_json(RoleTokenAsked),
    answers=_MADE,
    errors=(Invalid,),
)
_REVOKE: Final = Operation(
    "按编号吊销令牌 / end a token by its number",
    callers=EVERY_ROLE,
    parameters=(_NUMBER,),
    answers=_REVOKED,
    errors=(NotFound,),
)


def _listing(max_page: int) -> Operation:
    return Operation(
        "列出本角色负责的令牌 / the tokens that the role has charge of",
        callers=EVERY_ROLE,
        parameters=(
            limit(max_page),
            after(NUMBER),
            Parameter("agency", "只列此机构的 / of this agency alone", {"type": "string"}),
        ),
        answers=found(Page[TokenShown]),
    )


_Body = TypeVar("_Body", bound=BaseModel)


def _read(model: type[_Body], body: bytes, example: str) -> _Body:
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise BadRequest(example) from error


def _shown(row: TokenRow) -> TokenShown:
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
