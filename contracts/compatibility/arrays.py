"""Contradictions among claims about the items of an array."""

from collections.abc import Iterable, Iterator

from contracts.compatibility.claims import (
    Claim,
    Count,
    Distinct,
    Row,
    Size,
    SomeItem,
    Term,
)
from contracts.compatibility.port import Inside
from contracts.compatibility.sizes import impossible, size_of


def no_array(claims: frozenset[Claim], inside: Inside) -> bool:
    """Whether surely no array satisfies the claims."""
    rows = [claim for claim in claims if isinstance(claim, Row)]
    counts = [claim for claim in claims if isinstance(claim, Count)]
    distinct = {claim.holds for claim in claims if isinstance(claim, Distinct)}
    size = _shortened(size_of(_sizes(claims, counts, distinct)), rows, inside)
    if impossible(size) or len(distinct) == 2:
        return True
    if any(isinstance(claim, SomeItem) and _no_item(claim, rows, size, inside) for claim in claims):
        return True
    wanted = (c for c in counts if c.least > 0)
    if any(_no_item(SomeItem(0, True, c.term), rows, size, inside) for c in wanted):
        return True
    return _miscounted(counts, rows, size, inside)


def _sizes(claims: Iterable[Claim], counts: Iterable[Count], distinct: set[bool]) -> Iterator[Size]:
    """Claims about size, and those that others bring with them."""
    for claim in claims:
        if isinstance(claim, Size):
            yield claim
        elif isinstance(claim, SomeItem):
            yield Size(claim.position + 1, None)
    yield from (Size(count.least, None) for count in counts)
    if False in distinct:
        yield Size(2, None)


def terms_at(position: int, rows: Iterable[Row]) -> frozenset[Term]:
    """What an item at a position satisfies."""
    terms = (r.front[position] if position < len(r.front) else r.rest for r in rows)
    return frozenset(term for term in terms if term is not None)


def _fronts(rows: Iterable[Row]) -> int:
    """The first position from which on all items are told the same."""
    return max((len(row.front) for row in rows), default=0)


def _shortened(size: Size, rows: list[Row], inside: Inside) -> Size:
    """No longer than up to the first position where nothing can stand."""
    for position in range(_fronts(rows) + 1):
        if size.most is not None and position >= size.most:
            break
        terms = terms_at(position, rows)
        if terms and inside.nothing(terms):
            return Size(size.least, position)
    return size


def _no_item(claim: SomeItem, rows: list[Row], size: Size, inside: Inside) -> bool:
    """Whether an item that a claim wants can stand nowhere."""
    last = max(_fronts(rows), claim.position) if claim.onwards else claim.position
    return all(
        (size.most is not None and position >= size.most)
        or inside.nothing(terms_at(position, rows) | {claim.term})
        for position in range(claim.position, last + 1)
    )


def _miscounted(counts: list[Count], rows: list[Row], size: Size, inside: Inside) -> bool:
    """Whether more items satisfy a term than may, or fewer than must."""
    for count in counts:
        if count.most is None:
            continue
        if any(
            other.least > count.most and inside.nothing(frozenset({other.term, count.term.denied}))
            for other in counts
        ):
            return True
        positions = range(_fronts(rows) + 1)
        if size.least > count.most and all(
            inside.nothing(terms_at(position, rows) | {count.term.denied}) for position in positions
        ):
            return True
    return False
