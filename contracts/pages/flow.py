"""The pages of the flows: a picture, and the same as a table."""

from contracts.catalogue import Catalogue
from contracts.contract import Contract
from contracts.pages.frame import FLOWS, flow_page, named, page
from contracts.pages.headings import flows as all_flows
from contracts.pages.headings import parts
from contracts.pages.markup import Html, both, english, items, join, link, table, tag
from contracts.pages.picture import pictures
from contracts.pages.told import newest, receivers, senders, short_due


def flows(catalogue: Catalogue) -> bytes:
    """All flows under their headings."""
    lead = tag(
        "p",
        both("点开流程，看图和每一步的期限。", "Each has a picture with its due dates."),
        class_="lead",
    )
    return page("按流程", "by flow", lead, flow_lists(catalogue, "h2"), here=FLOWS)


def flow_lists(catalogue: Catalogue, head: str) -> Html:
    """Links to all flows; `head`: the element of their headings."""
    served = {flow for contract in catalogue for flow in contract.flows}
    return join(
        tag(
            "section",
            tag(head, both(heading.title, heading.title_en)),
            items(
                (
                    join((link(flow_page(id_), f"{id_} {flow.title}"), " ", english(flow.title_en)))
                    for id_, flow in all_flows().items()
                    if flow.part == part and id_ in served
                ),
                class_="cards",
            ),
        )
        for part, heading in parts().items()
        if any(flow.part == part for id_, flow in all_flows().items() if id_ in served)
    )


def flow(catalogue: Catalogue, id_: str) -> bytes:
    """One flow."""
    heading = all_flows()[id_]
    found = [c for c in newest(catalogue, catalogue.types()) if id_ in c.flows]
    openings = [c for c in found if _opens(c, found)]
    heads = (
        both("步骤", "step"),
        both("谁发", "from"),
        both("谁收", "to"),
        both("须在何时答复", "answer due"),
    )
    rows = (
        (named(c), both(*senders(catalogue, c)), receivers(c), short_due(c))
        for c in sorted(found, key=lambda c: bool(c.answers))
    )
    told = both(f"共 {len(found)} 种类型", f"{len(found)} types")
    return page(
        f"{id_} {heading.title}" if id_[0] in "VHP" else heading.title,
        heading.title_en,
        tag(
            "section",
            tag("h2", both("图示", "picture")),
            pictures(catalogue, openings),
            class_="drawn",
        ),
        tag("h2", both("每一步", "every step")),
        table(heads, rows, caption=told, class_="grid"),
        here=FLOWS,
    )


def _opens(contract: Contract, flow: list[Contract]) -> bool:
    """Whether a picture begins with it: it answers nothing else of this flow."""
    types = {c.type for c in flow}
    return not types & set(contract.answers)
