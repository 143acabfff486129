"""The page that the catalogue begins with."""

from contracts.agency import KINDS
from contracts.catalogue import Catalogue
from contracts.pages.flow import flow_lists
from contracts.pages.frame import ASYNCAPI, LISTS, OBJECTS, START, agency_page, family_page, page
from contracts.pages.headings import families, parts
from contracts.pages.markup import Html, both, code, english, items, join, link, tag


def start(catalogue: Catalogue) -> bytes:
    """By agency, by family, by flow."""
    types = catalogue.types()
    lead = both(
        f"机关之间可以说的每一件事，共 {len(types)} 种类型：谁可发、谁能收、何时答复、有哪些字段。",
        f"All that agencies may tell each other: {len(types)} types, who sends and gets them, by "
        "when they are answered, what each field is.",
    )
    return page(
        "契约目录",
        "catalogue of contracts",
        tag("p", lead, class_="lead"),
        tag("h2", both("按机关", "by agency"), id="agencies"),
        tag(
            "p",
            both("我可以发什么，会收到什么，须在何时答复。", "What I may send, get, must answer."),
        ),
        items(
            (
                join((link(agency_page(kind.code), kind.name), " ", english(kind.name_en)))
                for kind in KINDS.values()
            ),
            class_="cards",
        ),
        tag("h2", both("按类型", "by type"), id="families"),
        _families(catalogue),
        tag("h2", both("按流程", "by flow"), id="flows"),
        tag("div", flow_lists(catalogue, "h3"), class_="inner"),
        tag("h2", both("其他", "more")),
        items(
            (
                join((link(LISTS, "代码表"), " ", english("code lists"))),
                join((link(OBJECTS, "共用对象"), " ", english("shared objects"))),
                join((link(ASYNCAPI, "AsyncAPI 3.0"), " ", english("the same for programs"))),
            ),
            class_="cards",
        ),
        here=START,
        classes="start",
    )


def _families(catalogue: Catalogue) -> Html:
    there = {contract.family for contract in catalogue}
    return tag(
        "div",
        *(
            tag(
                "section",
                tag("h3", both(heading.title, heading.title_en)),
                items(
                    (
                        _family(catalogue, name)
                        for name, family in families().items()
                        if family.part == part and name in there
                    ),
                    class_="cards",
                ),
            )
            for part, heading in parts().items()
            if any(families()[name].part == part for name in there)
        ),
        class_="inner",
    )


def _family(catalogue: Catalogue, name: str) -> Html:
    heading = families()[name]
    count = len(catalogue.types(f"{name}.*"))
    return join(
        (
            link(family_page(name), heading.title),
            tag("small", f" {count} 种 "),
            english(heading.title_en),
            " ",
            code(name),
        )
    )
