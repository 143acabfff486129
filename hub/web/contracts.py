"""The catalogue of contracts: what may be said."""

import hashlib
from datetime import date
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from contracts.catalogue import Catalogue
from contracts.contract import Contract, Metadata
from contracts.viewschema import view_schema
from hub.errors import NotFound
from hub.journal.retention.terms import Terms
from hub.web.callers import Callers
from hub.web.operation import (
    EVERY_TOKEN,
    Answer,
    Content,
    Described,
    Header,
    Operation,
    Page,
    Parameter,
    found,
    in_path,
)
from hub.web.problems import answer, has_already

SCHEMA: Final = "application/schema+json"


class ContractShown(Metadata):
    """What a contract says of itself, in the newest version of its type.

    `receivers`: kind → relation to the publisher → measure; `to` is by address alone. `ways`: where
    those whom it addresses may lie. `key`: where the payload names the case. `denied`: kinds that
    nothing admits. `unasked`: a reply that may also open a case. `sunset`: the day from which the
    version is refused, for its `successor`. `retention_days`: for how long
    this hub keeps such events.
    """

    versions: list[str]
    dataschema: str
    title: str
    title_en: str
    description: str
    description_en: str
    replies: list[str]
    deprecated: str | None
    sunset: str | None
    successor: str | None
    retention_days: int | None


def routes(*, catalogue: Catalogue, terms: Terms, callers: Callers) -> list[Described]:
    """Reading contracts needs a token, and no role."""

    async def list_all(request: Request) -> Response:
        await callers.of(request)
        newest = [catalogue.versions(type_)[-1] for type_ in catalogue.types()]
        return answer({"items": [metadata(c) for c in newest], "next": None})

    async def of_type(request: Request) -> Response:
        await callers.of(request)
        versions = catalogue.versions(request.path_params["type"])
        if not versions:
            raise NotFound
        return answer(metadata(versions[-1]))

    async def schema(request: Request) -> Response:
        return _immutable(request, (await find(request)).schema())

    async def view(request: Request) -> Response:
        return _immutable(request, view_schema(await find(request)))

    def metadata(contract: Contract) -> ContractShown:
        return {
            **contract.metadata(),
            "versions": [c.version for c in catalogue.versions(contract.type)],
            "dataschema": contract.urn,
            "title": contract.title,
            "title_en": contract.title_en,
            "description": contract.description,
            "description_en": contract.description_en,
            "replies": list(catalogue.replies_to(contract.type)),
            "deprecated": _day(contract.lifetime.deprecated),
            "sunset": _day(contract.lifetime.sunset),
            "successor": contract.lifetime.successor,
            "retention_days": terms.days[contract.type, contract.version],
        }

    async def find(request: Request) -> Contract:
        await callers.of(request)
        contract = catalogue.find(request.path_params["type"], request.path_params["version"])
        if contract is None:
            raise NotFound
        return contract

    one = "/v1/contracts/{type}/{version}"
    return [
        Described("/v1/contracts", list_all, _LIST),
        Described("/v1/contracts/{type}", of_type, _SHOW),
        Described(one, schema, _version("载荷的 JSON Schema / the payload's JSON Schema")),
        Described(f"{one}/view", view, _version("视图的 JSON Schema / the JSON Schema of views")),
    ]


_TYPE: Final = in_path("type", "事件类型 / the event type", {"type": "string"})
_LIST: Final = Operation(
    "列出契约 / the catalogue", callers=EVERY_TOKEN, answers=found(Page[ContractShown])
)
_SHOW: Final = Operation(
    "契约说明 / what is known of a type",
    callers=EVERY_TOKEN,
    parameters=(_TYPE,),
    answers=found(ContractShown),
    errors=(NotFound,),
)


def _version(summary: str) -> Operation:
    tag = (Header("ETag", "发布后不再变化 / a released version never changes"),)
    return Operation(
        summary,
        callers=EVERY_TOKEN,
        parameters=(
            _TYPE,
            in_path("version", "版本，如 1.0 / its version", {"type": "string"}),
            Parameter("If-None-Match", "已有的 ETag / what is kept", {"type": "string"}, "header"),
        ),
        answers={
            200: Answer("如所求 / as asked", (Content((dict[str, Any],), SCHEMA),), tag),
            304: Answer("与已有的相同 / as kept", headers=tag),
        },
        errors=(NotFound,),
    )


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _immutable(request: Request, document: dict[str, Any]) -> Response:
    """A released contract never changes: it may be kept for good."""
    body = msgspec.json.encode(document)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=31536000, immutable"}
    if has_already(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, SCHEMA)
