"""What the hub answers: results of publishing, pages of events, and how it can fail."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from msgspec import Struct

# The code of what names none: an answer that does not come from the hub.
UNNAMED: Final = "unknown"
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")

Status = Literal["accepted", "duplicate", "rejected"]


class HubError(Exception):
    """The hub did not do what it was asked."""


class HubAway(HubError):
    """The hub cannot be reached, or asks to wait longer than the client will."""


def _code(answer: Mapping[str, Any]) -> str:
    """The code of an error; what does not look like one of the hub's may be anything."""
    code = str(answer.get("code", UNNAMED))
    return code if _CODE.fullmatch(code) else UNNAMED


@dataclass(frozen=True, slots=True)
class EventError:
    """One error of an event or of a request's document, as the hub tells it."""

    code: str
    pointer: str
    message: str
    message_en: str
    retryable: bool

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        return cls(
            code=_code(answer),
            pointer=str(answer.get("pointer") or ""),
            message=str(answer.get("message", "")),
            message_en=str(answer.get("message_en", "")),
            retryable=answer.get("retryable") is True,
        )


class HubProblem(HubError):
    """The hub refused a request; the fields are those of its problem document."""

    def __init__(self, document: Mapping[str, Any], *, status: int) -> None:
        self.status = status
        self.code = _code(document)
        # Who stands before the hub may repeat what was sent.
        titles = {} if self.code == UNNAMED else document
        self.title = str(titles.get("title", f"HTTP {status}"))
        self.title_en = str(titles.get("title_en", f"HTTP {status}"))
        self.detail = str(document.get("detail", ""))
        self.retryable = document.get("retryable") is True
        self.errors = tuple(map(EventError.of, document.get("errors") or ()))
        told = (f"{error.pointer} {error.message}".strip() for error in self.errors)
        sentence = f"{self.title} ({self.code}, HTTP {status}) {self.detail}".rstrip()
        super().__init__("\n".join((sentence, *told)))


class Result(Struct, frozen=True):
    """What became of one event; `receipt` is the hub's statement about it, if it made one."""

    source: str | None
    id: str | None
    status: Status
    receipt: Mapping[str, Any] | None
    errors: tuple[EventError, ...]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Raises KeyError for an answer without a status."""
        errors = answer.get("errors")
        return cls(
            source=answer.get("source"),
            id=answer.get("id"),
            status=answer["status"],
            receipt=answer.get("receipt"),
            errors=tuple(map(EventError.of, errors)) if errors else (),
        )

    @property
    def taken(self) -> bool:
        """The hub has the event, from now on or since before."""
        return self.status != "rejected"

    @property
    def retryable(self) -> bool:
        """Rejected, but only for now."""
        if self.taken or not self.errors:
            return False
        return all(error.retryable for error in self.errors)


@dataclass(frozen=True, slots=True)
class Page:
    """Events of a subscription in order, and the cursor to commit once they are dealt with.

    `expired` more stood among them, and were purged before they were read; `parked` have no form
    in the pinned version, and are dead letters.
    """

    events: tuple[Mapping[str, Any], ...]
    cursor: str
    expired: int = 0
    parked: int = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy document, and the tag that a change of it must name."""

    document: Mapping[str, Any]
    etag: str
