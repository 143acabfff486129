"""Errors as `application/problem+json` (RFC 9457), Chinese title first."""

import re
from collections.abc import Sequence
from typing import Any, Final, NotRequired, TypedDict

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from contracts.faults import Fault
from hub.errors import HubError


class FaultShown(TypedDict):
    """One error: its code, where (a JSON Pointer), what to do about it."""

    code: str
    pointer: str
    message: str
    message_en: str
    retryable: bool


class Problem(TypedDict):
    """Why the hub says no (RFC 9457); `retryable`: whether the same request can succeed later."""

    type: str
    status: int
    code: str
    title: str
    title_en: str
    detail: str
    retryable: bool
    errors: NotRequired[list[FaultShown]]


PROBLEM: Final = "application/problem+json"
_encode = msgspec.json.Encoder().encode


def problem(error: HubError, **members: Any) -> Response:
    """The answer that tells an error; `members` are added to the problem's own."""
    title, title_en = type(error).titles()
    body: Problem = {
        "type": f"urn:guantong:problem:{error.code}",
        "status": error.status,
        "code": error.code,
        "title": title,
        "title_en": title_en,
        "detail": error.detail,
        "retryable": error.retryable,
    }
    if error.faults:
        body["errors"] = errors_of(error.faults)
    headers = {"Cache-Control": "no-store"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(_encode({**body, **members}), error.status, headers, PROBLEM)


def errors_of(faults: Sequence[Fault]) -> list[FaultShown]:
    """Faults as the outside has them."""
    return [
        {
            "code": fault.code,
            "pointer": fault.pointer,
            "message": fault.message,
            "message_en": fault.message_en,
            "retryable": fault.retryable,
        }
        for fault in faults
    ]


def answer(content: Any, status: int = 200, **headers: str) -> Response:
    """A JSON answer that nothing caches."""
    return Response(
        _encode(content), status, {"Cache-Control": "no-store", **headers}, "application/json"
    )


def has_already(request: Request, tag: str) -> bool:
    """Whether who asks keeps what bears this ETag."""
    known = re.findall(r'\*|"[^"]*"', request.headers.get("if-none-match", ""))
    return tag in known or "*" in known
