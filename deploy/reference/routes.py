"""The list of routes, from `/openapi.json`."""

import asyncio
import logging
import tempfile
from pathlib import Path

from hub.app.embedded import embedded
from hub.app.ground import metrics_here
from hub.logs import logger
from hub.settings import Settings
from hub.web import openapi
from hub.web.operation import Described

_HEAD = """\
# 接口 · Routes

由 `make docs` 从路由表生成，请勿手改；参数、正文与答复的模式见 `GET /openapi.json`。
Generated from the code: do not edit; schemas are in `/openapi.json`.

“谁”：可用何种令牌，`agency` 为机构令牌，其余为角色。Who: an agency's token, or that of a role.

"""
_TABLE = """
| 调用 / call | 谁 / who | 做什么 | what | 参数 / parameters | 答复 / answers | 错误 / codes |
|---|---|---|---|---|---|---|
"""
_EVERYWHERE = """\
任何调用还可能得到 / any call may also be answered：{codes}；
须令牌的 / with a token：{of_tokens}。
"""


def page() -> str:
    """The page."""
    routes = asyncio.run(_routes())
    everywhere = ", ".join(f"`{error.code}`" for error in openapi.OF_THE_SERVER)
    of_tokens = ", ".join(f"`{error.code}`" for error in openapi.OF_TOKENS)
    head = _HEAD + _EVERYWHERE.format(codes=everywhere, of_tokens=of_tokens) + _TABLE
    return head + "".join(map(_row, routes))


async def _routes() -> list[Described]:
    """The routes that a hub really serves."""
    with tempfile.TemporaryDirectory() as directory:
        log = logger(level=logging.CRITICAL)
        metrics = metrics_here()
        async with embedded(Path(directory), settings=Settings(), metrics=metrics, log=log) as (
            _,
            edge,
        ):
            return [route for route in edge.app.routes if isinstance(route, Described)]


def _row(route: Described) -> str:
    operation = route.operation
    zh, _, en = operation.summary.partition(" / ")
    named = [p for p in operation.parameters if p.place != "path" and not p.name.startswith("ce-")]
    everywhere = {*openapi.OF_THE_SERVER, *openapi.OF_TOKENS}
    own = [error.code for error in openapi.errors_of(operation) if error not in everywhere]
    cells = (
        f"`{route.method} {route.path_format}`",
        ", ".join(operation.callers) or "任何人 / anybody",
        zh,
        en,
        ", ".join(f"`{parameter.name}`" for parameter in named),
        ", ".join(map(str, operation.answers)),
        ", ".join(f"`{code}`" for code in own),
    )
    return f"| {' | '.join(cell or '–' for cell in cells)} |\n"
