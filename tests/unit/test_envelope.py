"""Reading envelopes: the fast way and the thorough way say the same, and alter nothing."""

import json
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import envelope
from contracts.envelope import KNOWN, REQUIRED, Attributes, Envelope, read_members, read_structured
from contracts.faults import Fault
from tests.sample import Members, clue, petition, rendered, tree_of

thorough = settings(max_examples=300)

SEEDS = st.none() | st.integers(0, 2**32)
Pairs = list[tuple[str, Any]]

# Each with values that its rule admits and some that it does not.
GOOD: dict[str, tuple[str, ...]] = {
    "specversion": ("1.0",),
    "id": ("a", "编号", "1" * 256, "subject", "data", "{}"),
    "source": ("/510100.petition", "/510100.petition/letters"),
    "type": ("petition.case_transferred", "x"),
    "time": ("2026-10-08T09:30:00+08:00", "2026-10-08t01:30:00.123456789z"),
    "dataschema": ("urn:guantong:contract:petition.case_transferred:1.0", "x"),
    "datacontenttype": ("application/json", 'application/json; charset="utf-8"'),
    "subject": ("", "反映", "1:x", "a\\b", 'a":"b', "/"),
    "region": ("510100",),
    "to": ("510100.discipline", "inspection-office@510100/**"),
    "phase": ("on",),
    "causationid": ("0" * 32,),
    "dataclassification": ("internal",),
    "expirytime": ("2026-10-08T09:30:00Z", "0001-01-01T00:00:00+14:00"),
    "traceparent": ("00-0-0-00",),
}
BAD: dict[str, tuple[Any, ...]] = {
    "specversion": ("1.1", ""),
    "id": ("", "1" * 257),
    "source": ("510100.petition", "/510100.petition/..", "/510100.nobody"),
    "time": ("2026-10-08", "2026-02-30T00:00:00Z", "2026-10-08T09:30:00"),
    "datacontenttype": ("text/plain", "application/json; charset=gbk"),
    "region": ("51010", "５１０１００"),
    "to": ("", "510100.nobody", "inspection-office@510100/***"),
    "phase": ("later",),
    "causationid": ("0" * 31, "G" * 32),
    "dataclassification": ("secret",),
    "expirytime": ("tomorrow",),
}
ANY_TEXT = st.one_of(
    st.sampled_from(("\x00", "\x7f", "\x85", "x" * 2049, "中" * 700)),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)
TREES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        ANY_TEXT,
        st.sampled_from(sorted(KNOWN)),
    ),
    lambda inside: st.one_of(
        st.lists(inside, max_size=3).map(tuple),
        st.lists(st.tuples(ANY_TEXT, inside), max_size=3).map(lambda p: Members(tuple(p))),
    ),
    max_leaves=6,
)
EXTENSION_NAMES = st.one_of(
    st.sampled_from(
        (
            "ext",
            "",
            "Ext",
            "x" * 20,
            "x" * 21,
            "hubtime",
            "hubx",
            "data_base64",
            "扩展",
            'a"b',
            "\\",
        )
    ),
    ANY_TEXT,
)


@st.composite
def pairs_of_events(draw: st.DrawFn, *, repeated: bool) -> Pairs:
    """The members of an event in any order; most are as they should be."""
    pairs: Pairs = []
    for name in GOOD:
        if draw(st.integers(0, 19)) > 0 if name in REQUIRED else draw(st.booleans()):
            good = st.sampled_from(GOOD[name])
            bad = st.one_of(st.sampled_from(BAD.get(name, ("x" * 2049,))), ANY_TEXT, TREES)
            pairs.append((name, draw(good if draw(st.integers(0, 14)) else bad)))
    if draw(st.integers(0, 4)) == 0:
        pairs.extend(draw(st.lists(st.tuples(EXTENSION_NAMES, TREES), max_size=3)))
    if draw(st.integers(0, 19)):
        pairs.append(("data", draw(st.one_of(TREES, st.just(Members((("a", "b"),)))))))
    pairs = list(dict(pairs).items())
    if repeated:
        pairs = pairs or [("id", "a")]
        name, value = draw(st.sampled_from(pairs))
        pairs.append((name, draw(st.one_of(st.just(value), TREES))))
    return draw(st.permutations(pairs))


def members_text(pairs: Pairs, random: Random | None) -> tuple[bytes, bytes]:
    """The document, and the bytes of its payload inside it."""
    space = "" if random is None else random.choice(("", " ", "\n\t"))
    parts, data = [], b""
    for name, value in pairs:
        text = rendered(value, random)
        parts.append(f"{space}{rendered(name, random)}{space}:{space}{text}{space}")
        if name == "data":
            data = text.encode()
    return f"{{{','.join(parts)}}}".encode(), data


def chance(seed: int | None) -> Random | None:
    """Chance, or none for compact JSON."""
    return None if seed is None else Random(seed)


