"""Reasons: what changed, whom it breaks, what to do instead. In Chinese, English beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Breaks = Literal["new_reads_old", "old_reads_new"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one direction does not hold.

    `pointer` points into the document of the side that reads: the new one for `new_reads_old`,
    the old one for `old_reads_new`; for metadata into `x-guantong-contract` of the same.
    """

    breaks: Breaks
    code: str
    pointer: str
    message: str
    message_en: str


@dataclass(frozen=True, slots=True)
class Word:
    """A keyword: how its reasons are coded where the new version narrows or widens it; names."""

    narrowed: str
    widened: str
    name: str
    name_en: str


UNPROVABLE: Final = "unprovable"
WORDS: Final[Mapping[str, Word]] = {
    "type": Word("type_narrowed", "type_widened", "数据类型", "type"),
    "enum": Word("enum_member_removed", "enum_member_added", "枚举", "enumeration"),
    "const": Word("const_changed", "const_changed", "固定值", "constant"),
    "minimum": Word("minimum_raised", "minimum_lowered", "最小值", "minimum"),
    "exclusiveMinimum": Word("minimum_raised", "minimum_lowered", "下限", "exclusive minimum"),
    "maximum": Word("maximum_lowered", "maximum_raised", "最大值", "maximum"),
    "exclusiveMaximum": Word("maximum_lowered", "maximum_raised", "上限", "exclusive maximum"),
    "multipleOf": Word("multiple_narrowed", "multiple_widened", "倍数要求", "multiple"),
    "minLength": Word("min_length_raised", "min_length_lowered", "最短长度", "minimum length"),
    "maxLength": Word("max_length_lowered", "max_length_raised", "最大长度", "maximum length"),
    "pattern": Word("pattern_narrowed", "pattern_widened", "文本格式（pattern）", "pattern"),
    "format": Word("format_narrowed", "format_widened", "格式（format）", "format"),
    "minItems": Word("min_items_raised", "min_items_lowered", "最少项数", "minimum of items"),
    "maxItems": Word("max_items_lowered", "max_items_raised", "最多项数", "maximum of items"),
    "uniqueItems": Word("unique_items_added", "unique_items_removed", "不重复要求", "uniqueness"),
    "contains": Word("contains_narrowed", "contains_widened", "须含项要求", "contained items"),
    "maxContains": Word("contains_narrowed", "contains_widened", "含项上限", "contained items"),
    "items": Word("items_narrowed", "items_widened", "数组项要求", "items"),
    "prefixItems": Word("items_narrowed", "items_widened", "数组项要求", "items"),
    "minProperties": Word(
        "min_properties_raised", "min_properties_lowered", "最少成员数", "minimum of members"
    ),
    "maxProperties": Word(
        "max_properties_lowered", "max_properties_raised", "最多成员数", "maximum of members"
    ),
    "required": Word("required_added", "required_removed", "必填成员", "required member"),
    "dependentRequired": Word(
        "dependency_added", "dependency_removed", "连带必填成员", "dependent required member"
    ),
    "dependentSchemas": Word(
        "dependency_added", "dependency_removed", "连带要求", "dependent schema"
    ),
    "propertyNames": Word("names_narrowed", "names_widened", "成员名要求", "member names"),
    "properties": Word("property_narrowed", "property_widened", "成员", "member"),
    "patternProperties": Word(
        "property_narrowed", "property_widened", "按名匹配的成员", "members by pattern"
    ),
    "member": Word("member_refused", "property_added", "封闭对象未列的成员", "unlisted member"),
    "closed": Word("object_closed", "object_opened", "封闭对象（不许其他成员）", "closed object"),
    "additionalProperties": Word(
        "other_members_narrowed", "other_members_widened", "对其他成员的要求", "other members"
    ),
    "unevaluatedProperties": Word(
        "other_members_narrowed", "other_members_widened", "对其他成员的要求", "other members"
    ),
    "unevaluatedItems": Word("items_narrowed", "items_widened", "对其他项的要求", "other items"),
    "false": Word("forbidden", "permitted", "禁止任何值的要求", "rule that forbids all values"),
    "x-guantong-codelist": Word(
        "codelist_narrowed", "codelist_widened", "代码表", "code list"
    ),
    "anyOf": Word("union_narrowed", "union_widened", "可选形式（anyOf）", "alternatives (anyOf)"),
    "oneOf": Word("union_narrowed", "union_widened", "可选形式（oneOf）", "alternatives (oneOf)"),
}  # fmt: skip
_OTHER: Final[Mapping[str, str]] = {
    "not": "排除条件（not）",
    "then": "条件要求（if/then）",
    "else": "条件要求（if/else）",
    "$ref": "引用（$ref）",
    "x-guantong-rules": "业务规则（x-guantong-rules）",
}


