"""The catalogue for people: whole, without a dead link, with nothing from elsewhere."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from contracts.agency import KINDS
from contracts.catalogue import Catalogue, load_catalogue
from contracts.codelists import list_names
from contracts.outline import COMMON, outline, shared_objects
from contracts.pages import headings
from contracts.pages.frame import agency_page, anchor, family_page, flow_page, list_page
from contracts.pages.site import site

VOID = {"br", "input", "link", "meta"}
MOST_BYTES = 8_000_000
HOSTILE = "<script>alert(1)</script>\" onload='x' &amp;"


class Reading(HTMLParser):
    """One page as a strict reader takes it: what is open, ids, links, headings, attributes."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.attributes: set[str] = set()
        self.elements: Counter[str] = Counter()
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        assert len(held) == len(attrs), f"an attribute stands twice in {tag}"
        self.elements[tag] += 1
        self.attributes |= held.keys()
        if tag not in VOID:
            self.open.append(tag)
        if held.get("id"):
            self.ids.append(str(held["id"]))
        self.links += [str(held[name]) for name in ("href", "src") if held.get(name)]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Every file of the catalogue."""
    return {name: make() for name, make in site(load_catalogue()).items()}


@pytest.fixture(scope="module")
def pages(files: dict[str, bytes]) -> dict[str, Reading]:
    """Every page, read."""
    return {name: Reading(body) for name, body in files.items() if name.endswith(".html")}


def targets(pages: dict[str, Reading]) -> Iterator[tuple[str, str, str]]:
    """Every link: the page it stands on, the file and the place that it names."""
    for name, page in pages.items():
        for link in page.links:
            file, _, place = unquote(link).partition("#")
            yield name, file or name, place


def test_every_page_closes_what_it_opens_and_names_each_place_once(
    pages: dict[str, Reading],
) -> None:
    assert {name: page.open for name, page in pages.items() if page.open} == {}
    twice = {n: [i for i, k in Counter(p.ids).items() if k > 1] for n, p in pages.items()}
    assert {name: ids for name, ids in twice.items() if ids} == {}


def test_every_link_leads_to_a_place(files: dict[str, bytes], pages: dict[str, Reading]) -> None:
    dead = [
        (on, file, place)
        for on, file, place in targets(pages)
        if file not in files or (place and place not in pages[file].ids)
    ]
    assert dead == []


def test_every_hit_of_the_search_leads_to_a_place(
    files: dict[str, bytes], pages: dict[str, Reading]
) -> None:
    written = files["index.js"].decode().removeprefix("window.catalogue = ").removesuffix(";\n")
    found = [entry[3].partition("#") for entry in json.loads(written)]
    assert len(found) > len(list_names())
    assert [it for it in found if it[2] and it[2] not in pages[it[0]].ids] == []
    assert {file for file, _, _ in found} <= pages.keys()


def test_every_type_field_kind_list_flow_and_shared_object_has_its_place(
    pages: dict[str, Reading],
) -> None:
    catalogue = load_catalogue()
    ids = {name: set(page.ids) for name, page in pages.items()}
    missing = [
        anchor(contract, line.pointer)
        for contract in catalogue
        for line in outline(contract)
        if line.pointer.split("/")[1] not in COMMON
        and anchor(contract, line.pointer) not in ids[family_page(contract.family)]
    ]
    assert missing == []
    assert {anchor(c) for c in catalogue} <= set().union(*ids.values())
    assert shared_objects(catalogue).keys() <= ids["objects.html"]
    expected = {*map(agency_page, KINDS), *map(list_page, list_names())}
    expected |= {flow_page(flow) for contract in catalogue for flow in contract.flows}
    assert expected <= pages.keys()


def test_all_that_contracts_name_is_called_something_in_both_languages() -> None:
    catalogue = load_catalogue()
    assert {c.family for c in catalogue} - headings.families().keys() == set()
    assert {flow for c in catalogue for flow in c.flows} - headings.flows().keys() == set()
    assert shared_objects(catalogue).keys() - headings.objects().keys() == set()
    told = [*headings.families().values(), *headings.flows().values(), *headings.parts().values()]
    assert [heading for heading in told if not heading.title or not heading.title_en] == []


def test_nothing_comes_from_elsewhere_and_nothing_runs_or_is_styled_in_a_page(
    files: dict[str, bytes], pages: dict[str, Reading]
) -> None:
    foreign = [link for page in pages.values() for link in page.links if ":" in link.split("#")[0]]
    assert foreign == []
    attributes = set().union(*(page.attributes for page in pages.values()))
    assert {name for name in attributes if name.startswith("on") or name == "style"} == set()
    assert {p.elements["script"] for p in pages.values()} == {2}
    assert {p.elements["style"] + p.elements["img"] for p in pages.values()} == {0}
    assert re.findall(rb"url\(|@import|https?:", files["style.css"] + files["search.js"]) == []


def test_headings_go_down_one_at_a_time_and_begin_with_the_page_s_own(
    pages: dict[str, Reading],
) -> None:
    jumps = {
        name: page.headings
        for name, page in pages.items()
        if page.headings[0] != 1
        or any(b - a > 1 or b == 1 for a, b in zip(page.headings, page.headings[1:], strict=False))
    }
    assert jumps == {}


def test_what_a_conversion_loses_and_what_it_cannot_convert_is_told(
    files: dict[str, bytes],
) -> None:
    conversion = load_catalogue().conversion(load_catalogue().versions("clue.transferred")[-1])
    assert conversion is not None
    page = files[family_page("clue")].decode()
    for loss in (*conversion.lost_up, *conversion.lost_down):
        assert f"不保留：{loss.message} <code>{loss.pointer}</code>" in page
        assert f"lost: {loss.message_en}" in page
    (refused,) = conversion.refused_up
    assert f"1.1 → 2.0 不能转换：{refused.message} <code>{refused.pointer}</code>" in page
    assert f"parked: {refused.message_en}" in page


def test_what_a_contract_is_called_cannot_become_markup() -> None:
    clue = load_catalogue().versions("clue.transferred")[0]
    hostile = replace(clue, title=HOSTILE, description=HOSTILE, title_en=HOSTILE)
    made = site(Catalogue([hostile]))
    for name in (family_page("clue"), flow_page("H04"), agency_page("discipline")):
        page = Reading(made[name]())
        assert page.open == []
        assert page.elements["script"] == 2
        assert "onload" not in page.attributes


def test_the_whole_is_the_same_each_time_and_no_burden_to_carry(files: dict[str, bytes]) -> None:
    again = site(load_catalogue())
    assert {n: again[n]() for n in ("index.html", "index.js", family_page("clue"))} == {
        n: files[n] for n in ("index.html", "index.js", family_page("clue"))
    }
    assert sum(map(len, files.values())) < MOST_BYTES
