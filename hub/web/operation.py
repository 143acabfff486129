"""What one method of one address does: stands beside its handler, is told in `/openapi.json`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, Literal, TypedDict, TypeVar, get_args

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.errors import HubError
from hub.policy.tokens import Role

Who = Literal["agency"] | Role
Schema = Mapping[str, Any]
Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
T = TypeVar("T")

NUMBER: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}

EVERY_ROLE: Final[tuple[Who, ...]] = get_args(Role)
EVERY_TOKEN: Final[tuple[Who, ...]] = ("agency", *EVERY_ROLE)


class Page(TypedDict, Generic[T]):
    """A part of a list; `next` is the `after` of the part behind it, null at the end."""

    items: list[T]
    next: str | int | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """What an address takes beside a body; `meaning` is Chinese before ` / `, English after."""

    name: str
    meaning: str
    schema: Schema
    place: Literal["path", "query", "header"] = "query"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """A body in a media type: the types that read or write it, one of them at a time.

    msgspec must know a type, or it is a pydantic model.
    """

    shapes: tuple[Any, ...]
    media: str = "application/json"


@dataclass(frozen=True, slots=True)
class Header:
    """A header of an answer; `always`: it is never left out."""

    name: str
    meaning: str
    always: bool = True


# Who uses a contract version that is to be retired is told so each time.
RETIRING: Final = (
    Header("Deprecation", "所用版本即将停用 / a version used is to be retired", always=False),
    Header("Sunset", "停用的日期 / from when it is refused", always=False),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said with a status."""

    meaning: str
    contents: tuple[Content, ...] = ()
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """What is asked, by whom, and what may be answered.

    `callers`: whose tokens it takes, none when it takes no token at all. `errors` are its own:
    those of tokens, of bodies and of the server go without saying.
    """

    summary: str
    callers: tuple[Who, ...]
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    body: tuple[Content, ...] = ()
    errors: tuple[type[HubError], ...] = ()


class Described(Route):
    """A route of one method with the operation it performs."""

    def __init__(
        self,
        path: str,
        handler: Callable[[Request], Awaitable[Response]],
        operation: Operation,
        *,
        method: str = "GET",
    ) -> None:
        super().__init__(path, handler, methods=[method])
        self.method: Final = method
        self.operation: Final = operation


def in_json(*shapes: Any) -> tuple[Content, ...]:
    """A body in JSON."""
    return (Content(shapes),)


def found(*shapes: Any) -> Mapping[int, Answer]:
    """The one answer of an operation that looks something up."""
    return {200: Answer("如所求 / as asked", in_json(*shapes))}


def limit(most: int) -> Parameter:
    """How much of a list is asked for."""
    bounds = {"type": "integer", "minimum": 1, "maximum": most, "default": min(100, most)}
    return Parameter(
        "limit", "至多几项，超出者按上限 / at most so many; more counts as most", bounds
    )


def after(schema: Schema) -> Parameter:
    """Where in a list to go on."""
    return Parameter("after", "上一页的 next / the `next` of the part before", schema)


def in_path(name: str, meaning: str, schema: Schema) -> Parameter:
    """A part of the address."""
    return Parameter(name, meaning, schema, place="path", required=True)
