"""What a payload's faults say and what they never say, whatever the payload."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from itertools import cycle, groupby
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.catalogue import load_catalogue
from contracts.common import Payload
from contracts.contract import DUPLICATE_MEMBER, Contract
from contracts.faults import Fault
from contracts.fields import walk
from tests.examples import INVALID, VALID, contract_of, payload_in

CONTRACTS = sorted(load_catalogue(), key=lambda contract: contract.urn)

# Braces and slashes would show in sentences that are formatted twice and in split pointers.
CANARY = "金丝雀"
CANARIES = (
    CANARY,
    f"{{{CANARY}}}",
    f"{CANARY}/~1/0",
    f"{CANARY} %s",
    f"2026-01-01{CANARY}",
    CANARY * 9,
)

examples = st.sampled_from(VALID)
canaries = st.sampled_from(CANARIES)
contracts_ = st.sampled_from(CONTRACTS)


def example_of(type_: str, number: int = 1) -> dict[str, Any]:
    path = next(path for path in VALID if path.stem == f"{type_}-{number}")
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


@cache
def declared_by(contract: Contract) -> list[str]:
    return sorted({field.name for _, field in walk(contract.fields)})


def faults_of(type_: str, data: bytes | str | dict[str, Any]) -> list[tuple[str, str]]:
    """The code and pointer of every fault; fails if the payload is accepted."""
    raw = json.dumps(data).encode() if isinstance(data, dict) else data
    found = load_catalogue().versions(type_)[0].check(raw.encode() if isinstance(raw, str) else raw)
    assert not isinstance(found, Payload)
    return [(fault.code, fault.pointer) for fault in found]


def containers(value: Any) -> Iterator[Any]:
    """Every object and array in a document, the document first."""
    if isinstance(value, (dict, list)):
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from containers(part)


def assert_discreet(found: Payload | tuple[Fault, ...]) -> None:
    """A model, or faults that say something and repeat nothing."""
    if isinstance(found, Payload):
        return
    assert found
    for fault in found:
        assert isinstance(fault, Fault)
        assert fault.code != "invalid", "an error type without a sentence of its own"
        assert fault.message and fault.message_en
        assert CANARY not in f"{fault.code} {fault.pointer} {fault.message} {fault.message_en}"


hostile_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        canaries,
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(min_value=2**62),
        st.floats(),
        st.text(max_size=5),
        st.sampled_from(
            ["2026-02-30", "2026-01-01T00:00:00", "0000-01-01", "1700000000", "-1", ""]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(canaries | st.text(), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[Contract, bytes]:
    """An example with members replaced, renamed, added and removed at any depth."""
    example = draw(st.sampled_from(VALID + INVALID))
    contract = contract_of(example)
    document = payload_in(example)
    for _ in range(draw(st.integers(1, 3))):
        spoil(draw, draw(st.sampled_from(list(containers(document)))), contract)
    written = json.dumps(document, ensure_ascii=draw(st.booleans()))
    return contract, written.encode("utf-8", "surrogatepass")


def spoil(draw: st.DrawFn, part: Any, contract: Contract) -> None:
    value = draw(canaries | hostile_values)
    if isinstance(part, list):
        part.insert(draw(st.integers(0, len(part))), value)
        return
    declared = declared_by(contract)
    name = draw(st.sampled_from(sorted(part) or declared))
    match draw(st.sampled_from(["replace", "rename", "add", "remove"])):
        case "replace":
            part[name] = value
        case "rename":
            part[draw(canaries)] = part.pop(name, None)
        case "add":
            part[draw(canaries | st.sampled_from(declared))] = value
        case "remove":
            part.pop(name, None)


def texts(value: Any) -> set[str]:
    if isinstance(value, (dict, list)):
        parts = value.values() if isinstance(value, dict) else value
        return {text for part in parts for text in texts(part)}
    return {value} if isinstance(value, str) else set()


def painted(value: Any, old: str, new: str) -> Any:
    """`value` with the text `old` replaced wherever it stands, so that equal texts stay equal."""
    if isinstance(value, dict):
        return {name: painted(part, old, new) for name, part in value.items()}
    if isinstance(value, list):
        return [painted(part, old, new) for part in value]
    return new if value == old else value


each_family = pytest.mark.parametrize(
    "examples_of_family",
    [
        list(found)
        for _, found in groupby(sorted(VALID + INVALID), key=lambda path: path.parents[2].name)
    ],
    ids=lambda paths: paths[0].parents[2].name,
)


@each_family
def test_no_text_of_a_payload_is_repeated(examples_of_family: list[Path]) -> None:
    for example in examples_of_family:
        payload = payload_in(example)
        for text, canary in zip(sorted(texts(payload)), cycle(CANARIES), strict=False):
            data = json.dumps(painted(payload, text, canary)).encode()
            assert_discreet(contract_of(example).check(data))


@each_family
def test_no_member_name_and_no_added_member_is_repeated(examples_of_family: list[Path]) -> None:
    for example in examples_of_family:
        contract = contract_of(example)
        payload = payload_in(example)
        parts = [part for part in containers(payload) if isinstance(part, dict)]
        # Every name in every part of one, and each name once in those that differ from it.
        names = zip(cycle(parts), [*declared_by(contract), *CANARIES], strict=False)
        chosen = (
            [(part, name) for part in parts for name in [*declared_by(contract), *CANARIES]]
            if example.stem.endswith("-1") and example in VALID
            else names
        )
        for part, name in chosen:
            kept = dict(part)
            part[name] = CANARY
            assert_discreet(contract.check(msgspec.json.encode(payload)))
            part.clear()
            part.update(kept)


@settings(max_examples=1_000)
@given(spoilt())
def test_faults_never_repeat_what_was_sent(case: tuple[Contract, bytes]) -> None:
    contract, data = case
    assert_discreet(contract.check(data))


@given(contract=contracts_, value=hostile_values)
def test_any_json_gets_faults(contract: Contract, value: Any) -> None:
    found = contract.check(json.dumps(value).encode("utf-8", "surrogatepass"))
    assert isinstance(found, tuple)
    assert_discreet(found)


@given(contract=contracts_, data=st.binary())
def test_any_bytes_get_faults(contract: Contract, data: bytes) -> None:
    found = contract.check(data)
    assert isinstance(found, tuple)
    assert_discreet(found)


@settings(max_examples=300)
@given(example=examples, cut=st.floats(0, 1), noise=st.binary(max_size=3))
def test_a_payload_broken_anywhere_gets_faults(example: Path, cut: float, noise: bytes) -> None:
    raw = example.read_bytes()
    at = int(cut * len(raw))
    assert_discreet(contract_of(example).check(raw[:at] + noise + raw[at + 1 :]))


Space = Callable[[], str]


def written(value: Any, space: Space, doubled: dict[str, Any] | None, name: str) -> str:
    """`value` as JSON with white space from `space`; in the object `doubled`, `name` is twice."""
    if isinstance(value, list):
        items = [space() + written(item, space, doubled, name) + space() for item in value]
        return f"[{','.join(items)}]"
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    pairs = list(value.items())
    if value is doubled:
        pairs.append((name, value[name]))
    members = [
        f"{space()}{json.dumps(key)}{space()}:{space()}{written(part, space, doubled, name)}"
        for key, part in pairs
    ]
    return f"{{{','.join(members)}{space()}}}"


@settings(max_examples=300)
@given(example=examples, data=st.data())
def test_a_doubled_member_is_found_at_any_depth(example: Path, data: st.DataObject) -> None:
    document = json.loads(example.read_bytes())
    doubled = data.draw(
        st.sampled_from([c for c in containers(document) if isinstance(c, dict) and c])
    )
    name = data.draw(st.sampled_from(sorted(doubled)))
    white = st.sampled_from(["", " ", "\t", "\n", "\r\n", "  "])
    space = (lambda: data.draw(white)) if data.draw(st.booleans()) else (lambda: "")
    raw = written(document, space, doubled, name).encode()
    assert contract_of(example).check(raw) == (DUPLICATE_MEMBER,)


@settings(max_examples=100)
@given(example=examples, data=st.data())
def test_white_space_alone_is_no_fault(example: Path, data: st.DataObject) -> None:
    white = st.sampled_from(["", " ", "\n\t"])
    raw = written(json.loads(example.read_bytes()), lambda: data.draw(white), None, "").encode()
    assert isinstance(contract_of(example).check(raw), Payload)


def test_a_doubled_member_is_found_behind_an_escape() -> None:
    document = json.dumps(example_of("clue.received"), separators=(",", ":"))
    escaped = document.replace('"room":', '"r\\u006fom":"一室","room":')
    assert faults_of("clue.received", escaped) == [("duplicate_member", "/data")]


def test_text_that_looks_like_members_is_no_fault() -> None:
    document = {**example_of("clue.returned"), "note": '材料": "缺", "材料": "缺" :'}
    for separators in ((",", ":"), (", ", " : ")):
        raw = json.dumps(document, separators=separators, ensure_ascii=False).encode()
        assert isinstance(load_catalogue().versions("clue.returned")[-1].check(raw), Payload)


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"letter":', '{"handlers":['])
def test_deep_nesting_gets_a_fault(opening: str) -> None:
    raw = (opening * 100_000).encode()
    checked = {contract.urn: contract.check(raw) for contract in CONTRACTS}
    told = {
        urn: None if isinstance(found, Payload) else [fault.code for fault in found]
        for urn, found in checked.items()
    }
    assert {urn: codes for urn, codes in told.items() if codes != ["json_invalid"]} == {}


@pytest.mark.parametrize(
    "written_value", ["NaN", "Infinity", "-Infinity", "1.0", "1e2", '"3"', "true"]
)
def test_a_count_is_an_integer_and_nothing_else(written_value: str) -> None:
    document = example_of("petition.case_transferred")
    raw = json.dumps({**document, "people": "@"}).replace('"@"', written_value)
    assert faults_of("petition.case_transferred", raw) == [("type", "/data/people")]


@pytest.mark.parametrize("value", [0, 1, "true", "是", None])
def test_a_flag_is_true_or_false_and_nothing_else(value: object) -> None:
    document = {**example_of("petition.case_transferred"), "joint": value}
    assert faults_of("petition.case_transferred", document) == [("type", "/data/joint")]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("2026-05-22T10:05:00", "timezone_missing"),
        ("2026-05-22 10:05:00+08:00", "format"),
        ("2026-05-22", "format"),
        ("1779415500", "format"),
        ("2026-05-22T10:05+08:00", "format"),
        ("2026-05-22T25:05:00+08:00", "type"),
        ("2026-05-22T10:05:00+99:99", "type"),
        (1779415500, "type"),
    ],
)
def test_a_time_is_written_with_its_offset(value: object, code: str) -> None:
    document = {**example_of("clue.received"), "received_at": value}
    assert faults_of("clue.received", document) == [(code, "/data/received_at")]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("2026-02-30", "type"),
        ("0000-01-01", "type"),
        ("20260301", "format"),
        ("2026/03/01", "format"),
        ("86400000", "format"),
        ("2026-03-01T00:00:00+08:00", "format"),
        (20260301, "type"),
    ],
)
def test_a_day_is_written_with_hyphens(value: object, code: str) -> None:
    document = {**example_of("petition.case_transferred"), "date": value}
    assert faults_of("petition.case_transferred", document) == [(code, "/data/date")]


@pytest.mark.parametrize("value", ["", " ", "\t\n", "　", "\u00a0", "a\x00", "a\x1b[31m", "\x7f"])
def test_text_is_neither_blank_nor_holds_control_characters(value: str) -> None:
    document = {**example_of("clue.received"), "room": value}
    assert faults_of("clue.received", document) == [
        ("format" if value else "too_short", "/data/room")
    ]


@pytest.mark.parametrize("value", [' 一室 "甲"', "第一行\r\n第二行\t完", "𠮷", "甲" * 200])
def test_other_text_is_accepted(value: str) -> None:
    document = json.dumps({**example_of("clue.received"), "room": value}).encode()
    assert isinstance(load_catalogue().versions("clue.received")[-1].check(document), Payload)


@pytest.mark.parametrize("surrogate", ["\\ud800", "\\udc00", "\\ud800x", "\\udc00\\ud800"])
def test_a_lone_surrogate_is_refused(surrogate: str) -> None:
    document = json.dumps({**example_of("clue.received"), "room": "@"}).replace("@", surrogate)
    assert faults_of("clue.received", document) == [("json_invalid", "/data")]
    assert faults_of("clue.received", f'{{"{surrogate}": 1}}') == [("json_invalid", "/data")]


@pytest.mark.parametrize("data", ["null", "[]", '"x"', "1", "true"])
def test_a_payload_is_an_object(data: str) -> None:
    assert faults_of("clue.received", data) == [("type", "/data")]


def test_faulty_items_do_not_make_an_array_too_short() -> None:
    document = {**example_of("clue.received"), "receiver": [{}, {}]}
    assert faults_of("clue.received", document) == [
        ("required", "/data/receiver/0/name"),
        ("required", "/data/receiver/1/name"),
    ]
    assert faults_of("clue.received", {**document, "receiver": [{}]}) == [
        ("required", "/data/receiver/0/name"),
        ("too_few", "/data/receiver"),
    ]


def test_undeclared_members_of_one_object_are_one_fault() -> None:
    document = {**example_of("clue.received"), "一": 1, "二": 2}
    assert faults_of("clue.received", document) == [("undeclared", "/data")]


def test_after_twenty_faults_comes_how_many_more() -> None:
    document = {**example_of("clue.received"), "receiver": [{} for _ in range(20)], "room": 1}
    raw = json.dumps({**document, "register_no": 1}).encode()
    found = load_catalogue().versions("clue.received")[-1].check(raw)
    assert isinstance(found, tuple)
    assert len(found) == 21
    assert found[20] == Fault("more_errors", "", "另有 2 处错误", "2 more errors")


def test_every_broken_rule_of_an_object_is_reported() -> None:
    document = {
        **example_of("clue.transferred"),
        "period_to": "2000-01-01",
        "found_in": None,
        "repeat_of": example_of("clue.transferred")["clueid"],
    }
    assert faults_of("clue.transferred", document) == [
        ("period_reversed", "/data/period_to"),
        ("found_in_missing", "/data/found_in"),
        ("clue_refers_to_itself", "/data/repeat_of"),
    ]


def test_sentences_tell_a_clerk_what_to_do() -> None:
    document = example_of("petition.case_transferred")
    document["petitioner"]["idno"] = document["petitioner"]["idno"][:-1] + "X"
    document["form"] = {"code": "77"}
    raw = json.dumps(document).encode()
    found = load_catalogue().versions("petition.case_transferred")[-1].check(raw)
    assert found == (
        Fault(
            "code_unknown",
            "/data/form/code",
            "代码不在代码表 petition_form 中，可用：1 来信、2 来访、3 来电、4 网上、9 其他"
            "；其他代码须附 label（名称）",
            "not a member of code list petition_form; valid: 1, 2, 3, 4, 9; others need a label",
        ),
        Fault(
            "identifier_invalid",
            "/data/petitioner/idno",
            "公民身份号码校验码不符，请核对原件",
            "citizen number (GB 11643): wrong check digit; compare with the original",
        ),
    )
