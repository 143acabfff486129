"""The catalogue of contracts: what may be said."""

import hashlib
import re
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.catalogue import Catalogue
from contracts.contract import Contract
from contracts.viewschema import view_schema
from hub.errors import NotFound
from hub.journal.retention.terms import Terms
from hub.web.callers import Callers
from hub.web.problems import answer


def routes(*, catalogue: Catalogue, terms: Terms, callers: Callers) -> list[Route]:
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

    def metadata(contract: Contract) -> dict[str, Any]:
        days = terms.days[contract.type, contract.version]
        return {**_metadata(contract, catalogue), "retention_days": days}

    async def find(request: Request) -> Contract:
        await callers.of(request)
        contract = catalogue.find(request.path_params["type"], request.path_params["version"])
        if contract is None:
            raise NotFound
        return contract

    return [
        Route("/v1/contracts", list_all),
        Route("/v1/contracts/{type}", of_type),
        Route("/v1/contracts/{type}/{version}", schema),
        Route("/v1/contracts/{type}/{version}/view", view),
    ]


def _metadata(contract: Contract, catalogue: Catalogue) -> dict[str, Any]:
    return {
        "type": contract.type,
        "family": contract.family,
        "versions": [c.version for c in catalogue.versions(contract.type)],
        "dataschema": contract.urn,
        "title": contract.title,
        "title_en": contract.title_en,
        "phase": contract.phase,
        "key": contract.key,
        "parties": [{"pointer": p.pointer, "role": p.role} for p in contract.parties],
        "publishers": sorted(contract.publishers),
        "receivers": {kind: dict(row) for kind, row in sorted(contract.receivers.items())},
        "denied": sorted(contract.denied),
        "custodians": sorted(contract.custodians),
        "answers": list(contract.answers),
        "replies": list(catalogue.replies_to(contract.type)),
        "due": contract.due,
        "flows": list(contract.flows),
    }


def _immutable(request: Request, document: dict[str, Any]) -> Response:
    """A released contract never changes: it may be kept for good."""
    body = msgspec.json.encode(document)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=31536000, immutable"}
    known = re.findall(r'\*|"[^"]*"', request.headers.get("if-none-match", ""))
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, "application/schema+json")
