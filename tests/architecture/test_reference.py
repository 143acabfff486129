"""What is written about the hub and what the hub is agree."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

from deploy.monitoring.page import adapters_metrics
from deploy.reference.__main__ import HERE, generated
from deploy.reference.errors import errors
from deploy.reference.faults import Passed, Told, found_faults
from hub.cli.commands import app
from hub.cli.connection import Environment
from hub.metrics import Metrics
from hub.settings import Settings

ROOT = Path(__file__).parents[2]
CHINESE = re.compile("[\u4e00-\u9fff]")
# What people are told to use. The changelog tells of the past, too.
PAGES = [
    path
    for folder in ("README.md", "hub", "adapters", "contracts", "deploy")
    for path in ([ROOT / folder] if folder.endswith(".md") else (ROOT / folder).rglob("*.md"))
    if HERE not in path.parents and "decisions" not in path.parts
]


def test_what_is_generated_stands_as_it_is_generated() -> None:
    """Else run `make docs`."""
    stale = [
        path.name for path, text in generated().items() if path.read_text(encoding="utf-8") != text
    ]
    assert stale == []


def test_every_problem_has_a_code_of_its_own_and_both_languages() -> None:
    family = list(errors())
    assert len({error.code for error in family}) == len(family)
    for error in family:
        zh, en = error.titles()
        assert CHINESE.search(zh) and en and not CHINESE.search(en), error
        # Only waiting helps where a retry does, and what is wrong with a request stays wrong.
        assert not error.retryable or error.status in (408, 429, 503), error


def test_every_fault_has_a_code_and_both_languages() -> None:
    told = [fault for fault in found_faults() if isinstance(fault, Told)]
    assert told != []
    for fault in told:
        assert re.fullmatch("[a-z0-9_]+", fault.code), fault
        assert CHINESE.search(fault.zh) or fault.zh in ("…",), fault
        assert fault.en and not CHINESE.search(fault.en.replace("<机构编号>", "")), fault


def test_codes_are_made_up_nowhere_but_where_they_can_be_read() -> None:
    """Who passes on a code of another place stands here; a new fault writes its code out."""
    passing = sorted({fault.place for fault in found_faults() if isinstance(fault, Passed)})
    assert passing == [
        "contracts/envelope.py",
        "contracts/faults.py",
        "contracts/rules.py",
        "hub/delivery/deadletters.py",
        "hub/intake/accept.py",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_names_only_what_there_is(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [
        name for name in re.findall(r"\bGUANTONG_[A-Z_]*[A-Z]\b", text) if not setting(name)
    ] == []
    assert [path for path in re.findall(r"/v1(?:/[\w.{}:-]+)+", text) if not routed(path)] == []
    assert [
        name for name in re.findall(r"\bguantong_[a-z_]*[a-z]\b", text) if not metric(name)
    ] == []
    assert [line for line in commands_in(text) if not understood(line)] == []


def setting(name: str) -> bool:
    """Whether the hub or its commands read the variable."""
    fields = {*Settings.model_fields, *Environment.model_fields}
    return name.removeprefix("GUANTONG_").lower() in fields


def metric(name: str) -> bool:
    """Whether the hub, or a process of adapters, tells the metric, or a part of it."""
    declared = (*Metrics(version="0", sqlite="0").declared, *adapters_metrics())
    known = {metric.name for metric in declared}
    return name in known or re.sub(r"_(bucket|count|sum)$", "", name) in known


def routed(path: str) -> bool:
    """Whether a route leads there, or further."""
    listed = re.findall(r"^\| `\w+ (\S+)`", (HERE / "routes.md").read_text("utf-8"), re.MULTILINE)
    steps = path.rstrip(".").split("/")
    return any(
        len(steps) <= len(route.split("/"))
        and all(
            there == step or there.startswith("{")
            for there, step in zip(route.split("/"), steps, strict=False)
        )
        for route in listed
    )


def commands_in(text: str) -> Iterator[list[str]]:
    """The words of every command line that a page shows, without what is piped or redirected."""
    shown = re.findall(r"`(guantong [^`]+)`", text)
    for block in re.findall(r"^ *```sh.*?\n(.*?)```", text, re.DOTALL | re.MULTILINE):
        lines = block.replace("\\\n", " ").splitlines()
        shown.extend(line.strip() for line in lines if line.strip().startswith("guantong "))
    for line in shown:
        yield re.split(r"[|>#;]", line)[0].split()[1:]


def understood(words: list[str]) -> bool:
    """Whether there is such a command, and it takes these options."""
    command: App = app
    while words and not words[0].startswith("-") and words[0] in command:
        command, words = command[words[0]], words[1:]
    # A group is named by itself, and never with a word that is no command of it.
    if command is app or (command.default_command is None and words):
        return False
    taken = (
        {name for argument in command.assemble_argument_collection() for name in argument.names}
        if command.default_command
        else set()
    )
    return {word for word in words if word.startswith("--")} <= taken
