"""Columns of what a sink keeps: which member of an event fills each, and how it is read.

A description (`ledger.toml`, `table.toml`) names the types it takes, each with the pointer of its
key, and its columns. What an event says of a row is a function of both, and never raises.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from adapters.kit.forms.like import parsed
from adapters.kit.port import CannotRun
from adapters.kit.present import Plain, Shape, at, said, shown
from contracts.catalogue import load_catalogue, type_matches
from contracts.codelists import code_list, list_names
from contracts.fields import walk

WITHHELD: Final = "（未提供）"
Event = Mapping[str, Any]
Pointer = Annotated[str, Field(pattern=r"^(/[^/\s]+)+$", max_length=200)]
Title = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]


def _pattern(text: str) -> str:
    if not load_catalogue().types(text):
        raise ValueError(f"没有契约 {text}")
    return text


# Types of events: a type, `<family>.*` or `*`.
Types = tuple[Annotated[str, AfterValidator(_pattern)], ...]

_MOST_BYTES: Final = 256 * 1024


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _listed(name: str) -> str:
    if name not in list_names():
        raise ValueError(f"没有代码表 {name}")
    return name


class Column(Strict):
    """A column, and what fills it: a member of the payload (`pointer`, `-` for every item of an
    array), an `attribute` of the event, or what the row itself `shows`.

    `types`: the types of events that fill it, none for all; `where`: only those fill it that say
    so there; `items`: of the array that the pointer passes through those items alone in which a
    member says so (`{ "/kind/code" = "violation" }`). `between` divides several. `as = "money"` is
    in yuan. `words` are written in place of what the contract says (`normal = "一般"`), `list`
    tells what a code means.
    """

    title: Title
    pointer: Pointer | None = None
    attribute: Annotated[str, Field(pattern=r"^[a-z0-9]{1,20}$")] | None = None
    shows: Literal["state", "number"] | None = None
    types: tuple[str, ...] = ()
    where: Mapping[Pointer, str] = {}
    items: Mapping[Pointer, str] = {}
    between: Annotated[str, Field(min_length=1, max_length=4)] = "、"
    reads: Shape = Field("text", alias="as")
    words: Mapping[str, str] = {}
    list: Annotated[str, AfterValidator(_listed)] | None = None

    @property
    def filled_by(self) -> int:
        """How many things fill it."""
        return sum(it is not None for it in (self.pointer, self.attribute, self.shows))

    @property
    def array(self) -> str:
        """The pointer of the innermost array that the column's pointer passes through, or ""."""
        return (self.pointer or "").rpartition("/-")[0]

    @model_validator(mode="after")
    def _among_items(self) -> "Column":
        if self.items and not self.array:
            raise ValueError("items 只用于 pointer 经过数组（“-”）的列")
        return self


def several(given: object) -> object:
    """One text may stand for a list of one."""
    return (given,) if isinstance(given, str) else given


Pointers = Annotated[tuple[Pointer, ...], BeforeValidator(several), Field(min_length=1)]


def _through_none(pointer: str) -> str:
    if "-" in pointer.split("/"):
        raise ValueError(
            f"each 只指向一个数组，前后都没有“-”，现为 {pointer}"
            " / each names one array, with no “-” on its way"
        )
    return pointer


class Kept(Strict):
    """How a type of event is kept: the pointers of its row's key, and the row's state after it.

    `each`: the pointer of an array that stands in no other, and then the event has a row for every
    item of it; `-` in any pointer below it stands for that item alone.
    """

    key: Pointers
    each: Annotated[Pointer, AfterValidator(_through_none)] | None = None
    state: str = Field("", max_length=60)


class Description(Strict):
    """What every description says: the types of events that it takes."""

    events: Annotated[Mapping[str, Kept], Field(min_length=1)]

    @model_validator(mode="after")
    def _known(self) -> "Description":
        for type_, kept in self.events.items():
            for pointer in (*kept.key, *((kept.each,) if kept.each else ())):
                _expect_pointer(pointer, (type_,))
        return self


D = TypeVar("D", bound=Description)


