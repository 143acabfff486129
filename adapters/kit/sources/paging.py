"""How an interface divides what it has into pages, and how the next is asked for."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field


class Answered(Protocol):
    """What an answer says about the pages: its JSON, the items in it, the next by `Link`."""

    @property
    def said(self) -> Any: ...

    @property
    def items(self) -> Sequence[Any] | None: ...

    @property
    def link(self) -> str: ...


class Strict(BaseModel):
    """Settings that say nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ByPage(Strict):
    """Pages by number; one without items, or with fewer than `size`, is the last."""

    by: Literal["page"]
    parameter: str = "page"
    first: int = 1
    size: Annotated[int, Field(ge=1)] | None = None
    size_parameter: str = "pageSize"

    def asked(self, at: str) -> dict[str, str]:
        size = {self.size_parameter: str(self.size)} if self.size else {}
        return {self.parameter: at or str(self.first), **size}

    def following(self, at: str, page: Answered) -> str:
        """The page after this one, "" where there is none."""
        if not page.items or len(page.items) < (self.size or 0):
            return ""
        return str(int(at or self.first) + 1)


class ByOffset(Strict):
    """Pages by how many items stand before them."""

    by: Literal["offset"]
    parameter: str = "offset"
    size: Annotated[int, Field(ge=1)] = 100
    size_parameter: str = "limit"

    def asked(self, at: str) -> dict[str, str]:
        return {self.parameter: at or "0", self.size_parameter: str(self.size)}

    def following(self, at: str, page: Answered) -> str:
        if len(page.items or ()) < self.size:
            return ""
        return str(int(at or 0) + self.size)


class ByCursor(Strict):
    """Pages that say which is the next: `next` is where ("data.next"); none, and it is the last."""

    by: Literal["cursor"]
    next: str
    parameter: str = "cursor"

    def asked(self, at: str) -> dict[str, str]:
        return {self.parameter: at} if at else {}

    def following(self, at: str, page: Answered) -> str:
        cursor = found(page.said, self.next)
        return str(cursor) if type(cursor) in (str, int) else ""


class ByLink(Strict):
    """Pages that name the next in the header `Link` (rel="next")."""

    by: Literal["link"]

    def asked(self, at: str) -> dict[str, str]:
        return {}

    def following(self, at: str, page: Answered) -> str:
        return page.link


def found(said: Any, path: str) -> Any:
    """What stands at a path of member names, "" for the whole; None where there is nothing."""
    for member in path.split(".") if path else ():
        said = said.get(member) if isinstance(said, dict) else None
    return said
