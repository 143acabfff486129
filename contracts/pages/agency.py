"""The pages of the kinds of agency: what each may send, what it gets, by when it must answer."""

from collections.abc import Iterable

from contracts.agency import KINDS, Kind
from contracts.catalogue import Catalogue
from contracts.contract import Contract
from contracts.matrix import Relation
from contracts.pages import words
from contracts.pages.frame import AGENCIES, agency_page, family_page, named, page
from contracts.pages.headings import families
from contracts.pages.markup import Child, Html, both, english, items, join, link, table, tag
from contracts.pages.told import briefly, newest, senders_briefly, short_due


def agencies(catalogue: Catalogue) -> bytes:
    """All kinds of agency."""
    rows = []
    for kind in KINDS.values():
        sends, gets, answers = _of(catalogue, kind)
        rows.append(
            (
                join((link(agency_page(kind.code), kind.name), " ", english(kind.name_en))),
                tag("code", kind.code),
                str(len(sends)),
                str(len(gets)),
                str(len(answers)),
            )
        )
    heads = (
        both("机关", "agency"),
        both("代号", "kind"),
        both("主动发出", "sends"),
        both("收到", "gets"),
        both("答复", "answers"),
    )
    lead = both(
        "各类机关可以发出、收到和答复的类型数。", "How many types each may send, get, answer."
    )
    return page(
        "按机关", "by agency", table(heads, rows, caption=lead, class_="grid"), here=AGENCIES
    )


def agency(catalogue: Catalogue, code: str) -> bytes:
    """What one kind of agency sends, gets and must answer."""
    kind = KINDS[code]
    sends, gets, answers = _of(catalogue, kind)
    denied = [c for c in newest(catalogue, catalogue.types()) if code in c.denied]
    return page(
        kind.name,
        kind.name_en,
        _lead(kind),
        _section(
            "我须在何时答复",
            "what I must answer, by when",
            ("来文", "what comes"),
            ("发文机关", "from"),
            ("期限", "due"),
            ("用什么答复", "with"),
            class_="asked",
            rows=(
                (named(c), senders_briefly(catalogue, c), short_due(c), _replies(catalogue, c))
                for c in gets
                if c.due is not None or _may_answer(catalogue, c, code)
            ),
        ),
        _section(
            "我可以发什么",
            "what I may send",
            ("类型", "type"),
            ("发给", "to"),
            ("对方答复", "the reply"),
            ("期限", "due"),
            class_="sends",
            rows=((named(c), _to(c), _replies(catalogue, c), short_due(c)) for c in sends),
        ),
        _section(
            "我会收到什么",
            "what I get",
            ("类型", "type"),
            ("发文机关", "from"),
            ("范围", "what of it"),
            class_="gets",
            rows=((named(c), senders_briefly(catalogue, c), _share(c, code)) for c in gets),
        ),
        _section(
            "我可以用什么答复",
            "what I may answer with",
            ("答复", "reply"),
            ("答复来文", "answers"),
            class_="answers",
            rows=((named(c), briefly(newest(catalogue, c.answers))) for c in answers),
        ),
        *_never(denied),
        here=AGENCIES,
        classes="agency",
    )


def _of(catalogue: Catalogue, kind: Kind) -> tuple[list[Contract], list[Contract], list[Contract]]:
    everything = newest(catalogue, catalogue.types())
    sends = [c for c in everything if kind.code in c.publishers]
    gets = [c for c in everything if kind.code in c.receivers]
    answers = [c for c in everything if c.answers and kind.code in catalogue.senders(c)]
    return sends, gets, answers


def _lead(kind: Kind) -> Html:
    if kind.own_agency:
        said = both(
            f"机构编号形如 510100.{kind.code}；收发还须有授权。",
            f"Its id is written as 510100.{kind.code}; a grant is needed too.",
        )
    else:
        said = both("没有自己的机构编号，由保管机关代为发出。", "A custodian publishes for it.")
    return tag("p", said, class_="lead")


def _may_answer(catalogue: Catalogue, contract: Contract, kind: str) -> bool:
    replies = newest(catalogue, catalogue.replies_to(contract.type))
    return any(kind in catalogue.senders(reply) for reply in replies)


def _replies(catalogue: Catalogue, contract: Contract) -> Html | None:
    found = newest(catalogue, catalogue.replies_to(contract.type))
    return briefly(found) if found else None


def _to(contract: Contract) -> Html:
    found = words.grouped(contract.receivers)
    if not found:
        return both("指名的收件机关", "those whom it addresses")
    return items(
        join(
            (
                tag("b", f"{words.ARROWS[relation]} {words.RELATIONS[relation][0]}"),
                "（摘要） " if measure == "masked" else " ",
                words.kinds(kinds)[0],
            )
        )
        for (relation, measure), kinds in found.items()
    )


def _share(contract: Contract, kind: str) -> Html:
    """How much an agency of that kind gets, by where it lies to the publisher."""
    return items(
        both(f"{_when(relation)}：{words.MEASURES[measure][0]}", words.MEASURES[measure][1])
        for relation, measure in contract.receivers[kind].items()
    )


def _when(relation: Relation) -> str:
    arrow, (name, _) = words.ARROWS[relation], words.RELATIONS[relation]
    return f"{arrow} 指名给我时" if relation == "to" else f"{arrow} 我为{name}时"


def _section(
    title: str,
    title_en: str,
    *heads: words.Pair,
    rows: Iterable[Iterable[Child]],
    class_: str,
) -> Html:
    """A part of the page; by its class the narrow page says what stands in a cell."""
    found = [tuple(row) for row in rows]
    if not found:
        content: Html = tag("p", both("没有。", "None."))
    else:
        named_heads = [both(*head) for head in heads]
        told = both(f"共 {len(found)} 种", f"{len(found)} types")
        content = table(named_heads, found, caption=told, class_=f"grid {class_}")
    return tag("section", tag("h2", both(title, title_en)), content)


def _never(denied: list[Contract]) -> Iterable[Html]:
    if not denied:
        return
    names = dict.fromkeys(contract.family for contract in denied)
    yield tag(
        "section",
        tag("h2", both("任何情况下都收不到", "what it never gets")),
        items(
            join(
                (
                    link(family_page(name), families()[name].title),
                    "：",
                    "、".join(c.title for c in denied if c.family == name),
                )
            )
            for name in names
        ),
    )
