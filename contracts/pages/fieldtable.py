"""The tables of fields."""

from collections.abc import Iterable

from contracts.fields import Field
from contracts.outline import Line
from contracts.pages import words
from contracts.pages.frame import OBJECTS, list_page
from contracts.pages.headings import objects
from contracts.pages.markup import Child, Html, both, code, english, join, link, tag

_HEADS = (("字段", "field"), ("类别", "class"), ("必填", "needed"), ("内容", "value"))


def field_table(lines: Iterable[Line], *, caption: Child, ids: str) -> Html:
    """Members in their order, those of an object set in below it; `ids` + pointer is a row's id."""
    head = tag("tr", *(tag("th", both(*names), scope="col") for names in _HEADS))
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", head),
        tag("tbody", *(_row(line, ids) for line in lines)),
        class_="fields",
    )


def _row(line: Line, ids: str) -> Html:
    return tag(
        "tr",
        tag(
            "th",
            code(line.field.name),
            tag("span", line.field.title, class_="name"),
            english(line.field.title_en),
            scope="row",
            class_=f"d{min(line.depth, 4)}" if line.depth else None,
        ),
        tag("td", badge(line.field)),
        tag("td", tag("b", "必填") if line.needed else "选填"),
        tag("td", _value(line)),
        id=f"{ids}{line.pointer}",
    )


def badge(field: Field) -> Html:
    """A field's class, with its meaning for whoever cannot see colours."""
    name, _ = words.CLASSES[field.field_class]
    class_ = field.field_class.value
    told = tag("span", f"{class_} {name}", class_=class_.lower())
    return join((told, " ", tag("span", "摘要", class_="sum"))) if field.in_summary else told


def _value(line: Line) -> Html:
    several = line.kind[0].removesuffix("对象")
    kind: Child = both(*line.kind)
    if line.listed is not None:
        kind = join((several, "代码表 ", link(list_page(line.listed), code(line.listed))))
    elif line.shared is not None:
        title = objects()[line.shared].title
        kind = join((several, link(f"{OBJECTS}#{line.shared}", title, " ", code(line.shared))))
    about = tag("small", line.about) if line.about else None
    return join((kind, about))


LEGEND = tag(
    "dl",
    *(
        tag(
            "div",
            tag("dt", f"{c.value} {name}", class_=c.value.lower()),
            tag("dd", told),
        )
        for c, (name, _), told in (
            (c, words.CLASSES[c], both(*words.CLASS_MEANINGS[c])) for c in words.CLASSES
        )
    ),
    class_="legend",
)
