"""How policies are changed and rehearsed in tests."""

from typing import Any

import httpx

from tests.running import RunningHub

Document = dict[str, Any]


def changed(document: Document, part: str, id_: str, **fields: Any) -> Document:
    """The document with some fields of one record changed."""
    records = [{**r, **fields} if r["id"] == id_ else r for r in document[part]]
    return {**document, part: records}


def without(document: Document, part: str, id_: str) -> Document:
    return {**document, part: [r for r in document[part] if r["id"] != id_]}


def with_added(document: Document, part: str, *records: Document) -> Document:
    return {**document, part: [*document[part], *records]}


def without_none(document: Document) -> Document:
    """The document without the fields that a change has emptied."""
    return {
        part: [{name: v for name, v in record.items() if v is not None} for record in records]
        for part, records in document.items()
    }


def put(hub: RunningHub, document: Document, query: str = "?dry_run=true") -> httpx.Response:
    with hub.admin as admin:
        tag = admin.get("/v1/policy").headers["etag"]
        body = {"reason": "预演", **document}
        return admin.put(f"/v1/policy{query}", json=body, headers={"If-Match": tag})


def rehearsed(hub: RunningHub, document: Document, query: str = "?dry_run=true") -> Document:
    answer = put(hub, document, query)
    assert answer.status_code == 200, answer.text
    told: Document = answer.json()
    return told
