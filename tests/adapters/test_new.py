"""A new adapter is a folder that agrees with its samples, and goes on from there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.kit.adapter import load
from adapters.kit.check import check, samples
from adapters.kit.dry import dry_run
from adapters.kit.new import CannotDraft, new_adapter
from contracts.catalogue import load_catalogue

# Flat, with lists and objects, with two signatories, with amounts, a reply, with a flag that is
# always true.
TYPES = (
    "briefing.provided",
    "clue.transferred",
    "finance.anomaly_reported",
    "petition.replied",
    "tip.acknowledged",
)


@pytest.mark.parametrize("type_", TYPES)
def test_a_new_adapter_agrees_with_its_eight_samples(tmp_path: Path, type_: str) -> None:
    folder = new_adapter("letters", type_, tmp_path)
    assert folder == tmp_path / "letters"
    assert check(folder) == ()
    assert len(list(samples(folder))) == 8
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("# ")
    assert load(folder).mapping.contracts.keys() == {type_}
    assert list(tmp_path.iterdir()) == [folder]


def test_its_first_sample_gives_an_event_and_nothing_to_put_right(tmp_path: Path) -> None:
    folder = new_adapter("letters", "briefing.provided", tmp_path)
    sample = folder / "samples" / "one" / "in.csv"
    done = dry_run(load(folder), sample, "510100.audit")
    assert (done.types, done.refused, done.faults) == ({"briefing.provided": 1}, 0, ())
    assert done.unread == ()
    assert all(column.present for column in done.columns)


@pytest.mark.parametrize(
    ("type_", "region"),
    [
        # A region that must be stated; none; one that may be; one of a reply, which has its own.
        ("petition.case_transferred", "510104"),
        ("briefing.provided", None),
        ("tip.received", None),
        ("issue.verification_reported", None),
    ],
)
def test_an_opening_belongs_to_the_region_that_it_must_state(
    tmp_path: Path, type_: str, region: str | None
) -> None:
    folder = new_adapter("letters", type_, tmp_path)
    made = json.loads((folder / "samples" / "one" / "out.json").read_text(encoding="utf-8"))
    assert [event.get("region") for event in made["events"]] == [region]


def test_its_code_is_written_as_the_house_writes_it(tmp_path: Path) -> None:
    folders = [new_adapter(f"a{n}", type_, tmp_path) for n, type_ in enumerate(TYPES)]
    paths = [str(folder / "translate.py") for folder in folders]
    command = [sys.executable, "-m", "ruff", "format", "--check", "--line-length=100", *paths]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_what_the_contract_may_hold_beside_it_is_told_in_the_map(tmp_path: Path) -> None:
    folder = new_adapter("letters", "briefing.provided", tmp_path)
    text = (folder / "mapping.toml").read_text(encoding="utf-8")
    assert "# 契约还可以有下列字段" in text
    assert "#   /leaders/-/idno  领导班子成员·公民身份号码（citizen_id）" in text


@pytest.mark.parametrize("name", ["", "Letters", "../letters", "a.b", "1a", "信件", "a" * 41])
def test_a_name_is_a_word_and_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotDraft, match="名称须以小写字母开头"):
        new_adapter(name, "briefing.provided", tmp_path)


@pytest.mark.parametrize(
    ("type_", "told"),
    [
        ("briefing.given", "没有契约 briefing.given，可用：briefing.declined、briefing.provided"),
        ("nothing.known", "没有契约 nothing.known，可用：见 contract list"),
        ("delivery.failed", "delivery.failed 由系统自己发出，不需要适配器"),
        ("clue.split", "契约 clue.split 1.0 不能由一行表格直接得出，请参照其他适配器手写"),
    ],
)
def test_what_cannot_be_begun_is_told_and_leaves_nothing(
    tmp_path: Path, type_: str, told: str
) -> None:
    with pytest.raises(CannotDraft) as raised:
        new_adapter("letters", type_, tmp_path)
    assert str(raised.value).startswith(told)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    with pytest.raises(CannotDraft, match="已经存在"):
        new_adapter("letters", "briefing.provided", tmp_path)
    assert list((tmp_path / "letters").iterdir()) == []


def test_one_can_be_begun_for_the_first_type_of_every_family_that_agencies_send(
    tmp_path: Path,
) -> None:
    first: dict[str, str] = {}
    for type_ in load_catalogue().types():
        newest = load_catalogue().versions(type_)[-1]
        if load_catalogue().senders(newest):
            first.setdefault(newest.family, type_)
    begun = [new_adapter(family, type_, tmp_path) for family, type_ in first.items()]
    assert len(begun) > 40
    assert all((folder / "samples" / "one" / "out.json").is_file() for folder in begun)
