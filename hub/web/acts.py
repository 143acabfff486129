"""The record of administrative acts."""

import json
from functools import partial
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.database.readers import Readers
from hub.errors import BadRequest
from hub.event import rfc3339
from hub.policy import sql
from hub.policy.acts import Act
from hub.policy.sql import ActRow
from hub.web.body import moment, number, place_after
from hub.web.callers import Callers
from hub.web.problems import answer


def routes(*, readers: Readers, callers: Callers, max_page: int) -> list[Route]:
    """For the role auditor, who does none of them."""

    async def list_all(request: Request) -> Response:
        await callers.with_role(request, "auditor")
        act = request.query_params.get("act")
        if act is not None and act not in get_args(Act):
            raise BadRequest(f"act={'|'.join(get_args(Act))}")
        most = number(request, "limit", default=100, most=max_page)
        page = partial(
            sql.acts_after,
            after=place_after(request),
            most=most + 1,
            subject=request.query_params.get("subject"),
            act=act,
            since=moment(request, "since", default=0),
        )
        rows = await readers.run(page)
        items = [_shown(row) for row in rows[:most]]
        return answer({"items": items, "next": items[-1]["number"] if len(rows) > most else None})

    return [Route("/v1/acts", list_all, methods=["GET"])]


def _shown(row: ActRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "at": rfc3339(row.at),
        "caller": row.caller,
        "token": row.token,
        "act": row.act,
        "subject": row.subject,
        "detail": json.loads(row.detail),
    }