def essence(read: Envelope | tuple[Fault, ...]) -> object:
    """What was read, whatever the order of its attributes and faults."""
    if isinstance(read, Envelope):
        return read.attributes, json.loads(read.encoded), read.data
    return sorted((fault.code, fault.pointer) for fault in read)


@thorough
@given(pairs=pairs_of_events(repeated=False), seed=SEEDS)
def test_the_fast_way_and_the_thorough_way_read_the_same(pairs: Pairs, seed: int | None) -> None:
    document, data = members_text(pairs, chance(seed))
    read = read_structured(document)

    assert essence(read) == essence(envelope._read_thoroughly(document))
    if isinstance(read, Envelope):
        published = {name: value for name, value in pairs if name != "data"}
        assert json.loads(read.encoded) == published
        assert read.data == data
        known = {name: value for name, value in published.items() if name in KNOWN}
        assert read.attributes == msgspec.convert(known, Attributes)


@thorough
@given(pairs=pairs_of_events(repeated=True), seed=SEEDS)
def test_a_member_that_stands_twice_is_always_found(pairs: Pairs, seed: int | None) -> None:
    document, _ = members_text(pairs, chance(seed))
    read = read_structured(document)

    assert essence(read) == [("duplicate_member", "")]
    assert essence(read) == essence(envelope._read_thoroughly(document))


@thorough
@given(pairs=pairs_of_events(repeated=False), seed=SEEDS)
def test_binary_mode_reads_what_structured_mode_reads(pairs: Pairs, seed: int | None) -> None:
    pairs = [(name, value) for name, value in pairs if name == "data" or isinstance(value, str)]
    document, data = members_text(pairs, chance(seed))
    attributes = {name: value for name, value in pairs if name != "data"}

    assert essence(read_members(attributes, data)) == essence(read_structured(document))


@pytest.mark.parametrize("event", [petition(1), clue(1), petition(2, subject='a\\b"c', ext=True)])
@pytest.mark.parametrize("seed", [None, *range(20)])
def test_data_and_attributes_stay_as_they_were_published(
    event: dict[str, Any], seed: int | None
) -> None:
    pairs = [(name, tree_of(value)) for name, value in event.items()]
    document, data = members_text(pairs, chance(seed))
    read = read_structured(document)

    assert isinstance(read, Envelope)
    assert read.data == data
    assert json.loads(read.data) == event["data"]
    assert json.loads(read.encoded) == {n: v for n, v in event.items() if n != "data"}


@pytest.mark.parametrize("name", ["subject", "id", "ext", "datacontenttype", "to"])
def test_half_a_character_is_refused_and_not_stumbled_over(name: str) -> None:
    document = json.dumps({**petition(1), name: "\ud800"}).encode()
    assert isinstance(read_structured(document), tuple)


# A surrogate, one too far, an overlong form, the beginning of a character, a byte of another code.
NOT_UTF8 = (b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\xe4\xb8", b"\xff")


@pytest.mark.parametrize("wrong", NOT_UTF8)
def test_a_value_that_is_not_utf8_is_refused_and_not_stumbled_over(wrong: bytes) -> None:
    for name in (*sorted(KNOWN), "ext"):
        document = json.dumps({**petition(1), name: "WRONG"}).encode().replace(b"WRONG", wrong)
        assert essence(read_structured(document)) == [("json_invalid", "")], name


def test_what_is_no_event_is_one_fault() -> None:
    for document in (b"", b"{", b"[]", b"null", b'"a"', b"\xff", b'{"id":"\xff"}', b"{}x", b"NaN"):
        assert essence(read_structured(document)) == [("json_invalid", "")], document


def test_an_endless_nesting_is_a_fault_of_the_event() -> None:
    event = json.dumps(petition(1))[:-1].encode()
    document = event + b',"ext":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert essence(read_structured(document)) in (
        [("too_deep", "")],
        [("json_invalid", "")],
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"subject":"a","subject":"b",%s,"data":"subject"}',
        '{"":"unknown",%s,"data":""}',
        '{"data":{"a":1},%s,"data":{"a":1}}',
        '{"x":{"a":1},%s,"data":{"a":1}}',
        '{"subject":"data",%s,"data":{"id":":"},"id":"again"}',
        '{"\\u0069d":"again",%s,"data":{}}',
        '{"\\u0064ata":{},%s,"data":{}}',
    ],
)
def test_nothing_hides_behind_a_payload_that_looks_like_it(text: str) -> None:
    attributes = {n: v for n, v in petition(1).items() if n not in ("data", "subject")}
    document = (text % json.dumps(attributes, separators=(",", ":"))[1:-1]).encode()

    read = read_structured(document)
    assert isinstance(read, tuple)
    assert essence(read) == essence(envelope._read_thoroughly(document))
