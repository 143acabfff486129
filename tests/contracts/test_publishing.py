"""Releases: what was published once never changes, and the check finds every difference."""

import json
from pathlib import Path
from typing import Annotated, Any

from contracts import publishing
from contracts.catalogue import Catalogue, load_catalogue
from contracts.classes import F1
from contracts.common import Payload
from contracts.contract import Contract
from contracts.declare import event
from contracts.values import Identifier, Line


def declared(model: type[Payload]) -> Contract:
    found = vars(model)["__contract__"]
    assert isinstance(found, Contract)
    return found


def version(number: str, **fields: Any) -> Contract:
    """A version of a type, with these fields beside its key."""
    members = {"planid": Annotated[Identifier, F1("计划编号", "plan")], **fields}
    body = {
        "__doc__": "A plan.\n\n计划。",
        "__module__": __name__,
        "__annotations__": members,
        **{name: None for name in fields if name.startswith("may_")},
    }
    declare = event("plan.tried", "试", "Tried", key="/planid", flows=("V02",), version=number)
    return declared(declare(type("Tried", (Payload,), body)))


OPTIONAL = Annotated[Line | None, F1("备注", "note")]
REQUIRED = Annotated[Line, F1("备注", "note")]


def names(found: list[publishing.Difference]) -> list[tuple[str, list[str]]]:
    return [(one.path, sorted({reason.breaks for reason in one.reasons})) for one in found]


def test_what_is_published_is_what_the_code_says() -> None:
    assert publishing.differences(load_catalogue(), publishing.FOLDER) == []


def test_publishing_adds_what_is_new_and_leaves_the_rest(tmp_path: Path) -> None:
    one, two = version("1.0"), version("1.1", may_say=OPTIONAL)
    added, found = publishing.publish(Catalogue([one]), tmp_path)
    assert (added, found) == (["plan.tried/1.0.json", "plan.tried/1.0.view.json"], [])
    before = (tmp_path / added[0]).read_bytes()
    added, found = publishing.publish(Catalogue([one, two]), tmp_path)
    assert (added, found) == (["plan.tried/1.1.json", "plan.tried/1.1.view.json"], [])
    assert (tmp_path / "plan.tried/1.0.json").read_bytes() == before
    assert publishing.differences(Catalogue([one, two]), tmp_path) == []
    index = json.loads((tmp_path / "index.json").read_bytes())
    assert list(index) == sorted(index) and len(index) == 4


def test_a_released_version_that_changes_is_told_with_reasons_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    publishing.publish(Catalogue([version("1.0")]), tmp_path)
    standing = {p: p.read_bytes() for p in tmp_path.rglob("*.json")}
    changed = Catalogue([version("1.0", must_say=REQUIRED)])
    added, found = publishing.publish(changed, tmp_path)
    assert added == []
    assert names(found)[0] == ("plan.tried/1.0.json", ["new_reads_old", "old_reads_new"])
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.json")} == standing
    told = names(publishing.differences(changed, tmp_path))
    assert [path for path, _ in told] == [
        "plan.tried/1.0.json",
        "plan.tried/1.0.view.json",
        "index.json",
    ]


def test_a_release_that_is_edited_removed_or_gone_from_the_code_is_found(tmp_path: Path) -> None:
    catalogue = Catalogue([version("1.0"), version("1.1", may_say=OPTIONAL)])
    publishing.publish(catalogue, tmp_path)
    edited = tmp_path / "plan.tried/1.0.json"
    edited.write_bytes(edited.read_bytes().replace(b"\n", b"\n ", 1))
    (tmp_path / "plan.tried/1.1.view.json").unlink()
    assert names(publishing.differences(catalogue, tmp_path)) == [
        ("plan.tried/1.0.json", []),
        ("plan.tried/1.1.view.json", []),
    ]
    gone = publishing.differences(Catalogue([version("1.0")]), tmp_path)
    assert [one.path for one in gone] == [
        "plan.tried/1.1.json",
        "plan.tried/1.0.json",
        "index.json",
    ]


def test_a_minor_version_that_refuses_what_the_one_before_took_is_none(tmp_path: Path) -> None:
    wrong = Catalogue([version("1.0"), version("1.1", must_say=REQUIRED)])
    added, found = publishing.publish(wrong, tmp_path)
    assert (added, names(found)) == ([], [("plan.tried/1.1.json", ["new_reads_old"])])
    major = Catalogue([version("1.0"), version("2.0", must_say=REQUIRED)])
    assert publishing.publish(major, tmp_path)[1] == []
