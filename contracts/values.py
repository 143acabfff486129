"""The values that payloads are made of: texts, numbers of standards, days, regions, amounts.

Optional fields may be absent or null, which mean the same. Amounts are decimal strings, because
JSON numbers pass through binary floating point on their way into most systems.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AwareDatetime,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    StringConstraints,
    ValidationInfo,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import (
    chain_schema,
    no_info_after_validator_function,
    str_schema,
    with_info_after_validator_function,
)

from contracts.identifiers import citizen_id_fault, organisation_code_fault, uscc_fault
from contracts.inforce import always_regions, region_in_force
from contracts.rules import RULES_KEYWORD

# Blanks first, then something visible: written so that no engine has to backtrack.
_TEXT: Final = (
    r"^[\t\n\r \u00A0\u3000]*[^\x00-\x20\x7F\u00A0\u3000][^\x00-\x08\x0B\x0C\x0E-\x1F\x7F]*$"
)
# White space is listed, because engines differ in what they take for it.
_IDENTIFIER: Final = (
    r"^[^\x00-\x20\x7F\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]{1,64}$"
)
_DIGEST: Final = r"^[0-9a-f]{64}$"
_REGION: Final = r"^[0-9]{6}$"
_YEAR_MONTH: Final = r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$"
_YEAR: Final = r"^(19|20)[0-9]{2}$"
_AMOUNT: Final = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$"
# What 15 digits of 万元 come to has up to 19 of 元, and then no fraction.
_YUAN: Final = r"^-?((0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?|[1-9][0-9]{15,18})$"
_EVENT_SOURCE: Final = r"^/[!-~]{1,511}$"
_EVENT_TYPE: Final = r"^[a-z]{1,40}\.[a-z][a-z_]{0,79}$"
_LINK: Final = r"^https?://[!-~]{1,1990}$"
# The national budget system's own codes; the digits of the classes are not confirmed.
_FISCAL_DIVISION: Final = r"^[0-9]{9}$"
_SPENDING_FUNCTION: Final = r"^[0-9]{3}([0-9]{2}){0,2}$"
_SPENDING_ECONOMY: Final = r"^[0-9]{3}([0-9]{2})?$"
_DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
# The offset is optional only here, so that its absence gets a fault of its own.
_INSTANT: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?$"
)

# Pattern → what to write instead, in Chinese and English.
FORMATS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        _TEXT: ("不能只有空白，也不能含控制字符", "must not be blank or hold control characters"),
        _IDENTIFIER: ("应为 1 至 64 个字符，不含空格", "must be 1 to 64 characters without spaces"),
        _DIGEST: ("应为 64 位小写十六进制摘要", "must be a digest of 64 lower-case hex digits"),
        _REGION: ("应为 6 位数字的行政区划代码", "must be a region code of 6 digits"),
        _YEAR_MONTH: ("应为年月，如 1975-03", "must be a year and month such as 1975-03"),
        _YEAR: ("应为四位年份，如 2026", "must be a year such as 2026"),
        _AMOUNT: (
            "应为十进制数的文本，如 12000.50，不含千分位和单位",
            "must be a decimal number as text, such as 12000.50, without separators or unit",
        ),
        _YUAN: (
            "应为以元计的十进制数文本，如 1865000.00，不含千分位和单位",
            "must be a decimal number of yuan as text, such as 1865000.00, without separators",
        ),
        _EVENT_SOURCE: (
            "应为事件的来源，如 /510100.petition/letters",
            "must be the source of an event, such as /510100.petition/letters",
        ),
        _EVENT_TYPE: (
            "应为事件类型，如 clue.transferred",
            "must be a type of events, such as clue.transferred",
        ),
        _LINK: (
            "应为以 http:// 或 https:// 开头的网址，不含空格和中文",
            "must be an address that begins with http:// or https://, in ASCII",
        ),
        _FISCAL_DIVISION: ("应为 9 位数字的财政区划代码", "must be a fiscal division of 9 digits"),
        _SPENDING_FUNCTION: (
            "应为 3、5 或 7 位数字的支出功能分类代码",
            "must be a functional class of spending of 3, 5 or 7 digits",
        ),
        _SPENDING_ECONOMY: (
            "应为 3 或 5 位数字的支出经济分类代码",
            "must be an economic class of spending of 3 or 5 digits",
        ),
        _DAY: ("应为日期，如 2026-11-01", "must be a date such as 2026-11-01"),
        _INSTANT: (
            "应为带时区的时间，如 2026-11-01T09:00:00+08:00",
            "must be a time such as 2026-11-01T09:00:00+08:00",
        ),
    }
)


def text(longest: int) -> Any:
    """A string of 1 to `longest` characters, not blank, no control characters but tab, CR, LF."""
    return StringConstraints(min_length=1, max_length=longest, pattern=_TEXT)


@dataclass(frozen=True, slots=True)
class _Written:
    """How a date or time is written: the parser alone would take a count of seconds as text."""

    pattern: str
    format: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return chain_schema([str_schema(pattern=self.pattern, strict=True), handler(source)])

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "type": "string",
            "format": self.format,
            "pattern": self.pattern,
            RULES_KEYWORD: ["calendar"],
        }


@dataclass(frozen=True, slots=True)
class _Verified:
    """A check that a JSON Schema cannot make; the schema names it under `x-guantong-rules`."""

    code: str
    verify: Callable[[str], str]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(self.verify, handler(source))

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(core_schema), RULES_KEYWORD: [self.code]}


class _KnownRegion:
    """Checks a code against the regions; the schema names that as a rule."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        always = always_regions()

        def verify(code: str, info: ValidationInfo) -> str:
            return code if code in always else region_in_force(code, info)

        return with_info_after_validator_function(verify, handler(source))

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(core_schema), RULES_KEYWORD: ["region"]}


