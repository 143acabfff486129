"""The registered agencies and their tokens."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.typing import FilteringBoundLogger

from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.errors import BadRequest, NotFound
from hub.event import rfc3339
from hub.policy import sql, tokens
from hub.policy.policy import Policies
from hub.policy.tokens import Tokens
from hub.web.body import number, read_body
from hub.web.callers import Callers
from hub.web.problems import answer

DAY = 24 * 3600


class _Asked(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    seconds: Annotated[int, Field(ge=60, le=3 * 365 * DAY)] | None = None


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
    """For the role system."""

    async def list_all(request: Request) -> Response:
        await callers.with_role(request, "system")
        most = number(request, "limit", default=100, most=max_page)
        after = request.query_params.get("after", "")
        policy = await readers.run(policies.seen_by)
        records = sorted(policy.document.agencies, key=lambda record: record.id)
        found = [record for record in records if record.id > after]
        items = [r.model_dump(mode="json", exclude_none=True) for r in found[:most]]
        return answer({"items": items, "next": items[-1]["id"] if len(found) > most else None})

    async def issue(request: Request) -> Response:
        caller = await callers.with_role(request, "system")
        agency = request.path_params["id"]
        try:
            asked = _Asked.model_validate_json(await read_body(request) or b"{}")
        except ValidationError as error:
            raise BadRequest('{"seconds": 60…}') from error
        if (await readers.run(policies.seen_by)).agency(agency) is None:
            raise NotFound
        work = partial(
            tokens.issue,
            agency=agency,
            roles=frozenset(),
            now=clock(),
            seconds=asked.seconds or token_days * DAY,
        )
        made = await writer.submit(work)
        log.info("token.issued", caller=caller.name, agency=agency, number=made.number)
        shown = {"token": made.token, "number": made.number, "expires": rfc3339(made.expires)}
        return answer(shown, 201)

    async def revoke(request: Request) -> Response:
        caller = await callers.with_role(request, "system")
        agency, token = request.path_params["id"], request.path_params["number"]
        work = partial(sql.revoke_token, agency=agency, number=token, now=clock())
        digest = await writer.submit(work)
        if digest is None:
            raise NotFound
        known.forget(digest)
        log.info("token.revoked", caller=caller.name, agency=agency, number=token)
        return Response(status_code=204)

    return [
        Route("/v1/agencies", list_all),
        Route("/v1/agencies/{id}/tokens", issue, methods=["POST"]),
        Route("/v1/agencies/{id}/tokens/{number:int}", revoke, methods=["DELETE"]),
    ]
