"""How a family's module declares its types: one decorated class a type.

What the matrix says of a type need not be repeated; a declaration only narrows it.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Final, TypeVar

from contracts.common import Payload
from contracts.contract import (
    TERM_DAYS,
    Contract,
    Party,
    PartyRole,
    Phase,
    Slip,
)
from contracts.lifetime import Lifetime
from contracts.matrix import Cells, Measure, Relation, Row, row_of
from contracts.values import Classification

_DECLARED: Final = "__contract__"
EVERY_WAY: Final[tuple[Relation, ...]] = ("same", "up", "down")
_BY_ADDRESS: Final[Relation] = "to"


P = TypeVar("P", bound=Payload)


def event(
    type_: str,
    title: str,
    title_en: str,
    *,
    key: str,
    flows: Iterable[str],
    version: str = "1.0",
    phase: Phase = "any",
    answers: Iterable[str] = (),
    unasked: bool = False,
    about: str | None = None,
    publishers: Iterable[str] | None = None,
    receivers: Iterable[str] | None = None,
    ways: Iterable[Relation] = EVERY_WAY,
    by_address: bool = False,
    denied: Iterable[str] = (),
    accused: Iterable[str] = (),
    accused_persons: Iterable[str] = (),
    concerned: Iterable[str] = (),
    custodians: Iterable[str] = (),
    due: str | None = None,
    ceiling: Classification = "internal",
    retention_days: int = TERM_DAYS,
    slip: Slip | None = None,
    lifetime: Lifetime | None = None,
) -> Callable[[type[P]], type[P]]:
    """Declare the class below as the payload of one version of a type.

    Its docstring describes it: a sentence in English, a blank line, the same in Chinese.
    `publishers` and `receivers` are kinds out of the type's row in the matrix; without them an
    opening has all of the row, a reply only those who received its opening, and who asked.
    `unasked`: a reply that may also come by itself and then is an opening. `ways`: how a receiver
    may lie to the publisher: `up` is a region above it. `by_address`: only those addressed get it.
    `accused` and `concerned`: pointers of organisations. For the rest see `Contract`.
    """
    row = row_of(type_)
    answers = tuple(answers)
    opening = not answers or unasked

    def declare(model: type[P]) -> type[P]:
        told_en, _, told = (inspect.cleandoc(model.__doc__ or "")).partition("\n\n")
        contract = Contract(
            type=type_,
            version=version,
            model=model,
            title=title,
            title_en=title_en,
            description="".join(told.split("\n")),
            description_en=" ".join(told_en.split("\n")),
            key=key,
            publishers=_publishers(row, publishers) if opening else frozenset(),
            receivers=_receivers(
                row, receivers, tuple(ways), opening=opening, by_address=by_address
            ),
            ways=frozenset(ways),
            parties=(
                *(Party(pointer, PartyRole.ACCUSED) for pointer in accused),
                *(Party(pointer, PartyRole.CONCERNED) for pointer in concerned),
            ),
            accused_persons=tuple(accused_persons),
            denied=row.denied | frozenset(denied),
            custodians=frozenset(custodians),
            answers=answers,
            unasked=unasked,
            about=about,
            phase=phase,
            due=due,
            ceiling=ceiling,
            flows=tuple(flows),
            retention_days=retention_days,
            slip=slip,
            lifetime=lifetime or Lifetime(),
        )
        setattr(model, _DECLARED, contract)
        return model

    return declare


def declared_in(module: ModuleType) -> Iterator[Contract]:
    """The contracts that a module declares, in its order."""
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__:
            contract = vars(value).get(_DECLARED)
            if contract is not None:
                yield contract


def _publishers(row: Row, narrowed: Iterable[str] | None) -> frozenset[str]:
    if narrowed is None:
        return row.publishers
    return _within(frozenset(narrowed), row.publishers, "publishers")


def _receivers(
    row: Row,
    narrowed: Iterable[str] | None,
    ways: tuple[Relation, ...],
    *,
    opening: bool,
    by_address: bool,
) -> Cells:
    """The row's cells for these kinds, as far as they lie in one of the ways or are addressed."""
    if narrowed is None:
        kinds = frozenset(row.receivers if opening else ())
    else:
        kinds = _within(frozenset(narrowed), row.receivers.keys() | row.summaries, "receivers")
    found: dict[str, Mapping[Relation, Measure]] = {}
    for kind in sorted(kinds):
        cells = row.receivers.get(kind, {"same": "masked"})
        reached = {r: cells[r] for r in cells if r in (*ways, _BY_ADDRESS)}
        if by_address:
            reached = {_BY_ADDRESS: "full" if "full" in cells.values() else "masked"}
        if reached:
            found[kind] = MappingProxyType(reached)
    return MappingProxyType(found)


def _within(kinds: frozenset[str], row: Iterable[str], what: str) -> frozenset[str]:
    outside = kinds - set(row)
    if outside:
        raise ValueError(f"not {what} in the matrix: {sorted(outside)}")
    return kinds
