"""The page of the objects that families share."""

from pydantic import BaseModel

from contracts.catalogue import Catalogue
from contracts.common import Payload
from contracts.outline import object_outline, shared_objects
from contracts.pages.fieldtable import LEGEND, field_table
from contracts.pages.frame import OBJECTS, page
from contracts.pages.headings import objects as named_objects
from contracts.pages.markup import Html, both, code, english, items, join, link, tag
from contracts.rules import Rule


def objects(catalogue: Catalogue) -> bytes:
    """What every payload may carry, then each shared object with its members."""
    found: dict[str, type[BaseModel]] = {"Payload": Payload, **shared_objects(catalogue)}
    contents = tag(
        "nav",
        items(
            join(
                (
                    link(f"#{name}", named_objects()[name].title),
                    " ",
                    english(named_objects()[name].title_en),
                )
            )
            for name in found
        ),
        class_="contents",
        aria_label="本页对象 / objects on this page",
    )
    lead = both(
        "字段类别取所在路径上的最高者：放在 F2 字段里的单位，其各项至少为 F2。",
        "A member's class is the highest on its path: inside an F2 field all is at least F2.",
    )
    return page(
        "共用对象",
        "shared objects",
        tag("p", lead, class_="lead"),
        contents,
        tag("details", tag("summary", both("字段类别", "classes of fields")), LEGEND),
        *(_object(name, model) for name, model in found.items()),
        here=OBJECTS,
        classes="family",
    )


def _object(name: str, model: type[BaseModel]) -> Html:
    heading = named_objects()[name]
    rules: tuple[Rule, ...] = getattr(model, "RULES", ())
    about = " ".join((model.__doc__ or "").split())
    return tag(
        "article",
        tag("h2", both(heading.title, heading.title_en)),
        tag("p", code(name), " ", english(about)),
        field_table(
            object_outline(model),
            caption=both(f"{heading.title}的字段", f"members of {name}"),
            ids=name,
        ),
        items(
            join((rule.message, " ", english(rule.message_en), " ", code(rule.code)))
            for rule in rules
        )
        if rules
        else None,
        id=name,
    )
