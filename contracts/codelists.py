"""Code lists: data files beside the contracts, one per list (`contracts/codes/lists/README.md`)."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class CodeList:
    """A named list. A closed one refuses unknown members; an open one takes them with a label."""

    name: str
    closed: bool
    labels: Mapping[str, str]


@cache
def code_list(name: str) -> CodeList:
    """The list `name`, from `codes/lists/<name>.csv` (code, label, label_en, source).

    Raises FileNotFoundError for a list that is not shipped: a contract names only lists that are.
    """
    path = files("contracts") / "codes" / "lists" / f"{name}.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    labels = {row["code"]: row["label"] for row in rows if row["code"] != "*"}
    closed = not any(row["code"] == "*" for row in rows)
    return CodeList(name=name, closed=closed, labels=MappingProxyType(labels))
