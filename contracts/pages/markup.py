"""HTML built of values: whatever is not HTML already is escaped."""

from collections.abc import Iterable
from html import escape
from typing import Final

_VOID: Final = frozenset({"br", "input", "link", "meta"})


class Html(str):
    """Text that is HTML as it stands."""

    __slots__ = ()


Child = str | None


def tag(element: str, *children: Child, **attributes: str | None) -> Html:
    """An element; a child or attribute that is None is left out.

    Attributes are named as in Python: `class_` is `class`, `aria_label` is `aria-label`.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if element in _VOID:
        return Html(f"<{element}{written}>")
    return Html(f"<{element}{written}>{join(children)}</{element}>")


def join(children: Iterable[Child], between: str = "") -> Html:
    """Several pieces after each other."""
    return Html(escape(between).join(_html(child) for child in children if child is not None))


def _html(child: str) -> str:
    return child if isinstance(child, Html) else escape(child, quote=False)


def english(text: str) -> Html:
    """A piece in English beside the Chinese."""
    return tag("i", text, lang="en")


def both(text: str, text_en: str) -> Html:
    """Chinese, and English beside it."""
    return join((text, " ", english(text_en)))


def link(to: str, *children: Child) -> Html:
    """A link to a page or a place of the catalogue."""
    return tag("a", *children, href=to)


def code(text: str) -> Html:
    """A name as machines write it."""
    return tag("code", text)


def items(found: Iterable[Child], class_: str | None = None) -> Html:
    """A list without order."""
    return tag("ul", *(tag("li", child) for child in found), class_=class_)


def table(
    heads: Iterable[Child], rows: Iterable[Iterable[Child]], *, caption: Child, class_: str
) -> Html:
    """A table whose first column says what each row is about."""
    head = tag("tr", *(tag("th", child, scope="col") for child in heads))
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", head),
        tag("tbody", *(_row(tuple(row)) for row in rows)),
        class_=class_,
    )


def _row(cells: tuple[Child, ...]) -> Html:
    first, *others = cells
    return tag("tr", tag("th", first, scope="row"), *(tag("td", cell) for cell in others))
