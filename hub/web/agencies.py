"""The registered agencies."""

from starlette.requests import Request
from starlette.responses import Response

from hub.database.readers import Readers
from hub.policy.document import AgencyRecord
from hub.policy.policy import Policies
from hub.web.body import number
from hub.web.callers import Callers
from hub.web.operation import Described, Operation, Page, after, found, limit
from hub.web.problems import answer


def routes(
    *, policies: Policies, readers: Readers, callers: Callers, max_page: int
) -> list[Described]:
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

    return [Described("/v1/agencies", list_all, _listing(max_page))]


def _listing(max_page: int) -> Operation:
    return Operation(
        "列出登记的机构 / the registered agencies",
        callers=("system",),
        parameters=(limit(max_page), after({"type": "string"})),
        answers=found(Page[AgencyRecord]),
    )
