"""Every ground that a decision can leave has its words, in both languages."""

import re
from pathlib import Path

import pytest

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.event import Marking
from hub.policy import entitle
from hub.policy.document import PolicyDocument
from hub.policy.entitle import Ground
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from hub.policy.wording import wording

POLICY = Policies(
    catalogue=load_catalogue(),
    regions=load_regions(),
    marks=PartyMarks(b"k" * 32),
    ceiling=Marking.internal,
).compile(
    1,
    PolicyDocument.model_validate_json(
        '{"grants": [{"id": "g1", "kind": "audit", "may": "receive", "types": ["*"],'
        ' "region": "510000", "purpose": "巡审联动"}]}'
    ),
)
FACTS = {
    "matrix": ("audit", "same", "masked"),
    "not_a_receiver": ("apart", "audit"),
    "grants": ("g1",),
    "accused_party": ("uscc",),
    "recused": ("r1",),
}


def codes() -> list[str]:
    """The codes that stand in the decision's own text."""
    text = Path(entitle.__file__).read_text(encoding="utf-8")
    return sorted(
        set(re.findall(r'(?:_note\(\d, |Ground\(\d, )"(\w+)"', text))
        | {
            *re.findall(r'"(\w+)" if \w+ else', text),
            *re.findall(r'else "(\w+)"', text),
        }
        - {"full", "masked"}
    )


@pytest.mark.parametrize("code", codes())
def test_a_ground_is_told_in_chinese_and_english(code: str) -> None:
    chinese, english = wording(Ground(1, code, FACTS.get(code, ())), POLICY)
    assert re.search("[一-鿿]", chinese)
    assert re.fullmatch("[ -~]+", english)


def test_grants_are_told_with_their_purpose() -> None:
    assert wording(Ground(2, "grants", ("g1",)), POLICY) == (
        "凭 g1（巡审联动）",
        "granted by g1",
    )


def test_a_kind_that_the_contract_bars_is_named() -> None:
    barred = Ground(1, "not_a_receiver", ("denied", "inspected-party"))
    assert wording(barred, POLICY) == (
        "契约规定被巡视（巡察）党组织一律不得接收",
        "the contract never goes to inspected-party",
    )
