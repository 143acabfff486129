"""Rules that join the fields of one object: what a JSON Schema cannot say.

A model lists its own in `RULES`; its schema names their codes under `x-guantong-rules`. Fields are
named as the model's attributes; a trailing underscore is not part of the JSON name. Rules say
nothing of absent fields unless they ask for them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

RULES_KEYWORD: Final = "x-guantong-rules"


@dataclass(frozen=True, slots=True)
class Rule:
    """`broken` gives the pointers, below the object, where the rule is broken."""

    code: str
    message: str
    message_en: str
    broken: Callable[[Any], Iterable[str]]


def rule_broken(code: str, field: str, message: str, message_en: str) -> PydanticCustomError:
    """The error of a broken rule: `field` is the pointer below the object it concerns."""
    context = {"code": code, "field": field, "zh": message, "en": message_en}
    return PydanticCustomError("rule_broken", "{en}", context)


def keep(rules: Iterable[Rule], value: Any) -> Any:
    """`value`, if it keeps all the rules.

    Raises ValidationError with every one that it breaks, so that its sender hears of all at once.
    """
    broken = [
        InitErrorDetails(type=rule_broken(r.code, at, r.message, r.message_en), input=None)
        for r in rules
        for at in r.broken(value)
    ]
    if broken:
        raise ValidationError.from_exception_data("rules", broken)
    return value


def rule(
    code: str, at: str, message: str, message_en: str, broken: Callable[[Any], object]
) -> Rule:
    """A rule told at one pointer, broken when `broken` says anything true of the object."""
    return Rule(code, message, message_en, lambda it: (at,) if broken(it) else ())


def in_order(
    first: str, last: str, message: str, message_en: str, code: str = "period_reversed"
) -> Rule:
    """`last` is not before `first`: two days, times or comparable values."""

    def reversed_(it: Any) -> bool:
        start, end = getattr(it, first), getattr(it, last)
        return start is not None and end is not None and bool(end < start)

    return rule(code, _name(last), message, message_en, reversed_)


def unique(items: str, by: str, message: str, message_en: str, code: str) -> Rule:
    """No two items of an array have the same `by`; of a `Code`, its code alone counts."""

    def repeated(it: Any) -> Iterator[str]:
        seen = set()
        for place, item in enumerate(getattr(it, items)):
            value = getattr(item, by)
            value = getattr(value, "code", value)
            if value in seen:
                yield f"{_name(items)}/{place}/{_name(by)}"
            if value is not None:
                seen.add(value)

    return Rule(code, message, message_en, repeated)


def adds_up(
    total: str, items: str, each: str, message: str, message_en: str, code: str = "total_wrong"
) -> Rule:
    """`total` is the sum of `each` over an array; an empty array says nothing of it."""

    def differs(it: Any) -> bool:
        parts = getattr(it, items)
        whole = getattr(it, total)
        return bool(parts) and whole is not None and whole != sum(getattr(p, each) for p in parts)

    return rule(code, _name(total), message, message_en, differs)


def at_most_of(part: str, whole: str, message: str, message_en: str, code: str) -> Rule:
    """A count of some is not above the count of all."""

    def above(it: Any) -> bool:
        some, every = getattr(it, part), getattr(it, whole)
        return some is not None and every is not None and bool(some > every)

    return rule(code, _name(part), message, message_en, above)


def exactly_one(*fields: str, message: str, message_en: str, code: str) -> Rule:
    """One of the fields is given, and only one."""
    return rule(code, "", message, message_en, lambda it: _given(it, fields) != 1)


def at_least_one(*fields: str, message: str, message_en: str, code: str) -> Rule:
    """One of the fields is given, or more. An empty array is not given."""
    return rule(code, "", message, message_en, lambda it: _given(it, fields) == 0)


def together(*fields: str, message: str, message_en: str, code: str) -> Rule:
    """All of the fields are given, or none; told at the first that is missing."""

    def torn(it: Any) -> Iterator[str]:
        if 0 < _given(it, fields) < len(fields):
            yield next(_name(field) for field in fields if not _is_given(it, field))

    return Rule(code, message, message_en, torn)


def needs(
    field: str, when: Callable[[Any], object], message: str, message_en: str, code: str
) -> Rule:
    """The field is given wherever `when` says anything true of the object."""
    return rule(
        code, _name(field), message, message_en, lambda it: when(it) and not _is_given(it, field)
    )


def forbids(
    field: str, when: Callable[[Any], object], message: str, message_en: str, code: str
) -> Rule:
    """The field is not given wherever `when` says anything true of the object."""
    return rule(
        code, _name(field), message, message_en, lambda it: when(it) and _is_given(it, field)
    )


def another(field: str, than: str, message: str, message_en: str, code: str) -> Rule:
    """`field` does not repeat `than`: a case that refers to another does not name itself."""
    return rule(
        code,
        _name(field),
        message,
        message_en,
        lambda it: getattr(it, field) is not None and getattr(it, field) == getattr(it, than),
    )


def _given(it: Any, fields: Iterable[str]) -> int:
    return sum(_is_given(it, field) for field in fields)


def _is_given(it: Any, field: str) -> bool:
    held = getattr(it, field)
    # A model is not asked whether it is like something else, which takes it long.
    return len(held) > 0 if isinstance(held, tuple) else held is not None


def _name(attribute: str) -> str:
    return attribute.removesuffix("_")
