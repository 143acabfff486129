"""The order of a case's events, as a mapping tells it."""

import pytest
from pydantic import ValidationError

from adapters.kit.convert import Wrong
from adapters.kit.port import FaultKind
from adapters.kit.steps import Step, impossible, never_possible
from contracts.catalogue import load_catalogue

STEPS = {
    "clue.received": Step(),
    "clue.returned": Step(not_after=("clue.disposition_decided", "clue.concluded")),
    "clue.disposition_decided": Step(
        after=("clue.received",), not_after=("clue.concluded", "clue.returned", "clue.merged")
    ),
    "clue.concluded": Step(
        after=("clue.received", "clue.disposition_decided"),
        not_after=("clue.returned", "clue.merged"),
    ),
}


@pytest.mark.parametrize(
    ("type_", "gone_before"),
    [
        ("clue.received", []),
        ("clue.returned", ["clue.received"]),
        ("clue.disposition_decided", ["clue.received"]),
        ("clue.concluded", ["clue.received", "clue.disposition_decided"]),
        ("clue.extended", []),
    ],
)
def test_a_step_comes_after_what_it_needs(type_: str, gone_before: list[str]) -> None:
    assert impossible(type_, gone_before, STEPS) is None


@pytest.mark.parametrize("type_", STEPS)
def test_what_was_told_before_may_be_told_again(type_: str) -> None:
    assert impossible(type_, [type_, "clue.returned", "clue.merged"], STEPS) is None


def test_a_step_too_early_is_told_with_what_is_missing_and_what_can_be_told_now() -> None:
    assert impossible("clue.concluded", [], STEPS) == Wrong(
        FaultKind.STEP,
        "“问题线索办结反馈”之前须先有“问题线索签收”、“问题线索处置意见”",
        "现在可以填报：“问题线索签收”、“问题线索退回”；已报过的可以更正后再报",
    )


def test_a_step_too_late_is_told_with_what_has_closed_its_way() -> None:
    gone_before = ["clue.received", "clue.disposition_decided", "clue.merged"]
    assert impossible("clue.concluded", gone_before, STEPS) == Wrong(
        FaultKind.STEP,
        "已有“问题线索并案”，不能再报“问题线索办结反馈”",
        "此件已无后续步骤；已报过的可以更正后再报",
    )


def test_a_step_may_be_both_too_early_and_too_late() -> None:
    wrong = impossible("clue.disposition_decided", ["clue.returned"], STEPS)
    assert wrong is not None
    assert wrong.reason == (
        "“问题线索处置意见”之前须先有“问题线索签收”；已有“问题线索退回”，不能再报“问题线索处置意见”"
    )


def test_steps_to_which_nothing_leads_are_found() -> None:
    circle = {
        "clue.received": Step(),
        "clue.extended": Step(after=("clue.progress_reported",)),
        "clue.progress_reported": Step(after=("clue.extended", "clue.received")),
        "clue.merged": Step(after=("clue.received",), not_after=("clue.received",)),
    }
    assert never_possible(circle) == {"clue.extended", "clue.progress_reported", "clue.merged"}
    assert never_possible(STEPS) == frozenset()


def test_a_step_names_types_that_there_are() -> None:
    assert "clue.received" in load_catalogue().types()
    with pytest.raises(ValidationError, match=r"no contract 'clue\.recieved'"):
        Step.model_validate({"after": ["clue.recieved"]})
