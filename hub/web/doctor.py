"""The doctor, for operators."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.errors import BadRequest
from hub.upkeep.doctor import Doctor
from hub.upkeep.finding import worst
from hub.web.callers import Callers
from hub.web.problems import answer


def routes(*, doctor: Doctor, callers: Callers) -> list[Route]:
    """The examination of this hub: names, counts and places, never what an event says."""

    async def examine(request: Request) -> Response:
        await callers.with_role(request, "operator")
        full = request.query_params.get("full", "false")
        if full not in ("true", "false"):
            raise BadRequest("full=true|false")
        findings = await doctor.examine(full=full == "true")
        return answer(
            {"level": worst(findings), "findings": [asdict(finding) for finding in findings]}
        )

    return [Route("/v1/doctor", examine, methods=["GET"])]
