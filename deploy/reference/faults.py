"""The faults that the code can tell, read in its text: where a `Fault` is made, its code stands."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

from contracts.catalogue import load_catalogue
from contracts.common import Part, Period
from contracts.faults import ANY_FAULT, SENTENCES, TYPE_FAULTS
from contracts.values import FORMATS

ROOT: Final = Path(__file__).parents[2]
# What makes a fault: all take its code first, its sentences third and fourth.
MAKERS: Final = ("Fault", "rule_broken", "_fault")
LEFT_OPEN: Final = "…"


@dataclass(frozen=True, slots=True)
class Told:
    """A fault as one place in the code tells it; what it fills in is left open."""

    place: str
    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Passed:
    """A place that passes on codes that stand elsewhere."""

    place: str


@cache
def found_faults() -> tuple[Told | Passed, ...]:
    """Every place of `contracts` and the hub that makes a fault, and what pydantic finds."""
    return (*_found_by_pydantic(), *_rules_of_payloads(), *_found_in_the_code())


def _found_in_the_code() -> Iterator[Told | Passed]:
    for folder in ("contracts", "hub"):
        # Commands tell a person the same in fewer words.
        paths = [path for path in (ROOT / folder).rglob("*.py") if path.parent.name != "cli"]
        for path in sorted(paths):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            makers = [node for node in ast.walk(tree) if _makes_a_fault(node)]
            if makers:
                name = path.relative_to(ROOT).with_suffix("").as_posix()
                module = import_module(name.replace("/", "."))
                for node in makers:
                    assert isinstance(node, ast.Call)
                    yield from _told(node, f"{name}.py", module)


def _found_by_pydantic() -> Iterator[Told]:
    place = "contracts/faults.py"
    for code, *sentence in SENTENCES.values():
        zh, en = (re.sub(r"\{\w+\}", LEFT_OPEN, text) for text in sentence)
        yield Told(place, code, zh, en)
    yield Told(place, "invalid", *ANY_FAULT)
    for code, pairs in (("type", TYPE_FAULTS), ("format", FORMATS)):
        for zh, en in dict.fromkeys(pairs.values()):
            yield Told(place, code, zh, en)


def _rules_of_payloads() -> Iterator[Told]:
    """The rules that payloads and their parts declare."""
    for name in sorted({contract.model.__module__ for contract in load_catalogue()}):
        place = f"{name.replace('.', '/')}.py"
        for part in vars(import_module(name)).values():
            if isinstance(part, type) and issubclass(part, Part) and part.__module__ == name:
                for rule in part.RULES:
                    yield Told(place, rule.code, rule.message, rule.message_en)
    for rule in Period.RULES:
        yield Told("contracts/common.py", rule.code, rule.message, rule.message_en)


def _makes_a_fault(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return False
    # Fewer arguments: the maker of another thing that bears the name.
    return node.func.id in MAKERS and len(node.args) >= 3


def _told(node: ast.Call, place: str, module: ModuleType) -> Iterator[Told | Passed]:
    codes = _constants(node.args[0], module)
    if not codes:
        yield Passed(place)
    sentences = [text for argument in node.args[2:] for text in _texts(argument, module)]
    zh, en = [*sentences, LEFT_OPEN, LEFT_OPEN][:2]
    for code in codes:
        yield Told(place, code, zh, en)


def _constants(node: ast.expr, module: ModuleType) -> list[str]:
    """The strings that an expression may be, none when they are not written there."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.Name(id=name) if isinstance(getattr(module, name, None), str):
            return [str(getattr(module, name))]
        case ast.IfExp():
            return [*_constants(node.body, module), *_constants(node.orelse, module)]
        case _:
            return []


def _texts(node: ast.expr, module: ModuleType) -> list[str]:
    """The sentences of an argument; a starred one is a pair."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            whole = [part.value if isinstance(part, ast.Constant) else LEFT_OPEN for part in parts]
            return [re.sub(f"{LEFT_OPEN}+", LEFT_OPEN, "".join(map(str, whole)))]
        case ast.Starred(value=ast.Name(id=name)) if hasattr(module, name):
            return [str(text) for text in getattr(module, name)]
        case ast.Starred():
            return [LEFT_OPEN, LEFT_OPEN]
        case _:
            return [LEFT_OPEN]
