"""What is wrong with a payload: a stable code, where, and a sentence in Chinese and English.

Nothing here repeats what the sender wrote: pointers end at declared names, sentences speak of the
rule. The same faults serve the hub's door, the adapters' reports and `guantong contract check`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from pydantic_core import ErrorDetails

from contracts.codelists import CodeList
from contracts.values import FORMATS

MOST_NAMED: Final = 20
MORE_ERRORS: Final = "more_errors"


@dataclass(frozen=True, slots=True)
class Fault:
    """One error of one event; `pointer` is a JSON Pointer into the event, `""` for the whole.

    `stands_for` is how many errors a `more_errors` sums up.
    """

    code: str
    pointer: str
    message: str
    message_en: str
    retryable: bool = False
    stands_for: int = field(default=1, compare=False)


# pydantic's error type → (code, Chinese, English); {…} are limits from the contract.
SENTENCES: Final[Mapping[str, tuple[str, str, str]]] = {
    "missing": ("required", "缺少必填项，请补填", "this field is required"),
    "extra_forbidden": (
        "undeclared",
        "含有契约未声明的字段，请删除；可用字段见契约",
        "an undeclared member: remove it; the contract lists the declared ones",
    ),
    "json_invalid": (
        "json_invalid",
        "不是合法的 JSON：须为 UTF-8，引号、括号成对，数字和嵌套层数不过大",
        "not valid JSON in UTF-8, or numbers or nesting out of all proportion",
    ),
    "string_too_short": (
        "too_short",
        "内容为空或过短（至少 {min_length} 字）",
        "shorter than {min_length} characters",
    ),
    "string_too_long": (
        "too_long",
        "内容过长（最多 {max_length} 字）",
        "longer than {max_length} characters",
    ),
    "too_long": ("too_many", "项数过多（最多 {max_length} 项）", "more than {max_length} items"),
    "too_short": ("too_few", "项数不足（至少 {min_length} 项）", "fewer than {min_length} items"),
    "greater_than_equal": ("out_of_range", "数值过小（至少 {ge}）", "less than {ge}"),
    "less_than_equal": ("out_of_range", "数值过大（最多 {le}）", "greater than {le}"),
    "timezone_aware": (
        "timezone_missing",
        "时间须带时区，如 +08:00",
        "a time needs its offset, such as +08:00",
    ),
    "literal_error": (
        "value_not_allowed",
        "不在允许的取值之内，可用：{expected}",
        "not one of the allowed values: {expected}",
    ),
    "enum": (
        "value_not_allowed",
        "不在允许的取值之内，可用：{expected}",
        "not one of the allowed values: {expected}",
    ),
    "region_unknown": (
        "region_unknown",
        "行政区划代码不在 GB/T 2260 或本地补充表中，请核对",
        "not a region code of GB/T 2260 or the local overlay",
    ),
}
# What the check of a number found → Chinese, English.
_NUMBER_FAULTS: Final[Mapping[str, tuple[str, str]]] = {
    "length": ("位数不对（不含空格和连字符）", "wrong length (no spaces, no hyphens)"),
    "characters": (
        "含有不允许的字符（字母须大写）",
        "a character not allowed (letters are capitals)",
    ),
    "date": ("出生日期不成立", "an impossible date of birth"),
    "check_digit": ("校验码不符", "wrong check digit"),
    "organisation_check_digit": (
        "所含组织机构代码的校验码不符",
        "wrong check digit of the organisation code inside",
    ),
}
_DAY_WANTED: Final = ("应为日期，如 2026-11-01", "must be a date such as 2026-11-01")
_TIME_WANTED: Final = (
    "应为带时区的时间，如 2026-11-01T09:00:00+08:00",
    "must be a time such as 2026-11-01T09:00:00+08:00",
)
TYPE_FAULTS: Final[Mapping[str, tuple[str, str]]] = {
    "string_type": ("应为文本", "must be a string"),
    "int_type": ("应为整数", "must be an integer"),
    "int_parsing": ("应为整数", "must be an integer"),
    "bool_type": ("应为 true 或 false", "must be true or false"),
    "tuple_type": ("应为数组", "must be an array"),
    "model_type": ("应为对象", "must be an object"),
    "model_attributes_type": ("应为对象", "must be an object"),
    "date_type": _DAY_WANTED,
    "date_parsing": _DAY_WANTED,
    "date_from_datetime_parsing": _DAY_WANTED,
    "datetime_type": _TIME_WANTED,
    "datetime_parsing": _TIME_WANTED,
    "datetime_from_date_parsing": _TIME_WANTED,
}

_ANY_FORMAT: Final = ("格式不符合要求", "does not have the required format")
ANY_FAULT: Final = ("类型或取值不符合契约", "not what the contract asks for")


def faults_from(
    errors: Iterable[ErrorDetails], declared: frozenset[str], *, root: str = "/data"
) -> tuple[Fault, ...]:
    """Translate pydantic's errors; `declared` are the member names that a pointer may show."""
    found = tuple(errors)
    faults = (_fault(error, declared, root) for error in found if not _miscounted(error, found))
    # Undeclared members of one object are one fault: their names may not be told apart.
    return tuple(dict.fromkeys(faults))


