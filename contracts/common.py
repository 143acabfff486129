"""The parts that contracts are made of (domain: common objects, field classes).

Every field of every model carries its field class as an annotation; `contracts.fields` reads it.
Optional fields may be absent or null, which mean the same. Amounts are decimal strings, because
JSON numbers pass through binary floating point on their way into most systems.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    StringConstraints,
    ValidationError,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError
from pydantic_core.core_schema import (
    chain_schema,
    no_info_after_validator_function,
    str_schema,
)

from contracts.codelists import code_list
from contracts.identifiers import citizen_id_fault, organisation_code_fault, uscc_fault
from contracts.region import load_regions


class FieldClass(StrEnum):
    """How far a field may travel. What is above F4 never enters a payload, only a reference."""

    F0 = "F0"
    F1 = "F1"
    F2 = "F2"
    F3 = "F3"
    F4 = "F4"

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        schema[CLASS_KEYWORD] = self.value
        return schema


class Mark(StrEnum):
    """What may be said of a field beside its class. `in_summary`: masked recipients see it too."""

    in_summary = "x-guantong-in-summary"

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(core_schema), self.value: True}


CLASS_KEYWORD: Final = "x-guantong-class"
LIST_KEYWORD: Final = "x-guantong-codelist"
F0, F1, F2, F3, F4 = FieldClass
IN_SUMMARY: Final = Mark.in_summary


def rule_broken(code: str, field: str, message: str, message_en: str) -> PydanticCustomError:
    """The error a cross-field rule raises: `field` is the pointer below the model it concerns."""
    context = {"code": code, "field": field, "zh": message, "en": message_en}
    return PydanticCustomError("rule_broken", "{en}", context)


def refuse(broken: Iterable[PydanticCustomError]) -> None:
    """Raise all the rules that one model breaks, so that its sender hears of every one at once."""
    lines = [InitErrorDetails(type=rule, input=None) for rule in broken]
    if lines:
        raise ValidationError.from_exception_data("rules", lines)


class Part(BaseModel):
    """An object inside a payload: strict, closed, immutable."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        validate_default=False,
    )


# Blanks first, then something visible: written so that no engine has to backtrack.
_TEXT: Final = (
    r"^[\t\n\r \u00A0\u3000]*[^\x00-\x20\x7F\u00A0\u3000][^\x00-\x08\x0B\x0C\x0E-\x1F\x7F]*$"
)
_IDENTIFIER: Final = r"^[^\s\x00-\x20\x7F]{1,64}$"
_DIGEST: Final = r"^[0-9a-f]{64}$"
_REGION: Final = r"^[0-9]{6}$"
_YEAR_MONTH: Final = r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$"
_YEAR: Final = r"^(19|20)[0-9]{2}$"
_AMOUNT: Final = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$"
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
        return {"type": "string", "format": self.format, "pattern": self.pattern}


def _known_region(code: str) -> str:
    if not load_regions().known(code):
        raise PydanticCustomError("region_unknown", "not a code of GB/T 2260 or the local overlay")
    return code


def _identifier(check: Callable[[str], str | None], name: str, name_en: str) -> AfterValidator:
    """Check digits of a standard number; the error names the kind of fault, never the number."""

    def verify(number: str) -> str:
        fault = check(number)
        if fault is not None:
            context = {"name": name, "name_en": name_en, "fault": fault}
            raise PydanticCustomError("identifier_invalid", "{name_en}: {fault}", context)
        return number

    return AfterValidator(verify)


def _citizen_id_fault(number: str) -> str | None:
    # Whether a payload is valid must not depend on the day it is read.
    return citizen_id_fault(number, today=date.max)


Line = Annotated[str, text(200)]
Paragraph = Annotated[str, text(2_000)]
Summary = Annotated[str, text(20_000)]
Identifier = Annotated[str, StringConstraints(pattern=_IDENTIFIER)]
Digest = Annotated[str, StringConstraints(pattern=_DIGEST)]
RegionCode = Annotated[str, StringConstraints(pattern=_REGION), AfterValidator(_known_region)]
YearMonth = Annotated[str, StringConstraints(pattern=_YEAR_MONTH)]
Year = Annotated[str, StringConstraints(pattern=_YEAR)]
Amount = Annotated[str, StringConstraints(pattern=_AMOUNT)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
CitizenId = Annotated[
    str, _identifier(_citizen_id_fault, "公民身份号码", "citizen number (GB 11643)")
]
Uscc = Annotated[str, _identifier(uscc_fault, "统一社会信用代码", "unified code (GB 32100)")]
OrganisationCode = Annotated[
    str, _identifier(organisation_code_fault, "组织机构代码", "organisation code (GB 11714)")
]
Instant = Annotated[AwareDatetime, Strict(False), _Written(pattern=_INSTANT, format="date-time")]
Day = Annotated[date, Strict(False), _Written(pattern=_DAY, format="date")]
Medium = Literal["paper", "scan", "electronic"]
Classification = Literal["public", "internal", "mimi", "jimi", "juemi"]
Authority = Literal["中管", "省管", "市管", "县管", "其他"]


class Code(Part):
    """A member of a named code list. `label` is what the sender's system showed beside it."""

    code: Annotated[str, text(32), F0]
    label: Annotated[Line | None, F0] = None
    list: Annotated[Identifier | None, F0] = None
    version: Annotated[Identifier | None, F0] = None


@dataclass(frozen=True, slots=True)
class _FromList:
    """Checks a `Code` against a list, and names the list in the schema."""

    name: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(self._verify, handler(source))

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(core_schema), LIST_KEYWORD: self.name}

    def _verify(self, value: Code) -> Code:
        members = code_list(self.name)
        if value.list is not None and value.list != self.name:
            raise rule_broken(
                "code_list_wrong", "list", f"应使用代码表 {self.name}", f"use code list {self.name}"
            )
        if value.code not in members.labels and (members.closed or value.label is None):
            raise PydanticCustomError("code_unknown", "{list}", {"list": self.name})
        return value


