"""Field classes: how far a field may travel, and what people call the field.

Every field of every payload carries its class with its name in both languages as an annotation:
`Annotated[Line, F2("姓名", "name")]`. `contracts.fields` reads it; JSON Schemas show it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

CLASS_KEYWORD: Final = "x-guantong-class"
TITLE_EN_KEYWORD: Final = "x-guantong-title-en"


class FieldClass(StrEnum):
    """How far a field may travel. What is above F4 never enters a payload, only a reference."""

    F0 = "F0"
    F1 = "F1"
    F2 = "F2"
    F3 = "F3"
    F4 = "F4"

    def __call__(self, title: str, title_en: str, about: str | None = None) -> "Classed":
        """This class, for a field of that name; `about` says what the name leaves open (unit …)."""
        return Classed(self, title, title_en, about)


@dataclass(frozen=True, slots=True)
class Classed:
    """A field's class, and its name for people in Chinese and English."""

    field_class: FieldClass
    title: str
    title_en: str
    about: str | None

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        schema["title"] = self.title
        schema[TITLE_EN_KEYWORD] = self.title_en
        if self.about is not None:
            schema["description"] = self.about
        schema[CLASS_KEYWORD] = self.field_class.value
        return schema


class Mark(StrEnum):
    """What may be said of a field beside its class. `in_summary`: masked recipients see it too."""

    in_summary = "x-guantong-in-summary"

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(core_schema), self.value: True}


F0, F1, F2, F3, F4 = FieldClass
IN_SUMMARY: Final = Mark.in_summary
