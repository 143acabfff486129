"""The pages of the code lists."""

from contracts.catalogue import Catalogue
from contracts.codelists import CodeList, Member, code_list, list_names
from contracts.contract import Contract
from contracts.outline import Line, outline
from contracts.pages import words
from contracts.pages.frame import LISTS, list_page, page, place
from contracts.pages.markup import Child, Html, both, code, english, items, join, link, table, tag


def lists() -> bytes:
    """All code lists."""
    heads = (
        both("代码表", "list"),
        both("代号", "name"),
        both("代码数", "codes"),
        both("性质", "kind"),
    )
    rows = [
        (
            join((link(list_page(name), found.title), " ", english(found.title_en))),
            code(name),
            str(len(found.members)),
            both("封闭", "closed") if found.closed else both("开放", "open"),
        )
        for name in list_names()
        for found in (code_list(name),)
    ]
    told = both(f"共 {len(rows)} 张", f"{len(rows)} lists")
    return page("代码表", "code lists", table(heads, rows, caption=told, class_="grid"), here=LISTS)


def one_list(users: dict[str, list[tuple[Contract, Line]]], name: str) -> bytes:
    """One list; `users`: the fields that have their codes from each list."""
    found = code_list(name)
    members = found.tree()
    dated = any(m.valid_from or m.valid_until for m in members)
    heads = (
        both("代码", "code"),
        both("名称", "label"),
        both("有效期", "in force") if dated else None,
        both("来源", "source"),
    )
    rows = (
        (
            _code(found, m),
            both(m.label, m.label_en),
            _validity(m) if dated else None,
            both("本系统", "ours") if m.source == "guantong" else m.source,
        )
        for m in members
    )
    columns = [n for n, head in enumerate(heads) if head is not None]
    told = both(f"共 {len(found.members)} 个代码", f"{len(found.members)} codes")
    return page(
        found.title,
        found.title_en,
        tag("p", code(name), " ", *_chips(found), class_="chips"),
        tag("p", both("来源：", "source"), " ", found.source),
        _levels(found),
        table(
            (heads[n] for n in columns),
            ([row[n] for n in columns] for row in rows),
            caption=told,
            class_="grid codes",
        ),
        tag("h2", both("用在哪些字段", "where it is used")),
        items(
            join(
                (
                    link(place(contract, line.pointer), contract.title, " · ", line.field.title),
                    " ",
                    code(f"{contract.type} {line.pointer}"),
                )
            )
            for contract, line in users.get(name, [])
        ),
        here=LISTS,
    )


def users_of_lists(catalogue: Catalogue) -> dict[str, list[tuple[Contract, Line]]]:
    """The fields that have their codes from each list, of the newest versions."""
    found: dict[str, list[tuple[Contract, Line]]] = {}
    for type_ in catalogue.types():
        contract = catalogue.versions(type_)[-1]
        for line in outline(contract):
            if line.listed is not None:
                found.setdefault(line.listed, []).append((contract, line))
    return found


def _code(found: CodeList, member: Member) -> Html:
    depth = found.depth(member.code)
    return tag("span", code(member.code), class_=f"d{min(depth, 4)}" if depth else None)


def _validity(member: Member) -> Child:
    if member.valid_from is None and member.valid_until is None:
        return both("长期", "always")
    return f"{member.valid_from or '…'} 至 {member.valid_until or '…'}"


def _chips(found: CodeList) -> tuple[Html, ...]:
    kind = (
        both("封闭：只用表内代码", "closed: no other codes")
        if found.closed
        else both("开放：其他代码须附名称", "open: other codes need a label")
    )
    sure = (
        both("已与来源核对", "compared with its source")
        if found.confirmed
        else both("未与标准原文核对", "not compared with a standard")
    )
    return tag("span", kind, class_="chip"), tag("span", sure, class_="chip")


def _levels(found: CodeList) -> Html | None:
    if not found.levels:
        return None
    return items(
        both(
            f"{words.level(level)[0]}级使用“{found.members[top].label}”之下的代码",
            f"{words.level(level)[1]}: those below {found.members[top].label_en}",
        )
        for level, top in found.levels.items()
    )
