"""The doctor, for operators."""

from typing import Final, TypedDict

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import BadRequest
from hub.upkeep.doctor import Doctor
from hub.upkeep.finding import Finding, Level, worst
from hub.web.callers import Callers
from hub.web.operation import Described, Operation, Parameter, found
from hub.web.problems import answer


class Examined(TypedDict):
    """Every judgement, and the level of the worst."""

    level: Level
    findings: list[Finding]


def routes(*, doctor: Doctor, callers: Callers) -> list[Described]:
    """The examination of this hub: names, counts and places, never what an event says."""

    async def examine(request: Request) -> Response:
        await callers.with_role(request, "operator")
        full = request.query_params.get("full", "false")
        if full not in ("true", "false"):
            raise BadRequest("full=true|false")
        findings = await doctor.examine(full=full == "true")
        examined: Examined = {"level": worst(findings), "findings": list(findings)}
        return answer(examined)

    return [Described("/v1/doctor", examine, _EXAMINE)]


_EXAMINE: Final = Operation(
    "体检：版本、磁盘、时钟、策略、令牌、数据库、备份 / an examination of this hub",
    callers=("operator",),
    parameters=(
        Parameter(
            "full",
            "连同整个数据库的完整性，较慢 / the integrity of the whole database too, slower",
            {"enum": ["true", "false"], "default": "false"},
        ),
    ),
    answers=found(Examined),
)
