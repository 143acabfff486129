"""The shape of the code that import-linter does not look at: sizes, docstrings, the map, names."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from hub.settings import Settings

ROOT = Path(__file__).parents[2]
CODE = sorted(
    path for folder in ("hub", "contracts", "adapters") for path in (ROOT / folder).rglob("*.py")
)
# A file that is empty only makes its folder a package.
MODULES = [path for path in CODE if path.read_text(encoding="utf-8").strip()]

HUB = ROOT / "hub"
OTHER_FOLDERS = ("adapters/", "contracts/", "deploy/", "tests/")
MOST_LINES = 450
MOST_LINES_OF_A_FUNCTION = 60
MOST_SETTINGS = 40
# Where code speaks to a person at a terminal.
MAY_PRINT = ("hub/cli/", "deploy/")


def name_of(path: Path) -> str:
    """A file as the map and reports name it."""
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file, those inside others too."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function, without those of the functions that stand inside it."""
    assert function.end_lineno is not None
    inside = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node is not function
    ]
    covered = {n for node in inside for n in range(node.lineno, (node.end_lineno or 0) + 1)}
    return len(set(range(function.lineno, function.end_lineno + 1)) - covered)


def test_every_module_says_what_it_is_for() -> None:
    silent = [name_of(path) for path in MODULES if not ast.get_docstring(parsed(path))]
    assert silent == []


def test_an_init_file_holds_nothing() -> None:
    full = [name_of(path) for path in MODULES if path.name == "__init__.py"]
    assert full == []


def test_no_file_is_longer_than_one_can_keep_in_mind() -> None:
    lengths = {name_of(p): len(p.read_text(encoding="utf-8").splitlines()) for p in MODULES}
    assert {name: n for name, n in lengths.items() if n > MOST_LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    # A migration is a list of statements that nobody changes any more.
    lengths = {
        f"{name_of(path)}:{function.lineno} {function.name}": own_lines(function)
        for path in MODULES
        if "migrations/versions/" not in name_of(path)
        for function in functions_of(path)
    }
    assert {name: n for name, n in lengths.items() if n > MOST_LINES_OF_A_FUNCTION} == {}


def test_the_map_names_every_file_of_the_hub_and_no_other() -> None:
    """A path in the map is written from the hub's folder, such as `intake/accept.py`."""
    readme = HUB / "README.md"
    assert readme.exists(), "hub/README.md holds the map"
    paths = re.findall(r"[\w/]+\.py\b", readme.read_text(encoding="utf-8"))
    own = [path.removeprefix("hub/") for path in paths if not path.startswith(OTHER_FOLDERS)]
    there = {name_of(path).removeprefix("hub/") for path in MODULES if HUB in path.parents}
    assert (sorted(there - set(own)), sorted(set(own) - there)) == ([], [])


def test_metrics_are_named_in_their_files_alone() -> None:
    made = re.compile(r"\b(Counter|Gauge|Histogram|Summary|Info|Enum)\(\s*f?\"")
    declared = re.compile(r"^class \w+\(Declaring\):", re.MULTILINE)
    texts = {name_of(path): path.read_text(encoding="utf-8") for path in MODULES}
    assert [n for n, text in texts.items() if made.search(text)] == [
        "hub/declaring.py",
        "hub/metrics.py",
    ]
    assert [n for n, text in texts.items() if declared.search(text)] == [
        "hub/kafkametrics.py",
        "hub/metrics.py",
    ]


def test_settings_are_few_and_each_has_a_sentence() -> None:
    fields = Settings.model_fields
    assert 0 < len(fields) <= MOST_SETTINGS
    sentence = re.compile(r"[A-Z].*[a-z].*\.")
    dumb = [n for n, f in fields.items() if not sentence.fullmatch(f.description or "")]
    assert dumb == []


@pytest.mark.parametrize("folder", ["hub", "contracts", "adapters", "deploy"])
def test_only_what_speaks_to_a_person_prints(folder: str) -> None:
    printing = [
        f"{name_of(path)}:{node.lineno}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not name_of(path).startswith(MAY_PRINT)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("print", "pprint")
    ]
    assert printing == []


def test_whoever_reads_the_journal_reads_what_is_held() -> None:
    """On PostgreSQL rows may stand in the table that were purged; the view leaves them out."""
    table = re.compile(r"(?<!DELETE )\b(FROM|JOIN|UPDATE) journal\b|tables import .*\bjournal\b")
    readers = [
        name_of(path)
        for path in MODULES
        if HUB in path.parents and "migrations/versions/" not in name_of(path)
        if table.search(path.read_text(encoding="utf-8"))
    ]
    assert readers == [
        # What is moved to PostgreSQL, row for row.
        "hub/database/copying.py",
        "hub/database/partitions.py",
        # Of SQLite, which holds all that it has: a backup may be older than the view.
        "hub/upkeep/sql.py",
    ]
