"""What all pages have around them, and how pages name each other.

All files stand in one folder, so that links work from a disk as they do from a hub.
"""

from typing import Final

from contracts.contract import Contract
from contracts.pages.markup import Child, Html, both, code, english, join, link, tag

START: Final = "index.html"
AGENCIES: Final = "agencies.html"
FLOWS: Final = "flows.html"
LISTS: Final = "codes.html"
OBJECTS: Final = "objects.html"
STYLE: Final = "style.css"
SCRIPT: Final = "search.js"
INDEX: Final = "index.js"
ASYNCAPI: Final = "asyncapi.json"

_SITE: Final = "贯通契约目录"
_SITE_EN: Final = "Guantong: catalogue of contracts"
_MENU: Final = (
    (START, "目录", "contents"),
    (AGENCIES, "按机关", "by agency"),
    (FLOWS, "按流程", "by flow"),
    (LISTS, "代码表", "code lists"),
    (OBJECTS, "共用对象", "shared objects"),
)


def page(title: str, title_en: str, *body: Child, here: str = "", classes: str = "") -> bytes:
    """A whole page; `here`: the entry of the menu that it stands under."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} · {_SITE}"),
        tag("link", rel="stylesheet", href=STYLE),
        tag("script", src=INDEX, defer=""),
        tag("script", src=SCRIPT, defer=""),
    )
    whole = tag(
        "html",
        head,
        tag(
            "body",
            link("#main", "跳到正文"),
            _banner(here),
            tag("main", tag("h1", both(title, title_en)), *body, id="main"),
            _FOOT,
            class_=classes or None,
        ),
        lang="zh-CN",
    )
    return f"<!DOCTYPE html>\n{whole}\n".encode()


def _banner(here: str) -> Html:
    entries = (
        tag("a", both(name, name_en), href=to, aria_current="page" if to == here else None)
        for to, name, name_en in _MENU
    )
    search = tag(
        "search",
        tag("label", both("查找", "search"), for_="find"),
        tag(
            "input",
            id="find",
            type="search",
            autocomplete="off",
            placeholder="类型、字段、代码、流程 / types, fields, codes",
        ),
        tag("ol", id="found", hidden=""),
        id="search",
        hidden="",
    )
    return tag(
        "header",
        tag("p", link(START, both(_SITE, _SITE_EN)), class_="site"),
        tag("nav", *entries, aria_label="目录 / contents"),
        search,
    )


_FOOT: Final = tag(
    "footer",
    tag(
        "p",
        both(
            "由契约生成；已发布的契约版本不再改变。本目录不含任何业务数据。",
            "Made of the contracts; a released version never changes. No data of any case.",
        ),
    ),
)


def family_page(family: str) -> str:
    """Where a family's types are described."""
    return f"family-{family}.html"


def agency_page(kind: str) -> str:
    """Where it is told what a kind of agency sends and gets."""
    return f"agency-{kind}.html"


def flow_page(flow: str) -> str:
    """Where a flow is pictured."""
    return f"flow-{flow}.html"


def list_page(name: str) -> str:
    """Where the members of a code list stand."""
    return f"codes-{name}.html"


def anchor(contract: Contract, pointer: str = "") -> str:
    """The id of a version on its family's page, or of one of its fields."""
    return f"{contract.type}-{contract.version}{pointer}"


def place(contract: Contract, pointer: str = "") -> str:
    """The address of a version, or of one of its fields."""
    return f"{family_page(contract.family)}#{anchor(contract, pointer)}"


def named(contract: Contract) -> Html:
    """A link to a version by its title, with its type beside it."""
    return join(
        (
            link(place(contract), contract.title),
            " ",
            english(contract.title_en),
            " ",
            code(contract.type),
        )
    )
