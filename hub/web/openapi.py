"""GET /openapi.json: the routes of the hub, as each group describes its own (OpenAPI 3.1)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response

from hub.errors import (
    BadRequest,
    Forbidden,
    HubError,
    Overloaded,
    RequestTimeout,
    Stopping,
    StorageFailed,
    TooLarge,
    TooManyAttempts,
    Unauthenticated,
)
from hub.web.operation import (
    EVERY_TOKEN,
    Answer,
    Content,
    Described,
    Header,
    Operation,
    Parameter,
    found,
)
from hub.web.problems import PROBLEM, Problem, answer

Json = dict[str, Any]

# What the server says of any request, before or after its handler has it.
OF_THE_SERVER: Final = (
    BadRequest,
    RequestTimeout,
    TooLarge,
    HubError,
    Overloaded,
    Stopping,
    StorageFailed,
)
OF_TOKENS: Final = (Unauthenticated, TooManyAttempts)
_WAIT: Final = "几秒后重试 / seconds to wait"
_HEADERS: Final[Mapping[int, tuple[Header, ...]]] = {
    401: (Header("WWW-Authenticate", "Bearer"),),
    429: (Header("Retry-After", _WAIT),),
    503: (Header("Retry-After", _WAIT, always=False),),
}
_REF: Final = "#/components/schemas/{}"
_ABOUT: Final = (
    "巡视巡察机构与各监督机构的信息枢纽。错误一律为 application/problem+json，代码见各操作。"
    " / The hub of inspection offices and the supervising agencies. Errors are problems; each"
    " operation lists its codes, errors of events are listed in deploy/reference/errors.md."
)
_CREDENTIALS: Final = (
    "Authorization: Bearer <令牌>；security 中列出可用的机构（agency）或角色令牌。"
    " / Security lists whose token it takes: an agency's, or that of a role."
)


def route_of(described: Iterable[Described], *, version: str) -> Described:
    """The route that tells of all these and of itself."""

    async def show(_request: Request) -> Response:
        return answer(told())

    @cache
    def told() -> Json:
        return document((*described, route), version=version)

    operation = Operation("本接口的说明（OpenAPI） / this interface", (), found(dict[str, Any]))
    route = Described("/openapi.json", show, operation)
    return route


def document(routes: Sequence[Described], *, version: str) -> Json:
    """The OpenAPI document of routes."""
    schemas = _Schemas(content for route in routes for content in _contents(route.operation))
    problems: dict[str, Json] = {}
    paths: dict[str, Json] = {}
    for route in routes:
        told = _told(route, schemas, problems)
        paths.setdefault(route.path_format, {})[route.method.lower()] = told
    return {
        "openapi": "3.1.0",
        "info": {"title": "贯通 · Guantong", "version": version, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": problems,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": _CREDENTIALS}
            },
        },
    }


def errors_of(operation: Operation) -> tuple[type[HubError], ...]:
    """Every problem that an operation may answer, each once."""
    of_tokens = OF_TOKENS if operation.callers else ()
    foreign = (Forbidden,) if 0 < len(operation.callers) < len(EVERY_TOKEN) else ()
    every = (*OF_THE_SERVER, *of_tokens, *foreign, *operation.errors)
    return tuple(dict.fromkeys(every))


class _Schemas:
    """The JSON Schemas of everything that bodies hold, made by what reads or writes them."""

    def __init__(self, contents: Iterable[Content]) -> None:
        shapes = list(dict.fromkeys(shape for c in contents for shape in c.shapes))
        models: list[type[BaseModel]] = []

        def of_model(model: type[BaseModel]) -> Json:
            models.append(model)
            return {"$ref": _REF.format(model.__name__)}

        told, structs = msgspec.json.schema_components(
            shapes, schema_hook=of_model, ref_template=_REF.format("{name}")
        )
        _, defined = models_json_schema(
            [(model, "validation") for model in dict.fromkeys(models)],
            ref_template=_REF.format("{model}"),
        )
        assert structs.keys().isdisjoint(defined.get("$defs", {})), "a name stands for two things"
        self._by_shape = dict(zip(shapes, told, strict=True))
        self.components: Json = {**structs, **defined.get("$defs", {})}

    def of(self, contents: Iterable[Content]) -> Json:
        """Contents by media type."""
        return {content.media: {"schema": self._one_of(content.shapes)} for content in contents}

    def _one_of(self, shapes: Sequence[Any]) -> Json:
        told = [self._by_shape[shape] for shape in shapes]
        return told[0] if len(told) == 1 else {"anyOf": told}


def _contents(operation: Operation) -> Iterator[Content]:
    yield _PROBLEM
    yield from operation.body
    for answered in operation.answers.values():
        yield from answered.contents


def _told(route: Described, schemas: _Schemas, problems: dict[str, Json]) -> Json:
    operation = route.operation
    group = route.endpoint.__module__.rpartition(".")[2]
    told: Json = {
        "operationId": f"{group}.{route.endpoint.__name__}",
        "tags": [group],
        "summary": operation.summary,
        "security": [{"token": [who]} for who in operation.callers],
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": _responses(operation, schemas, problems),
    }
    if operation.body:
        told["requestBody"] = {"required": True, "content": schemas.of(operation.body)}
    return told


def _parameter(parameter: Parameter) -> Json:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.meaning,
        "schema": dict(parameter.schema),
    }


def _responses(operation: Operation, schemas: _Schemas, problems: dict[str, Json]) -> Json:
    """What may be answered; a problem that several operations share stands in `problems`."""
    by_status: dict[int, list[type[HubError]]] = {}
    for error in errors_of(operation):
        by_status.setdefault(error.status, []).append(error)
    told: dict[int, Json] = {s: _answer(a, schemas) for s, a in operation.answers.items()}
    for status, errors in by_status.items():
        own = told.get(status, {}).get("content", {})
        problem = _problem(status, errors, own.get(PROBLEM) or schemas.of((_PROBLEM,))[PROBLEM])
        if own:
            own.update(problem["content"])
        else:
            name = "-".join([str(status), *(error.code for error in errors)])
            problems[name] = problem
            told[status] = {"$ref": f"#/components/responses/{name}"}
    return {str(status): told[status] for status in sorted(told)}


def _answer(answered: Answer, schemas: _Schemas) -> Json:
    told: Json = {"description": answered.meaning}
    if answered.headers:
        told["headers"] = _headers(answered.headers)
    if answered.contents:
        told["content"] = schemas.of(answered.contents)
    return told


def _problem(status: int, errors: Sequence[type[HubError]], content: Json) -> Json:
    codes = {"properties": {"code": {"enum": [error.code for error in errors]}}}
    meaning = "；".join(" / ".join(error.titles()) for error in errors)
    schema = {"allOf": [content["schema"], codes]}
    told = {"description": meaning, "content": {PROBLEM: {"schema": schema}}}
    return {**told, "headers": _headers(_HEADERS[status])} if status in _HEADERS else told


def _headers(headers: Iterable[Header]) -> Json:
    return {
        header.name: {
            "description": header.meaning,
            "required": header.always,
            "schema": {"type": "string"},
        }
        for header in headers
    }


_PROBLEM: Final = Content((Problem,), PROBLEM)