def described(path: Path, model: type[D]) -> D:
    """A description from its file. Raises CannotRun that tells where it is wrong."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise CannotRun(f"{path.name} 无法读取（{type(error).__name__}）：请检查文件") from error
    if len(content) > _MOST_BYTES:
        raise CannotRun(f"{path.name} 超过 256 KiB：请检查文件")
    try:
        return model.model_validate(parsed(content.decode(), path.name))
    except ValidationError as error:
        lines = (f"{'.'.join(map(str, e['loc']))}：{e['msg']}" for e in error.errors()[:5])
        raise CannotRun(f"{path.name} 有误：{'；'.join(lines)}") from error
    except ValueError as error:
        raise CannotRun(f"{path.name} 不是有效的 TOML：{error}") from error


def check_columns(columns: Collection[Column], events: Collection[str]) -> None:
    """Raises ValueError for a column that no event can fill, and for a title that stands twice."""
    titles = [column.title.casefold() for column in columns]
    for column in columns:
        if titles.count(column.title.casefold()) > 1:
            raise ValueError(f"列“{column.title}”重复")
        for type_ in column.types:
            if type_ not in events:
                raise ValueError(f"列“{column.title}”：[events] 中没有 {type_}")
        below = (f"{column.array}/-{member}" for member in column.items)
        for pointer in (*column.where, *below, *((column.pointer,) if column.pointer else ())):
            _expect_pointer(pointer, column.types or tuple(events))


def _expect_pointer(pointer: str, types: Collection[str]) -> None:
    versions = [c for type_ in types for c in load_catalogue().versions(type_)]
    if not versions:
        raise ValueError(f"没有契约 {'、'.join(types)}")
    bare = pointer.removesuffix("/-")
    if not any(bare == known for c in versions for known, _ in walk(c.fields)):
        raise ValueError(f"契约 {'、'.join(types)} 中没有 {pointer}")


def takes(types: Types, event: Event) -> bool:
    """Whether an event is of one of the types."""
    return any(type_matches(pattern, str(event.get("type"))) for pattern in types)


def changes(
    columns: Collection[Column], held: Collection[str], event: Event, state: str
) -> dict[str, Plain | None]:
    """What an event makes of a row, by title; `held` are the columns with something in them.

    What the event does not say stays as it is. A correction (`supersedes`) blanks what it no
    longer says in the columns that name its type, and leaves the state to the later events. What
    is withheld is told where nothing was known.
    """
    correction = "supersedes" in event
    changed: dict[str, Plain | None] = {}
    for column in columns:
        if column.shows == "state":
            if state and not (correction and column.title in held):
                changed[column.title] = state
            continue
        if not column.filled_by or not fills(column, event):
            continue
        value = value_of(column, event)
        if value is None:
            if correction and column.types and column.title in held:
                changed[column.title] = None
        elif value != WITHHELD or correction or column.title not in held:
            changed[column.title] = value
    return changed


def fills(column: Column, event: Event) -> bool:
    """Whether an event is one of those that fill a column."""
    if column.types and event["type"] not in column.types:
        return False
    told = event.get("data")
    return all([*map(said, at(where, told))] == [is_] for where, is_ in column.where.items())


def rows_of(kept: Kept, event: Event) -> Iterator[Event]:
    """The event once for each of its rows, with the one item that the row is about."""
    items = list(at(f"{kept.each}/-", event.get("data"))) if kept.each else []
    if kept.each is None or not items:
        yield event
        return
    for item in items:
        yield {**event, "data": _with(event["data"], kept.each.split("/")[1:], [item])}


def _with(part: Any, steps: Sequence[str], value: Any) -> Any:
    """A payload with another value in one place."""
    return {**part, steps[0]: _with(part[steps[0]], steps[1:], value)} if steps else value


def key_of(kept: Kept, event: Event) -> tuple[str, ...]:
    """The key of an event's row; of an event whose key was not told, one that is its own. A part of
    a key of several may be blank where the event has nothing there."""
    found = {p: next(map(said, at(p, event.get("data"))), "") for p in kept.key}
    own = f"{WITHHELD}{event.get('hubreceipt', '')}"
    some = any(found.values())
    return tuple(
        told or ("" if some and not withheld(event, pointer) else own)
        for pointer, told in found.items()
    )


def value_of(column: Column, event: Event) -> Plain | None:
    """What an event says for a column, WITHHELD if that was kept back, None if nothing."""
    if column.attribute is not None:
        found = [event[column.attribute]] if column.attribute in event else []
    elif column.pointer is not None:
        found = list(_found(column, column.pointer, event.get("data")))
    else:
        found = []
    told = [value for value in (_told(item, column) for item in found) if value != ""]
    if len(told) == 1:
        return told[0]
    if told:
        return said(told, column.between)
    hidden = column.pointer is not None and withheld(event, column.pointer)
    return WITHHELD if hidden else None


def _found(column: Column, pointer: str, data: Any) -> Iterator[Any]:
    if not column.items:
        yield from at(pointer, data)
        return
    for item in at(f"{column.array}/-", data):
        if all(says in at(member, item) for member, says in column.items.items()):
            yield from at(pointer.rpartition("/-")[2], item)


def _told(value: Any, column: Column) -> Plain:
    codes = code_list(column.list) if column.list else None
    plain = shown(value, column.reads, codes=codes)
    return column.words.get(plain, plain) if isinstance(plain, str) else plain


def withheld(event: Event, pointer: str) -> bool:
    """Whether the member at a pointer, what it stands in or part of it was kept back."""
    return any(
        pointer == hidden or pointer.startswith(f"{hidden}/") or hidden.startswith(f"{pointer}/")
        for hidden in str(event.get("hubwithheld", "")).split()
    )