def _identifier(
    check: Callable[[str], str | None], code: str, name: str, name_en: str
) -> _Verified:
    """Check digits of a standard number; the error names the kind of fault, never the number."""

    def verify(number: str) -> str:
        fault = check(number)
        if fault is not None:
            context = {"name": name, "name_en": name_en, "fault": fault}
            raise PydanticCustomError("identifier_invalid", "{name_en}: {fault}", context)
        return number

    return _Verified(code, verify)


def _citizen_id_fault(number: str) -> str | None:
    # Whether a payload is valid must not depend on the day it is read.
    return citizen_id_fault(number, today=date.max)


Line = Annotated[str, text(200)]
Paragraph = Annotated[str, text(2_000)]
Summary = Annotated[str, text(20_000)]
Identifier = Annotated[str, StringConstraints(pattern=_IDENTIFIER)]
Digest = Annotated[str, StringConstraints(pattern=_DIGEST)]
RegionCode = Annotated[str, StringConstraints(pattern=_REGION), _KnownRegion()]
YearMonth = Annotated[str, StringConstraints(pattern=_YEAR_MONTH)]
Year = Annotated[str, StringConstraints(pattern=_YEAR)]
FiscalDivision = Annotated[str, StringConstraints(pattern=_FISCAL_DIVISION)]
SpendingFunction = Annotated[str, StringConstraints(pattern=_SPENDING_FUNCTION)]
SpendingEconomy = Annotated[str, StringConstraints(pattern=_SPENDING_ECONOMY)]
EventSource = Annotated[str, StringConstraints(pattern=_EVENT_SOURCE)]
EventType = Annotated[str, StringConstraints(pattern=_EVENT_TYPE)]
Link = Annotated[str, StringConstraints(max_length=2_000, pattern=_LINK)]
Amount = Annotated[str, StringConstraints(pattern=_AMOUNT)]
Yuan = Annotated[str, StringConstraints(pattern=_YUAN)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
# The number by which later events speak of an item of a list.
Ordinal = Annotated[int, Field(ge=1, le=999)]
Percent = Annotated[int, Field(ge=0, le=100)]
CitizenId = Annotated[
    str, _identifier(_citizen_id_fault, "gb11643", "公民身份号码", "citizen number (GB 11643)")
]
Uscc = Annotated[
    str, _identifier(uscc_fault, "gb32100", "统一社会信用代码", "unified code (GB 32100)")
]
OrganisationCode = Annotated[
    str,
    _identifier(organisation_code_fault, "gb11714", "组织机构代码", "organisation code (GB 11714)"),
]
Instant = Annotated[AwareDatetime, Strict(False), _Written(pattern=_INSTANT, format="date-time")]
Day = Annotated[date, Strict(False), _Written(pattern=_DAY, format="date")]
Medium = Literal["paper", "scan", "electronic"]
Classification = Literal["public", "internal", "mimi", "jimi", "juemi"]
Authority = Literal["中管", "省管", "市管", "县管", "其他"]