def coded(name: str) -> _FromList:
    """A `Code` of the list `name`: closed lists refuse unknown members, open ones want a label."""
    return _FromList(name)


class OrgRef(Part):
    """An organisation, by as many of its numbers as the sender knows."""

    orgid: Annotated[Identifier | None, F1] = None
    name: Annotated[Line, F1]
    uscc: Annotated[Uscc | None, F1] = None
    orgcode: Annotated[OrganisationCode | None, F1] = None
    region: Annotated[RegionCode | None, F0] = None
    level: Annotated[Literal["central", "province", "city", "county", "township"] | None, F0] = None
    parent: Annotated[Identifier | None, F1] = None


class PersonRef(Part):
    """A person; only contracts that need them carry the F3 fields."""

    personkey: Annotated[Identifier | None, F2] = None
    name: Annotated[Line, F2]
    idno: Annotated[CitizenId | None, F3] = None
    gender: Annotated[Literal["0", "1", "2", "9"] | None, F2] = None
    birth: Annotated[YearMonth | None, F2] = None
    org: Annotated[OrgRef | None, F2] = None
    post: Annotated[Line | None, F2] = None
    rank: Annotated[Annotated[Code, coded("cadre_rank")] | None, F2] = None
    authority: Annotated[Authority | None, F2] = None
    political: Annotated[Annotated[Code, coded("political_status")] | None, F2] = None


class DocRef(Part):
    """A document kept elsewhere: what it is, its digest and size, where the original lies."""

    docno: Annotated[Line | None, F1] = None
    title: Annotated[Line, F1]
    kind: Annotated[Line | None, F1] = None
    date: Annotated[Day | None, F1] = None
    classification: Annotated[Classification | None, F0] = None
    sm3: Annotated[Digest | None, F1] = None
    sha256: Annotated[Digest | None, F1] = None
    size: Annotated[Count | None, F1] = None
    stored_at: Annotated[Line | None, F1] = None
    original: Annotated[Medium | None, F1] = None
    pages: Annotated[Count | None, F1] = None
    copyno: Annotated[Line | None, F1] = None
    custodian: Annotated[Line | None, F1] = None


class Money(Part):
    """An amount as a decimal string in the unit that the source used."""

    amount: Annotated[Amount, F1]
    unit: Annotated[Literal["元", "万元"], F1]
    currency: Annotated[Literal["CNY"], F1] = "CNY"


class Handler(Part):
    """Who handled a step, and when they signed it (承办人)."""

    name: Annotated[Line, F2]
    org: Annotated[OrgRef | None, F1] = None
    signed_at: Annotated[Instant | None, F1] = None


class Extension(Part):
    """A due date moved, with the reason and who approved it."""

    until: Annotated[Day, F1]
    reason: Annotated[Line, F1]
    approved_by: Annotated[Handler, F1]


class Due(Part):
    """A date by which an answer is owed, and the extensions it was given."""

    rule: Annotated[Identifier | None, F1] = None
    start: Annotated[Day | None, F1] = None
    date: Annotated[Day, F1]
    extended: Annotated[tuple[Extension, ...], Field(max_length=20), F1] = ()


class Letter(Part):
    """The official letter that an event stands for; names after GB/T 33480."""

    docno: Annotated[Line | None, F1] = None
    kind: Annotated[Line | None, F1] = None
    copyno: Annotated[Line | None, F1] = None
    classification_period: Annotated[Line | None, F1] = None
    urgency: Annotated[Literal["特急", "加急"] | None, F1] = None
    signer: Annotated[Line | None, F2] = None
    issuers: Annotated[tuple[Line, ...], Field(max_length=20), F1] = ()
    main_to: Annotated[tuple[Line, ...], Field(max_length=100), F1] = ()
    contact: Annotated[Line | None, F2] = None
    issued_on: Annotated[Day | None, F1] = None


class Alias(Part):
    """A number that some system gave to the same matter."""

    system: Annotated[Line, F1]
    number: Annotated[Identifier, F1]


class Payload(Part):
    """What every event may carry beside its own fields."""

    letter: Annotated[Letter | None, F1] = None
    handlers: Annotated[tuple[Handler, ...], Field(max_length=20), F1] = ()
    aliases: Annotated[tuple[Alias, ...], Field(max_length=20), F1] = ()
    original: Annotated[Medium | None, F1] = None
