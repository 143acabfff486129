"""The page of a family: each of its types and versions."""

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files

from contracts.catalogue import Catalogue
from contracts.compatibility.compare import compare_contracts
from contracts.contract import Contract, Slip
from contracts.conversion import Conversion
from contracts.fields import walk
from contracts.outline import COMMON, Line, outline, own_models
from contracts.pages import words
from contracts.pages.fieldtable import LEGEND, field_table
from contracts.pages.frame import anchor, flow_page, named, page
from contracts.pages.headings import families, flows
from contracts.pages.markup import Child, Html, both, code, english, items, join, link, tag
from contracts.pages.told import due, newest, receivers, replies, senders, ways
from contracts.rules import Rule


def family(catalogue: Catalogue, name: str) -> bytes:
    """All that is to be known of the types of a family."""
    heading = families()[name]
    types = newest(catalogue, catalogue.types(f"{name}.*"))
    contracts = [c for found in types for c in reversed(catalogue.versions(found.type))]
    contents = tag(
        "nav",
        items(
            join((link(f"#{anchor(c)}", c.title), " ", english(c.title_en), " ", code(c.name)))
            for c in contracts
        ),
        class_="contents",
        aria_label="本页类型 / types on this page",
    )
    legend = tag("details", tag("summary", both("字段类别", "classes of fields")), LEGEND)
    return page(
        heading.title,
        heading.title_en,
        contents,
        legend,
        *(_version(catalogue, contract) for contract in contracts),
        classes="family",
    )


def _version(catalogue: Catalogue, contract: Contract) -> Html:
    lines = outline(contract)
    own = [line for line in lines if line.pointer.split("/")[1] not in COMMON]
    return tag(
        "article",
        tag("h2", both(contract.title, contract.title_en)),
        tag("p", code(contract.name), " ", *_chips(contract), class_="chips"),
        tag("p", contract.description),
        tag("p", english(contract.description_en)),
        _facts(catalogue, contract),
        *_changes(catalogue, contract, lines),
        tag("h3", both("字段", "fields")),
        field_table(own, caption=_caption(contract), ids=anchor(contract)),
        *_rules(contract),
        *_example(contract),
        *((_slip(contract, contract.slip),) if contract.slip is not None else ()),
        id=anchor(contract),
    )


def _caption(contract: Contract) -> Html:
    return join(
        (
            both(f"{contract.title}的字段。", f"fields of {contract.type}."),
            " 另可附 ",
            link("objects.html#Payload", "公文、承办人、其他编号、载体"),
            "，各类型相同。",
        )
    )


def _chips(contract: Contract) -> Iterator[Html]:
    phase, phase_en = words.PHASES[contract.phase]
    yield _chip(
        "答复" if contract.answers else "主动发出", "reply" if contract.answers else "opening"
    )
    yield _chip(phase, phase_en)
    marking, marking_en = words.MARKINGS[contract.ceiling]
    yield _chip(f"密级一般不超过 {marking}", f"up to {marking_en}")
    if contract.lifetime.deprecated is not None:
        yield _chip(f"{contract.lifetime.deprecated} 起不再推荐", "deprecated")
    if contract.lifetime.sunset is not None:
        yield _chip(
            f"{contract.lifetime.sunset} 起停用，改用 {contract.successor}", "refused from then on"
        )


def _chip(text: str, text_en: str) -> Html:
    return tag("span", both(text, text_en), class_="chip")


def _facts(catalogue: Catalogue, contract: Contract) -> Html:
    pairs = [(name, name_en, told) for (name, name_en), told in _said(catalogue, contract) if told]
    return tag(
        "dl",
        *(tag("div", tag("dt", both(name, en)), tag("dd", told)) for name, en, told in pairs),
        class_="facts",
    )


def _said(catalogue: Catalogue, contract: Contract) -> Iterator[tuple[words.Pair, Child]]:
    yield ("谁可以发", "who sends it"), both(*senders(catalogue, contract))
    yield ("谁能收到", "who gets it"), receivers(contract)
    yield ("收件方位置", "addressees lie"), both(*ways(contract))
    if contract.denied:
        yield ("任何情况下都不送达", "never goes to"), both(*words.kinds(contract.denied))
    yield (
        ("答复来文", "answers"),
        items(named(c) for c in newest(catalogue, contract.answers)) if contract.answers else None,
    )
    answered = replies(catalogue, contract)
    yield ("须以此答复", "to be answered with"), answered if answered else due(contract)
    yield ("案件编号", "case"), _field_of(contract, contract.key)
    parties = [
        join((_field_of(contract, p.pointer), " ", both(*words.ROLES[p.role])))
        for p in contract.parties
    ]
    yield ("当事单位", "parties"), items(parties) if parties else None
    if contract.custodians:
        yield ("F4 保管人", "custodians of F4"), both(*words.kinds(contract.custodians))
    yield (
        ("保存", "kept for"),
        both(f"{contract.retention_days:,} 日", f"{contract.retention_days:,} days"),
    )
    yield ("流程", "flows"), items(_flow(flow) for flow in contract.flows)
    yield ("dataschema", ""), code(contract.urn)


def _flow(flow: str) -> Html:
    heading = flows()[flow]
    return join((link(flow_page(flow), f"{flow} {heading.title}"), " ", english(heading.title_en)))


def _field_of(contract: Contract, pointer: str) -> Html:
    """A field by its pointer: the name that people have for it, and its own."""
    titles = {at: field.title for at, field in walk(contract.fields)}
    return join((titles.get(pointer, ""), " ", code(pointer)))


