"""What is said of a contract beside its fields: who, to whom, by when; the same on every page."""

from collections.abc import Iterable
from typing import Final

from contracts.catalogue import Catalogue
from contracts.contract import Contract
from contracts.deadlines import deadline, deadlines
from contracts.pages import words
from contracts.pages.frame import named, place
from contracts.pages.markup import Child, Html, both, english, items, join, link, tag

_FEW: Final = 2


def newest(catalogue: Catalogue, types: Iterable[str]) -> list[Contract]:
    """The newest version of each type, in the order in which they are declared."""
    wanted = frozenset(types)
    declared = dict.fromkeys(c.type for c in catalogue if c.type in wanted)
    return [catalogue.versions(type_)[-1] for type_ in declared]


def briefly(contracts: Iterable[Contract]) -> Html:
    """Links to several versions, in a line."""
    return join((link(place(c), c.title) for c in contracts), "、")


def senders_briefly(catalogue: Catalogue, contract: Contract) -> Child:
    """The kinds that may send it, in English only where they are few."""
    found = catalogue.senders(contract)
    name, name_en = senders(catalogue, contract)
    return both(name, name_en) if len(found) <= _FEW else name


def senders(catalogue: Catalogue, contract: Contract) -> words.Pair:
    """The kinds that may send it."""
    found = catalogue.senders(contract)
    if found:
        return words.kinds(found)
    if contract.answers or contract.about is not None:
        return "来文的收发双方", "those who sent or got what it is about"
    return "平台自身", "the hub itself"


def receivers(contract: Contract) -> Html:
    """Who gets it: by level and in which measure, or whose reply it is."""
    said: list[Child] = []
    if contract.answers:
        said.append(
            both("所答复来文的发出机关及其抄送机关", "the sender of what it answers, and cc")
        )
    if contract.about is not None:
        said.append(both("所涉来文的收发双方", "those who sent or got what it is about"))
    for (relation, measure), found in words.grouped(contract.receivers).items():
        name, name_en = words.kinds(found)
        where, where_en = words.RELATIONS[relation]
        much, much_en = words.MEASURES[measure]
        said.append(
            join(
                (
                    tag("b", f"{words.ARROWS[relation]} {where}·{much}"),
                    f" {name} ",
                    english(f"{where_en}, {much_en}: {name_en}"),
                )
            )
        )
    if not said:
        said.append(both("仅限指名的收件机关", "only those whom it addresses"))
    return items(said)


def ways(contract: Contract) -> words.Pair:
    """Where those whom it addresses may lie."""
    found = [r for r in words.RELATIONS if r in contract.ways]
    return (
        "、".join(f"{words.ARROWS[r]} {words.RELATIONS[r][0]}" for r in found),
        ", ".join(words.RELATIONS[r][1] for r in found),
    )


def replies(catalogue: Catalogue, contract: Contract) -> Html | None:
    """With what it is to be answered, and by when."""
    types = catalogue.replies_to(contract.type)
    if not types:
        return None
    return join((items(named(c) for c in newest(catalogue, types)), due(contract)))


def due(contract: Contract) -> Html | None:
    """By when whoever gets it owes a reply, and where that is from."""
    if contract.due is None:
        return None
    first = deadline(contract.due)
    long, long_en = words.deadline(contract.due)
    sources = {words.source(row) for row in deadlines() if row.rule == contract.due}
    because = "；".join(text for text, _ in sorted(sources) if text)
    because_en = "; ".join(text for _, text in sorted(sources) if text)
    return tag(
        "p",
        tag("strong", f"期限：{first.title} {long}"),
        " ",
        english(f"due: {first.title_en}, {long_en}"),
        tag("small", " ", both(f"（{because}）", because_en)) if because else None,
        class_="due",
    )


def short_due(contract: Contract) -> Html | None:
    """By when, in a word, and for which of the replies."""
    if contract.due is None:
        return None
    long, long_en = words.deadline(contract.due)
    return join((deadline(contract.due).title, "：", tag("b", long), " ", english(long_en)))


def summary(catalogue: Catalogue, contract: Contract) -> list[tuple[str, str]]:
    """The same in plain lines: who sends it, who gets it, what answers it, by when."""
    said = [("谁可以发 who sends", " / ".join(senders(catalogue, contract)))]
    for (relation, measure), found in words.grouped(contract.receivers).items():
        where, much = words.RELATIONS[relation], words.MEASURES[measure]
        name, name_en = words.kinds(found)
        said.append(
            (
                f"谁能收到 who gets it（{where[0]}·{much[0]} {where[1]}, {much[1]}）",
                f"{name} / {name_en}",
            )
        )
    if contract.answers:
        said.append(("答复来文 answers", " ".join(contract.answers)))
    types = catalogue.replies_to(contract.type)
    if types:
        said.append(("须以此答复 answered with", " ".join(types)))
    if contract.due is not None:
        long, long_en = words.deadline(contract.due)
        first = deadline(contract.due)
        said.append(("期限 due", f"{first.title} {long} / {first.title_en}, {long_en}"))
    return said
