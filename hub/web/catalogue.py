"""The catalogue of contracts as pages for people, and as AsyncAPI for programs."""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from contracts.pages.frame import ASYNCAPI, START
from contracts.pages.site import Made, media_type
from hub.errors import NotFound
from hub.web.operation import Answer, Content, Described, Header, Operation, Parameter, in_path
from hub.web.problems import has_already

_HEADERS: Final[Mapping[str, str]] = {
    # It says nothing of any case, but changes with the hub: asked again, and mostly still the same.
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Shelf:
    """The files of the catalogue, each made once, on a thread, when it is first asked for.

    However many ask at once, and whether they wait for it or go away.
    """

    def __init__(self, site: Mapping[str, Made]) -> None:
        self._site = site
        self._files: dict[str, asyncio.Task[tuple[bytes, str]]] = {}
        self._making = asyncio.Lock()

    async def file(self, name: str) -> tuple[bytes, str]:
        """A file with its ETag. Raises NotFound."""
        make = self._site.get(name)
        if make is None:
            raise NotFound
        if name not in self._files:
            self._files[name] = asyncio.create_task(self._made(make))
        return await asyncio.shield(self._files[name])

    async def _made(self, make: Made) -> tuple[bytes, str]:
        # One at a time: whoever asks for all of them keeps one thread busy, not every thread.
        async with self._making:
            body = await asyncio.to_thread(make)
        return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def routes(shelf: Shelf) -> list[Described]:
    """Reading the catalogue needs no token: it holds no data of any case."""

    async def entrance(_request: Request) -> Response:
        return RedirectResponse("catalogue/", 307)

    async def page(request: Request) -> Response:
        return await told(request, request.path_params["name"] or START)

    async def asyncapi(request: Request) -> Response:
        return await told(request, ASYNCAPI)

    async def told(request: Request, name: str) -> Response:
        body, tag = await shelf.file(name)
        headers = {**_HEADERS, "ETag": tag}
        if has_already(request, tag):
            return Response(status_code=304, headers=headers)
        return Response(body, 200, headers, media_type(name))

    return [
        Described("/catalogue", entrance, _ENTRANCE),
        Described("/catalogue/{name:path}", page, _PAGE),
        Described("/asyncapi.json", asyncapi, _ASYNCAPI),
    ]


_TAG: Final = (Header("ETag", "内容的摘要 / a digest of the content"),)
_KEPT: Final = Parameter(
    "If-None-Match", "已有的 ETag / what is kept", {"type": "string"}, "header"
)
_UNCHANGED: Final = Answer("与已有的相同 / as kept", headers=_TAG)
_ENTRANCE: Final = Operation(
    "契约目录的入口，无需令牌 / the way into the catalogue, without a token",
    callers=(),
    answers={307: Answer("目录在 /catalogue/ / it is there", headers=(Header("Location", "…"),))},
)
_PAGE: Final = Operation(
    "契约目录（网页），不含业务数据，无需令牌 / the catalogue for people; no case data, no token",
    callers=(),
    parameters=(
        in_path("name", "文件名，空为首页 / a file, the start page if empty", {"type": "string"}),
        _KEPT,
    ),
    answers={
        200: Answer(
            "如所求 / as asked",
            tuple(
                Content((str,), media)
                for media in ("text/html", "text/css", "text/javascript", "application/json")
            ),
            _TAG,
        ),
        304: _UNCHANGED,
    },
    errors=(NotFound,),
)
_ASYNCAPI: Final = Operation(
    "全部通道和事件类型（AsyncAPI 3.0），无需令牌 / all channels and types, without a token",
    callers=(),
    parameters=(_KEPT,),
    answers={
        200: Answer("如所求 / as asked", (Content((dict[str, Any],)),), _TAG),
        304: _UNCHANGED,
    },
)
