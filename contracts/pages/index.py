"""What the search looks through: one line a thing that has a place in the catalogue."""

import json
from collections.abc import Iterator

from contracts.agency import KINDS
from contracts.catalogue import Catalogue
from contracts.codelists import code_list, list_names
from contracts.fields import Field, fields_of, walk
from contracts.outline import COMMON, is_shared, shared_objects
from contracts.pages.frame import OBJECTS, agency_page, family_page, flow_page, list_page, place
from contracts.pages.headings import families, flows, objects
from contracts.pages.told import newest

# kind, Chinese, English and codes, address
Entry = tuple[str, str, str, str]


def index(catalogue: Catalogue) -> bytes:
    """The script that holds the index."""
    entries = list(_entries(catalogue))
    written = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
    return f"window.catalogue = {written};\n".encode()


def _entries(catalogue: Catalogue) -> Iterator[Entry]:
    there = {contract.family for contract in catalogue}
    contracts = newest(catalogue, catalogue.types())
    for kind in KINDS.values():
        yield "机关", kind.name, f"{kind.name_en} {kind.code}", agency_page(kind.code)
    for name, heading in families().items():
        if name in there:
            yield "类型", heading.title, f"{heading.title_en} {name}", family_page(name)
    for contract in contracts:
        yield "类型", contract.title, f"{contract.title_en} {contract.type}", place(contract)
    served = {flow for contract in contracts for flow in contract.flows}
    for id_, heading in flows().items():
        if id_ in served:
            yield "流程", heading.title, f"{heading.title_en} {id_}", flow_page(id_)
    for name in list_names():
        found = code_list(name)
        yield "代码表", found.title, f"{found.title_en} {name}", list_page(name)
        for member in found.members.values():
            yield "代码", f"{member.label}（{found.title}）", member.code, list_page(name)
    for name, model in shared_objects(catalogue).items():
        for field in fields_of(model):
            title = f"{field.title}（{objects()[name].title}）"
            yield "字段", title, field.title_en, f"{OBJECTS}#{name}/{field.name}"
    for contract in contracts:
        for pointer, field in _own(contract.fields):
            yield (
                "字段",
                f"{field.title}（{contract.title}）",
                field.title_en,
                place(contract, pointer),
            )


def _own(fields: tuple[Field, ...]) -> Iterator[tuple[str, Field]]:
    """The members that the family itself declares, without those that every payload has."""
    seen_shared: list[str] = []
    for pointer, field in walk(fields):
        if pointer.split("/")[1] in COMMON:
            continue
        if any(pointer.startswith(f"{above}/") for above in seen_shared):
            continue
        if field.model is not None and is_shared(field.model):
            seen_shared.append(pointer)
        yield pointer, field