def at_most(faults: tuple[Fault, ...], most: int) -> tuple[Fault, ...]:
    """The first `most` faults, and then how many more there are."""
    told = tuple(fault for fault in faults if fault.code != MORE_ERRORS)[:most]
    more = sum(fault.stands_for for fault in faults) - len(told)
    if not more:
        return told
    last = Fault(MORE_ERRORS, "", f"另有 {more} 处错误", f"{more} more errors", stands_for=more)
    return (*told, last)


def _miscounted(error: ErrorDetails, errors: tuple[ErrorDetails, ...]) -> bool:
    """Whether an array is called too short only because pydantic leaves out its faulty items."""
    if error["type"] != "too_short":
        return False
    at = error["loc"]
    inside = {
        e["loc"][len(at)] for e in errors if len(e["loc"]) > len(at) and e["loc"][: len(at)] == at
    }
    return bool(error["ctx"]["actual_length"] + len(inside) >= error["ctx"]["min_length"])


def _fault(error: ErrorDetails, declared: frozenset[str], root: str) -> Fault:
    kind = error["type"]
    context: Mapping[str, Any] = error.get("ctx", {})
    pointer = root + _pointer(error["loc"], declared)
    if kind == "rule_broken":
        below = f"/{context['field']}" if context["field"] else ""
        return Fault(context["code"], pointer + below, context["zh"], context["en"])
    if kind == "code_unknown":
        return _unknown_code(context["list"], f"{pointer}/code", on=context["on"])
    if kind == "code_not_in_force":
        return _not_in_force(context, pointer)
    if kind == "identifier_invalid":
        return _wrong_number(context, pointer)
    if kind == "string_pattern_mismatch":
        message, message_en = FORMATS.get(context["pattern"], _ANY_FORMAT)
        return Fault("format", pointer, message, message_en)
    if kind in SENTENCES:
        code, message, message_en = SENTENCES[kind]
        message = message.format(**context).replace(" or ", " 或 ")
        return Fault(code, pointer, message, message_en.format(**context))
    message, message_en = TYPE_FAULTS.get(kind, ANY_FAULT)
    return Fault("type" if kind in TYPE_FAULTS else "invalid", pointer, message, message_en)


def _wrong_number(context: Mapping[str, Any], pointer: str) -> Fault:
    why, why_en = _NUMBER_FAULTS[context["fault"]]
    return Fault(
        "identifier_invalid",
        pointer,
        f"{context['name']}{why}，请核对原件",
        f"{context['name_en']}: {why_en}; compare with the original",
    )


def _not_in_force(context: Mapping[str, Any], pointer: str) -> Fault:
    name, name_en, bound = context["name"], context["name_en"], context["bound"]
    if context["early"]:
        message = f"{name}自 {bound} 起使用，事件当日尚未启用，请核对代码和事件时间"
        message_en = f"{name_en} is in force since {bound}, after the event: compare both"
    else:
        message = f"{name}使用至 {bound}，事件当日已停用，请改用现行代码"
        message_en = f"{name_en} was in force until {bound}, before the event: use the one of today"
    return Fault("code_not_in_force", pointer, message, message_en)


def _unknown_code(listed: CodeList, pointer: str, *, on: date | None) -> Fault:
    name, members = listed.name, listed.in_force(on)
    if len(members) > MOST_NAMED:
        valid = valid_en = f"{name}"
    else:
        valid = "、".join(f"{member.code} {member.label}" for member in members)
        valid_en = ", ".join(member.code for member in members)
    other, other_en = (
        ("", "") if listed.closed else ("；其他代码须附 label（名称）", "; others need a label")
    )
    return Fault(
        "code_unknown",
        pointer,
        f"代码不在代码表 {name} 中，可用：{valid}{other}",
        f"not a member of code list {name}; valid: {valid_en}{other_en}",
    )


def _pointer(location: tuple[int | str, ...], declared: frozenset[str]) -> str:
    """The location as a pointer, cut before the first name that is not declared."""
    pointer = ""
    for step in location:
        if isinstance(step, str) and step not in declared:
            break
        pointer += f"/{step}"
    return pointer