def _changes(catalogue: Catalogue, contract: Contract, lines: Iterable[Line]) -> Iterator[Html]:
    versions = catalogue.versions(contract.type)
    place = versions.index(contract)
    if place == 0:
        return
    before = versions[place - 1]
    old, new = ({line.pointer: line for line in of} for of in (outline(before), lines))
    said = [
        *(_change("新增", "new", new[at]) for at in _topmost(new, old)),
        *(_change("取消", "gone", old[at]) for at in _topmost(old, new)),
        *(
            _change("有变化", "changed", new[at])
            for at in new
            if at in old and _asked(new[at]) != _asked(old[at])
        ),
    ]
    yield tag("h3", both(f"与 {before.version} 的不同", f"what differs from {before.version}"))
    yield items(said) if said else tag("p", both("字段相同。", "The fields are the same."))
    verdict = compare_contracts(before.schema(), contract.schema())
    yield items(
        (
            _holds(
                "按新版本能读旧版本的事件", "the new reads the old", holds=verdict.new_reads_old
            ),
            _holds(
                "按旧版本能读新版本的事件", "the old reads the new", holds=verdict.old_reads_new
            ),
        )
    )
    conversion = catalogue.conversion(contract)
    if conversion is not None:
        yield tag("h3", both(f"与 {before.version} 的转换", f"converting {before.version}"))
        yield items(_converted(conversion))


def _converted(conversion: Conversion) -> Iterator[Html]:
    """What is lost on the way, and what stays behind."""
    older, newer = conversion.older, conversion.newer
    for source, target, lost, refused in (
        (older, newer, conversion.lost_up, conversion.refused_up),
        (newer, older, conversion.lost_down, conversion.refused_down),
    ):
        for what, what_en, losses in (("不保留", "lost", lost), ("不能转换", "parked", refused)):
            for loss in losses:
                way = f"{source} → {target} {what}：{loss.message} "
                told = english(f"{what_en}: {loss.message_en}")
                yield join((way, code(loss.pointer), " ", told))


def _holds(what: str, what_en: str, *, holds: bool) -> Html:
    answer, answer_en = ("是", "yes") if holds else ("否，由平台转换", "no: the hub converts")
    return both(f"{what}：{answer}", f"{what_en}: {answer_en}")


def _topmost(here: Iterable[str], there: Mapping[str, Line]) -> Iterator[str]:
    """The pointers that are not there either, without what stands in an object that is not."""
    gone: list[str] = []
    for at in here:
        if at not in there and not any(at.startswith(f"{above}/") for above in gone):
            gone.append(at)
            yield at


def _asked(line: Line) -> tuple[object, ...]:
    field = line.field
    return line.needed, line.kind, line.listed, line.shared, field.field_class, field.title


def _change(what: str, what_en: str, line: Line) -> Html:
    needed = "，必填" if line.needed else ""
    return join((f"{what}：{line.field.title}{needed} ", code(line.pointer), " ", english(what_en)))


def _rules(contract: Contract) -> Iterator[Html]:
    found: list[Child] = []
    for pointer, model in own_models(contract).items():
        rules: tuple[Rule, ...] = getattr(model, "RULES", ())
        for rule in rules:
            where = join((" ", code(pointer))) if pointer else None
            found.append(
                join((rule.message, " ", english(rule.message_en), " ", code(rule.code), where))
            )
    if found:
        yield tag("h3", both("填写规则", "rules"))
        yield items(found)


def examples(contract: Contract) -> list[tuple[str, str]]:
    """The file names and texts of a version's valid examples."""
    folder = files(contract.model.__module__.rpartition(".")[0]) / "examples" / "valid"
    if not folder.is_dir():
        return []
    stem = contract.type if contract.version == "1.0" else f"{contract.type}-{contract.version}"
    return [
        (file.name, file.read_text(encoding="utf-8"))
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.rpartition("-")[0] == stem
    ]


def _example(contract: Contract) -> Iterator[Html]:
    for name, text in examples(contract)[:1]:
        yield tag("h3", both("示例（虚构）", "an example, invented"))
        written = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
        yield tag("pre", tag("code", written), title=name, tabindex="0", lang="en")


def _slip(contract: Contract, slip: Slip) -> Html:
    """The slip as it is printed."""
    titles = {pointer: field.title for pointer, field in walk(contract.fields)}
    rows = [(titles.get(number, number), "") for number in slip.numbers]
    listed = (
        tag(
            "table",
            tag("caption", titles.get(slip.listed, "清单")),
            tag(
                "thead",
                tag("tr", *(tag("th", t, scope="col") for t in ("序号", "名称", "编号", "备注"))),
            ),
            tag(
                "tbody",
                *(tag("tr", tag("td", str(n)), tag("td"), tag("td"), tag("td")) for n in (1, 2, 3)),
            ),
        )
        if slip.listed is not None
        else None
    )
    return tag(
        "section",
        tag("h3", both("交接单样式", "the slip that is signed")),
        tag(
            "div",
            tag("p", slip.title, class_="head"),
            tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in rows)),
            listed,
            tag(
                "ol",
                *(
                    tag("li", f"{who}（签字）：　　　　　　年　　月　　日")
                    for who in slip.signed_by
                ),
            ),
            tag("p", "回执号：________________________________"),
            class_="slip",
        ),
    )
