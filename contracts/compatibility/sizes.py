"""Contradictions among claims about numbers, strings and sizes."""

from collections.abc import Iterable
from fractions import Fraction
from math import gcd, lcm
from typing import Final

from contracts.compatibility.claims import (
    Among,
    Claim,
    Frozen,
    High,
    Low,
    Matches,
    Multiple,
    Says,
    Size,
)
from contracts.compatibility.patterns import Wanted, surely_none

MOST_NUMBERS: Final = 200


def size_of(claims: Iterable[Claim]) -> Size:
    """The least and the most that all claims about size leave."""
    least, most = 0, None
    for claim in claims:
        if isinstance(claim, Size):
            least = max(least, claim.least)
            if claim.most is not None:
                most = claim.most if most is None else min(most, claim.most)
    return Size(least, most)


def impossible(size: Size) -> bool:
    """Whether nothing has such a size."""
    return size.most is not None and size.least > size.most


def implies(one: Says, other: Says) -> bool:
    """Whether what the one says makes sure what the other says (both as they hold)."""
    if one == other:
        return True
    if one.keyword != "x-guantong-codelist" or other.keyword != one.keyword:
        return False
    if len(one.argument) == 1 or len(other.argument) == 1:
        return False
    (name, closed, codes), (other_name, other_closed, other_codes) = one.argument, other.argument
    # A code carries the name of its list, so lists of other names do not take its place.
    return bool(name == other_name and codes <= other_codes and (closed or not other_closed))


def denied_at_once(claims: Iterable[Claim]) -> bool:
    """Whether something is both said and denied."""
    said = [claim for claim in claims if isinstance(claim, Says)]
    affirmed = [claim for claim in said if claim.holds]
    return any(
        implies(one, Says(other.keyword, other.argument))
        for other in said
        if not other.holds
        for one in affirmed
    )


def no_string(claims: frozenset[Claim]) -> bool:
    """Whether surely no string satisfies the claims."""
    size = size_of(claims)
    if impossible(size):
        return True
    patterns = [claim for claim in claims if isinstance(claim, Matches)]
    found = frozenset(claim.pattern for claim in patterns if claim.holds)
    missing = frozenset(claim.pattern for claim in patterns if not claim.holds)
    if found & missing:
        return True
    if not patterns or not (missing or len(found) > 1 or size != Size(0, None)):
        return False
    wanted = Wanted(tuple(sorted(found)), tuple(sorted(missing)), size.least, size.most)
    return surely_none(wanted)


def numbers(claims: frozenset[Claim]) -> list[Frozen] | None:
    """All numbers that bounds and multiples leave, if they are few; None if they may be many."""
    low: Low | None = None
    high: High | None = None
    step: Fraction | None = None
    excluded = False
    for claim in claims:
        match claim:
            case Low(value, strict) if low is None or (value, strict) > (low.value, low.strict):
                low = claim
            case High(value, strict) if high is None or (value, not strict) < (
                high.value,
                not high.strict,
            ):
                high = claim
            case Multiple(of, True):
                step = of if step is None else _common(step, of)
            case Multiple(of, False):
                excluded = True
            case Among(_, True):
                return None
            case _:
                pass
    if step is not None and excluded and _never_excluded(step, claims):
        return []
    if low is None or high is None:
        return None
    if low.value == high.value and not (low.strict or high.strict):
        return [Frozen("number", low.value)]
    if low.value >= high.value:
        return []
    return None if step is None else _between(low, high, step)


def _never_excluded(step: Fraction, claims: Iterable[Claim]) -> bool:
    return any(
        isinstance(claim, Multiple) and not claim.holds and (step / claim.of).denominator == 1
        for claim in claims
    )


def _between(low: Low, high: High, step: Fraction) -> list[Frozen] | None:
    first, last = -((-low.value) // step), high.value // step
    if low.strict and first * step == low.value:
        first += 1
    if high.strict and last * step == high.value:
        last -= 1
    if last - first >= MOST_NUMBERS:
        return None
    return [Frozen("number", n * step) for n in range(int(first), int(last) + 1)]


def _common(one: Fraction, other: Fraction) -> Fraction:
    """The least number that is a multiple of both."""
    return Fraction(lcm(one.numerator, other.numerator), gcd(one.denominator, other.denominator))
