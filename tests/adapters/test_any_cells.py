"""Whatever stands in the cells of any adapter: a row gives events or faults, and never fails."""

from collections import ChainMap
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.adapter import Adapter, available, load
from adapters.kit.making import FromRecord, make
from adapters.kit.mapping import FieldRule
from adapters.kit.port import Place, Record
from contracts.codelists import code_list
from contracts.identifiers import (
    citizen_id_with_check_digit,
    organisation_code_with_check_digit,
    uscc_with_check_digit,
)

USCC = uscc_with_check_digit("11510100" + organisation_code_with_check_digit("MB000001"))
# What people write of each kind, so that rows get as far as the translation.
WRITTEN: Mapping[str, list[str]] = {
    "text": ["示例文字", "第一条；第二条\n第三条"],
    "line": ["示范市样板路1号"],
    "name": ["张示例", "示范市样板局；示范市示例局"],
    "number": ["12800000001"],
    "identifier": ["SL-2026-0001", "SL-2026-0002"],
    "date": ["2026/10/03", "2026-11-20"],
    "time": ["2026/10/03 09:05:00", "2026-11-20"],
    "month": ["1972.04"],
    "flag": ["是", "否"],
    "integer": ["1", "2", "12"],
    "decimal": ["0.5"],
    "money": ["12.5万元", "300元"],
    "yuan": ["12.5万元", "300元"],
    "region": ["510104", "510100"],
    "lines": ["第一条；第二条"],
    "names": ["张示例；李样板"],
    "citizen_id": [citizen_id_with_check_digit("51999919800101001")],
    "uscc": [USCC],
}
# A mark that no rule, title or list holds: a fault that repeats a cell is found by it.
MARK = "ꙮ"
NOISE = st.text(max_size=40).map(lambda text: f"{text[:3]}{MARK}{text[3:]}")
ADAPTERS = {name: load(name) for name in available()}


def usual(rule: FieldRule) -> list[str]:
    if rule.list is not None:
        return [*code_list(rule.list).labels.values(), *rule.aliases]
    return [*(rule.values or WRITTEN[rule.reads]), *rule.aliases]


def columns(rules: Mapping[str, FieldRule]) -> st.SearchStrategy[dict[str, str]]:
    """Usual cells, but a few that say anything or nothing."""
    found = {rule.label_column: ["名称"] for rule in rules.values() if rule.label_column}
    found |= {rule.when.column: sorted(rule.when.says) for rule in rules.values() if rule.when}
    found |= {rule.column: usual(rule) for rule in rules.values()}
    likely = st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in found.items()})
    texts = [rule.column for rule in rules.values() if rule.reads in ("text", "line", "name")]
    odd = st.dictionaries(st.sampled_from(sorted(found)), st.just("") | NOISE, max_size=2)
    odd_texts = st.dictionaries(st.sampled_from(texts or sorted(found)), NOISE, max_size=3)
    return st.builds(lambda *parts: dict(ChainMap(*parts)), odd, odd_texts, likely)


def records(adapter: Adapter) -> st.SearchStrategy[Record]:
    groups = adapter.mapping.groups
    parts = {name: st.lists(columns(group.fields), max_size=2) for name, group in groups.items()}
    return st.builds(
        Record,
        number=st.just(1),
        place=st.just(Place("示例.csv", 2)),
        columns=columns(adapter.mapping.fields),
        groups=st.fixed_dictionaries(parts),
    )


@pytest.mark.parametrize("name", ADAPTERS)
@settings(max_examples=60)
@given(data=st.data())
def test_any_row_gives_events_or_faults_that_do_not_repeat_it(
    name: str, data: st.DataObject
) -> None:
    made = make(ADAPTERS[name], data.draw(records(ADAPTERS[name])))
    assert isinstance(made, FromRecord)
    told = (f"{fault.reason}{fault.advice}{fault.column}" for fault in made.faults)
    assert not any(MARK in text for text in told)


@pytest.mark.parametrize("name", ADAPTERS)
@settings(max_examples=20)
@given(data=st.data())
def test_a_row_of_nothing_but_noise_is_told_and_nothing_else(
    name: str, data: st.DataObject
) -> None:
    adapter = ADAPTERS[name]
    noise = {column: data.draw(NOISE) for column in adapter.mapping.wanted.titles}
    assert make(adapter, Record(1, Place("示例.csv", 2), noise)).events == ()
