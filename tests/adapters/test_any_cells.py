"""Whatever stands in the cells of any adapter: a row gives events or faults, and never fails."""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.kit.adapter import Adapter, available, load
from adapters.kit.check import sample_agency, samples
from adapters.kit.dry import rehearsed
from adapters.kit.making import FromRecord, make
from adapters.kit.mapping import FieldRule
from adapters.kit.port import Place, Record
from contracts.codelists import code_list

# A mark that no rule, title or list holds: a fault that repeats a cell is found by it.
MARK = "ꙮ"
NOISE = st.text(max_size=40).map(lambda text: f"{text[:3]}{MARK}{text[3:]}")
# What may be read, at the wrong place too.
READABLE = ["", "是", "2", "2026/10/03", "12.5万元", "1=样板；2=示例", "张示例；李样板", "510104"]


@cache
def adapter(name: str) -> Adapter:
    return load(name)


@cache
def samples_of(name: str) -> tuple[Record, ...]:
    """The records of an adapter's samples, in which every trap stands once."""
    return tuple(_records(name))


def _records(name: str) -> Iterator[Record]:
    for case in samples(name):
        if not (case / "site.toml").exists():
            (document,) = case.glob("in.*")
            for tried in rehearsed(adapter(name), document, sample_agency(adapter(name))):
                if isinstance(tried.record, Record):
                    yield tried.record


def cells(rules: Mapping[str, FieldRule]) -> st.SearchStrategy[dict[str, str]]:
    """Up to four columns, each with something that its conversion knows or anything at all."""
    listed = {
        column: [*READABLE, *rule.aliases, *rule.values, *_labels(rule)]
        for rule in rules.values()
        for column in (rule.column, rule.label_column)
        if column
    }
    told = st.sampled_from(sorted(listed)).flatmap(
        lambda column: st.tuples(st.just(column), st.sampled_from(listed[column]) | NOISE)
    )
    return st.lists(told, max_size=4).map(dict)


def _labels(rule: FieldRule) -> list[str]:
    return list(code_list(rule.list).labels.values()) if rule.list else []


@cache
def rows(name: str) -> st.SearchStrategy[Record]:
    """A record of a sample in which some cells, also of its parts, say something else."""
    mapping = adapter(name).mapping
    changes = st.fixed_dictionaries(
        {group: st.lists(cells(it.fields), max_size=2) for group, it in mapping.groups.items()}
    )
    return st.builds(
        lambda record, top, parts: replace(
            record,
            columns=dict(ChainMap(top, dict(record.columns))),
            groups={
                group: [*changed, *record.groups.get(group, ())] for group, changed in parts.items()
            },
        ),
        st.sampled_from(samples_of(name)),
        cells(mapping.fields),
        changes,
    )


@cache
def noise(name: str) -> st.SearchStrategy[dict[str, str]]:
    """In every column what no conversion knows."""
    return st.fixed_dictionaries(dict.fromkeys(adapter(name).mapping.wanted.titles, NOISE))


@pytest.mark.parametrize("name", available())
@settings(max_examples=100)
@given(data=st.data())
def test_any_row_gives_events_or_faults_that_do_not_repeat_it(
    name: str, data: st.DataObject
) -> None:
    row = data.draw(rows(name))
    made = make(adapter(name), row)
    assert isinstance(made, FromRecord)
    assert make(adapter(name), row) == made
    told = (f"{fault.reason}{fault.advice}{fault.column}" for fault in made.faults)
    assert not any(MARK in text for text in told)


@pytest.mark.parametrize("name", available())
@settings(max_examples=20)
@given(data=st.data())
def test_a_row_of_nothing_but_noise_gives_no_event(name: str, data: st.DataObject) -> None:
    cells = data.draw(noise(name))
    made = make(adapter(name), Record(1, Place("示例.csv", 2), cells))
    assert not made.events