def stricter(breaks: Breaks, keyword: str, pointer: str, shown: str) -> Reason:
    """The reader demands more than the writer promises. `shown`: what is demanded, or empty."""
    word = WORDS[keyword]
    what, what_en = (f" {shown} " if shown else ""), (f" {shown}" if shown else "")
    if breaks == "new_reads_old":
        return Reason(
            breaks,
            word.narrowed,
            pointer,
            f"新版本的{word.name}{what}比旧版本严格，按旧版本发布的数据会被拒收；"
            "请保留旧版本的要求，或发布新的主版本并提供转换",
            f"the new version's {word.name_en}{what_en} is stricter, so that data of the old one "
            "would be refused; keep the old rule, or release a new major version with a conversion",
        )
    return Reason(
        breaks,
        word.widened,
        pointer,
        f"旧版本的{word.name}{what}比新版本严格，按旧版本读取的订阅方会拒绝新版本的数据；"
        "请不要放宽，或在投递时转换为旧版本",
        f"the old version's {word.name_en}{what_en} is stricter, so that its readers would refuse "
        "data of the new one; do not widen it, or convert to the old version on delivery",
    )


def declared(breaks: Breaks, pointer: str, name: str) -> Reason:
    """The reader says of a member what the writer leaves open."""
    if breaks == "new_reads_old":
        return Reason(
            breaks,
            "property_declared",
            pointer,
            f"新版本规定了成员 {name}，而旧版本是开放的，可能已有同名的其他内容；"
            "请先关闭旧版本的对象，或换用不会冲突的名称并发布新的主版本",
            f"the new version declares member {name}, which the open old one may carry with "
            "any content; close the object first, or release a new major version",
        )
    return Reason(
        breaks,
        "property_undeclared",
        pointer,
        f"旧版本规定了成员 {name}，新版本不再规定，可能出现旧版本读不了的内容；"
        "请保留该成员的规定，或在投递时转换为旧版本",
        f"the old version declares member {name} and the new one no longer does, so that it may "
        "carry what the old one refuses; keep the declaration, or convert on delivery",
    )


def unprovable(breaks: Breaks, keyword: str, pointer: str) -> Reason:
    """It is not sure that all the writer's data satisfies the reader."""
    word = WORDS.get(keyword)
    name = word.name if word else _OTHER.get(keyword, keyword or "结构")
    name_en = word.name_en if word else keyword or "structure"
    writer, reader = ("旧", "新") if breaks == "new_reads_old" else ("新", "旧")
    writer_en, reader_en = ("old", "new") if breaks == "new_reads_old" else ("new", "old")
    return Reason(
        breaks,
        UNPROVABLE,
        pointer,
        f"无法证明{writer}版本的数据都满足{reader}版本的{name}，按不兼容处理；"
        "请改用可以比较的写法，或发布新的主版本",
        f"it cannot be proved that all data of the {writer_en} version satisfies the {reader_en} "
        f"one's {name_en}, which counts as incompatible; write it so that it can be compared, or "
        "release a new major version",
    )


def malformed(breaks: Breaks, pointer: str) -> Reason:
    """A document is no schema that could be compared."""
    return Reason(
        breaks,
        "schema_invalid",
        pointer,
        "此处不是有效的 JSON Schema 2020-12，或嵌套过深，无法比较；请先改正",
        "this is no valid JSON Schema 2020-12, or nested too deeply, so nothing can be compared; "
        "correct it first",
    )
