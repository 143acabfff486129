"""The record of administrative acts."""

import json
from functools import partial
from typing import Any, TypedDict, get_args

from starlette.requests import Request
from starlette.responses import Response

from hub.database.readers import Readers
from hub.errors import BadRequest
from hub.event import rfc3339
from hub.policy import sql
from hub.policy.acts import Act
from hub.policy.sql import ActRow
from hub.web.body import moment, number, place_after
from hub.web.callers import Callers
from hub.web.operation import (
    NUMBER,
    Described,
    Operation,
    Page,
    Parameter,
    Time,
    after,
    found,
    limit,
)
from hub.web.problems import answer


class ActShown(TypedDict):
    """An administrative act; `token` is the number of the token that was shown."""

    number: int
    at: Time
    caller: str
    token: int | None
    act: str
    subject: str
    detail: dict[str, Any]


def routes(*, readers: Readers, callers: Callers, max_page: int) -> list[Described]:
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

    return [Described("/v1/acts", list_all, _listing(max_page))]


def _listing(max_page: int) -> Operation:
    return Operation(
        "管理行为的记录 / the record of administrative acts",
        callers=("auditor",),
        parameters=(
            limit(max_page),
            after(NUMBER),
            Parameter("act", "只列此种行为 / of this act alone", {"enum": list(get_args(Act))}),
            Parameter("subject", "只列此对象 / of this subject alone", {"type": "string"}),
            Parameter("since", "自此时起 / since", {"type": "string", "format": "date-time"}),
        ),
        answers=found(Page[ActShown]),
    )


def _shown(row: ActRow) -> ActShown:
    return {
        "number": row.number,
        "at": rfc3339(row.at),
        "caller": row.caller,
        "token": row.token,
        "act": row.act,
        "subject": row.subject,
        "detail": json.loads(row.detail),
    }
